// web/query.h - the query of a URL as keys and values.
// Room: taking it apart and putting it together; what keys mean is state.c. Door: web/web.h.
#pragma once

#include "base/base.h"

enum { MAX_QUERY_PAIRS = 256 }; // the original has 30 keys; a longer query is nobody's state

struct query {
    str *keys, *values;
    size_t n;
};

// Decoded, in order; an empty key is skipped. Fails: ERR_USAGE on a bad escape, ERR_LIMIT on more
// than MAX_QUERY_PAIRS.
MUST_USE bool query_parse(struct arena *out, str text, struct query *ret, struct err *err);
// The first value of key; empty: not given.
str query_get(const struct query *q, str key);
// A number from low to high, fallback where it is not given. Fails: ERR_USAGE.
MUST_USE bool query_number(const struct query *q, str key, i64 low, i64 high, i64 fallback,
                           i64 *ret, struct err *err);
// "key=value", escaped, after '&' where b is not empty.
void query_put(struct buf *b, str key, str value);
// Percent escapes undone; plus: '+' is a blank. Fails: ERR_USAGE.
MUST_USE bool url_decode(struct arena *out, str text, bool plus, str *ret, struct err *err);
