// tests/unit/agent_heap.c - the heap profile of a known allocation pattern.
// Room: claims about the malloc hooks (this program is linked with them), agent/hot/sample and
// agent/heap. Blocks are told apart by sizes nobody else uses. Door: the test runner.
#include "unit.h"

#include "agent/heap.h"
#include "agent/hot/hot.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void heap_start(u64 rate) {
    stacks_init();
    unwind_init();
    CHECK(heap_init());
    heap_set_rate(rate);
    hot_thread.heap_left = 0; // notice it at once
}

struct sums {
    i64 values[ROW_VALUES];
    u64 leaf; // of the last row
};

// All rows whose block size is in [lo, hi].
static struct sums sums_of(struct unit *t, u64 lo, u64 hi, bool is_raw) {
    struct rows rows = {0};
    struct sums sums = {0};
    CHECK(heap_collect(t->arena, &(struct collect_opts){.is_raw = is_raw}, &rows, &t->err));
    for (u32 i = 0; i < rows.n; i++) {
        const struct row *row = &rows.items[i];
        CHECK_EQ(row->n_labels, 1);
        CHECK_STR(row->labels[0].key, S("bytes"));
        CHECK_EQ(row->labels[0].unit.len, 0);
        u64 size = (u64)row->labels[0].num;
        if (size < lo || size > hi) continue;
        for (u32 k = 0; k < ROW_VALUES; k++) sums.values[k] += row->values[k];
        sums.leaf = row->n_pcs ? row->pcs[0] : 0;
    }
    return sums;
}

static void check_raw(struct unit *t, u64 size, i64 n_allocs, i64 n_inuse) {
    struct sums got = sums_of(t, size, size, true);
    CHECK_EQ(got.values[HEAP_ALLOC_OBJECTS], n_allocs);
    CHECK_EQ(got.values[HEAP_ALLOC_SPACE], n_allocs * (i64)size);
    CHECK_EQ(got.values[HEAP_INUSE_OBJECTS], n_inuse);
    CHECK_EQ(got.values[HEAP_INUSE_SPACE], n_inuse * (i64)size);
}

// Keeps the compiler from removing pairs of malloc and free.
static void *escape(void *p) {
    __asm__ volatile("" : "+r"(p)::"memory");
    return p;
}

__attribute__((noinline)) static void *site_malloc(size_t n) {
    return escape(malloc(n));
}

TEST(at_rate_one_every_function_is_counted_and_freed) {
    heap_start(1);
    void *blocks[8], *page = NULL;
    blocks[0] = site_malloc(10001);
    blocks[1] = escape(calloc(1, 10002));
    blocks[2] = escape(realloc(NULL, 10003));
    blocks[3] = escape(memalign(64, 10004));
    blocks[4] = escape(aligned_alloc(32, 10016));
    blocks[5] = escape(valloc(10006));
    blocks[6] = escape(pvalloc(10007));
    CHECK_EQ(posix_memalign(&page, 128, 10008), 0);
    blocks[7] = escape(reallocarray(NULL, 3, 3337));
    static const u64 sizes[] = {10001, 10002, 10003, 10004, 10016, 10006, 10007, 10008, 10011};
    for (u32 i = 0; i < countof(sizes); i++) check_raw(t, sizes[i], 1, 1);
    CHECK_EQ((uintptr_t)page % 128, 0);
    CHECK_EQ((uintptr_t)blocks[5] % 4096, 0);
    for (u32 i = 0; i < countof(blocks); i++) free(blocks[i]);
    free(page);
    for (u32 i = 0; i < countof(sizes); i++) check_raw(t, sizes[i], 1, 0);
    heap_set_rate(0);
}

TEST(the_leaf_is_the_caller_of_malloc) {
    heap_start(1);
    void *p = site_malloc(20001);
    heap_set_rate(0);
    struct sums got = sums_of(t, 20001, 20001, true);
    u64 entry = (u64)(uintptr_t)site_malloc;
    CHECK(got.leaf >= entry);
    CHECK(got.leaf < entry + 64);
    free(p);
}

extern void *_Znwm(size_t n);
extern void *_ZnamRKSt9nothrow_t(size_t n, const void *nothrow);
extern void *_ZnwmSt11align_val_t(size_t n, size_t align);
extern void _ZdlPvm(void *p, size_t n);
extern void _ZdaPv(void *p);
extern void _ZdlPvSt11align_val_t(void *p, size_t align);

TEST(operators_new_and_delete_are_counted_once) {
    heap_start(1);
    void *a = _Znwm(30001), *b = _ZnamRKSt9nothrow_t(30002, ""),
         *c = _ZnwmSt11align_val_t(30003, 256);
    CHECK_EQ((uintptr_t)c % 256, 0);
    for (u64 size = 30001; size <= 30003; size++) check_raw(t, size, 1, 1);
    _ZdlPvm(a, 30001);
    _ZdaPv(b);
    _ZdlPvSt11align_val_t(c, 256);
    for (u64 size = 30001; size <= 30003; size++) check_raw(t, size, 1, 0);
    heap_set_rate(0);
}

