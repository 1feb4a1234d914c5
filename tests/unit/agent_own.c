// tests/unit/agent_own.c - proves that hidden threads' blocks are told from all others, reused, and
// taken back from any thread.
#include "unit.h"

#include "agent/hot/hot.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

TEST(blocks_are_aligned_for_free_to_notice_and_large_enough) {
    for (size_t n = 0; n < 300000; n = n * 3 + 1) {
        char *p = own_alloc(n, 16);
        CHECK(p && own_owns(p));
        CHECK_EQ((uintptr_t)p % BLOCK_ALIGN, 0);
        CHECK(own_room(p) >= n);
        CHECK(*live_filter_of(p) > 0);
        memset(p, 0x5a, n);
        own_free(p);
    }
}

TEST(other_memory_is_not_ours) {
    int local;
    void *block = malloc(100);
    CHECK(!own_owns(NULL));
    CHECK(!own_owns(&local));
    CHECK(!own_owns(block));
    free(block);
}

TEST(a_freed_block_is_given_out_again) {
    void *first = own_alloc(5000, 1);
    own_free(first);
    CHECK(own_alloc(4500, 1) == first);
    CHECK(own_alloc(4500, 1) != first);
}

TEST(sizes_and_alignments_beyond_the_classes_are_refused) {
    CHECK(!own_alloc((size_t)8 << 20, 1));
    CHECK(!own_alloc(SIZE_MAX, 1));
    CHECK(!own_alloc(10, 4096));
}

static void *free_all(void *arg) {
    void **blocks = arg;
    for (u32 i = 0; i < 1000; i++) own_free(blocks[i]);
    return NULL;
}

TEST(other_threads_may_free_while_blocks_are_taken) {
    static void *blocks[4][1000];
    pthread_t threads[4];
    for (u32 k = 0; k < 4; k++) {
        for (u32 i = 0; i < 1000; i++) CHECK((blocks[k][i] = own_alloc(i, 1)));
        CHECK_EQ(pthread_create(&threads[k], NULL, free_all, blocks[k]), 0);
    }
    for (u32 i = 0; i < 10000; i++) {
        u64 *p = own_alloc(64, 1);
        CHECK(p);
        *p = i;
        own_free(p);
    }
    for (u32 k = 0; k < 4; k++) pthread_join(threads[k], NULL);
}
