// agent/hot/sample.c - the slow path of the heap hooks: once per 512 KiB by default.
// Room: see sample.h. Door: sample_due(), sample_fresh(), sample_freed().
#include "agent/hot/sample.h"

#include "base/base.h"

#include "agent/hot/labels.h"
#include "agent/hot/own.h"
#include "agent/hot/stacks.h"
#include "agent/hot/unwind.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum {
    MIN_BLOCK_GLIBC = 1056, // see block_size
    OFF_STEP = 64 << 10,    // while off, a thread looks at the rate once per this many bytes
};
// Far above any rate in use, far below what the countdown can hold.
#define MAX_GAP ((double)((u64)1 << 56))

// rate: atomic, set by cold code. n_seeds: atomic, tells threads' random numbers apart.
static struct {
    _Atomic u64 rate;
    _Atomic u64 n_seeds;
} sampling;

void sample_set_rate(u64 rate_bytes) {
    atomic_store_explicit(&sampling.rate, rate_bytes, memory_order_relaxed);
}

u64 sample_rate(void) {
    return atomic_load_explicit(&sampling.rate, memory_order_relaxed);
}

// xorshift64*: Vigna's constants; one state of 64 bits, never 0.
u64 sample_random(void) {
    struct hot_thread *t = &hot_thread;
    if (!t->rng) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        u64 seed = (u64)now.tv_nsec + (u64)now.tv_sec * 1000000000u + (u64)(uintptr_t)t;
        t->rng = hash_mix(seed + hash_mix(atomic_fetch_add(&sampling.n_seeds, 1))) | 1;
    }
    t->rng ^= t->rng >> 12;
    t->rng ^= t->rng << 25;
    t->rng ^= t->rng >> 27;
    return t->rng * 0x2545f4914f6cdd1du;
}

// -ln(x) for 0 < x <= 1, without libm, which libpprof does not bring into programs. x = m * 2^e
// with m in [1, 2); ln m = 2 artanh((m-1)/(m+1)), whose series to the 13th power is exact to 1e-8.
static double minus_ln(double x) {
    u64 bits;
    memcpy(&bits, &x, sizeof bits);
    int e = (int)(bits >> 52 & 0x7ff) - 1023;
    bits = (bits & (((u64)1 << 52) - 1)) | (u64)1023 << 52;
    double m;
    memcpy(&m, &bits, sizeof m);
    double s = (m - 1) / (m + 1), s2 = s * s;
    double series =
        1 +
        s2 * (1. / 3 + s2 * (1. / 5 + s2 * (1. / 7 + s2 * (1. / 9 + s2 * (1. / 11 + s2 / 13)))));
    return -(e * 0.693147180559945309 + 2 * s * series);
}

// The distance to the next sampled byte. At rate 1 every allocation is taken, empty ones too.
static i64 gap_draw(u64 rate) {
    if (rate == 1) return 0;
    double uniform = (double)((sample_random() >> 11) + 1) / (double)((u64)1 << 53);
    double gap = minus_ln(uniform) * (double)rate + 1;
    return (i64)(gap < MAX_GAP ? gap : MAX_GAP);
}

// The first distance of a thread since sampling began or changed its rate.
static bool first_due(struct hot_thread *t, u64 rate, size_t n) {
    t->heap_rate = rate;
    t->heap_left = OFF_STEP;
    if (!rate) return false;
    i64 gap = gap_draw(rate);
    bool is_due = n >= (u64)gap;
    t->heap_left = is_due ? gap_draw(rate) : gap - (i64)n;
    return is_due;
}

bool sample_due(size_t n) {
    struct hot_thread *t = &hot_thread;
    real_init();
    if (t->depth) return false; // stays due for the next allocation of the program's own
    if (t->is_hidden) {
        t->heap_left = 0; // its allocations keep coming to the slow paths, which give it own.h's
        return false;
    }
    u64 rate = sample_rate();
    if (rate != t->heap_rate || !rate) return first_due(t, rate, n);
    t->heap_left = gap_draw(rate);
    return true;
}

enum freed sample_freed(void *p) {
    u32 bucket;
    real_init();
    if (!p) return FREED_NORMAL;
    if (boot_owns(p)) return FREED_NOTHING;
    if (own_owns(p)) {
        own_free(p);
        return FREED_NOTHING;
    }
    return live_remove(p, &bucket) ? FREED_SAMPLED : FREED_NORMAL;
}

__attribute__((noinline)) static void capture(const void *p, size_t n, const void *caller) {
    u64 pcs[MAX_FRAMES];
    u32 n_pcs;
    const u64 *stack = unwind_program(pcs, MAX_FRAMES, caller, &n_pcs);
    live_insert(p, bucket_of(stack_intern(stack, n_pcs), n, labels_now()));
}

void sample_in_place(void *p, size_t n, const void *caller) {
    if (!sample_fits(p) || !live_is_ready()) return;
    int saved = errno;
    hot_thread.depth++;
    capture(p, n, caller);
    hot_thread.depth--;
    errno = saved;
}

// The size to ask for. A small aligned block that glibc gets back stays in its thread's cache and
// is handed out again and again: after a thousand samples most blocks of a busy size had the
// alignment, each free of them looked at the filter, and all of them shared four sets of the L1
// cache (2 ns a pair in bench/malloc). Blocks above 1032 bytes do not go there; they join their
// neighbours. Other allocators keep aligned blocks in size classes of their own.
static size_t block_size(size_t n) {
    if (real_heap.is_glibc && n < MIN_BLOCK_GLIBC) return MIN_BLOCK_GLIBC;
    return n ? n : 1;
}

// A block that free recognises, or NULL; errno as before.
static void *block_aligned(size_t n) {
    int saved = errno;
    void *block = real_heap.memalign(BLOCK_ALIGN, block_size(n));
    errno = saved;
    return block;
}

void *sample_fresh(void *p, size_t n, const void *caller) {
    if (!p) return NULL;
    if (!sample_fits(p)) {
        void *aligned = block_aligned(n);
        if (!aligned) return p;
        real_heap.free(p);
        p = aligned;
    }
    sample_in_place(p, n, caller);
    return p;
}

void *sample_filled(void *p, size_t n, const void *caller) {
    if (!p) return NULL;
    if (!sample_fits(p)) {
        void *aligned = block_aligned(n);
        if (!aligned) return p;
        memcpy(aligned, p, n);
        real_heap.free(p);
        p = aligned;
    }
    sample_in_place(p, n, caller);
    return p;
}

// A zeroed block that free recognises. Allocators that can give one without touching its pages are
// asked for that: clearing a sparse table of gigabytes would make it real memory.
static void *block_zeroed(size_t n) {
    int zero_1024 = 10 | 0x40; // MALLOCX_LG_ALIGN(10) | MALLOCX_ZERO
    int saved = errno;
    void *block = NULL;
    if (real_heap.mallocx)
        block = real_heap.mallocx(n ? n : 1, zero_1024);
    else if (real_heap.zalloc_aligned)
        block = real_heap.zalloc_aligned(n, BLOCK_ALIGN);
    else if ((block = real_heap.memalign(BLOCK_ALIGN, block_size(n))))
        memset(block, 0, n);
    errno = saved;
    return block;
}

void *sample_zeroed(void *p, size_t n, const void *caller) {
    if (!p) return NULL;
    if (!sample_fits(p)) {
        void *aligned = block_zeroed(n);
        if (!aligned) return p;
        real_heap.free(p);
        p = aligned;
    }
    sample_in_place(p, n, caller);
    return p;
}
