// agent/hot/sample.h - which allocations are sampled, and what happens to those.
// Room: the countdown in bytes, the capture of a sample, the replacing of its block by one that
// free can recognise. Door: used by the hooks (malloc.c, mallocx.c, new.c); agent/heap.c sets the
// rate.
//
// Every byte allocated is a sample with probability 1/rate, independent of all others: the distance
// to the next one is drawn from an exponential distribution and counted down by each allocation's
// size. An allocation that holds one or more sampled bytes is one sample; its chance of that is
// 1 - exp(-size/rate), by which the cold side divides.
#pragma once

#include "base/types.h"

#include "agent/hot/live.h"
#include "agent/hot/real.h"
#include "agent/hot/thread.h"

#include <stdatomic.h>

// The mean distance between samples in bytes; 0: off. Threads notice a change at their next sample,
// or within 64 KiB when it was off.
void sample_set_rate(u64 rate_bytes);
u64 sample_rate(void);

// Counts n bytes; true while no sample is due, which is what the fast path wants to know.
// A size above 2^63, which no allocator grants, may wrap the countdown: the thread then draws anew
// only when that has run off.
static inline bool sample_passes(size_t n) {
    hot_thread.heap_left = (i64)((u64)hot_thread.heap_left - n);
    return LIKELY(hot_thread.heap_left > 0);
}
// After !sample_passes(n): whether these n bytes are to be sampled now. Looks for the allocator
// when that was not done yet, and draws the next distance.
bool sample_due(size_t n);

// Whether p has the form of a sampled block.
static inline bool sample_fits(const void *p) {
    uintptr_t mask = atomic_load_explicit(&real_heap.free_mask, memory_order_relaxed);
    return !LIKELY((uintptr_t)p & mask);
}
// Whether free must look p up: sampled blocks, few others, and everything before real_init.
static inline bool sample_matches(const void *p) {
    if (!sample_fits(p)) return false;
    return !LIKELY(atomic_load_explicit(&real_heap.is_found, memory_order_relaxed)) ||
           atomic_load_explicit(live_filter_of(p), memory_order_relaxed);
}

// The calling thread's next random number, for sampling only.
u64 sample_random(void);

enum freed {
    FREED_NORMAL,  // not one of ours: go on as always
    FREED_SAMPLED, // was followed, no longer is: give it to the real free, without a size
    FREED_NOTHING, // a piece of the boot pool: nothing to do
};
// What free must do with a block that sample_matches.
enum freed sample_freed(void *p);

// Samples the new block p of n bytes, allocated for the code that goes on at caller, and gives the
// block to hand out instead: p itself when free can recognise it, else another one (its content is
// not kept). p NULL stays NULL.
void *sample_fresh(void *p, size_t n, const void *caller);
// The same for a block whose n bytes must be kept, and for one that must be zero.
void *sample_filled(void *p, size_t n, const void *caller);
void *sample_zeroed(void *p, size_t n, const void *caller);
// Samples p where it is; its free goes unnoticed, and it is not sampled, unless sample_fits(p).
void sample_in_place(void *p, size_t n, const void *caller);
