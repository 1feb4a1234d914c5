// tests/unit/trace_lane.c - proves that a lane's tree sums as counting span by span does, and that
// counters keep least, most, last and mean while their slices widen.
#include "trace/trace.h"

#include "unit.h"

enum { SPANS = 10000 }; // three levels of the tree

static u32 random_of(u32 *seed) {
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

struct made {
    struct lane_store store;
    struct lane lane;
    i64 starts[SPANS + 1];
    u8 states[SPANS];
};

static struct made *make(struct unit *t, u32 n) {
    struct made *m = NEW(t->arena, struct made, 1);
    u32 seed = n;
    lane_store_init(&m->store, t->arena);
    for (u32 i = 0; i < LANE_CLASSES; i++)
        (void)lane_state_of(&m->store, (struct lane_state){S("x"), (enum lane_class)i, false});
    i64 at = 100;
    for (u32 i = 0; i < n; i++) {
        m->starts[i] = at;
        m->states[i] = (u8)(random_of(&seed) % LANE_CLASSES);
        lane_append(&m->store, &m->lane, at, m->states[i], i % 5000, i);
        at += 1 + random_of(&seed) % (random_of(&seed) % 50 == 0 ? 100000 : 100);
    }
    m->starts[n] = at;
    return m;
}

// What lane_fill must give, span by span.
static void fill_plainly(const struct made *m, u32 n, i64 t0, i64 width, u32 slices,
                         struct lane_sum *sums) {
    for (u32 k = 0; k < slices; k++) {
        i64 from = t0 + k * width, to = from + width;
        for (u32 i = 0; i < n; i++) {
            i64 start = m->starts[i] > from ? m->starts[i] : from;
            i64 end = m->starts[i + 1] < to ? m->starts[i + 1] : to, whole;
            if (start >= end) continue;
            whole = m->starts[i + 1] - m->starts[i];
            sums[k].ns[m->states[i]] += end - start;
            sums[k].n++;
            if (whole > sums[k].longest_ns) sums[k].longest_ns = whole;
        }
    }
}

static void check_fill(struct unit *t, const struct made *m, u32 n, i64 t0, i64 width, u32 slices) {
    struct lane_sum *got = NEW(t->arena, struct lane_sum, slices);
    struct lane_sum *want = NEW(t->arena, struct lane_sum, slices);
    lane_fill(&m->store, &m->lane, t0, width, slices, got);
    fill_plainly(m, n, t0, width, slices, want);
    for (u32 k = 0; k < slices; k++) {
        CHECK_EQ(got[k].n, want[k].n);
        CHECK_EQ(got[k].longest_ns, want[k].longest_ns);
        for (u32 i = 0; i < LANE_CLASSES; i++) CHECK_EQ(got[k].ns[i], want[k].ns[i]);
    }
}

TEST(lane_sums_every_zoom_as_counting_does) {
    static const u32 sizes[] = {1, 4, 5, 128, 129, 257, 4096, 4097, SPANS};
    for (u32 s = 0; s < countof(sizes); s++) {
        struct made *m = make(t, sizes[s]);
        i64 end = m->starts[sizes[s]];
        lane_close(&m->store, &m->lane, end);
        check_fill(t, m, sizes[s], 0, end + 50, 1);
        check_fill(t, m, sizes[s], 0, end / 7 + 1, 9);
        check_fill(t, m, sizes[s], end / 3, end / 100 + 1, 50);
        check_fill(t, m, sizes[s], end / 2, 3, 40);
        check_fill(t, m, sizes[s], end + 10, 5, 2);
    }
}

TEST(lane_sums_while_it_still_grows) {
    struct made *m = make(t, 3000);
    struct lane_sum sum = lane_total(&m->store, &m->lane, 0, m->starts[2999]);
    CHECK_EQ(sum.n, 2999);
}

TEST(lane_finds_and_gives_spans_by_time) {
    struct made *m = make(t, SPANS);
    lane_close(&m->store, &m->lane, m->starts[SPANS]);
    CHECK_EQ(lane_find(&m->lane, 0), 0);
    for (u32 i = 0; i < SPANS; i++) {
        struct lane_at at = lane_span_at(&m->lane, i);
        CHECK_EQ(lane_find(&m->lane, m->starts[i]), i);
        CHECK_EQ(at.start_ns, m->starts[i]);
        CHECK_EQ(at.end_ns, m->starts[i + 1]);
        CHECK_EQ(at.state, m->states[i]);
        CHECK_EQ(at.ref, i);
        CHECK_EQ(at.place, i % 5000 > LANE_MAX_PLACE ? LANE_MAX_PLACE : i % 5000);
    }
}

// A thread's lane shows what the processors did that it held: a sum over the hold is theirs.
TEST(lane_that_holds_another_sums_what_that_one_did) {
    struct made *m = make(t, SPANS);
    struct lane thread = {0};
    u8 hold = lane_state_of(&m->store, (struct lane_state){S("on"), LANE_RUNNING, true});
    i64 end = m->starts[SPANS];
    m->store.holders = &m->lane;
    lane_close(&m->store, &m->lane, end);
    lane_append(&m->store, &thread, 0, LANE_NONE, 0, 0);
    lane_append(&m->store, &thread, end / 2, hold, 0, 0);
    lane_close(&m->store, &thread, end);
    struct lane_sum got = lane_total(&m->store, &thread, end / 4, end);
    struct lane_sum want = lane_total(&m->store, &m->lane, end / 2, end);
    CHECK_EQ(got.ns[LANE_RUNNING], want.ns[LANE_RUNNING]);
    CHECK_EQ(got.ns[LANE_NONE], want.ns[LANE_NONE] + end / 2 - end / 4);
    CHECK_EQ(got.n, want.n + 1);
}

TEST(lane_states_past_the_last_share_one) {
    struct lane_store s;
    lane_store_init(&s, t->arena);
    for (u32 i = 0; i < 300; i++) {
        str text = str_copy(t->arena, (str){(const char *)&i, sizeof i});
        u8 number = lane_state_of(&s, (struct lane_state){text, LANE_WAIT, false});
        CHECK_EQ(number, i < LANE_MAX_STATES ? i : LANE_MAX_STATES - 1);
    }
}

TEST(counter_keeps_extremes_and_mean_while_slices_widen) {
    struct counter c;
    struct counter_slice s;
    bool is_there;
    counter_init(&c, t->arena);
    counter_set(&c, 500000000, 10);
    counter_set(&c, 1000000000, 4);
    counter_set(&c, 1000000001, 7);
    counter_close(&c, 1500000000);
    counter_fill(&c, 0, 2000000000, 1, &s, &is_there);
    CHECK(is_there);
    CHECK_EQ(s.min, 4);
    CHECK_EQ(s.max, 10);
    CHECK_EQ(s.last, 7);
    CHECK(s.area > 8.4 && s.area < 8.6);
    counter_fill(&c, 1200000000, 1000, 1, &s, &is_there);
    CHECK(is_there);
    CHECK_EQ(s.min, 7);
    CHECK_EQ(s.max, 7);
    counter_fill(&c, 0, 1000, 1, &s, &is_there);
    CHECK(!is_there);
}
