// tests/unit/agent_live.c - the table of live blocks: nothing is lost, nothing is found twice.
// Room: claims about agent/hot/live with made-up addresses. Door: the test runner.
#include "unit.h"

#include "agent/hot/hot.h"

#include <pthread.h>

static const void *block_at(u64 i) {
    return (const void *)(uintptr_t)(0x7f0000000000u + i * BLOCK_ALIGN);
}

static u64 n_live(u32 bucket) {
    u32 n;
    const struct heap_bucket *b = &heap_buckets(&n)[bucket];
    CHECK(bucket < n);
    u64 n_frees = b->n_frees;
    return b->n_allocs - n_frees;
}

TEST(buckets_keep_their_stack_and_size) {
    CHECK(live_init());
    u32 a = bucket_of(7, 100, 0), b = bucket_of(7, 101, 0), c = bucket_of(8, 100, 0), n;
    CHECK(a != b && a != c && b != c);
    CHECK_EQ(bucket_of(7, 100, 0), a);
    u64 key = heap_buckets(&n)[c].key;
    CHECK_EQ(bucket_stack(key), 8);
    CHECK_EQ(bucket_size(key), 100);
    CHECK_EQ(bucket_of(MAX_STACKS - 1, 0, 0), bucket_of(MAX_STACKS - 1, 0, 0));
    key = heap_buckets(&n)[bucket_of(MAX_STACKS - 1, 0, 0)].key;
    CHECK_EQ(bucket_stack(key), MAX_STACKS - 1);
    CHECK_EQ(bucket_size(key), 0);
}

TEST(a_removed_block_is_not_found_again) {
    CHECK(live_init());
    u32 bucket = bucket_of(1, 64, 0), found = 0;
    live_insert(block_at(1), bucket);
    CHECK(!live_remove(block_at(2), &found));
    CHECK(live_remove(block_at(1), &found));
    CHECK_EQ(found, bucket);
    CHECK(!live_remove(block_at(1), &found));
    CHECK_EQ(n_live(bucket), 0);
    live_insert(block_at(1), bucket);
    CHECK(live_remove(block_at(1), &found));
    live_restore(block_at(1), found);
    CHECK_EQ(n_live(bucket), 1);
    CHECK(live_remove(block_at(1), &found));
    CHECK_EQ(n_live(bucket), 0);
}

// A block freed through an interface without a hook comes back from the allocator.
TEST(an_address_given_out_again_ends_its_old_block) {
    CHECK(live_init());
    u32 old = bucket_of(2, 64, 0), fresh = bucket_of(3, 64, 0), found;
    live_insert(block_at(9), old);
    live_insert(block_at(9), fresh);
    CHECK_EQ(n_live(old), 0);
    CHECK_EQ(n_live(fresh), 1);
    CHECK(live_remove(block_at(9), &found));
    CHECK_EQ(found, fresh);
}

// Through all four levels: the first holds 65,536 words, each other four times the one before.
TEST(a_million_and_a_half_live_blocks_are_all_followed) {
    CHECK(live_init());
    enum { N = 1500000 };
    u32 bucket = bucket_of(4, 64, 0), found;
    struct live_lost before = live_lost();
    for (u64 i = 0; i < N; i++) live_insert(block_at(1000 + i), bucket);
    CHECK_EQ(live_lost().n_unfollowed, before.n_unfollowed);
    CHECK_EQ(n_live(bucket), N);
    for (u64 i = 0; i < N; i++) CHECK(live_remove(block_at(1000 + i), &found));
    CHECK_EQ(n_live(bucket), 0);
}

enum { N_THREADS = 16, N_ROUNDS = 4000, N_CELLS = 64 };
// Blocks on their way from the thread that made them to whoever frees them.
static _Atomic(const void *) cells[N_CELLS];
static _Atomic u64 next_block, n_missing;

// Takes turns in making blocks and in freeing those of others, reusing addresses at once.
static void *ping_pong(void *with) {
    u32 bucket = *(u32 *)with, found;
    for (u32 i = 0; i < N_ROUNDS; i++) {
        u64 at = atomic_fetch_add(&next_block, 1);
        const void *fresh = block_at(4000000 + at);
        live_insert(fresh, bucket);
        const void *old = atomic_exchange(&cells[at * 7 % N_CELLS], fresh);
        for (u32 again = 0; old && again < 3; again++) {
            if (!live_remove(old, &found)) atomic_fetch_add(&n_missing, 1);
            live_insert(old, bucket);
        }
        if (old && !live_remove(old, &found)) atomic_fetch_add(&n_missing, 1);
    }
    return NULL;
}

TEST(sixteen_threads_free_each_others_blocks) {
    CHECK(live_init());
    u32 bucket = bucket_of(5, 64, 0), found;
    pthread_t threads[N_THREADS];
    for (u32 i = 0; i < N_THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, ping_pong, &bucket), 0);
    for (u32 i = 0; i < N_THREADS; i++) pthread_join(threads[i], NULL);
    CHECK_EQ(n_missing, 0);
    u64 n_left = 0;
    for (u32 i = 0; i < N_CELLS; i++) {
        const void *p = cells[i];
        if (!p) continue;
        n_left++;
        CHECK(live_remove(p, &found));
    }
    CHECK(n_left > 0);
    CHECK_EQ(n_live(bucket), 0);
}

// Last: it fills the table for good.
TEST(when_buckets_run_out_samples_go_to_overflow_by_size) {
    CHECK(live_init());
    for (u64 i = 0; i < MAX_BUCKETS; i++) bucket_of((u32)(i % 1000), 1 << 20 | i / 1000, 0);
    u64 lost = live_lost().n_overflowed;
    CHECK(lost > 0);
    u32 bucket = bucket_of(1001, 5000, 0), n;
    CHECK(bucket < N_OVERFLOW_BUCKETS);
    CHECK_EQ(live_lost().n_overflowed, lost + 1);
    u64 key = heap_buckets(&n)[bucket].key;
    CHECK_EQ(bucket_stack(key), STACK_OVERFLOW);
    CHECK_EQ(bucket_size(key), 6144);
}
