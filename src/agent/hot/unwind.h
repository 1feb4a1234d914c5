// agent/hot/unwind.h - from registers to a stack of lookup pcs.
// Room: capture only. How: _dl_find_object (object), .eh_frame (cfi, expr), a word a pc (rules),
// all registers where a word cannot say it (frame), readable stack (bounds), code without CFI
// (guess), machines (arch). Door: agent/hot/hot.h.
#pragma once

#include "base/types.h"

#include <ucontext.h>

// Deeper stacks keep the innermost MAX_FRAMES - 1 frames; the last pc is then STACK_TRUNCATED.
enum { MAX_FRAMES = 512 };
#define STACK_TRUNCATED ((u64)1) // no code lives at 1; named "[truncated]" when a profile is made

enum unwind_end {
    UNWIND_COMPLETE,  // reached the thread's first frame (return address undefined, or _start)
    UNWIND_TRUNCATED, // MAX_FRAMES or cap was reached
    UNWIND_LOST,      // no rule for a pc, or a frame outside the stack
    UNWIND_GUESSED,   // complete, but at least one frame was found by a fallback (frame pointer,
                      // scan)
};

struct unwound {
    u32 n;
    enum unwind_end end;
};

// Allocates the rule cache and finds the vDSO; once per process, from cold code, before any
// capture. Idempotent.
bool unwind_init(void);
// Forgets cached rules: after dlclose, in any thread, also while others unwind.
void unwind_forget(void);

// The caller's own stack without its `skip` innermost frames; skip 0 starts at the caller of this
// function.
struct unwound unwind_here(u64 *pcs, u32 cap, u32 skip);
// The same for a hook's sample: without our own frames, from the program's frame that goes on at
// caller; *n pcs, at the result, which points into pcs. All of them when it is not there.
const u64 *unwind_program(u64 *pcs, u32 cap, const void *caller, u32 *n);
// The interrupted code behind a signal handler's third argument. Async-signal-safe, errno
// untouched.
struct unwound unwind_context(const ucontext_t *context, u64 *pcs, u32 cap);
// Another thread of this process that is blocked in a system call, from its pc and sp as
// /proc/self/task/TID/syscall gives them; [stack_lo, stack_hi) bounds what may be read. The caller
// checks afterwards that it is still blocked.
struct unwound unwind_parked(u64 pc, u64 sp, u64 stack_lo, u64 stack_hi, u64 *pcs, u32 cap);
