// web/answer.h - from a request to a reply: routes, errors, tags, compression.
// Room: what happens around a handler, without sockets. Door: web/web.h.
#pragma once

#include "web/web.h"

struct answer_request {
    str path, query, body;
    bool is_change, is_delete;
    bool takes_gzip;
    str if_none_match;
};

struct answer {
    int status;
    str type, body, etag, filename, location; // empty: no such header
    bool is_gzip, allows_post;                // allows_post: the Allow header of a 405
};

// Runs the route of a request. Never fails: what goes wrong is an answer. Memory: out.
void answer_make(struct arena *out, const struct web_site *site, const struct answer_request *rq,
                 struct answer *ret);
// An answer of {"error": ...}.
void answer_error(struct arena *out, int status, const struct err *err, str where,
                  struct answer *ret);
