// tests/unit/agent_contention.c - proves what is charged to holders, what short waits stand for,
// and that profiles say both in Go's units.
#include "unit.h"

#include "agent/contention.h"
#include "agent/hot/hot.h"

#include <pthread.h>

enum { MS = 1000000 };

TEST(a_holder_is_charged_for_each_waiter_once) {
    int lock = 0, other = 0;
    u32 first = waiter_enter(&lock, 10 * MS), second = waiter_enter(&lock, 20 * MS);
    u32 stranger = waiter_enter(&other, 0);
    CHECK(first && second && stranger && first != second);
    CHECK_EQ(waiters_charge(&lock, 30 * MS), 30 * MS); // 20 and 10
    CHECK_EQ(waiters_charge(&lock, 31 * MS), 2 * MS);  // both clocks began anew
    waiter_leave(first);
    CHECK_EQ(waiters_charge(&lock, 41 * MS), 10 * MS);
    waiter_leave(second);
    CHECK_EQ(waiters_charge(&lock, 51 * MS), 0);
    CHECK_EQ(waiters_charge(&other, 51 * MS), 51 * MS);
    waiter_leave(stranger);
}

TEST(waiters_beyond_the_table_are_counted) {
    static u32 places[N_WAITERS + 1];
    int lock = 0;
    u64 lost = waiters_lost();
    u32 n = 0;
    while (n < N_WAITERS && (places[n] = waiter_enter(&lock, 1))) n++;
    CHECK_EQ(n, WAITER_PROBES);
    CHECK_EQ(waiters_lost(), lost + 1);
    CHECK_EQ(waiters_charge(&lock, 2), WAITER_PROBES);
    while (n) waiter_leave(places[--n]);
    CHECK_EQ(waiters_charge(&lock, 3), 0);
}

static struct rows collected(struct arena *out, enum contention which, bool is_raw) {
    struct rows rows = {0};
    contention_collect(which, out, is_raw, &rows);
    return rows;
}

// The sums over all rows.
static void sums(const struct rows *rows, i64 *count, i64 *delay_ns) {
    *count = *delay_ns = 0;
    for (u32 i = 0; i < rows->n; i++) {
        *count += rows->items[i].values[0];
        *delay_ns += rows->items[i].values[1];
    }
}

TEST(short_waits_stand_for_those_that_were_not_sampled) {
    i64 count, delay_ns;
    contention_set(CONTENTION_BLOCK, 100000);
    if (!contention_rate(CONTENTION_BLOCK)) return; // a sanitizer is here
    for (u32 i = 0; i < 20000; i++) contention_waited(CALLER, 10000);
    struct rows rows = collected(t->arena, CONTENTION_BLOCK, false);
    sums(&rows, &count, &delay_ns);
    // 2,000 samples: 3 % is more than one standard deviation, 10 % more than four.
    CHECK(count > 18000 && count < 22000);
    CHECK(delay_ns > 180 * MS && delay_ns < 220 * MS);
    contention_set(CONTENTION_BLOCK, 0);
}

TEST(a_fraction_is_undone_and_the_text_says_samples) {
    i64 count, delay_ns;
    contention_set(CONTENTION_MUTEX, 4);
    if (!contention_rate(CONTENTION_MUTEX)) return;
    for (u32 i = 0; i < 100; i++) contention_released(CALLER, MS);
    struct rows rows = collected(t->arena, CONTENTION_MUTEX, false);
    sums(&rows, &count, &delay_ns);
    CHECK_EQ(count, 400);
    CHECK_EQ(delay_ns, 400 * MS);
    CHECK_EQ(rows.period, 1);
    rows = collected(t->arena, CONTENTION_MUTEX, true);
    sums(&rows, &count, &delay_ns);
    CHECK_EQ(count, 100);
    CHECK_EQ(delay_ns, 100 * MS);
    CHECK_EQ(rows.period, 4);
    contention_set(CONTENTION_MUTEX, 0);
}

TEST(samples_carry_the_labels_of_their_thread) {
    const char *pairs[] = {"endpoint", "/buy"};
    u32 n_labelled = 0;
    contention_set(CONTENTION_MUTEX, 1);
    if (!contention_rate(CONTENTION_MUTEX)) return;
    struct label_set *set = label_set_new(NULL, pairs, 1);
    CHECK(set);
    struct label_set *before = labels_swap(set);
    contention_released(CALLER, MS);
    label_set_drop(labels_swap(before));
    struct rows rows = collected(t->arena, CONTENTION_MUTEX, false);
    for (u32 i = 0; i < rows.n; i++) {
        if (rows.items[i].n_labels != 1) continue;
        CHECK_STR(rows.items[i].labels[0].key, S("endpoint"));
        CHECK_STR(rows.items[i].labels[0].text, S("/buy"));
        n_labelled++;
    }
    CHECK_EQ(n_labelled, 1);
    contention_set(CONTENTION_MUTEX, 0);
}

TEST(a_borrowed_rate_goes_back_to_what_was_set_last) {
    contention_set(CONTENTION_MUTEX, 7);
    if (!contention_rate(CONTENTION_MUTEX)) return;
    contention_borrow(CONTENTION_MUTEX, 1);
    contention_borrow(CONTENTION_MUTEX, 3);
    CHECK_EQ(contention_rate(CONTENTION_MUTEX), 3);
    contention_return(CONTENTION_MUTEX, 1);
    CHECK_EQ(contention_set(CONTENTION_MUTEX, 9), 7);
    CHECK_EQ(contention_rate(CONTENTION_MUTEX), 3);
    contention_return(CONTENTION_MUTEX, 3);
    CHECK_EQ(contention_rate(CONTENTION_MUTEX), 9);
    contention_set(CONTENTION_MUTEX, 0);
    CHECK(!wait_is_on());
}
