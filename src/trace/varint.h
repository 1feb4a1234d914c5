// trace/varint.h - the numbers of traces: seven bits a byte, the lowest first, at most ten bytes.
// Room: by hand and inline, since most of a reader's time goes here; most numbers have one byte.
// Door: trace/trace.h.
#pragma once

#include "base/base.h"

// More than two bytes, or broken.
static inline bool varint_take_long(const u8 **p, const u8 *end, u64 *ret) {
    const u8 *at = *p;
    u64 x = 0;
    for (u32 shift = 0; at < end && shift < 70; shift += 7) {
        u8 byte = *at++;
        x |= (u64)(byte & 0x7f) << (shift & 63);
        if (byte & 0x80) continue;
        if (shift == 63 && byte > 1) return false;
        *p = at;
        *ret = x;
        return true;
    }
    return false;
}

// Moves *p behind the number. False: it does not end before end, or has more than 64 bits.
static inline bool varint_take(const u8 **p, const u8 *end, u64 *ret) {
    const u8 *at = *p;
    if (at < end && *at < 0x80) {
        *ret = *at;
        *p = at + 1;
        return true;
    }
    if (end - at >= 2 && at[1] < 0x80) {
        *ret = (u64)(at[0] & 0x7f) | (u64)at[1] << 7;
        *p = at + 2;
        return true;
    }
    return varint_take_long(p, end, ret);
}
