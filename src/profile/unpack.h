// profile/unpack.h - the growing output that every decompressor fills, with its limit.
// Room: private to profile/. Door: unpacked_grow(); unpack_zstd() for unpack.c.
#pragma once

#include "base/base.h"

enum { UNPACKED_ALIGN = 4096 }; // whole pages, so that profile_decode_owned can give them back

struct unpacked {
    struct arena *arena;
    char *p;
    size_t len, cap, max;
};

// Doubles the room. Fails: ERR_LIMIT when max is reached already.
MUST_USE bool unpacked_grow(struct unpacked *u, struct err *err);
// Makes room for what the input promises, never more than at_most: promises are foreign bytes.
void unpacked_reserve(struct unpacked *u, u64 expected, u64 at_most);

MUST_USE bool unpack_zstd(str bytes, struct unpacked *u, struct err *err);
