// agent/heap.c - from counters of sampled allocations to rows.
// Room: see heap.h. Door: heap_collect().
// Source of the scaling and the label: Go's runtime/pprof, as reference/go.md 2.4 tells it.
#include "agent/heap.h"

#include "agent/hot/hot.h"
#include "agent/labels.h"

#include <stdio.h>
#include <stdlib.h>

// is_ready, rate_used: written from the constructor and pprof_set_heap_rate only. status: "" when
// all is well; written in heap_init, before anybody reads it.
static struct {
    bool is_ready;
    _Atomic u64 rate_used; // the newest rate that was not 0: what samples are unbiased with
    char status[200];
} heap;

static u64 rate_from_environment(void) {
    const char *text = getenv("PPROF_HEAP_RATE");
    u64 rate;
    if (!text || !num_parse_u64(str_of(text), 10, &rate)) return HEAP_RATE_DEFAULT;
    return rate;
}

static bool status_set(const char *before, const char *name, const char *after) {
    snprintf(heap.status, sizeof heap.status, "%s%.80s%s", before, name, after);
    return false;
}

// Whether the program's allocations come to our hooks, and may.
static bool hooks_work(void) {
    bool is_called = real_settle();
    if (real_heap.sanitizer)
        return status_set("", real_heap.sanitizer,
                          " is in the program: allocations are left to it");
    if (is_called) return true;
    const char *name = object_name(real_heap.owner);
    return status_set("malloc comes from ", *name ? name : "the program itself",
                      ", which is in front of libpprof: allocations are not seen");
}

bool heap_init(void) {
    if (heap.is_ready) return true;
    if (!hooks_work()) return false;
    if (!live_init()) return status_set("", "", "no address space for the tables of live blocks");
    heap.is_ready = true;
    heap_set_rate(rate_from_environment());
    hot_thread.heap_left = 0; // this thread need not run off its step of the time before
    return true;
}

u64 heap_set_rate(u64 rate_bytes) {
    u64 old = sample_rate();
    if (rate_bytes && !heap_init()) return old;
    if (rate_bytes) atomic_store(&heap.rate_used, rate_bytes);
    sample_set_rate(rate_bytes);
    return old;
}

u64 heap_rate(void) {
    return sample_rate();
}

// 1 - exp(-x) for x >= 0, without libm, which libpprof does not bring into programs.
static double chance_of(double x) {
    if (x > 40) return 1; // exp(-40) is below what a double adds to 1
    u32 n_halvings = 0;
    for (; x > 0.25; x /= 2) n_halvings++;
    // The series of 1 - exp(-x); the tenth term is below 1e-13 of the first.
    double term = x, sum = 0;
    for (u32 i = 2; i <= 11; i++) {
        sum += term;
        term *= -x / i;
    }
    // 1 - exp(-2x) = c (2 - c) where c = 1 - exp(-x).
    for (; n_halvings; n_halvings--) sum *= 2 - sum;
    return sum;
}

struct counts {
    u64 size, n_allocs, n_inuse;
};

// False: the bucket holds nothing.
static bool counts_of(const struct heap_bucket *bucket, struct counts *ret) {
    u64 key = atomic_load_explicit(&bucket->key, memory_order_acquire);
    u64 n_frees = atomic_load_explicit(&bucket->n_frees, memory_order_acquire);
    u64 n_allocs = atomic_load_explicit(&bucket->n_allocs, memory_order_acquire);
    if (!key || !n_allocs) return false;
    *ret = (struct counts){bucket_size(key), n_allocs, n_allocs - n_frees};
    return true;
}

// What each counted block stands for: 1 over its chance of having been sampled.
static double scale_of(u64 size) {
    u64 rate = atomic_load(&heap.rate_used);
    if (rate <= 1 || !size) return 1;
    return 1 / chance_of((double)size / (double)rate);
}

static void values_of(const struct counts *c, double scale, i64 values[ROW_VALUES]) {
    values[HEAP_ALLOC_OBJECTS] = (i64)((double)c->n_allocs * scale);
    values[HEAP_ALLOC_SPACE] = (i64)((double)(c->n_allocs * c->size) * scale);
    values[HEAP_INUSE_OBJECTS] = (i64)((double)c->n_inuse * scale);
    values[HEAP_INUSE_SPACE] = (i64)((double)(c->n_inuse * c->size) * scale);
}