TEST(jemalloc_calls_without_jemalloc_use_malloc) {
    extern void *mallocx(size_t n, int flags);
    extern void *rallocx(void *p, size_t n, int flags);
    extern void sdallocx(void *p, size_t n, int flags);
    extern void dallocx(void *p, int flags);
    heap_start(1);
    char *p = mallocx(31001, 12 | 0x40); // aligned to 4096, zeroed
    CHECK_EQ((uintptr_t)p % 4096, 0);
    for (u32 i = 0; i < 31001; i++) CHECK_EQ(p[i], 0);
    memset(p, 7, 31001);
    p = rallocx(p, 31002, 8);
    CHECK_EQ(p[31000], 7);
    sdallocx(p, 31002, 0);
    dallocx(mallocx(31003, 0), 0);
    for (u64 size = 31001; size <= 31003; size++) check_raw(t, size, 1, 0);
    heap_set_rate(0);
}

TEST(realloc_frees_the_old_size_and_keeps_content) {
    heap_start(1);
    char *p = malloc(40001);
    memset(p, 42, 40001);
    p = escape(realloc(p, 40002));
    for (u32 i = 0; i < 40001; i++) CHECK_EQ(p[i], 42);
    check_raw(t, 40001, 1, 0);
    check_raw(t, 40002, 1, 1);
    heap_set_rate(0);
    p = escape(realloc(p, 100)); // no longer sampled, but the old block was
    check_raw(t, 40002, 1, 0);
    free(p);
}

TEST(a_failed_realloc_leaves_the_block_live) {
    heap_start(1);
    void *p = malloc(41001);
    size_t too_much = (size_t)PTRDIFF_MAX;
    __asm__ volatile("" : "+r"(too_much));
    void *q = escape(p); // so that the compiler does not know it for freed
    CHECK(realloc(q, too_much) == NULL);
    check_raw(t, 41001, 1, 1);
    free(p);
    check_raw(t, 41001, 1, 0);
    heap_set_rate(0);
}

TEST(errno_survives_sampling) {
    heap_start(1);
    errno = 77;
    void *p = escape(malloc(42001));
    CHECK_EQ(errno, 77);
    free(p);
    CHECK_EQ(errno, 77);
    heap_set_rate(0);
}

TEST(blocks_sampled_before_sampling_was_turned_off_are_seen_to_be_freed) {
    heap_start(1);
    void *p = escape(malloc(43001));
    heap_set_rate(0);
    hot_thread.heap_left = 0;
    void *q = escape(malloc(43002));
    check_raw(t, 43001, 1, 1);
    check_raw(t, 43002, 0, 0);
    free(p);
    free(q);
    check_raw(t, 43001, 1, 0);
    CHECK(heap_status() != NULL);
}

static i64 resident_bytes(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss * 1024;
}

TEST(a_large_sparse_calloc_stays_sparse) {
    mallopt(M_PERTURB, 0); // meson sets MALLOC_PERTURB_, which writes to all of it
    heap_start(4096);
    i64 before = resident_bytes();
    char *p = escape(calloc(1 << 10, 1 << 20)); // a GiB, always sampled
    CHECK(p != NULL);
    CHECK_EQ(p[512 << 20], 0);
    struct sums got = sums_of(t, 1 << 30, 1 << 30, true);
    CHECK_EQ(got.values[HEAP_INUSE_OBJECTS], 1);
    CHECK(resident_bytes() - before < 64 << 20);
    free(p);
    got = sums_of(t, 1 << 30, 1 << 30, true);
    CHECK_EQ(got.values[HEAP_INUSE_OBJECTS], 0);
    heap_set_rate(0);
}

