// tests/unit/agent_ring.c - the rings: what a writer commits, the reader gets, once.
// Room: claims about agent/hot/ring. Door: the test runner.
#include "unit.h"

#include "agent/hot/hot.h"

struct taken {
    u32 n, weight, n_pcs;
    u64 last_pc;
};

static void take(void *ctx, const struct ring_record *record) {
    struct taken *taken = ctx;
    taken->n++;
    taken->weight += record->weight;
    taken->n_pcs += record->n;
    if (record->n) taken->last_pc = record->pcs[record->n - 1];
}

static char scratch[RING_BYTES];

static struct taken drain(void) {
    struct taken taken = {0};
    CHECK_EQ(rings_drain(scratch, take, &taken), 0);
    return taken;
}

static bool put(u32 weight, u32 n) {
    struct ring *ring;
    struct ring_record *record = ring_reserve(&ring);
    if (!record) return false;
    record->weight = weight;
    for (u32 i = 0; i < n; i++) record->pcs[i] = i + 1;
    ring_commit(ring, record, n);
    return true;
}

TEST(nothing_can_be_reserved_before_init) {
    struct ring *ring;
    CHECK(!ring_reserve(&ring));
    CHECK(rings_init());
    CHECK(rings_init());
}

TEST(records_come_out_once) {
    CHECK(rings_init());
    CHECK(put(3, 0) && put(4, 7) && put(5, MAX_FRAMES));
    struct taken taken = drain();
    CHECK_EQ(taken.n, 3);
    CHECK_EQ(taken.weight, 12);
    CHECK_EQ(taken.n_pcs, 7 + MAX_FRAMES);
    CHECK_EQ(drain().n, 0);
}

TEST(cancelled_records_leave_nothing) {
    CHECK(rings_init());
    struct ring *ring;
    CHECK(ring_reserve(&ring));
    ring_cancel(ring);
    CHECK_EQ(drain().n, 0);
}

TEST(a_taken_ring_sends_writers_to_the_next_one) {
    CHECK(rings_init());
    struct ring *held[RING_TRIES], *none;
    for (u32 i = 0; i < RING_TRIES; i++) CHECK(ring_reserve(&held[i]));
    // The test may move to another CPU's ring between the calls, but never gets one twice.
    for (u32 i = 1; i < RING_TRIES; i++) CHECK(held[i] != held[0]);
    u32 n_busy = rings_drain(scratch, take, &(struct taken){0});
    CHECK_EQ(n_busy, RING_TRIES);
    rings_reset(); // a child has no writers: every lock is open again
    CHECK(ring_reserve(&none));
    ring_cancel(none);
}

TEST(full_rings_refuse_and_serve_again_after_the_reader) {
    CHECK(rings_init());
    u32 n = 0;
    while (put(1, MAX_FRAMES)) n++;
    CHECK(n >=
          RING_TRIES * (RING_BYTES / (MAX_FRAMES * sizeof(u64) + sizeof(struct ring_record)) - 1));
    CHECK_EQ(drain().n, n);
    CHECK(put(1, 1));
    CHECK_EQ(drain().n, 1);
}
