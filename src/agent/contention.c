// agent/contention.c - from counted waits to rows.
// Room: see contention.h. Door: contention_collect(). Source: Go's mutex and block profiles as
// reference/go.md 2.5 and 2.6 tell them.
#include "agent/contention.h"

#include "agent/labels.h"
#include "agent/rows.h"

#include <stdlib.h>

enum { MAX_RATE_BITS = 40 }; // 18 minutes, or one unlock in 10^12: products stay below 2^63

// How each is spoken of.
static const struct {
    const char *name, *variable, *call, *parameter;
} words[N_CONTENTIONS] = {
    {"mutex", "PPROF_MUTEX_FRACTION=1", "pprof_set_mutex_fraction(1)", "fraction=1"},
    {"block", "PPROF_BLOCK_RATE=1", "pprof_set_block_rate(1)", "rate=1"},
};

// set: as the program or the environment said. n_borrowed: requests that want another rate now.
// Changed under lock.
static struct {
    u64 set[N_CONTENTIONS];
    u32 n_borrowed[N_CONTENTIONS];
    atomic_flag lock;
} control = {.lock = ATOMIC_FLAG_INIT};

// Why nothing can be seen here; NULL: it can.
static const char *obstacle(void) {
    real_settle();
    if (real_heap.sanitizer)
        return "a sanitizer is in the program, whose own hooks stand in front of locks: waits are "
               "left to it";
    if (!locks_are_ours())
        return "libpprof was loaded behind the C library: calls of lock functions do not come to "
               "it";
    return NULL;
}

static void lock_control(void) {
    while (atomic_flag_test_and_set_explicit(&control.lock, memory_order_acquire)) continue;
}

static void unlock_control(void) {
    atomic_flag_clear_explicit(&control.lock, memory_order_release);
}

static u64 rate_fit(u64 rate) {
    return rate >> MAX_RATE_BITS ? (u64)1 << MAX_RATE_BITS : rate;
}

static bool is_possible(void) {
    return !obstacle() && contention_init() && stacks_init() && unwind_init();
}

u64 contention_set(enum contention which, u64 rate) {
    rate = rate && is_possible() ? rate_fit(rate) : 0;
    lock_control();
    u64 before = control.set[which];
    control.set[which] = rate;
    if (!control.n_borrowed[which]) contention_set_rate(which, rate);
    unlock_control();
    return before;
}

void contention_borrow(enum contention which, u64 rate) {
    if (!rate || !is_possible()) return;
    lock_control();
    control.n_borrowed[which]++;
    contention_set_rate(which, rate_fit(rate));
    unlock_control();
}

void contention_return(enum contention which, u64 rate) {
    if (!rate || !control.n_borrowed[which]) return;
    lock_control();
    if (--control.n_borrowed[which] == 0) contention_set_rate(which, control.set[which]);
    unlock_control();
}

static u64 rate_from_environment(const char *name) {
    const char *text = getenv(name);
    u64 rate;
    return text && num_parse_u64(str_of(text), 10, &rate) ? rate : 0;
}

void contention_begin(void) {
    locks_find();
    contention_set(CONTENTION_MUTEX, rate_from_environment("PPROF_MUTEX_FRACTION"));
    contention_set(CONTENTION_BLOCK, rate_from_environment("PPROF_BLOCK_RATE"));
}

void contention_after_fork_child(void) {
    if (wait_is_on()) waiters_after_fork_child();
    atomic_flag_clear(&control.lock);
    for (u32 i = 0; i < N_CONTENTIONS; i++) {
        if (!control.n_borrowed[i]) continue;
        control.n_borrowed[i] = 0;
        contention_set_rate(i, control.set[i]);
    }
}

static int by_delay(const void *a, const void *b, void *ctx) {
    (void)ctx;
    i64 x = ((const struct row *)a)->values[1], y = ((const struct row *)b)->values[1];
    return x > y ? -1 : x < y;
}

static void row_put(struct arena *out, const struct contention_bucket *bucket, u64 key, u64 period,
                    struct rows *ret) {
    u64 count = atomic_load_explicit(&bucket->count, memory_order_relaxed) / COUNT_ONE;
    u64 delay_ns = atomic_load_explicit(&bucket->delay_ns, memory_order_relaxed);
    if (!delay_ns) return;
    GROW(out, ret->items, ret->cap, ret->n + 1);
    struct row *row = &ret->items[ret->n++];
    *row = (struct row){.values = {(i64)(count / period), (i64)(delay_ns / period)}};
    if (!row->values[0]) row->values[0] = 1;
    row->pcs = stack_pcs(contention_stack(key), &row->n_pcs);
    labels_put(out, row, contention_labels(key), 0);
}

static void lost_tell(struct arena *out, enum contention which, struct rows *rows) {
    rows_tell(out, rows, words[which].name, contention_status(out, which));
    labels_tell(out, rows);
}

void contention_collect(enum contention which, struct arena *out, bool is_raw, struct rows *ret) {
    struct rows rows = {.period = 1};
    u32 n;
    const struct contention_bucket *buckets = contention_buckets(which, &n);
    u64 rate = contention_rate(which);
    if (is_raw && which == CONTENTION_MUTEX && rate) rows.period = (i64)rate;
    for (u32 i = 0; i < n; i++) {
        u64 key = atomic_load_explicit(&buckets[i].key, memory_order_acquire);
        if (key) row_put(out, &buckets[i], key, (u64)rows.period, &rows);
    }
    sort_stable(out, rows.items, rows.n, sizeof *rows.items, by_delay, NULL);
    lost_tell(out, which, &rows);
    *ret = rows;
}

u64 contention_count(enum contention which) {
    u32 n;
    u64 n_rows = 0;
    const struct contention_bucket *buckets = contention_buckets(which, &n);
    for (u32 i = 0; i < n; i++) n_rows += atomic_load(&buckets[i].delay_ns) != 0;
    return n_rows;
}

static void put_lost(struct buf *b, u64 n, const char *what) {
    if (n) buf_printf(b, "%s%llu %s", b->len ? "; " : "", (unsigned long long)n, what);
}

str contention_status(struct arena *out, enum contention which) {
    struct buf b = buf_new(out, 1024);
    const char *why = obstacle();
    if (why) return str_of(why);
    if (!contention_rate(which))
        buf_printf(&b, "off; %s in the environment, %s or %s?seconds=10&%s switches it on",
                   words[which].variable, words[which].call, words[which].name,
                   words[which].parameter);
    put_lost(&b, contention_overflowed(),
             "samples found the table of stacks full: they are under [overflow]");
    put_lost(&b, waiters_lost(), "waits found the table of waiters full: no holder is charged");
    return buf_str(&b);
}

bool contention_of(const struct collector *of, enum contention *ret) {
    for (u32 i = 0; i < N_CONTENTIONS; i++) {
        if (!str_eq(of->name, str_of(words[i].name))) continue;
        *ret = (enum contention)i;
        return true;
    }
    return false;
}
