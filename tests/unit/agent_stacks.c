// tests/unit/agent_stacks.c - the stack table: same stack, same id; nothing lost.
// Room: claims about agent/hot/stacks. Door: the test runner.
#include "unit.h"

#include "agent/hot/hot.h"

#include <pthread.h>
#include <string.h>

TEST(before_init_every_stack_is_the_overflow_stack) {
    // Runs first: cmocka runs tests in the order they stand in.
    u64 pcs[] = {10, 20};
    u64 lost = stacks_overflowed();
    CHECK_EQ(stack_intern(pcs, 2), STACK_OVERFLOW);
    CHECK_EQ(stacks_overflowed(), lost + 1);
    u32 n;
    const u64 *got = stack_pcs(STACK_OVERFLOW, &n);
    CHECK_EQ(n, 1);
    CHECK_EQ(got[0], STACK_PC_OVERFLOW);
}

TEST(equal_stacks_share_an_id_and_keep_their_pcs) {
    CHECK(stacks_init());
    CHECK(stacks_init());
    u64 a[] = {1000, 2000, 3000}, b[] = {1000, 2000}, c[] = {1000, 2000, 3001};
    u32 id = stack_intern(a, 3);
    CHECK(id != STACK_OVERFLOW);
    CHECK_EQ(stack_intern(a, 3), id);
    CHECK(stack_intern(b, 2) != id);
    CHECK(stack_intern(c, 3) != id);
    CHECK(stack_intern(c, 3) != stack_intern(b, 2));
    u32 n;
    const u64 *got = stack_pcs(id, &n);
    CHECK_EQ(n, 3);
    assert_memory_equal(got, a, sizeof a);
    CHECK(id < stacks_count());
}

TEST(the_empty_stack_is_a_stack) {
    CHECK(stacks_init());
    u32 id = stack_intern(NULL, 0), n = 7;
    CHECK(id != STACK_OVERFLOW);
    CHECK_EQ(stack_intern(NULL, 0), id);
    stack_pcs(id, &n);
    CHECK_EQ(n, 0);
}

enum { N_THREADS = 8, N_STACKS = 5000 };

static void *intern_all(void *to) {
    u32 *ids = to;
    for (u32 i = 0; i < N_STACKS; i++) {
        u64 pcs[24];
        for (u32 k = 0; k < 24; k++) pcs[k] = 0x400000 + (u64)i * (k % 3) + k;
        ids[i] = stack_intern(pcs, 1 + i % 24);
    }
    return NULL;
}

TEST(threads_agree_on_ids) {
    CHECK(stacks_init());
    static u32 ids[N_THREADS][N_STACKS];
    pthread_t threads[N_THREADS];
    for (u32 i = 0; i < N_THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, intern_all, ids[i]), 0);
    for (u32 i = 0; i < N_THREADS; i++) pthread_join(threads[i], NULL);
    for (u32 i = 1; i < N_THREADS; i++) assert_memory_equal(ids[i], ids[0], sizeof ids[0]);
}

TEST(a_full_table_overflows_and_old_ids_stay) {
    CHECK(stacks_init());
    u64 first[] = {0xabcdef, 1};
    u32 first_id = stack_intern(first, 2);
    for (u64 i = 0; i < MAX_STACKS + 10; i++) {
        u64 pcs[] = {0x70000000 + i, i * i};
        stack_intern(pcs, 2);
    }
    u64 more[] = {0x12345678, 99};
    u64 lost = stacks_overflowed();
    CHECK(lost > 10);
    CHECK_EQ(stack_intern(more, 2), STACK_OVERFLOW);
    CHECK_EQ(stacks_overflowed(), lost + 1);
    CHECK_EQ(stack_intern(first, 2), first_id);
    CHECK_EQ(stacks_count(), MAX_STACKS);
}
