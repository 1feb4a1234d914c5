// profile/wire.h - protobuf's wire form, one field at a time.
// Room: tags, varints and lengths with every bound checked; which field means what is decode.c's.
// Door: wire_next(). Private to profile/. Inline, because a profile holds tens of millions of
// varints and the general reader's calls would be most of the time.
#pragma once

#include "base/base.h"

#include <string.h>

enum {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_FIXED32 = 5,
    WIRE_VARINT_MAX = 10, // ceil(64 / 7) bytes; a longer number is refused, as the reference does
};

// A message being read. After wire_next gave true, the fields below p describe one field.
struct wire {
    const u8 *p, *end;
    u64 field;
    u32 type;
    u64 num;         // the value of a number, the length of bytes
    const u8 *data;  // the content when type is WIRE_BYTES
    const char *why; // NULL, or what is wrong at p
};

static inline struct wire wire_of(const u8 *data, u64 len) {
    return (struct wire){.p = data, .end = len ? data + len : data};
}

// The byte after the varint at p, or NULL when it is cut off or longer than ten bytes. Bits past
// the 64th are dropped.
static inline const u8 *wire_varint(const u8 *p, const u8 *end, u64 *ret) {
    u64 x = 0;
    for (unsigned shift = 0; p < end && shift < 7 * WIRE_VARINT_MAX; shift += 7) {
        u8 byte = *p++;
        x |= (u64)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret = x;
            return p;
        }
    }
    return NULL;
}

static inline bool wire_fail(struct wire *w, const char *why) {
    w->why = why;
    return false;
}

static inline bool wire_fixed(struct wire *w, size_t size) {
    if ((size_t)(w->end - w->p) < size) return wire_fail(w, "fixed number passes the end");
    w->num = 0;
    memcpy(&w->num, w->p, size); // all our machines are little-endian
    w->p += size;
    return true;
}

// Reads the next field; false at the end of the message or when it is malformed (why is set then).
static inline bool wire_next(struct wire *w) {
    if (w->p >= w->end) return false;
    u64 tag;
    const u8 *p = wire_varint(w->p, w->end, &tag);
    if (!p) return wire_fail(w, "bad field number");
    w->field = tag >> 3;
    w->type = tag & 7;
    if (w->type == WIRE_FIXED64 || w->type == WIRE_FIXED32) {
        w->p = p;
        return wire_fixed(w, w->type == WIRE_FIXED64 ? 8 : 4);
    }
    if (w->type != WIRE_VARINT && w->type != WIRE_BYTES)
        return wire_fail(w, "unknown wire type (a group?)");
    p = wire_varint(p, w->end, &w->num);
    if (!p) return wire_fail(w, "bad varint");
    if (w->type == WIRE_BYTES) {
        if (w->num > (u64)(w->end - p)) return wire_fail(w, "length passes the end");
        w->data = p;
        p += w->num;
    }
    w->p = p;
    return true;
}

// How many varints end in these bytes: bytes below 0x80. Eight bytes a step, counted in eight lanes
// that hold up to 255 each; the compiler makes vectors of it.
static inline u64 wire_count(const u8 *data, u64 len) {
    const u64 lanes = 0x0101010101010101u;
    u64 n = 0;
    while (len >= 8) {
        u64 n_words = len / 8 < 255 ? len / 8 : 255, sums = 0;
        for (u64 i = 0; i < n_words; i++) {
            u64 word;
            memcpy(&word, data + 8 * i, 8);
            sums += ~word >> 7 & lanes;
        }
        // A lane's sum of 255 fits its byte; the total of eight does not, so they are widened
        // first.
        u64 even = sums & 0x00ff00ff00ff00ffu, odd = sums >> 8 & 0x00ff00ff00ff00ffu;
        n += ((even + odd) * 0x0001000100010001u) >> 48;
        data += 8 * n_words;
        len -= 8 * n_words;
    }
    for (; len > 0; len--, data++) n += *data < 0x80;
    return n;
}