// A buffer that grows in small steps must not be copied at each of them.
TEST(growing_a_large_block_does_not_copy_it_each_time) {
    heap_start(512 << 10);
    char *p = NULL;
    struct timespec start, end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    for (size_t n = 1 << 20; n <= 512 << 20; n += 1 << 20) { // 512 steps; copying: 128 GiB
        p = escape(realloc(p, n));
        p[n - 1] = 1;
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    CHECK(end.tv_sec - start.tv_sec < 5);
    free(p);
    heap_set_rate(0);
}

static bool is_near(i64 got, double want, double part) {
    return (double)got > want * (1 - part) && (double)got < want * (1 + part);
}

// Sizes of which the smallest is 1/500 and the largest 128 times the rate; a third stays live.
TEST(unbiased_sums_are_near_the_truth) {
    static const u64 sizes[] = {17, 129, 1003, 8191, 65537, 1048577};
    heap_start(8192);
    for (u32 i = 0; i < countof(sizes); i++) {
        // 20,000 samples of each: a standard deviation of 0.7 %, of the live ones 1.2 %.
        double chance = sizes[i] > 100000 ? 1 : (double)sizes[i] / 8192;
        u64 n = (u64)(20000 / chance), n_live = 0;
        if (sizes[i] > 100000) n = 300; // every one is sampled: exact
        void **live = calloc(n, sizeof *live);
        for (u64 k = 0; k < n; k++) {
            void *p = site_malloc(sizes[i]);
            if (k % 3)
                free(p);
            else
                live[n_live++] = p;
        }
        struct sums got = sums_of(t, sizes[i], sizes[i], false);
        double bytes = (double)n * (double)sizes[i], live_bytes = (double)n_live * (double)sizes[i];
        CHECK(is_near(got.values[HEAP_ALLOC_SPACE], bytes, 0.05));
        CHECK(is_near(got.values[HEAP_ALLOC_OBJECTS], (double)n, 0.05));
        CHECK(is_near(got.values[HEAP_INUSE_SPACE], live_bytes, 0.05));
        CHECK(is_near(got.values[HEAP_INUSE_OBJECTS], (double)n_live, 0.05));
        for (u64 k = 0; k < n_live; k++) free(live[k]);
        free(live);
        got = sums_of(t, sizes[i], sizes[i], true);
        CHECK_EQ(got.values[HEAP_INUSE_OBJECTS], 0);
    }
    heap_set_rate(0);
}

TEST(raw_rows_are_sorted_by_bytes_in_use) {
    heap_start(1);
    void *a = site_malloc(50002), *b = site_malloc(50001), *c = site_malloc(50003);
    struct rows rows = {0};
    CHECK(heap_collect(t->arena, &(struct collect_opts){.is_raw = true}, &rows, &t->err));
    for (u32 i = 1; i < rows.n; i++)
        CHECK(rows.items[i - 1].values[HEAP_INUSE_SPACE] <= rows.items[i].values[HEAP_INUSE_SPACE]);
    struct heap_totals raw = heap_totals_raw();
    CHECK(raw.inuse_bytes >= 150006);
    CHECK(raw.alloc_objects >= raw.inuse_objects);
    free(a);
    free(b);
    free(c);
    heap_set_rate(0);
}

// In use of blocks of one size, as opts have it.
static i64 inuse_of(struct unit *t, u64 size, const struct collect_opts *opts, i64 age) {
    struct rows rows = {0};
    i64 sum = 0;
    CHECK(heap_collect(t->arena, opts, &rows, &t->err));
    for (u32 i = 0; i < rows.n; i++) {
        const struct row *row = &rows.items[i];
        if ((u64)row->labels[0].num != size) continue;
        bool is_aged = row->n_labels > 1 && str_eq(row->labels[1].key, S("age"));
        if (is_aged) CHECK_STR(row->labels[1].unit, S("seconds"));
        if (age >= 0 && (!is_aged || row->labels[1].num != age)) continue;
        sum += row->values[HEAP_INUSE_SPACE];
    }
    return sum;
}

// The peak is that of all blocks together: what was freed before it is not in it.
TEST(the_peak_is_remembered_after_everything_is_freed) {
    enum { N = 400, EARLY = 50021, LATE = 50023 };
    const struct collect_opts peak = {.is_raw = true, .is_peak = true};
    void *blocks[2 * N];
    heap_start(1);
    for (u32 i = 0; i < N; i++) blocks[i] = site_malloc(EARLY);
    for (u32 i = 0; i < N / 2; i++) free(blocks[i]);
    for (u32 i = N; i < 2 * N; i++) blocks[i] = site_malloc(LATE);
    for (u32 i = N / 2; i < 2 * N; i++) free(blocks[i]);
    CHECK_EQ(inuse_of(t, LATE, &(struct collect_opts){.is_raw = true}, -1), 0);
    i64 early = inuse_of(t, EARLY, &peak, -1), late = inuse_of(t, LATE, &peak, -1);
    CHECK_EQ(early, (N / 2) * EARLY);
    CHECK(late <= N * LATE && late >= N * LATE * 96 / 100); // the last picture is within 2 % of all
    heap_set_rate(0);
}

TEST(blocks_in_use_have_their_age) {
    const struct collect_opts by_age = {.is_raw = true, .by_age = true};
    heap_start(1);
    void *old = site_malloc(60013);
    usleep(1100000);
    void *young = site_malloc(60013);
    CHECK_EQ(inuse_of(t, 60013, &by_age, -1), 2 * 60013);
    CHECK_EQ(inuse_of(t, 60013, &by_age, 0) + inuse_of(t, 60013, &by_age, 1) +
                 inuse_of(t, 60013, &by_age, 2),
             2 * 60013);
    CHECK(inuse_of(t, 60013, &by_age, 0) <= 60013); // the old one is a second old
    free(old);
    CHECK_EQ(inuse_of(t, 60013, &by_age, -1), 60013);
    free(young);
    CHECK_EQ(inuse_of(t, 60013, &by_age, -1), 0);
    struct sums sums = sums_of(t, 60013, 60013, true);
    CHECK_EQ(sums.values[HEAP_ALLOC_OBJECTS], 2);
    heap_set_rate(0);
}
