// tests/unit/agent_delta.c - the change since the last scrape.
// Room: claims about agent/delta. Door: the test runner.
#include "unit.h"

#include "agent/delta.h"

static const u64 here[] = {0x1000, 0x2000}, there[] = {0x1000, 0x3000};

static const struct row_label keeper[] = {{.key = {"job", 3}, .text = {"keeper", 6}}};

static struct row heap_row(const u64 *pcs, i64 n_allocs, i64 n_inuse) {
    return (struct row){
        .pcs = pcs, .n_pcs = 2, .values = {n_allocs, 10 * n_allocs, n_inuse, 10 * n_inuse}};
}

static void check_row(const struct row *row, i64 n_allocs, i64 n_inuse) {
    CHECK_EQ(row->values[0], n_allocs);
    CHECK_EQ(row->values[1], 10 * n_allocs);
    CHECK_EQ(row->values[2], n_inuse);
    CHECK_EQ(row->values[3], 10 * n_inuse);
}

static struct rows take(const char *name, struct row *items, u32 n) {
    struct rows rows = {.items = items, .n = n};
    delta_take(collector_find(str_of(name)), &rows);
    return rows;
}

TEST(allocations_are_differences_and_what_is_in_use_is_not) {
    delta_after_fork_child();
    struct row first[] = {heap_row(here, 5, 3), heap_row(there, 2, 2)};
    struct rows rows = take("heap", first, 2);
    CHECK_EQ(rows.n, 2); // the first call gives all
    CHECK_EQ(rows.duration_nanos, 0);
    check_row(&rows.items[0], 5, 3);
    struct row second[] = {heap_row(here, 9, 1), heap_row(there, 2, 2)};
    rows = take("heap", second, 2);
    CHECK_EQ(rows.n, 2);
    check_row(&rows.items[0], 4, 1);
    check_row(&rows.items[1], 0, 2);
    CHECK(rows.duration_nanos > 0);
    struct row third[] = {heap_row(here, 9, 0), heap_row(there, 2, 2)};
    rows = take("heap", third, 2);
    CHECK_EQ(rows.n, 1); // nothing new and nothing in use: left out
    check_row(&rows.items[0], 0, 2);
}

TEST(labels_tell_rows_apart) {
    delta_after_fork_child();
    struct row first[] = {heap_row(here, 5, 0), heap_row(here, 7, 0)};
    first[1].labels = keeper;
    first[1].n_labels = 1;
    struct row second[] = {first[1], first[0]};
    second[0].values[0] = 8;
    second[1].values[0] = 7;
    CHECK_EQ(take("heap", first, 2).n, 2);
    struct rows rows = take("heap", second, 2);
    CHECK_EQ(rows.n, 2);
    CHECK_EQ(rows.items[0].values[0], 1);
    CHECK_EQ(rows.items[1].values[0], 2);
}

TEST(each_profile_has_its_own_state) {
    delta_after_fork_child();
    struct row a[] = {heap_row(here, 5, 0)}, b[] = {heap_row(here, 5, 0)};
    CHECK_EQ(take("heap", a, 1).n, 1);
    CHECK_EQ(take("allocs", b, 1).n, 1);
    struct row c[] = {heap_row(here, 5, 0)};
    CHECK_EQ(take("heap", c, 1).n, 0);
}

TEST(a_counter_never_goes_back) {
    delta_after_fork_child();
    struct row a[] = {heap_row(here, 50, 1)}, b[] = {heap_row(here, 40, 1)};
    CHECK_EQ(take("heap", a, 1).n, 1);
    struct rows rows = take("heap", b, 1);
    check_row(&rows.items[0], 0, 1);
}

TEST(what_exists_now_is_given_as_it_is) {
    delta_after_fork_child();
    struct row a[] = {{.pcs = here, .n_pcs = 2, .values = {4}}};
    struct row b[] = {{.pcs = here, .n_pcs = 2, .values = {3}}};
    CHECK_EQ(take("goroutine", a, 1).items[0].values[0], 4);
    CHECK_EQ(take("goroutine", b, 1).items[0].values[0], 3);
}
