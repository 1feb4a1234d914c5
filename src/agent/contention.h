// agent/contention.h - the mutex and block collectors: who makes others wait at locks, and who
// waits.
// Room: switching them, rows of what agent/hot/contention.h counted. Door: agent/agent.h. What is
// hooked and how a holder is found: agent/hot/locks.h, waiters.h.
//
// Both are off at the start, as in Go. Environment: PPROF_MUTEX_FRACTION, PPROF_BLOCK_RATE.
#pragma once

#include "agent/agent.h"
#include "agent/hot/hot.h"

// Switches on what the environment asks for. From the constructor, after stacks_init and
// unwind_init.
void contention_begin(void);
// Sets how much is sampled (agent/hot/contention.h); gives what was set before. What the hooks
// cannot see stays off: contention_status says why.
u64 contention_set(enum contention which, u64 rate);
// For the time of one request, rate instead of what is set (0: as it is set); the newest of several
// holds for all. Each begin has one end.
void contention_borrow(enum contention which, u64 rate);
void contention_return(enum contention which, u64 rate);

// In the only thread of a forked child: what the parent's clients asked for is theirs.
void contention_after_fork_child(void);

// One row per stack and label set: contentions and delay, both unbiased. rows->period is 1; is_raw:
// mutex values divided by the fraction, which is the period then, as the text says it. Sorted by
// delay, descending.
void contention_collect(enum contention which, struct arena *out, bool is_raw, struct rows *ret);
// How many rows there are.
u64 contention_count(enum contention which);
// One sentence for the index page: off and how to switch it on, or how it stands; empty: works.
str contention_status(struct arena *out, enum contention which);
// The collector's own; false: it is neither mutex nor block.
bool contention_of(const struct collector *of, enum contention *ret);
