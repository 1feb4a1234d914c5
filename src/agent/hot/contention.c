// agent/hot/contention.c - the buckets of the block and mutex profiles, and their sampling.
// Room: see contention.h. Door: contention_waited(), contention_released().
#include "agent/hot/contention.h"

#include "base/base.h"

#include "agent/hot/labels.h"
#include "agent/hot/sample.h"
#include "agent/hot/stacks.h"
#include "agent/hot/unwind.h"
#include "agent/hot/wait.h"

#include <sys/mman.h>

enum { MAX_PROBES = 64, LABELS_SHIFT = 32 };
#define KEY_USED ((u64)1 << 63)
#define STACK_MASK (((u64)1 << LABELS_SHIFT) - 1)

struct tables {
    struct contention_bucket buckets[N_CONTENTIONS][MAX_CONTENTIONS];
};

// tables: set once by contention_init. rates: set by cold code.
static struct {
    struct tables *_Atomic tables;
    _Atomic u64 rates[N_CONTENTIONS];
    _Atomic u64 n_overflowed;
} contention;

bool contention_init(void) {
    if (atomic_load_explicit(&contention.tables, memory_order_acquire)) return true;
    struct tables *fresh = mmap(NULL, sizeof *fresh, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (fresh == MAP_FAILED) return false;
    madvise(fresh, sizeof *fresh, MADV_WIPEONFORK); // a child counts what it waits for itself
    struct tables *none = NULL;
    if (!atomic_compare_exchange_strong(&contention.tables, &none, fresh))
        munmap(fresh, sizeof *fresh);
    return true;
}

void contention_set_rate(enum contention which, u64 rate) {
    atomic_store_explicit(&contention.rates[which], rate, memory_order_relaxed);
    wait_use_set(which == CONTENTION_MUTEX ? WAIT_FOR_MUTEX : WAIT_FOR_BLOCK, rate != 0);
}

u64 contention_rate(enum contention which) {
    return atomic_load_explicit(&contention.rates[which], memory_order_relaxed);
}

u32 contention_stack(u64 key) {
    return (u32)(key & STACK_MASK);
}

u32 contention_labels(u64 key) {
    return (u32)((key & ~KEY_USED) >> LABELS_SHIFT);
}

const struct contention_bucket *contention_buckets(enum contention which, u32 *n) {
    const struct tables *t = atomic_load_explicit(&contention.tables, memory_order_acquire);
    *n = t ? MAX_CONTENTIONS : 0;
    return t ? t->buckets[which] : NULL;
}

u64 contention_overflowed(void) {
    return atomic_load_explicit(&contention.n_overflowed, memory_order_relaxed);
}

static bool bucket_is(struct contention_bucket *bucket, u64 key) {
    u64 seen = atomic_load_explicit(&bucket->key, memory_order_relaxed);
    return seen == key ||
           (!seen && (atomic_compare_exchange_strong(&bucket->key, &seen, key) || seen == key));
}

// The last place stands for all that find none.
static struct contention_bucket *bucket_find(struct contention_bucket *buckets, u64 key) {
    u64 hash = hash_mix(key);
    for (u32 i = 0; i < MAX_PROBES; i++) {
        struct contention_bucket *bucket = &buckets[(hash + i) % (MAX_CONTENTIONS - 1)];
        if (bucket_is(bucket, key)) return bucket;
    }
    atomic_fetch_add_explicit(&contention.n_overflowed, 1, memory_order_relaxed);
    atomic_store(&buckets[MAX_CONTENTIONS - 1].key, KEY_USED | STACK_OVERFLOW);
    return &buckets[MAX_CONTENTIONS - 1];
}

__attribute__((noinline)) static void record(enum contention which, const void *caller, u64 count,
                                             u64 delay_ns) {
    struct tables *t = atomic_load_explicit(&contention.tables, memory_order_acquire);
    u64 pcs[MAX_FRAMES];
    u32 n;
    if (!t) return;
    const u64 *stack = unwind_program(pcs, MAX_FRAMES, caller, &n);
    u64 key = KEY_USED | (u64)labels_now() << LABELS_SHIFT | stack_intern(stack, n);
    struct contention_bucket *bucket = bucket_find(t->buckets[which], key);
    atomic_fetch_add_explicit(&bucket->count, count, memory_order_relaxed);
    atomic_fetch_add_explicit(&bucket->delay_ns, delay_ns, memory_order_relaxed);
}

void contention_waited(const void *caller, u64 wait_ns) {
    u64 rate = contention_rate(CONTENTION_BLOCK);
    if (!wait_ns) wait_ns = 1;
    if (!rate || (rate > wait_ns && sample_random() % rate > wait_ns)) return;
    if (wait_ns < rate)
        record(CONTENTION_BLOCK, caller, rate * COUNT_ONE / wait_ns, rate);
    else
        record(CONTENTION_BLOCK, caller, COUNT_ONE, wait_ns);
}

bool contention_is_chosen(void) {
    u64 rate = contention_rate(CONTENTION_MUTEX);
    return rate == 1 || (rate && sample_random() % rate == 0);
}

void contention_released(const void *caller, u64 delay_ns) {
    u64 rate = contention_rate(CONTENTION_MUTEX);
    record(CONTENTION_MUTEX, caller, rate * COUNT_ONE, rate * delay_ns);
}
