// base/buf.h - bytes being written, in memory or towards a sink, never past a cap.
// Room: appending; numbers are formatted by num.h, which appends here. Door: base/base.h.
#pragma once

#include "base/types.h"

#include "base/str.h"

#include <string.h>

struct arena;

// Where full buffers go; gives false when the other side does not take more (writing then stops
// quietly).
typedef bool (*buf_sink)(void *to, str bytes);

struct buf {
    char *p;
    size_t len, cap;
    size_t max;          // the cap that can never be passed (bytes held at once)
    struct arena *arena; // where it grows
    buf_sink sink;       // NULL: everything stays in memory
    void *sink_to;
    bool is_full; // something did not fit, or the sink refused: what is held is a prefix
};

// An empty buffer in arena that holds at most max bytes; what comes after that is cut and is_full
// says so.
struct buf buf_new(struct arena *arena, size_t max);
// An empty buffer that hands its bytes to sink whenever chunk bytes are held, and at buf_flush.
struct buf buf_to_sink(struct arena *arena, size_t chunk, buf_sink sink, void *to);
// Hands what is held to the sink. False when it ever refused, or when a buffer without sink was
// cut.
MUST_USE bool buf_flush(struct buf *b);

// What buf_put does where s does not simply fit.
void buf_put_slow(struct buf *b, str s);
// Inline, because a report of many stacks puts tens of millions of short pieces.
static inline void buf_put(struct buf *b, str s) {
    if (b->is_full || s.len > b->cap - b->len || s.len == 0) {
        buf_put_slow(b, s);
        return;
    }
    memcpy(b->p + b->len, s.p, s.len);
    b->len += s.len;
}
void buf_byte(struct buf *b, char c);
void buf_fill(struct buf *b, char c, size_t n);
// As text of HTML, in an element or a quoted attribute. NUL bytes become spaces.
void buf_html(struct buf *b, str text);
// %d %u %x %s %c and friends; never %f, %e, %g (they follow the locale): see num.h.
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
// s right-aligned (width > 0) or left-aligned (width < 0) in |width| columns, counted in code
// points as Go's %10s.
void buf_pad(struct buf *b, str s, int width);
// What is held now; borrowed, valid until the next write.
str buf_str(const struct buf *b);
