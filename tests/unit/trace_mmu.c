// tests/unit/trace_mmu.c - proves how much of a window the collector leaves to the program.
#include "trace/trace.h"

#include "unit.h"

static void feed(struct trace_mmu_log *log, u8 type, i64 time_ns, i64 p, i64 g) {
    const struct trace_spec *spec = trace_spec(type);
    struct trace_event ev = {.type = type,
                             .kind = (u8)spec->kind,
                             .time_ns = time_ns,
                             .p = p,
                             .g = g,
                             .subject = g,
                             .subject_kind = TRACE_GOROUTINE,
                             .name = S("GC sweep termination")};
    if (type == TRACE_EV_ProcsChange) ev.args[0] = 2;
    if (type == TRACE_EV_GoStart) ev.from = TRACE_RUNNABLE, ev.to = TRACE_RUNNING;
    if (type == TRACE_EV_GoStop) ev.from = TRACE_RUNNING, ev.to = TRACE_RUNNABLE;
    if (type == TRACE_EV_GoLabel) ev.name = S("GC (fractional)");
    trace_mmu_event(log, &ev);
}

// Two processors. The world stops for 10 ns of 1000; a worker marks for 200 on one of them.
static struct trace_mmu_log log_of(struct unit *t) {
    struct trace_mmu_log log;
    trace_mmu_init(&log, t->arena);
    feed(&log, TRACE_EV_ProcsChange, 1000, 0, 1);
    feed(&log, TRACE_EV_STWBegin, 1100, 0, 1);
    feed(&log, TRACE_EV_STWEnd, 1110, 0, 1);
    for (int i = 0; i < 2; i++) { // twice: each stop takes back what its start counted
        feed(&log, TRACE_EV_GoStart, 1300 + 300 * i, 1, 9);
        feed(&log, TRACE_EV_GoLabel, 1300 + 300 * i, 1, 9);
        feed(&log, TRACE_EV_GoStop, 1400 + 300 * i, 1, 9);
    }
    feed(&log, TRACE_EV_HeapAlloc, 2000, 0, 1);
    return log;
}

TEST(mmu_is_zero_inside_a_stop_and_grows_with_the_window) {
    struct trace_mmu_log log = log_of(t);
    struct trace_mmu m;
    trace_mmu_build(t->arena, &log, MMU_STW, &m);
    CHECK_EQ(m.n_series, 1);
    CHECK(trace_mmu_least(&m, 10) == 0);
    CHECK(trace_mmu_least(&m, 20) == 0.5);
    CHECK(trace_mmu_least(&m, 100) == 0.9);
    CHECK(trace_mmu_least(&m, 1000000) == 0.99); // cut to the whole
}

TEST(mmu_counts_a_worker_on_its_processor) {
    struct trace_mmu_log log = log_of(t);
    struct trace_mmu m;
    trace_mmu_build(t->arena, &log, MMU_BACKGROUND, &m);
    CHECK(trace_mmu_least(&m, 100) == 0.5); // one of two processors
    CHECK(trace_mmu_least(&m, 1000) == 0.9);
    trace_mmu_build(t->arena, &log, MMU_BACKGROUND | MMU_PER_PROC, &m);
    CHECK_EQ(m.n_series, 2);
    CHECK(trace_mmu_least(&m, 100) == 0);
    CHECK(trace_mmu_least(&m, 1000) == 0.8);
}

TEST(mmu_names_the_worst_windows_apart) {
    struct trace_mmu_log log = log_of(t);
    struct trace_mmu m;
    struct mmu_window w[8];
    trace_mmu_build(t->arena, &log, MMU_STW | MMU_BACKGROUND, &m);
    u32 n = trace_mmu_worst(t->arena, &m, 50, w, 8);
    CHECK(n >= 3);
    CHECK(w[0].util <= w[1].util && w[1].util <= w[2].util);
    for (u32 i = 1; i < n; i++) {
        for (u32 k = 0; k < i; k++)
            CHECK(w[i].start_ns >= w[k].start_ns + 50 || w[k].start_ns >= w[i].start_ns + 50);
    }
}

// A number of processors at the limit itself was taken for 2^32 - 1 of them: found by fuzz/trace.
TEST(mmu_bounds_the_number_of_processors) {
    struct trace_mmu_log log;
    struct trace_mmu m;
    struct trace_event ev = {.type = TRACE_EV_ProcsChange, .kind = TRACE_METRIC, .args = {1 << 30}};
    trace_mmu_init(&log, t->arena);
    for (int i = 0; i < 40; i++) {
        ev.time_ns = i;
        ev.args[0] = i % 2 ? 1 : (u64)1 << 30;
        trace_mmu_event(&log, &ev);
    }
    trace_mmu_build(t->arena, &log, MMU_STW | MMU_PER_PROC, &m);
    CHECK(m.n_series <= 1 << 16);
    trace_mmu_build(t->arena, &log, MMU_STW, &m);
    CHECK_EQ(m.n_series, 1);
}

TEST(mmu_knows_nothing_without_processors) {
    struct trace_mmu_log log;
    struct trace_mmu m;
    struct mmu_point points[MMU_POINTS];
    trace_mmu_init(&log, t->arena);
    feed(&log, TRACE_EV_STWBegin, 1100, 0, 1);
    trace_mmu_build(t->arena, &log, MMU_STW, &m);
    CHECK_EQ(m.n_series, 0);
    CHECK(trace_mmu_least(&m, 100) == 1);
    trace_mmu_curve(t->arena, &m, points);
    CHECK(points[0].least == 1);
}
