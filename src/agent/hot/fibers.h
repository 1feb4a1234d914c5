// agent/hot/fibers.h - stacks that the program made itself and switches to: fibers, coroutines.
// Room: their extents, told by pprof_stack_register. Reading them is bounds.h's. Door:
// agent/hot/hot.h.
//
// Without it a stack of unknown extent is followed for 256 KiB above sp (bounds.h) and must end in
// unwind information. A registered one is followed to its end, and a frame without unwind
// information near that end (boost.context's trampoline) is its first. The extents are believed,
// but each page is still probed: a stack that was freed and not unregistered harms nobody.
#pragma once

#include "base/types.h"

#include <stddef.h>

enum {
    MAX_FIBERS = 1 << 14,   // registered at a time; a look at all of them costs 5 us
    FIBER_FIRST_BYTES = 512 // what lies between a fiber's first frame and its end
};

// Gives the stack [lo, lo + size) a number, 0 when none is free. From any thread, lock-free.
u32 fiber_add(u64 lo, size_t size);
// Numbers that were not given do nothing.
void fiber_remove(u32 id);
// The end of the registered stack that sp is in; 0: none. Async-signal-safe.
u64 fiber_end_of(u64 sp);
// The same with its beginning.
bool fiber_of(u64 sp, u64 *lo, u64 *hi);
u32 fibers_count(void);
u32 fibers_lost(void); // how many found no number
