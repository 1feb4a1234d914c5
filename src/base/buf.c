// base/buf.c - appending to bytes in memory or on their way to a sink.
// Room: see buf.h. Door: base/base.h.
#include "base/buf.h"

#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_CAP = 256 }; // most buffers hold one label or one row

struct buf buf_new(struct arena *arena, size_t max) {
    return (struct buf){.arena = arena, .max = max};
}

struct buf buf_to_sink(struct arena *arena, size_t chunk, buf_sink sink, void *to) {
    return (struct buf){.arena = arena, .max = chunk, .sink = sink, .sink_to = to};
}

static bool sink_all(struct buf *b, str bytes) {
    if (!b->is_full && bytes.len && !b->sink(b->sink_to, bytes)) b->is_full = true;
    return !b->is_full;
}

bool buf_flush(struct buf *b) {
    if (!b->sink) return !b->is_full;
    bool is_ok = sink_all(b, buf_str(b));
    b->len = 0;
    return is_ok;
}

// Room for n more bytes: false when the cap leaves less (the caller writes what fits).
static bool make_room(struct buf *b, size_t n) {
    if (n <= b->cap - b->len) return true;
    if (n > b->max - b->len) return false;
    size_t cap = b->cap ? b->cap * 2 : FIRST_CAP;
    if (cap < b->len + n) cap = b->len + n;
    if (cap > b->max) cap = b->max;
    b->p = arena_grow(b->arena, b->p, b->cap, cap, 1, 1);
    b->cap = cap;
    return true;
}

static void put_past_cap(struct buf *b, str s) {
    if (b->sink) {
        if (!buf_flush(b)) return;
        if (s.len >= b->max) {
            sink_all(b, s);
            return;
        }
        buf_put(b, s);
        return;
    }
    b->is_full = true;
    s = str_take(s, b->max - b->len);
    if (s.len && make_room(b, s.len)) {
        memcpy(b->p + b->len, s.p, s.len);
        b->len += s.len;
    }
}

void buf_put_slow(struct buf *b, str s) {
    if (b->is_full || s.len == 0) return;
    if (!make_room(b, s.len)) {
        put_past_cap(b, s);
        return;
    }
    memcpy(b->p + b->len, s.p, s.len);
    b->len += s.len;
}

void buf_byte(struct buf *b, char c) {
    buf_put(b, (str){&c, 1});
}

static str html_of(char c) {
    switch (c) {
    case '&':
        return S("&amp;");
    case '<':
        return S("&lt;");
    case '>':
        return S("&gt;");
    case '"':
        return S("&#34;");
    case '\'':
        return S("&#39;");
    case 0:
        return S(" ");
    default:
        return (str){0};
    }
}

void buf_html(struct buf *b, str text) {
    size_t done = 0;
    for (size_t i = 0; i < text.len; i++) {
        str html = html_of(text.p[i]);
        if (!html.len) continue;
        buf_put(b, (str){text.p + done, i - done});
        buf_put(b, html);
        done = i + 1;
    }
    buf_put(b, (str){text.p + done, text.len - done});
}

void buf_fill(struct buf *b, char c, size_t n) {
    char run[64];
    memset(run, c, sizeof run);
    for (; n > sizeof run; n -= sizeof run) buf_put(b, (str){run, sizeof run});
    buf_put(b, (str){run, n});
}

void buf_printf(struct buf *b, const char *fmt, ...) {
    char small[256];
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(small, sizeof small, fmt, args);
    if (len >= (int)sizeof small) {
        char *big = arena_alloc(b->arena, (size_t)len + 1, 1);
        vsnprintf(big, (size_t)len + 1, fmt, again);
        buf_put(b, (str){big, (size_t)len});
    } else if (len > 0) {
        buf_put(b, (str){small, (size_t)len});
    }
    va_end(again);
    va_end(args);
}

// UTF-8 continuation bytes are not columns of their own; a stray byte counts as one, as Go counts
// it.
static size_t count_runes(str s) {
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) n += ((u8)s.p[i] & 0xc0) != 0x80;
    return n;
}

void buf_pad(struct buf *b, str s, int width) {
    size_t columns = (size_t)(width < 0 ? -width : width);
    size_t have = count_runes(s);
    size_t gap = have < columns ? columns - have : 0;
    if (width > 0) buf_fill(b, ' ', gap);
    buf_put(b, s);
    if (width < 0) buf_fill(b, ' ', gap);
}

str buf_str(const struct buf *b) {
    return (str){b->p, b->len};
}
