// tests/unit/agent_custom.c - profiles that a program makes itself.
// Room: claims about agent/custom.h, agent/hot/values.h and their functions in include/pprof.h.
// Door: the test runner.
#include "unit.h"

#include "pprof.h"

#include "agent/api.h"
#include "agent/custom.h"
#include "agent/hot/hot.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const void *number(u64 i) {
    return (const void *)(uintptr_t)i;
}

TEST(values_are_added_counted_and_removed) {
    pprof_profile *p = pprof_new_profile("t/basic", NULL);
    CHECK(p != NULL);
    CHECK(pprof_profile_add(p, number(7), 0));
    CHECK(!pprof_profile_add(p, number(7), 0));
    CHECK(pprof_profile_add(p, number(0), 0)); // any number is a value
    CHECK(!pprof_profile_remove(p, number(8)));
    CHECK_EQ(custom_count(api_collector_of(p)), 2);
    CHECK(pprof_profile_remove(p, number(7)));
    CHECK(!pprof_profile_remove(p, number(7)));
    CHECK(pprof_profile_add(p, number(7), 0));
    CHECK(pprof_lookup("t/basic") == p);
}

TEST(names_are_taken_once) {
    char why[PPROF_ERROR_SIZE], name[200];
    CHECK(pprof_new_profile("t/once", why) != NULL);
    CHECK(!pprof_new_profile("t/once", why));
    CHECK_EQ(strcmp(why, "there is a profile of this name: t/once"), 0);
    CHECK(!pprof_new_profile("heap", why));
    CHECK(!pprof_new_profile("", why));
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    CHECK(!pprof_new_profile(name, NULL));
}

TEST(built_in_profiles_take_no_values) {
    pprof_profile *heap = (pprof_profile *)(uintptr_t)pprof_lookup("heap");
    CHECK(!pprof_profile_add(heap, number(1), 0));
    CHECK(!pprof_profile_remove(heap, number(1)));
}

TEST(all_profiles_are_listed_by_name) {
    const pprof_profile *list[64];
    CHECK(pprof_new_profile("aaa", NULL) != NULL);
    size_t n = pprof_profiles(list, 64);
    CHECK(n >= 5 && n <= 64);
    CHECK_EQ(strcmp(pprof_profile_name(list[0]), "aaa"), 0);
    for (size_t i = 1; i < n; i++)
        CHECK(strcmp(pprof_profile_name(list[i - 1]), pprof_profile_name(list[i])) < 0);
    CHECK_EQ(pprof_profiles(NULL, 0), n);
}

__attribute__((noinline)) static bool add_here(pprof_profile *p, u64 i, int skip) {
    bool is_added = pprof_profile_add(p, number(i), skip);
    __asm__ volatile("");
    return is_added;
}

TEST(rows_are_stacks_with_their_counts) {
    pprof_profile *p = pprof_new_profile("t/rows", NULL);
    struct rows rows;
    for (u64 i = 0; i < 10; i++) CHECK(add_here(p, i, 0));
    for (u64 i = 10; i < 15; i++) CHECK(add_here(p, i, 1));
    CHECK(custom_collect(api_collector_of(p), t->arena, &rows));
    CHECK_EQ(rows.n, 2);
    const struct row *deep = &rows.items[rows.items[0].values[0] == 5];
    const struct row *cut = &rows.items[rows.items[0].values[0] != 5];
    CHECK_EQ(deep->values[0], 10);
    CHECK_EQ(cut->values[0], 5);
    CHECK_EQ(deep->n_pcs, cut->n_pcs + 1);
}

// Through all three levels of the table.
TEST(half_a_million_values_are_held) {
    enum { N = 500000 };
    static struct values v; // clang cannot read {0} of an array of atomic pointers
    for (u64 i = 0; i < N; i++) CHECK(values_add(&v, i * 64, 1, 0));
    CHECK_EQ(v.n, N);
    for (u64 i = 0; i < N; i++) CHECK(values_remove(&v, i * 64));
    CHECK_EQ(v.n, 0);
    CHECK_EQ(v.n_lost, 0);
}

TEST(a_full_profile_counts_what_it_loses) {
    static struct values v; // clang cannot read {0} of an array of atomic pointers
    u64 n = 0;
    for (u64 i = 0; i < 1500000; i++) n += values_add(&v, i, 1, 0);
    CHECK(n > 800000);
    CHECK_EQ(v.n_lost, 1500000 - n);
}

enum { N_THREADS = 8, N_ROUNDS = 30000 };
static struct values storm;

static void *stormer(void *arg) {
    u64 own = (u64)(uintptr_t)arg << 32;
    for (u64 i = 0; i < N_ROUNDS; i++) {
        if (!values_add(&storm, own + i, 1, 0)) abort();
        if (i >= 100 && !values_remove(&storm, own + i - 100)) abort();
    }
    return NULL;
}

TEST(threads_add_and_remove_at_once) {
    pthread_t threads[N_THREADS];
    for (u64 i = 0; i < N_THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, stormer, (void *)(uintptr_t)i), 0);
    for (u32 i = 0; i < N_THREADS; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(storm.n, N_THREADS * 100);
}
