// agent/hot/mmaps.h - memory that the program maps itself: who mapped what, and what is still
// there. Room: mmap, munmap and mremap in front of libc's, and two tables, lock-free. Rows are made
// by agent/mmaps.h. Door: agent/hot/hot.h.
//
// The idea: a system call and its page faults cost microseconds, so that every mapping is recorded
// with its stack, not a sample of them. A site is one (stack, labels, kind) with what it ever
// mapped; a piece is an address range that is still mapped, with its site. Unmapping a part of a
// piece shortens or cuts it. What libc and the loader map for themselves (malloc's arenas, thread
// stacks, libraries) does not come through the hooks; what jemalloc and others map does.
#pragma once

#include "base/types.h"

#include <stdatomic.h>

enum {
    // Pieces at a time; each munmap looks at all of them: 2 us with as many. More are not followed,
    // and counted.
    MAX_PIECES = 1 << 13,
    MAX_SITES = 1 << 12, // further ones share the last, whose stack is STACK_OVERFLOW
};

enum map_kind {
    MAP_KIND_ANONYMOUS,
    MAP_KIND_FILE,
    MAP_KIND_SHARED,   // anonymous, shared with children
    MAP_KIND_RESERVED, // PROT_NONE: address space without memory, when it was mapped
};

struct map_site {
    _Atomic u64 key;      // 0: none
    _Atomic u64 n, bytes; // mapped since the start
};
u32 map_site_stack(u64 key);
u32 map_site_labels(u64 key);
enum map_kind map_site_kind(u64 key);

// Reserves the tables and begins to record. Idempotent, cold code.
bool maps_record(void);
bool maps_are_recorded(void);
// Sites, MAX_SITES of them, in any order.
const struct map_site *map_sites(void);
// Calls take for each piece.
void map_pieces(void (*take)(void *ctx, u32 site, u64 bytes), void *ctx);
// Pieces that found no room.
u64 map_pieces_lost(void);
