// tests/unit/trace_reader.c - proves what the trace reader says to bytes nobody wrote: cut,
// oversized, unknown.
#include "trace/trace.h"

#include "unit.h"

#include <string.h>

// A generation of one thread, built by hand: header 1.22, units of one nanosecond.
static void put_batch(struct buf *b, u64 generation, u64 m, u64 ts, str data) {
    u8 head[] = {TRACE_EV_EventBatch, (u8)generation};
    buf_put(b, (str){(char *)head, 2});
    for (; m >= 0x80; m >>= 7) buf_byte(b, (char)(m | 0x80));
    buf_byte(b, (char)m);
    buf_byte(b, (char)ts);
    buf_byte(b, (char)data.len);
    buf_put(b, data);
}

#define FREQUENCY S("\x08\x80\x94\xeb\xdc\x03")
// ProcStatus 0 running, GoStatus 7 on 5 running: after 1 and 2 ns.
#define STATUSES "\x0d\x01\x00\x01\x19\x01\x07\x05\x02"

static struct buf begin(struct unit *t, const char *version) {
    struct buf b = buf_new(t->arena, 1 << 16);
    buf_put(&b, str_of(version));
    buf_put(&b, S(" trace\0\0\0"));
    return b;
}

static u32 count(struct unit *t, const struct buf *b, struct trace_event *last, struct err *why) {
    struct trace_reader *r;
    struct trace_event ev;
    u32 n = 0;
    CHECK(trace_open(t->arena, buf_str(b), &r, &t->err));
    while (trace_next(r, &ev)) {
        *last = ev;
        n++;
    }
    *why = trace_broken(r) ? *trace_broken(r) : (struct err){0};
    CHECK(!trace_next(r, &ev)); // once ended, it stays so
    trace_close(r);
    return n;
}

TEST(reader_gives_context_of_each_event) {
    struct buf b = begin(t, "go 1.22");
    struct trace_reader *r;
    struct trace_event ev;
    put_batch(&b, 1, 5, 10, FREQUENCY);
    put_batch(&b, 1, 5, 10, S(STATUSES "\x25\x01\x2a")); // HeapAlloc 42
    CHECK(trace_open(t->arena, buf_str(&b), &r, &t->err));
    CHECK(trace_next(r, &ev) && ev.kind == TRACE_SYNC);
    CHECK(trace_next(r, &ev) && ev.type == TRACE_EV_ProcStatus);
    CHECK_EQ(ev.p, TRACE_NONE); // before it took effect
    CHECK_EQ(ev.from, TRACE_UNDETERMINED);
    CHECK_EQ(ev.to, TRACE_RUNNING);
    CHECK(trace_next(r, &ev) && ev.subject == 7);
    CHECK(trace_next(r, &ev) && ev.kind == TRACE_METRIC);
    CHECK_EQ(ev.m, 5);
    CHECK_EQ(ev.p, 0);
    CHECK_EQ(ev.g, 7);
    CHECK_EQ(ev.args[0], 42);
    CHECK_EQ(ev.time_ns, 13);
    CHECK(trace_next(r, &ev) && ev.kind == TRACE_SYNC);
    CHECK(!trace_next(r, &ev));
    CHECK(!trace_broken(r));
    trace_close(r);
}

TEST(reader_refuses_what_is_no_trace) {
    struct trace_reader *r;
    CHECK(!trace_open(t->arena, S(""), &r, &t->err));
    CHECK_EQ(t->err.code, ERR_UNRECOGNIZED);
    CHECK(!trace_open(t->arena, S("go 1.22 trace\0\0"), &r, &t->err));
    CHECK_EQ(t->err.code, ERR_UNRECOGNIZED);
    CHECK(!trace_open(t->arena, S("go 1.xx trace\0\0\0"), &r, &t->err));
    CHECK_EQ(t->err.code, ERR_UNRECOGNIZED);
    CHECK(!trace_open(t->arena, S("go 1.10 trace\0\0\0"), &r, &t->err));
    CHECK_EQ(t->err.code, ERR_UNSUPPORTED);
}

TEST(reader_names_the_byte_of_an_oversized_batch) {
    struct buf b = begin(t, "go 1.22");
    struct trace_event last;
    struct err why;
    buf_put(&b, S("\x01\x01\x05\x0a\x81\x80\x04")); // 65537 bytes
    CHECK_EQ(count(t, &b, &last, &why), 1);
    CHECK_EQ(why.code, ERR_INCONSISTENT); // nothing but the break: no frequency either
    b.len = 16;
    put_batch(&b, 1, 5, 10, FREQUENCY);
    put_batch(&b, 1, 5, 10, S(STATUSES));
    size_t at = b.len;
    buf_put(&b, S("\x01\x01\x05\x0a\x81\x80\x04"));
    CHECK_EQ(count(t, &b, &last, &why), 4); // what stands before it is given
    CHECK_EQ(why.code, ERR_LIMIT);
    CHECK_EQ(why.at, at);
}

