// tests/unit/agent_fibers.c - stacks that the program made itself.
// Room: claims about agent/hot/fibers. Door: the test runner.
#include "unit.h"

#include "agent/hot/hot.h"

#include <pthread.h>
#include <stdlib.h>

TEST(an_address_finds_its_stack) {
    u64 lo, hi;
    u32 a = fiber_add(0x10000, 0x4000), b = fiber_add(0x14000, 0x4000);
    CHECK(a && b && a != b);
    CHECK(fiber_of(0x10000, &lo, &hi));
    CHECK(lo == 0x10000 && hi == 0x14000);
    CHECK_EQ(fiber_end_of(0x13fff), 0x14000);
    CHECK_EQ(fiber_end_of(0x14000), 0x18000);
    CHECK_EQ(fiber_end_of(0x18000), 0);
    CHECK_EQ(fiber_end_of(0xffff), 0);
    fiber_remove(a);
    CHECK_EQ(fiber_end_of(0x10000), 0);
    CHECK_EQ(fiber_end_of(0x14000), 0x18000);
    fiber_remove(b);
    CHECK_EQ(fibers_count(), 0);
}

TEST(nonsense_is_refused) {
    CHECK_EQ(fiber_add(0, 4096), 0);
    CHECK_EQ(fiber_add(4096, 0), 0);
    CHECK_EQ(fiber_add(~(u64)0, 4096), 0);
    fiber_remove(0);
    fiber_remove(MAX_FIBERS + 1);
    u32 id = fiber_add(0x10000, 1);
    fiber_remove(id);
    fiber_remove(id);
    CHECK_EQ(fibers_count(), 0);
}

TEST(a_full_table_says_so_and_has_room_again) {
    static u32 ids[MAX_FIBERS];
    for (u32 i = 0; i < MAX_FIBERS; i++)
        CHECK((ids[i] = fiber_add(0x100000 + i * 0x1000ul, 0x1000)));
    CHECK_EQ(fiber_add(0x1000, 0x1000), 0);
    CHECK_EQ(fibers_lost(), 1);
    CHECK_EQ(fiber_end_of(0x100000 + 777 * 0x1000ul), 0x100000 + 778 * 0x1000ul);
    fiber_remove(ids[5]);
    CHECK_EQ(fiber_add(0x1000, 0x1000), ids[5]);
    for (u32 i = 0; i < MAX_FIBERS; i++) fiber_remove(ids[i]);
    CHECK_EQ(fibers_count(), 0);
}

static void *stormer(void *arg) {
    u64 lo = (u64)(uintptr_t)arg;
    for (u32 i = 0; i < 20000; i++) {
        u32 id = fiber_add(lo, 0x1000);
        if (!id || fiber_end_of(lo + 8) != lo + 0x1000) abort();
        fiber_remove(id);
    }
    return NULL;
}

TEST(threads_register_at_once) {
    pthread_t threads[8];
    for (u64 i = 0; i < 8; i++)
        CHECK_EQ(
            pthread_create(&threads[i], NULL, stormer, (void *)(uintptr_t)(0x1000000 * (i + 1))),
            0);
    for (u32 i = 0; i < 8; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(fibers_count(), 0);
}
