// examples/shop/body.c - the text of an answer while it is written.
// Room: appending and JSON strings. Door: shop.h.
#include "shop.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void body_reserve(struct body *b, size_t more) {
    if (b->len + more + 1 <= b->cap) return;
    size_t cap = b->cap ? b->cap : 256;
    while (cap < b->len + more + 1) cap *= 2;
    b->text = realloc(b->text, cap);
    if (!b->text) abort();
    b->cap = cap;
}

void body_put(struct body *b, const char *text, size_t len) {
    body_reserve(b, len);
    memcpy(b->text + b->len, text, len);
    b->len += len;
    b->text[b->len] = '\0';
}

void body_printf(struct body *b, const char *fmt, ...) {
    char line[512]; // the longest caller writes two names and a few numbers
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    if (len > 0) body_put(b, line, len < (int)sizeof line ? (size_t)len : sizeof line - 1);
}

void body_put_json_string(struct body *b, const char *text) {
    body_put(b, "\"", 1);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            body_put(b, "\\", 1);
            body_put(b, text, 1);
        } else if (c < 0x20) {
            body_printf(b, "\\u%04x", c);
        } else {
            body_put(b, text, 1);
        }
    }
    body_put(b, "\"", 1);
}
