// web/query.c - the query of a URL as keys and values.
// Room: see query.h. Door: web/query.h. Source: RFC 3986; application/x-www-form-urlencoded.
#include "web/query.h"

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool url_decode(struct arena *out, str text, bool plus, str *ret, struct err *err) {
    char *p = arena_alloc(out, text.len + 1, 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (c == '+' && plus) c = ' ';
        if (c == '%') {
            int high = i + 2 < text.len ? hex_digit(text.p[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_digit(text.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return err_set(err, ERR_USAGE, i, "invalid URL escape in \"" S_FMT "\"",
                               S_ARG(str_take(text, 100)));
            c = (char)(high << 4 | low);
            i += 2;
        }
        p[n++] = c;
    }
    *ret = (str){p, n};
    return true;
}

bool query_parse(struct arena *out, str text, struct query *ret, struct err *err) {
    struct query q = {.keys = NEW(out, str, MAX_QUERY_PAIRS),
                      .values = NEW(out, str, MAX_QUERY_PAIRS)};
    while (text.len) {
        str pair, key, value;
        str_cut(text, '&', &pair, &text);
        str_cut(pair, '=', &key, &value);
        if (!key.len) continue;
        if (q.n == MAX_QUERY_PAIRS)
            return err_set(err, ERR_LIMIT, 0, "more than %d keys in the URL", MAX_QUERY_PAIRS);
        if (!url_decode(out, key, true, &q.keys[q.n], err) ||
            !url_decode(out, value, true, &q.values[q.n], err))
            return false;
        q.n++;
    }
    *ret = q;
    return true;
}

str query_get(const struct query *q, str key) {
    for (size_t i = 0; i < q->n; i++)
        if (str_eq(q->keys[i], key)) return q->values[i];
    return S("");
}

bool query_number(const struct query *q, str key, i64 low, i64 high, i64 fallback, i64 *ret,
                  struct err *err) {
    str text = query_get(q, key);
    *ret = fallback;
    if (!text.len) return true;
    if (num_parse_i64(text, 10, ret) && *ret >= low && *ret <= high) return true;
    return err_set(err, ERR_USAGE, 0, S_FMT " must be a number from %lld to %lld", S_ARG(key),
                   (long long)low, (long long)high);
}

static bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

static void put_escaped(struct buf *b, str s) {
    for (size_t i = 0; i < s.len; i++) {
        if (is_unreserved(s.p[i]))
            buf_byte(b, s.p[i]);
        else
            buf_printf(b, "%%%02X", (u8)s.p[i]);
    }
}

void query_put(struct buf *b, str key, str value) {
    if (b->len) buf_byte(b, '&');
    put_escaped(b, key);
    buf_byte(b, '=');
    put_escaped(b, value);
}
