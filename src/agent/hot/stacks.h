// agent/hot/stacks.h - every distinct stack once, under a dense id; usable from signal handlers.
// Room: a lock-free hash table in memory reserved at start. Counters per stack belong to the
// collectors. Door: agent/hot/hot.h.
#pragma once

#include "base/types.h"

// What stack_intern gives when the table is full: the "[overflow]" stack, so that weights are never
// lost.
#define STACK_OVERFLOW ((u32)0)

// Reserves the table (address space only; pages are touched as stacks come). Idempotent, from cold
// code.
bool stacks_init(void);
// The id of this stack, the same for the same pcs for the life of the process. Lock-free,
// async-signal-safe.
u32 stack_intern(const u64 *pcs, u32 n);
// The pcs of a stack, leaf first; valid for the life of the process.
const u64 *stack_pcs(u32 id, u32 *n);
u32 stacks_count(void);
