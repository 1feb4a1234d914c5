// tests/unit/trace_v1.c - proves how traces of Go 1.11 to 1.21 are ordered and shown.
#include "trace/trace.h"

#include "unit.h"

// Events of v1: the two high bits say how many numbers follow the time; a tick is a nanosecond.
#define HEAD "go 1.19 trace\0\0\0"
#define BATCH(p, ticks) "\x41" p ticks
#define FREQUENCY "\x02\x80\x94\xeb\xdc\x03"
// Goroutine 7 exists, thread 9 runs processor 0 and on it 7; two processors: the trace has begun.
#define BEGIN                                                                                      \
    "\xcd\x04\x00\x07\x00\x00"                                                                     \
    "\x45\x01\x09"                                                                                 \
    "\x8e\x01\x07\x01"                                                                             \
    "\x84\x01\x02\x00"

static u32 read_all(struct unit *t, str bytes, struct trace_event *events, u32 cap,
                    struct err *why) {
    struct trace_reader *r;
    u32 n = 0;
    CHECK(trace_open(t->arena, bytes, &r, &t->err));
    while (n < cap && trace_next(r, &events[n])) n++;
    *why = trace_broken(r) ? *trace_broken(r) : (struct err){0};
    trace_close(r);
    return n;
}

TEST(v1_shows_what_was_there_as_statuses) {
    struct trace_event ev[16];
    struct err why;
    u32 n = read_all(t, S(HEAD BATCH("\x00", "\x0a") BEGIN FREQUENCY), ev, 16, &why);
    CHECK_EQ(why.code, ERR_NONE);
    CHECK_EQ(n, 4); // the first Gomaxprocs is the end of what was there, and no event
    CHECK_EQ(ev[0].kind, TRACE_SYNC);
    CHECK_EQ(ev[0].time_ns, -1);
    CHECK_EQ(ev[1].type, TRACE_EV_ProcStatus);
    CHECK_EQ(ev[1].m, 9);
    CHECK_EQ(ev[2].type, TRACE_EV_GoStatus);
    CHECK_EQ(ev[2].subject, 7);
    CHECK_EQ(ev[2].from, TRACE_UNDETERMINED);
    CHECK_EQ(ev[2].to, TRACE_RUNNING);
    CHECK_EQ(ev[2].p, 0);
    CHECK_EQ(ev[3].kind, TRACE_SYNC);
}

TEST(v1_waits_for_what_must_come_first) {
    // Processor 1 starts goroutine 8 earlier, by its clock, than processor 0 created it.
    struct trace_event ev[16];
    struct err why;
    u32 n = read_all(t,
                     S(HEAD BATCH("\x01", "\x01") "\x45\x01\x0a"
                                                  "\x8e\x0d\x08\x01" BATCH("\x00", "\x0a") BEGIN
                       "\xcd\x04\x03\x08\x00\x00" FREQUENCY),
                     ev, 16, &why);
    CHECK_EQ(n, 7);
    CHECK_EQ(ev[4].type, TRACE_EV_GoCreate);
    CHECK_EQ(ev[5].type, TRACE_EV_GoStart);
    CHECK_EQ(ev[5].subject, 8);
    CHECK(ev[5].time_ns > ev[4].time_ns);
    CHECK_EQ(why.code, ERR_INCONSISTENT); // that clock is told of
    CHECK(str_contains(str_of(why.text), S("out of order")));
}

TEST(v1_moves_a_return_to_its_own_time) {
    // 7 enters a call, loses its processor, returns at tick 20; the event of it is written at 40.
    struct trace_event ev[16];
    struct err why;
    u32 n = read_all(t,
                     S(HEAD BATCH("\x00", "\x0a") BEGIN "\x5c\x01\x00"
                                                        "\x1e\x01"
                                                        "\x61\x0a\x2a" // HeapAlloc at 25
                                                        "\xdd\x04\x0f\x07\x02\x14" // GoSysExit
                       FREQUENCY),
                     ev, 16, &why);
    CHECK_EQ(why.code, ERR_NONE);
    CHECK_EQ(n, 7);
    CHECK_EQ(ev[3].type, TRACE_EV_GoSyscallBegin);
    CHECK_EQ(ev[4].type, TRACE_EV_GoSyscallEndBlocked);
    CHECK_EQ(ev[4].time_ns, 10);
    CHECK_EQ(ev[4].p, 1000003); // the pseudo processor of calls
    CHECK_EQ(ev[5].type, TRACE_EV_HeapAlloc);
}

TEST(v1_gives_a_short_call_a_nanosecond) {
    struct trace_event ev[16];
    struct err why;
    u32 n = read_all(t, S(HEAD BATCH("\x00", "\x0a") BEGIN "\x5c\x01\x00" FREQUENCY), ev, 16, &why);
    CHECK_EQ(n, 6);
    CHECK_EQ(ev[3].to, TRACE_IN_SYSCALL);
    CHECK_EQ(ev[4].to, TRACE_RUNNING);
    CHECK_EQ(ev[4].time_ns - ev[3].time_ns, 1);
}

TEST(v1_tells_what_is_missing) {
    struct trace_event ev[16];
    struct err why;
    u32 n = read_all(t, S(HEAD BATCH("\x00", "\x0a") BEGIN), ev, 16, &why);
    CHECK_EQ(n, 4);
    CHECK(str_contains(str_of(why.text), S("frequency")));
    n = read_all(t, S(HEAD BATCH("\x00", "\x0a") BEGIN "\x3f"), ev, 16, &why);
    CHECK_EQ(n, 4);
    CHECK_EQ(why.code, ERR_MALFORMED);
    CHECK_EQ(why.at, 16 + 3 + 17);
    n = read_all(t, S(HEAD BATCH("\x00", "\x0a") BEGIN "\x4e\x01\x08\x05" FREQUENCY), ev, 16, &why);
    CHECK_EQ(why.code, ERR_MALFORMED); // GoStart without its number
    n = read_all(t, S(HEAD BATCH("\x00", "\x0a") BEGIN "\x8e\x01\x08\x05" FREQUENCY), ev, 16, &why);
    CHECK_EQ(n, 4);
    CHECK(str_contains(str_of(why.text), S("no order")));
}
