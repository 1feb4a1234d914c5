// agent/heap.c - from counters of sampled allocations to rows.
// Room: see heap.h. Door: heap_collect().
// Source of the scaling and the label: Go's runtime/pprof, as reference/go.md 2.4 tells it.
#include "agent/heap.h"

#include "agent/hot/hot.h"
#include "agent/labels.h"
#include "agent/rows.h"

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
    if (rate_bytes) {
        atomic_store(&heap.rate_used, rate_bytes);
        live_set_rate(rate_bytes);
    }
    sample_set_rate(rate_bytes);
    return old;
}

u64 heap_rate(void) {
    return sample_rate();
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

static double scale_of(u64 size) {
    return weight_of(size, atomic_load(&heap.rate_used));
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

static struct row *row_new(struct arena *out, struct rows *rows, const struct heap_bucket *bucket,
                           const struct counts *counts) {
    GROW(out, rows->items, rows->cap, rows->n + 1);
    struct row *row = &rows->items[rows->n++];
    *row = (struct row){0};
    row_labels(out, row, counts->size, (u32)bucket->label_id);
    row->pcs = stack_pcs(bucket_stack(bucket->key), &row->n_pcs);
    return row;
}

// How old the live blocks are: rows need counts by bucket and age.
struct ages {
    struct arena *out;
    struct idmap by_bucket; // index + 1 in counts of the bucket's first age
    struct age_count {
        u32 age_s, next; // index + 1 of the bucket's next age
        u64 n;
    } * counts;
    u32 n;
    size_t cap;
};

// Ages are told by powers of two: 0, 1, 2, 4 ... seconds and more.
static u32 age_class(u32 age_s) {
    return age_s ? 1u << (31 - (u32)__builtin_clz(age_s)) : 0;
}

static void age_take(void *ctx, u32 bucket, u32 age_s) {
    struct ages *a = ctx;
    u32 class = age_class(age_s), *head = idmap_at(&a->by_bucket, bucket);
    if (*head == U32_NONE) *head = 0;
    for (u32 at = *head; at; at = a->counts[at - 1].next) {
        if (a->counts[at - 1].age_s != class) continue;
        a->counts[at - 1].n++;
        return;
    }
    GROW(a->out, a->counts, a->cap, a->n + 1);
    a->counts[a->n++] = (struct age_count){.age_s = class, .next = *head, .n = 1};
    *head = a->n;
}

static void ages_collect(struct ages *a) {
    idmap_init(&a->by_bucket, a->out);
    live_each(age_take, a);
}

// The bucket's live blocks, a row an age, with the label "age" behind the others.
static void age_rows(struct ages *a, struct rows *rows, u32 bucket_i, const struct counts *counts,
                     double scale) {
    u32 n_buckets, at = idmap_get(&a->by_bucket, bucket_i);
    const struct heap_bucket *bucket = &heap_buckets(&n_buckets)[bucket_i];
    for (; at && at != U32_NONE; at = a->counts[at - 1].next) {
        const struct age_count *age = &a->counts[at - 1];
        struct counts now = {.size = counts->size, .n_inuse = age->n};
        struct row *row = row_new(a->out, rows, bucket, &now);
        struct row_label *labels = labels_put(a->out, row, (u32)bucket->label_id, 2);
        labels[0] = (struct row_label){.key = S("bytes"), .num = (i64)counts->size};
        labels[1] = (struct row_label){.key = S("age"), .num = age->age_s, .unit = S("seconds")};
        values_of(&now, scale, row->values);
    }
}

static void peak_tell(struct arena *out, struct rows *rows, const struct heap_peak *peak) {
    struct buf b = buf_new(out, 256);
    buf_printf(&b, "in use at its peak: %llu bytes, %u seconds ago",
               (unsigned long long)peak->inuse_bytes, peak->age_s);
    rows_tell(out, rows, "heap", buf_str(&b));
}

static void rows_collect(struct arena *out, struct rows *rows, const struct collect_opts *opts) {
    u32 n_buckets;
    const struct heap_bucket *buckets = heap_buckets(&n_buckets);
    struct ages ages = {.out = out};
    struct heap_peak peak = {0};
    if (opts->by_age) ages_collect(&ages);
    if (opts->is_peak) live_peak(NEW(out, u32, n_buckets), n_buckets, &peak);
    for (u32 i = 0; i < n_buckets; i++) {
        struct counts counts;
        if (!counts_of(&buckets[i], &counts)) continue;
        double scale = opts->is_raw ? 1 : scale_of(counts.size);
        if (opts->is_peak) counts.n_inuse = peak.n_inuse[i];
        if (opts->by_age) {
            age_rows(&ages, rows, i, &counts, scale);
            counts.n_inuse = 0;
        }
        values_of(&counts, scale, row_new(out, rows, &buckets[i], &counts)->values);
    }
    if (opts->is_peak) peak_tell(out, rows, &peak);
}

static void lost_tell(struct arena *out, struct rows *rows) {
    struct live_lost lost = live_lost();
    rows_tell_count(
        out, rows, "heap", lost.n_overflowed,
        "samples found the table of stacks and sizes full: they are under [overflow], with "
        "sizes rounded to a power of two");
    rows_tell_count(
        out, rows, "heap", lost.n_unfollowed,
        "sampled blocks found the table of live blocks full: they are missing from inuse");
}

// Where sampling cannot work the profile is empty and says why: what scrapes it goes on working.
static void collect(struct arena *out, const struct collect_opts *opts, struct rows *rows) {
    rows_collect(out, rows, opts);
    if (heap_status()) rows_tell(out, rows, "heap", str_of(heap_status()));
    lost_tell(out, rows);
    labels_tell(out, rows);
    rows->period = (i64)atomic_load(&heap.rate_used);
}

static int by_bytes_inuse(const void *a, const void *b, void *ctx) {
    (void)ctx;
    i64 x = ((const struct row *)a)->values[HEAP_INUSE_SPACE];
    i64 y = ((const struct row *)b)->values[HEAP_INUSE_SPACE];
    return x < y ? -1 : x > y;
}

bool heap_collect(struct arena *out, const struct collect_opts *opts, struct rows *rows,
                  struct err *err) {
    (void)err;
    collect(out, opts, rows);
    if (opts->is_raw)
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
    live_after_fork_child();
}
