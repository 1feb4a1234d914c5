// agent/hot/contention.h - what the block and the mutex profile have counted: delays by stack.
// Room: sampling by Go's two rules, the buckets. Who waited is wait.c's, who made others wait is
// release.h's; agent/contention.c makes rows. Door: agent/hot/hot.h.
//
// A bucket is one (stack, labels) with a count and a delay that only grow; both are what the
// samples stand for, not what was sampled (reference/go.md 2.5, 2.6): a rate may change at any time
// without changing what was counted before.
#pragma once

#include "base/types.h"

#include <stdatomic.h>

enum contention {
    CONTENTION_MUTEX, // those who held locks that others waited for, at their unlock
    CONTENTION_BLOCK, // those who waited, at the end of it
    N_CONTENTIONS
};

enum {
    // Places that wait or make wait, with their callers and labels: programs have some hundreds.
    // 512 KiB of address space a profile, touched as buckets come.
    MAX_CONTENTIONS = 1 << 14,
    COUNT_ONE = 1 << 10, // counts have fractions: a sampled short wait stands for rate/wait waits
};

struct contention_bucket {
    _Atomic u64 key;   // 0: not made yet; see contention_stack
    _Atomic u64 count; // in 1/COUNT_ONE
    _Atomic u64 delay_ns;
    u64 pad;
};

// Reserves the buckets of both. Idempotent, cold code. False: no address space.
bool contention_init(void);
// How much is sampled. Mutex: one in rate contended unlocks. Block: waits of rate nanoseconds and
// longer, and shorter ones with probability wait/rate. 1: everything; 0: off.
void contention_set_rate(enum contention which, u64 rate);
u64 contention_rate(enum contention which);

// The calling thread has waited, for the code that goes on at caller.
void contention_waited(const void *caller, u64 wait_ns);
// Whether this contended unlock is one of those to be counted; then:
bool contention_is_chosen(void);
void contention_released(const void *caller, u64 delay_ns);

// Buckets [0, n) for reading; those whose key is 0 hold nothing.
const struct contention_bucket *contention_buckets(enum contention which, u32 *n);
u32 contention_stack(u64 key);
u32 contention_labels(u64 key);
// Samples that found no bucket: they are counted under [overflow].
u64 contention_overflowed(void);
