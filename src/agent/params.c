// agent/params.c - what a request's parameters mean.
// Room: decoding of query strings and of /symbol's address lists. What is done with them is
// route.c's. Door: agent/http.h. Source: Go's net/url (ParseQuery) and net/http/pprof (Symbol).
#include "agent/http.h"

enum {
    // Go's reader gives up on a longer token; so do we, and the rest of the list is left out.
    SYMBOL_TOKEN_MAX = 4096,
    // 1 MiB holds 60,000 addresses and their answers fit 16 MiB.
    SYMBOL_ANSWER_MAX = 16 << 20,
};

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Undoes %XX, and '+' where it stands for a space; false when an escape is broken.
static bool unescape(struct arena *out, str s, char plus, str *ret) {
    char *text = arena_alloc(out, s.len + 1, 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '+') {
            text[n++] = plus;
        } else if (s.p[i] != '%') {
            text[n++] = s.p[i];
        } else {
            if (s.len - i < 3) return false;
            int hi = hex_digit(s.p[i + 1]), lo = hex_digit(s.p[i + 2]);
            if (hi < 0 || lo < 0) return false;
            text[n++] = (char)(hi << 4 | lo);
            i += 2;
        }
    }
    *ret = (str){text, n};
    return true;
}

bool http_path(struct arena *out, str raw, str *ret) {
    return unescape(out, raw, '+', ret);
}

str http_param(struct arena *out, str query, str key) {
    while (query.len > 0) {
        str pair, name, value;
        str_cut(query, '&', &pair, &query);
        if (str_find_byte(pair, ';') >= 0) continue;
        str_cut(pair, '=', &name, &value);
        if (!unescape(out, name, ' ', &name) || !str_eq(name, key)) continue;
        if (unescape(out, value, ' ', &value)) return value;
    }
    return (str){0};
}

struct reply http_error(struct arena *out, int status, str text) {
    str parts[] = {text, S("\n")};
    return (struct reply){.status = status,
                          .content_type = "text/plain; charset=utf-8",
                          .body = str_join(out, parts, countof(parts), S("")),
                          .is_error = true};
}

str http_symbols(struct arena *out, str addresses, http_namer name, void *ctx) {
    struct buf b = buf_new(out, SYMBOL_ANSWER_MAX);
    buf_put(&b, S("num_symbols: 1\n"));
    while (addresses.len > 0 && !b.is_full) {
        str token;
        str_cut(addresses, '+', &token, &addresses);
        u64 address;
        if (token.len > SYMBOL_TOKEN_MAX) break;
        if (!num_parse_u64(token, 0, &address) || address == 0) continue;
        str known = name(ctx, address);
        if (known.len == 0) continue;
        buf_put(&b, S("0x"));
        num_hex(&b, address, 1);
        buf_byte(&b, ' ');
        buf_put(&b, known);
        buf_byte(&b, '\n');
    }
    return buf_str(&b);
}