// Go's label "bytes", then those of the thread.
static void row_labels(struct arena *out, struct row *row, u64 size, u32 label_id) {
    struct row_label *labels = labels_put(out, row, label_id, 1);
    labels[0] = (struct row_label){.key = S("bytes"), .num = (i64)size};
}

static void rows_collect(struct arena *out, struct rows *rows, bool is_scaled) {
    u32 n_buckets;
    const struct heap_bucket *buckets = heap_buckets(&n_buckets);
    for (u32 i = 0; i < n_buckets; i++) {
        struct counts counts;
        if (!counts_of(&buckets[i], &counts)) continue;
        GROW(out, rows->items, rows->cap, rows->n + 1);
        struct row *row = &rows->items[rows->n++];
        *row = (struct row){0};
        row_labels(out, row, counts.size, (u32)buckets[i].label_id);
        row->pcs = stack_pcs(bucket_stack(buckets[i].key), &row->n_pcs);
        values_of(&counts, is_scaled ? scale_of(counts.size) : 1, row->values);
    }
}

static void comment_add(struct arena *out, struct rows *rows, str text) {
    GROW(out, rows->comments, rows->cap_comments, rows->n_comments + 1);
    rows->comments[rows->n_comments++] = str_join(out, (str[]){S("heap: "), text}, 2, S(""));
}

static void comment_count(struct arena *out, struct rows *rows, u64 n, const char *text) {
    if (!n) return;
    struct buf b = buf_new(out, 256);
    buf_printf(&b, "%llu %s", (unsigned long long)n, text);
    comment_add(out, rows, (str){b.p, b.len});
}

static void lost_tell(struct arena *out, struct rows *rows) {
    struct live_lost lost = live_lost();
    comment_count(
        out, rows, lost.n_overflowed,
        "samples found the table of stacks and sizes full: they are under [overflow], with "
        "sizes rounded to a power of two");
    comment_count(
        out, rows, lost.n_unfollowed,
        "sampled blocks found the table of live blocks full: they are missing from inuse");
}

// Where sampling cannot work the profile is empty and says why: what scrapes it goes on working.
static void collect(struct arena *out, struct rows *rows, bool is_scaled) {
    rows_collect(out, rows, is_scaled);
    if (heap_status()) comment_add(out, rows, str_of(heap_status()));
    lost_tell(out, rows);
    labels_tell(out, rows);
    rows->period = (i64)atomic_load(&heap.rate_used);
}

bool heap_collect(struct arena *out, struct rows *rows, struct err *err) {
    (void)err;
    collect(out, rows, true);
    return true;
}

static int by_bytes_inuse(const void *a, const void *b, void *ctx) {
    (void)ctx;
    i64 x = ((const struct row *)a)->values[HEAP_INUSE_SPACE];
    i64 y = ((const struct row *)b)->values[HEAP_INUSE_SPACE];
    return x < y ? -1 : x > y;
}

bool heap_collect_raw(struct arena *out, struct rows *rows, struct err *err) {
    (void)err;
    collect(out, rows, false);
    sort_stable(out, rows->items, rows->n, sizeof *rows->items, by_bytes_inuse, NULL);
    return true;
}

static struct heap_totals totals(bool is_scaled) {
    struct heap_totals sum = {0};
    u32 n_buckets;
    const struct heap_bucket *buckets = heap_buckets(&n_buckets);
    for (u32 i = 0; i < n_buckets; i++) {
        struct counts counts;
        if (!counts_of(&buckets[i], &counts)) continue;
        i64 values[ROW_VALUES];
        values_of(&counts, is_scaled ? scale_of(counts.size) : 1, values);
        sum.alloc_objects += values[HEAP_ALLOC_OBJECTS];
        sum.alloc_bytes += values[HEAP_ALLOC_SPACE];
        sum.inuse_objects += values[HEAP_INUSE_OBJECTS];
        sum.inuse_bytes += values[HEAP_INUSE_SPACE];
    }
    return sum;
}

struct heap_totals heap_totals_raw(void) {
    return totals(false);
}

struct heap_totals heap_totals(void) {
    return totals(true);
}

const char *heap_status(void) {
    if (*heap.status) return heap.status;
    if (!heap.is_ready) return "heap sampling was never started";
    if (!sample_rate()) return "heap sampling is off (rate 0)";
    return NULL;
}

void heap_after_fork_child(void) {
    hot_thread.rng = 0; // parent and child must not sample in step
}
