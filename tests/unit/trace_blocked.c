// tests/unit/trace_blocked.c - proves which waits of goroutines count, and which do not.
#include "trace/trace.h"

#include "unit.h"

// Thread 5 with processor 0; goroutine 7 runs there, 8 was runnable when the trace began.
#define FREQUENCY "\x01\x01\x05\x0a\x06\x08\x80\x94\xeb\xdc\x03"
#define STRINGS "\x01\x01\x05\x0a\x0c\x04\x05\x01\x04sync\x05\x02\x01m"
#define STACKS "\x01\x01\x05\x0a\x08\x02\x03\x01\x01\x11\x02\x02\x03"
#define STATUSES "\x0d\x01\x00\x01\x19\x01\x07\x05\x02\x19\x01\x08\x05\x01"

static struct profile profile_of(struct unit *t, str events, enum trace_wait wait) {
    struct buf b = buf_new(t->arena, 1 << 12);
    struct trace_reader *r;
    struct profile p;
    buf_put(&b, S("go 1.22 trace\0\0\0" FREQUENCY STRINGS STACKS "\x01\x01\x05\x0a"));
    buf_byte(&b, (char)(sizeof STATUSES - 1 + events.len));
    buf_put(&b, S(STATUSES));
    buf_put(&b, events);
    CHECK(trace_open(t->arena, buf_str(&b), &r, &t->err));
    trace_blocked(t->arena, r, wait, NULL, &p);
    CHECK(!trace_broken(r));
    trace_close(r);
    CHECK(profile_check(&p, &t->err));
    return p;
}

// 7 blocks for "sync" at stack 1, is unblocked 5 ns later by the runtime, starts 3 ns after that.
#define BLOCK "\x14\x01\x01\x01"
#define UNBLOCK "\x15\x05\x07\x01\x00"
#define START "\x10\x03\x07\x02"

TEST(blocked_counts_time_from_block_to_unblock) {
    struct profile p = profile_of(t, S(BLOCK UNBLOCK START), TRACE_WAIT_SYNC);
    u32 n;
    CHECK_EQ(p.n_samples, 1);
    CHECK_EQ(profile_values(&p, 0)[0], 1);
    CHECK_EQ(profile_values(&p, 0)[1], 5);
    const u32 *stack = profile_stack(&p, 0, &n);
    CHECK_EQ(n, 1);
    CHECK_EQ(p.locations[stack[0]].address, 17);
    CHECK_STR(profile_str(&p, p.sample_types[0].type), S("contentions"));
    CHECK_STR(profile_str(&p, p.period_type.type), S("trace"));
}

TEST(blocked_leaves_other_reasons_out) {
    struct profile p = profile_of(t, S(BLOCK UNBLOCK START), TRACE_WAIT_NET);
    CHECK_EQ(p.n_samples, 0);
}

TEST(blocked_leaves_out_what_never_ended) {
    struct profile p = profile_of(t, S(BLOCK), TRACE_WAIT_SYNC);
    CHECK_EQ(p.n_samples, 0);
}

// 8 was runnable from the beginning and runs for the first time: as the official tool has it, time
// before a goroutine first ran is not scheduling latency.
TEST(blocked_leaves_out_time_before_the_first_run) {
    struct profile p = profile_of(t, S(BLOCK "\x10\x03\x08\x01"), TRACE_WAIT_SCHED);
    CHECK_EQ(p.n_samples, 0);
    p = profile_of(t, S(BLOCK UNBLOCK START), TRACE_WAIT_SCHED); // 7 ran before
    CHECK_EQ(p.n_samples, 1);
    CHECK_EQ(profile_values(&p, 0)[1], 3);
}