// A trace of Go 1.22 that was cut before the clock of its only generation gave nothing at all.
TEST(reader_guesses_a_clock_that_is_cut_off) {
    struct buf b = begin(t, "go 1.22");
    struct trace_event last;
    struct err why;
    put_batch(&b, 1, 5, 10, S(STATUSES));
    CHECK_EQ(count(t, &b, &last, &why), 4); // with the ends of the generation around them
    CHECK_EQ(why.code, ERR_INCONSISTENT);
    CHECK(str_contains(str_of(why.text), S("times are a guess")));
    CHECK_EQ(last.time_ns, (10 + 2) * 64 + 1);
    put_batch(&b, 1, 5, 10, FREQUENCY); // 1 ns a unit
    put_batch(&b, 2, 5, 20, S(STATUSES));
    CHECK_EQ(count(t, &b, &last, &why), 7);
    CHECK_EQ(last.time_ns, 20 + 2 + 1); // the clock of the generation before
    CHECK(!str_contains(str_of(why.text), S("times are a guess")));
}

TEST(reader_refuses_long_strings_and_deep_stacks) {
    struct trace_event last;
    struct err why;
    struct buf b = begin(t, "go 1.22");
    put_batch(&b, 1, 5, 10, S("\x04\x05\x01\x81\x08"));
    CHECK_EQ(count(t, &b, &last, &why), 1);
    CHECK_EQ(why.code, ERR_LIMIT);
    b = begin(t, "go 1.22");
    put_batch(&b, 1, 5, 10, S("\x02\x03\x01\x81\x01"));
    CHECK_EQ(count(t, &b, &last, &why), 1);
    CHECK_EQ(why.code, ERR_LIMIT);
}

TEST(reader_refuses_two_strings_of_one_id) {
    struct trace_event last;
    struct err why;
    struct buf b = begin(t, "go 1.22");
    put_batch(&b, 1, 5, 10, S("\x04\x05\x01\x01x\x05\x01\x01x"));
    CHECK_EQ(count(t, &b, &last, &why), 1);
    CHECK_EQ(why.code, ERR_INCONSISTENT);
    CHECK_EQ(last.kind, TRACE_SYNC);
}

TEST(reader_stops_at_an_event_it_does_not_know) {
    struct trace_event last;
    struct err why;
    struct buf b = begin(t, "go 1.29");
    put_batch(&b, 1, 5, 10, S("\x32\x08\x80\x94\xeb\xdc\x03\x33\x00\x01\x01\x01"));
    put_batch(&b, 1, 5, 10, S(STATUSES "\x7f\x01"));
    buf_put(&b, S("\x34"));
    CHECK_EQ(count(t, &b, &last, &why), 2);
    CHECK_EQ(why.code, ERR_MALFORMED);
}

TEST(reader_ends_where_threads_wait_for_each_other) {
    struct trace_event last;
    struct err why;
    struct buf b = begin(t, "go 1.22");
    put_batch(&b, 1, 5, 10, FREQUENCY);
    put_batch(&b, 1, 5, 10, S("\x0a\x01\x00\x01")); // ProcStart of a processor nobody told of
    CHECK_EQ(count(t, &b, &last, &why), 1);
    CHECK_EQ(why.code, ERR_INCONSISTENT);
    CHECK(str_contains(str_of(why.text), S("no possible order")));
}

TEST(reader_waits_for_what_must_come_first) {
    // Thread 6 starts goroutine 7 earlier, by its clock, than thread 5 says that it can run.
    struct trace_reader *r;
    struct trace_event ev;
    struct buf b = begin(t, "go 1.22");
    put_batch(&b, 1, 5, 10, FREQUENCY);
    put_batch(&b, 1, 6, 10, S("\x0d\x01\x01\x01\x10\x01\x07\x01"));
    put_batch(&b, 1, 5, 20, S("\x19\x01\x07\x05\x01")); // GoStatus 7 runnable
    CHECK(trace_open(t->arena, buf_str(&b), &r, &t->err));
    i64 last_ns = -1;
    u8 types[8], n = 0;
    while (trace_next(r, &ev) && n < 8) {
        CHECK(ev.time_ns > last_ns);
        last_ns = ev.time_ns;
        types[n++] = ev.type;
    }
    CHECK_EQ(n, 5);
    CHECK_EQ(types[2], TRACE_EV_GoStatus);
    CHECK_EQ(types[3], TRACE_EV_GoStart);
    CHECK(!trace_broken(r));
    trace_close(r);
}

TEST(wire_gives_records_as_they_stand) {
    struct buf b = begin(t, "go 1.23");
    struct reader r;
    struct trace_wire w;
    u32 version;
    put_batch(&b, 1, 200, 10, S("\x04\x05\x01\x02hi"));
    CHECK(trace_wire_open(buf_str(&b), &r, &version, &t->err));
    CHECK_EQ(version, 23);
    CHECK(trace_wire_next(&r, &w, &t->err) && w.type == TRACE_EV_EventBatch);
    CHECK_EQ(w.args[1], 200);
    CHECK_EQ(w.len, 6);
    CHECK(trace_wire_next(&r, &w, &t->err) && w.type == TRACE_EV_Strings);
    CHECK(trace_wire_next(&r, &w, &t->err));
    CHECK_STR(w.data, S("hi"));
    CHECK(!trace_wire_next(&r, &w, &t->err));
    CHECK_EQ(t->err.code, ERR_NONE);
}
