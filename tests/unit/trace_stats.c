// tests/unit/trace_stats.c - proves where the time of goroutines, regions and tasks is counted.
#include "trace/trace.h"

#include "unit.h"

// Units of one nanosecond. Thread 5 with processor 0; goroutine 7 runs there from 12 on, 8 was
// runnable when the trace began (at 10). Strings: 1 sync, 2 task, 3 region.
#define FREQUENCY "\x01\x01\x05\x0a\x06\x08\x80\x94\xeb\xdc\x03"
#define STRINGS "\x01\x01\x05\x0a\x18\x04\x05\x01\x04sync\x05\x02\x04task\x05\x03\x06region"
#define STACKS "\x01\x01\x05\x0a\x08\x02\x03\x01\x01\x11\x02\x02\x03"
#define STATUSES "\x0d\x01\x00\x01\x19\x01\x07\x05\x02\x19\x01\x08\x05\x01"

static struct trace_stats stats_of(struct unit *t, str events) {
    struct buf b = buf_new(t->arena, 1 << 12);
    struct trace_reader *r;
    struct trace_stats s;
    buf_put(&b, S("go 1.22 trace\0\0\0" FREQUENCY STRINGS STACKS "\x01\x01\x05\x0a"));
    buf_byte(&b, (char)(sizeof STATUSES - 1 + events.len));
    buf_put(&b, S(STATUSES));
    buf_put(&b, events);
    CHECK(trace_open(t->arena, buf_str(&b), &r, &t->err));
    trace_stats_read(t->arena, r, &s);
    CHECK(!trace_broken(r));
    trace_close(r);
    return s;
}

#define BLOCK "\x14\x07\x01\x01"       // 7 ns on: for "sync"
#define UNBLOCK "\x15\x05\x07\x01\x00" // 5 on
#define START "\x10\x03\x07\x02"       // 3 on

TEST(stats_split_the_time_of_a_goroutine) {
    struct trace_stats s = stats_of(t, S(BLOCK UNBLOCK START "\x11\x02")); // and ends after 2
    CHECK_EQ(s.n_gos, 2);
    const struct trace_go *g = &s.gos[0];
    CHECK_EQ(g->id, 7);
    CHECK_EQ(g->created_ns, 10);
    CHECK_EQ(g->started_ns, 12);
    CHECK_EQ(g->ended_ns, 30);
    CHECK_EQ(g->spend.total_ns, 20);
    CHECK_EQ(g->spend.run_ns, 2 + 8 + 2); // since the trace began; from 12 to 20; 28 to 30
    CHECK_EQ(g->spend.runnable_ns, 3);
    CHECK_EQ(trace_sums_ns(&s, g->spend.blocked), 5);
    CHECK_EQ(trace_sums_of(&s, g->spend.blocked, S("sync")), 5);
    CHECK_EQ(trace_sums_of(&s, g->spend.blocked, S("select")), 0);
    CHECK_EQ(trace_spend_unknown(&s, &g->spend), 0);
    CHECK_STR(s.texts[s.funcs[g->func_i].name_i], S("task")); // string 2 names the only frame
}

TEST(stats_count_what_the_end_of_the_trace_cuts) {
    struct trace_stats s = stats_of(t, S(BLOCK));
    CHECK_EQ(s.gos[1].id, 8);
    CHECK_EQ(s.gos[1].ended_ns, TRACE_NEVER);
    CHECK_EQ(s.gos[1].spend.runnable_ns, s.end_ns - s.begin_ns);
    CHECK_EQ(s.gos[1].spend.total_ns, s.end_ns - s.begin_ns);
}

TEST(stats_charge_waits_to_the_function_that_waits) {
    struct trace_stats s = stats_of(t, S(BLOCK UNBLOCK START));
    CHECK_EQ(s.n_places, 1);
    CHECK_EQ(s.places[0].n_waits, 1);
    CHECK_EQ(s.places[0].blocked_ns, 5);
    CHECK_EQ(trace_sums_of(&s, s.places[0].blocked, S("sync")), 5);
}

// Task 9 begins, a region of it holds the wait, and the trace ends before the task does.
TEST(stats_give_regions_their_part) {
    struct trace_stats s =
        stats_of(t, S("\x28\x01\x09\x00\x02\x01"
                      "\x2a\x01\x09\x03\x01" BLOCK UNBLOCK START "\x2b\x04\x09\x03\x01"));
    CHECK_EQ(s.n_tasks, 1);
    CHECK_EQ(s.tasks[0].id, 9);
    CHECK_STR(s.texts[s.tasks[0].name_i], S("task"));
    CHECK_EQ(s.tasks[0].n_regions, 1);
    CHECK_EQ(s.tasks[0].parent, TRACE_NO_TASK);
    CHECK_EQ(s.tasks[0].end_ns, TRACE_NEVER);
    CHECK_EQ(s.n_regions, 1);
    CHECK_STR(s.texts[s.regions[0].name_i], S("region"));
    CHECK_EQ(s.regions[0].spend.total_ns, 7 + 5 + 3 + 4);
    CHECK_EQ(s.regions[0].spend.run_ns, 7 + 4);
    CHECK_EQ(s.regions[0].spend.runnable_ns, 3);
    CHECK_EQ(trace_sums_of(&s, s.regions[0].spend.blocked, S("sync")), 5);
    CHECK_EQ(s.regions[0].end_ns - s.regions[0].begin_ns, 19);
}
