// tests/unit/trace_lanes.c - proves what each event does to the lanes of goroutines, processors and
// threads, to counters and ranges.
#include "trace/trace.h"

#include "unit.h"

static struct trace_event event(i64 time_ns, u8 type, enum trace_kind kind) {
    return (struct trace_event){.time_ns = time_ns,
                                .type = type,
                                .kind = (u8)kind,
                                .m = 5,
                                .p = 0,
                                .g = TRACE_NONE,
                                .subject = TRACE_NONE,
                                .stack = U32_NONE,
                                .subject_stack = U32_NONE,
                                .generation = 1};
}

static void change(struct trace_lanes *l, i64 time_ns, enum trace_subject kind, i64 subject,
                   enum trace_state from, enum trace_state to, str reason) {
    struct trace_event ev = event(time_ns, TRACE_EV_GoStart, TRACE_TRANSITION);
    ev.subject_kind = (u8)kind;
    ev.subject = subject;
    ev.from = (u8)from;
    ev.to = (u8)to;
    ev.name = reason;
    trace_lanes_event(l, NULL, &ev);
}

// Thread 5 takes processor 0 at 1000; goroutine 7 runs at 1010, waits from 1030 to 1100, runs
// until 1150, is in a call from there, loses its processor at 1200 and ends at 1300.
static struct trace_lanes *story(struct unit *t) {
    struct trace_lanes *l = NEW(t->arena, struct trace_lanes, 1);
    trace_lanes_init(l, t->arena);
    change(l, 1000, TRACE_PROC, 0, TRACE_UNDETERMINED, TRACE_RUNNING, S(""));
    change(l, 1001, TRACE_GOROUTINE, 7, TRACE_UNDETERMINED, TRACE_RUNNABLE, S(""));
    change(l, 1010, TRACE_GOROUTINE, 7, TRACE_RUNNABLE, TRACE_RUNNING, S(""));
    change(l, 1015, TRACE_GOROUTINE, 7, TRACE_RUNNING, TRACE_RUNNING, S(""));
    change(l, 1030, TRACE_GOROUTINE, 7, TRACE_RUNNING, TRACE_WAITING, S("chan receive"));
    change(l, 1100, TRACE_GOROUTINE, 7, TRACE_WAITING, TRACE_RUNNABLE, S(""));
    change(l, 1100, TRACE_GOROUTINE, 7, TRACE_RUNNABLE, TRACE_RUNNING, S(""));
    change(l, 1150, TRACE_GOROUTINE, 7, TRACE_RUNNING, TRACE_IN_SYSCALL, S(""));
    change(l, 1200, TRACE_PROC, 0, TRACE_RUNNING, TRACE_IDLE, S(""));
    change(l, 1300, TRACE_GOROUTINE, 7, TRACE_IN_SYSCALL, TRACE_NOT_EXIST, S(""));
    change(l, 1399, TRACE_PROC, 1, TRACE_NOT_EXIST, TRACE_IDLE, S(""));
    trace_lanes_done(l);
    return l;
}

static struct lane_sum total(const struct trace_lanes *l, enum lanes_kind kind) {
    return lane_total(&l->store, &l->sets[kind].lanes[0], 0, l->end_ns);
}

TEST(lanes_follow_a_goroutine_through_its_states) {
    const struct trace_lanes *l = story(t);
    struct lane_sum sum = total(l, LANES_GOROUTINE);
    CHECK_EQ(l->end_ns, 400);
    CHECK_EQ(sum.ns[LANE_RUNNABLE], 10); // runnable since the trace began
    CHECK_EQ(sum.ns[LANE_RUNNING], 20 + 50);
    CHECK_EQ(sum.ns[LANE_SYNC], 70);
    CHECK_EQ(sum.ns[LANE_SYSCALL], 150);
    CHECK_EQ(sum.ns[LANE_NONE], 100);
    CHECK_EQ(l->sets[LANES_GOROUTINE].lanes[0].n, 7); // the status told again is no span
}

TEST(lanes_of_a_processor_and_its_thread_differ_in_calls) {
    const struct trace_lanes *l = story(t);
    struct lane_sum proc = total(l, LANES_PROC), thread = total(l, LANES_THREAD);
    CHECK_EQ(proc.ns[LANE_RUNNING], 70);
    CHECK_EQ(proc.ns[LANE_SYSCALL], 50);
    CHECK_EQ(thread.ns[LANE_RUNNING], 70);
    CHECK_EQ(thread.ns[LANE_SYSCALL], 150); // it stays in the call without the processor
    CHECK_EQ(thread.ns[LANE_NONE], 10 + 70 + 100);
}

TEST(lanes_say_where_a_goroutine_ran_and_who_ran_there) {
    const struct trace_lanes *l = story(t);
    const struct lane *proc = &l->sets[LANES_PROC].lanes[0];
    const struct lane *go = &l->sets[LANES_GOROUTINE].lanes[0];
    struct lane_at at = lane_span_at(proc, lane_find(proc, 120));
    CHECK_EQ(at.ref, 0); // goroutine 7 is the first
    CHECK_EQ(at.place, 0);
    at = lane_span_at(go, lane_find(go, 50));
    CHECK_STR(l->store.states[at.state].text, S("chan receive"));
    CHECK_EQ(at.start_ns, 30);
    CHECK_EQ(at.end_ns, 100);
}

TEST(lanes_count_goroutines_by_state) {
    const struct trace_lanes *l = story(t);
    struct counter_slice s;
    bool is_there;
    counter_fill(&l->counters[LANES_RUNNING], 0, 400, 1, &s, &is_there);
    CHECK(is_there);
    CHECK_EQ(s.min, 0);
    CHECK_EQ(s.max, 1);
    CHECK_EQ(s.last, 0);
}

TEST(lanes_end_ranges_that_the_trace_leaves_open) {
    struct trace_lanes l;
    trace_lanes_init(&l, t->arena);
    struct trace_event ev = event(100, TRACE_EV_GCActive, TRACE_RANGE_ACTIVE);
    trace_lanes_event(&l, NULL, &ev);
    ev = event(150, TRACE_EV_STWBegin, TRACE_RANGE_BEGIN);
    ev.name = S("GC sweep termination");
    trace_lanes_event(&l, NULL, &ev);
    ev = event(160, TRACE_EV_STWEnd, TRACE_RANGE_END);
    trace_lanes_event(&l, NULL, &ev);
    trace_lanes_done(&l);
    CHECK_EQ(l.n_ranges, 2);
    CHECK_EQ(l.ranges[0].end_ns, 61);
    CHECK_EQ(l.ranges[1].start_ns, 50);
    CHECK_EQ(l.ranges[1].end_ns, 60);
    CHECK_STR(l.ranges[1].name, S("GC sweep termination"));
}
