// agent/hot/stacks.h - every distinct stack once, under a dense id; usable from signal handlers.
// Room: a lock-free hash table in memory reserved at start. Counters per stack belong to the
// collectors. Door: agent/hot/hot.h.
#pragma once

#include "base/types.h"

// The most distinct stacks of a process: a server with 100 Hz profiles running for weeks has tens
// of thousands. Doubling it doubles 76 MiB of address space (touched only as stacks come).
enum { MAX_STACKS = 1 << 18 };

// What stack_intern gives when the table is full: the "[overflow]" stack, so that weights are never
// lost. Its only pc is STACK_PC_OVERFLOW.
#define STACK_OVERFLOW ((u32)0)
// Stands for a place that nobody saw; named "[not seen]".
#define STACK_PC_NOT_SEEN ((u64)3)
#define STACK_PC_OVERFLOW ((u64)2) // no code lives at 2; named "[overflow]" when a profile is made

// Reserves the table (address space only; pages are touched as stacks come). Idempotent, from cold
// code. Until then every stack is STACK_OVERFLOW.
bool stacks_init(void);
// The id of this stack, the same for the same pcs for the life of the process (two threads that
// meet a new stack at the same instant agree as well). Lock-free, async-signal-safe.
u32 stack_intern(const u64 *pcs, u32 n);
// The pcs of a stack, leaf first; valid for the life of the process. n 0: an id never handed out.
const u64 *stack_pcs(u32 id, u32 *n);
// Ids handed out so far are below this; some of them may be unused.
u32 stacks_count(void);
// How often stack_intern had to give STACK_OVERFLOW.
u64 stacks_overflowed(void);
