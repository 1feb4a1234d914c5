// agent/hot/own.h - memory for libpprof's own threads, apart from the program's allocator.
// Room: blocks for hidden threads. Door: agent/hot/hot.h; used by the hooks in malloc.c.
//
// The agent thread calls libc and libevent, which allocate. What they get must not come from the
// program's allocator: that may be what hangs, or may do more than allocate. tcmalloc samples its
// callers with libunwind, which keeps a pipe in two global variables; in the agent thread, whose
// table of descriptors is its own, it closed the agent's epoll descriptor and left numbers behind
// that were the program's files (seen in tests/live/allocators_live.py).
#pragma once

#include "base/types.h"

// A block of n bytes, aligned to align (a power of two up to BLOCK_ALIGN; every block is aligned to
// that), not zeroed. NULL: none left, or n is too large; take the real allocator's then. On hidden
// threads only.
void *own_alloc(size_t n, size_t align);
// Whether p is such a block. True only for blocks that sample_fits, so free asks nobody else.
bool own_owns(const void *p);
// Its size as it was given out, at least n.
size_t own_room(const void *p);
// Takes it back. From any thread.
void own_free(void *p);
