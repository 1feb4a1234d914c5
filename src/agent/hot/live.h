// agent/hot/live.h - sampled heap blocks: how often each (stack, size, labels) was allocated and
// freed, and which blocks are live. Room: the two tables of the heap profile, lock-free. Who
// samples is sample.h, who reads is agent/heap.c. Door: agent/hot/hot.h.
//
// The idea: a bucket is one (stack, size, labels) with two counters that only grow. A live block is
// one 64-bit word, address and bucket together, which appears and disappears by one
// compare-and-swap: fork, signals and threads stopped anywhere leave whole tables. A sampled block
// is recognised at free without touching memory: it is aligned to 1024 bytes (real memalign made it
// so), or lies 16 bytes behind such an address, as every block that glibc maps on its own does.
// What matches is asked of a counting filter, one byte: 1 in 32 of other blocks matches by chance,
// and aligned blocks that were sampled once come back from the allocator's free lists. What passes
// the filter is looked up. Where the allocator has no memalign to match its malloc the filter alone
// decides.
#pragma once

#include "base/types.h"

#include <stdatomic.h>

enum {
    // Further ones are counted in 64 overflow buckets by power of two. 8 MiB of address space,
    // touched as buckets come. A server under load for days has some thousands.
    MAX_BUCKETS = 1 << 18,
    N_OVERFLOW_BUCKETS = 64, // buckets [0, 64): size class log2, stack STACK_OVERFLOW
    BLOCK_ALIGN = 1024,      // of sampled blocks: at most 2 KiB lost per live sample
    // 64 KiB stay inside L2; with 20,000 live samples 3 of 10 matching blocks are looked up in
    // vain.
    N_FILTER = 1 << 16,
};
#define BLOCK_SIGNATURE ((uintptr_t)(BLOCK_ALIGN - 1) & ~(uintptr_t)16)

struct heap_bucket {
    _Atomic u64 key; // see bucket_stack, bucket_size; 0: not made yet
    u64 label_id;    // labels.h
    // n_frees is raised after n_allocs of the same block: read it first and the difference is never
    // negative.
    _Atomic u64 n_allocs, n_frees;
};

struct live_lost {
    u64 n_overflowed; // samples counted in overflow buckets: their stack and exact size are lost
    u64 n_unfollowed; // sampled blocks that found no place in the live table: counted as freed
};

// Followed blocks per hash of their address; one that reaches 255 stays there.
extern _Atomic u8 live_filter[N_FILTER] __attribute__((visibility("hidden")));
static inline _Atomic u8 *live_filter_of(const void *block) {
    return &live_filter[((u64)(uintptr_t)block >> 4) * 0x9e3779b97f4a7c15u >> 48];
}
void live_filter_add(const void *block);

// Reserves the tables. Idempotent, cold code.
bool live_init(void);
bool live_is_ready(void);

// The bucket of (stack, size, labels), made when new. Once half of the buckets are in use new ones
// have no labels: stacks matter more.
u32 bucket_of(u32 stack_id, u64 size_bytes, u32 label_id);
u32 bucket_stack(u64 key);
u64 bucket_size(u64 key);
// Buckets [0, n) for reading; those whose key or n_allocs is 0 hold nothing.
const struct heap_bucket *heap_buckets(u32 *n);

// Counts one allocation of the bucket's size and follows the block until live_remove.
void live_insert(const void *block, u32 bucket);
// Stops following block and counts it freed. False: it was not followed. Call before the real free:
// afterwards another thread may already own the address.
bool live_remove(const void *block, u32 *bucket);
// Takes a live_remove back: the block was not freed after all (a realloc that failed).
void live_restore(const void *block, u32 bucket);
struct live_lost live_lost(void);

// Calls take for every block that is followed, with its age.
void live_each(void (*take)(void *ctx, u32 bucket, u32 age_s), void *ctx);

// The rate by which live blocks are weighed to find the peak.
void live_set_rate(u64 rate_bytes);
// What was in use when most was. The picture is taken anew whenever the weight of live blocks
// passes the last one by 2 %: some 35 times while a heap doubles.
struct heap_peak {
    const u32 *n_inuse; // by bucket
    u64 inuse_bytes;
    u32 age_s;
};
// Copies the counts of buckets [0, n) into n_inuse.
void live_peak(u32 *n_inuse, u32 n, struct heap_peak *ret);
// In the only thread of a forked child.
void live_after_fork_child(void);
