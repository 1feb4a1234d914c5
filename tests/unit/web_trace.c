// tests/unit/web_trace.c - proves what the calls of a trace answer, on a trace written by hand.
#include "web/trace_view.h"

#include "unit.h"

#include <string.h>

static void put_batch(struct buf *b, str data) {
    buf_put(b, S("\x01\x01\x05\x0a")); // generation 1, thread 5, time 10
    buf_byte(b, (char)data.len);
    buf_put(b, data);
}

// Goroutine 7 runs on processor 0 from the start and creates 8, which runs once 7 has blocked for
// "sync"; 8 wakes 7 and ends. Units are nanoseconds.
static str trace_bytes(struct arena *out) {
    struct buf b = buf_new(out, 1 << 12);
    buf_put(&b, S("go 1.22 trace\0\0\0"));
    put_batch(&b, S("\x08\x80\x94\xeb\xdc\x03")); // units a second
    put_batch(&b, S("\x04"
                    "\x05\x01\x04sync"
                    "\x05\x02\x04work"
                    "\x05\x03\x06worker"));
    put_batch(&b, S("\x02"
                    "\x03\x01\x01\x11\x02\x02\x03"
                    "\x03\x02\x01\x22\x03\x02\x07"));
    put_batch(&b, S("\x0d\x01\x00\x01"     // processor 0 runs
                    "\x19\x01\x07\x05\x02" // goroutine 7 runs
                    "\x0e\x02\x08\x02\x01" // 7 creates 8
                    "\x2a\x03\x00\x02\x01" // a region "work"
                    "\x2b\x0a\x00\x02\x01" // ends 10 later
                    "\x14\x05\x01\x01"     // 7 blocks
                    "\x10\x04\x08\x01"     // 8 runs
                    "\x15\x06\x07\x01\x00" // 8 wakes 7
                    "\x11\x07"             // 8 ends
                    "\x10\x08\x07\x02"     // 7 runs
                    "\x25\x01\x2a"));      // a heap of 42 bytes
    return buf_str(&b);
}

static bool try_ask(struct unit *t, const char *call, const char *params, str *ret) {
    struct trace_view *v = NEW(t->arena, struct trace_view, 1);
    struct buf *b = NEW(t->arena, struct buf, 1);
    struct query query;
    *b = buf_new(t->arena, 1 << 20);
    CHECK(query_parse(t->arena, str_of(params), &query, &t->err));
    trace_view_init(v, S("hand.trace"), trace_bytes(t->arena));
    trace_view_load(v);
    struct trace_ask a = {.view = v, .arena = t->arena, .out = b, .err = &t->err, .query = &query};
    bool is_ok = trace_answer(&a, str_of(call));
    *ret = buf_str(b);
    return is_ok;
}

static void check_has(struct unit *t, const char *call, const char *params, const char *part) {
    str text;
    if (!try_ask(t, call, params, &text)) fail_msg("%s?%s: %s", call, params, t->err.text);
    if (!str_contains(text, str_of(part)))
        fail_msg("%s?%s has no %s:\n" S_FMT, call, params, part, S_ARG(text));
}

TEST(trace_summary_counts_what_is_there) {
    check_has(t, "summary", "", "\"goroutines\":2,\"procs\":1,\"threads\":1");
    check_has(t, "summary", "", "\"regions\":1");
    check_has(t, "progress", "", "\"state\":\"ready\"");
}

TEST(trace_lanes_are_named_sorted_and_filtered) {
    check_has(t, "lanes", "kind=goroutine&sort=-id",
              "{\"total\":2,\"lanes\":[{\"lane\":1,\"id\":8,\"name\":\"T8 worker\"");
    check_has(t, "lanes", "filter=worker", "{\"total\":1,");
    check_has(t, "lanes", "filter==worker", "{\"total\":1,");
    check_has(t, "lanes", "filter=nobody", "{\"total\":0,\"lanes\":[]}");
}

TEST(trace_tiles_give_few_spans_one_by_one) {
    check_has(t, "tiles", "lanes=0&level=0&index=0", "\"spans\":[");
    check_has(t, "tiles", "kind=thread&lanes=0&level=0&index=0", "\"cells\":\"");
}

TEST(trace_span_says_who_woke_it) {
    check_has(t, "span", "lanes=0&t=35",
              "\"woken_by\":{\"kind\":\"goroutine\",\"lane\":1,\"name\":\"T8 worker\"}");
    check_has(t, "span", "lanes=0&t=22", "\"state\":\"sync\",\"class\":\"sync\"");
    check_has(t, "span", "lanes=1&t=28", "\"woke\":[{\"time\":");
    check_has(t, "flows", "lanes=0,1", "\"flows\":[[1,0,");
}

TEST(trace_selection_sums_by_state_and_stack) {
    check_has(t, "select", "flame=wait", "\"names\":[\"work\"],\"nodes\":[0,0,10,10]");
    check_has(t, "select", "flame=wait", "\"unit\":\"nanoseconds\"");
    check_has(t, "select", "", "\"lanes\":2");
}

// Profiles of one start function, as go tool trace has them, were those of the whole trace.
TEST(trace_selection_can_be_goroutines_of_a_function) {
    check_has(t, "select", "flame=sched&func=worker", "\"lanes\":1,");
    check_has(t, "select", "flame=wait&func=worker", "\"nodes\":[]");
    check_has(t, "select", "func=nobody", "\"lanes\":0,");
}

static struct profile waits_of(struct unit *t, const char *params) {
    struct trace_view *v = NEW(t->arena, struct trace_view, 1);
    struct query query;
    struct profile p = {0};
    CHECK(query_parse(t->arena, str_of(params), &query, &t->err));
    trace_view_init(v, S("hand.trace"), trace_bytes(t->arena));
    trace_view_load(v);
    struct trace_ask a = {.view = v, .arena = t->arena, .err = &t->err, .query = &query};
    CHECK(trace_profile(&a, &p));
    return p;
}

TEST(trace_profiles_are_of_the_goroutines_asked_for) {
    struct profile all = waits_of(t, "type=sync"), workers = waits_of(t, "type=sync&func=worker");
    struct profile one = waits_of(t, "type=sync&lanes=0"), none = waits_of(t, "type=sync&lanes=1");
    CHECK_EQ(all.n_samples, 1);
    CHECK_EQ(one.n_samples, 1);
    CHECK_EQ(workers.n_samples, 0);
    CHECK_EQ(none.n_samples, 0);
}

TEST(trace_search_finds_regions_reasons_and_functions) {
    check_has(t, "search", "q=WORK", "\"kind\":\"region\"");
    check_has(t, "search", "q=worker", "\"lanes\":[{\"kind\":\"goroutine\",\"lane\":1");
    check_has(t, "search", "q=sync", "\"text\":\"sync\"");
    check_has(t, "search", "q=nothing", "{\"total\":0,");
}

TEST(trace_tables_group_and_list) {
    check_has(t, "groups", "", "\"func\":\"worker\"");
    check_has(t, "goroutines", "func=worker", "\"total\":1,\"rows\":[{\"id\":8");
    check_has(t, "regions", "", "\"name\":\"work\"");
    check_has(t, "regions", "", "\"histogram\":[[5,1]]"); // 10 ns and a nanosecond of order
    check_has(t, "region", "name=work", "\"total\":1,");
    check_has(t, "region", "name=work&min=1000", "\"total\":0,");
    check_has(t, "counters", "n=1", "\"heap\":[[42,42,42,");
}

TEST(trace_questions_with_bad_parameters_are_refused) {
    static const char *const bad[][2] = {
        {"lanes", "kind=fish"},  {"tiles", "lanes=99"}, {"tiles", "lanes=0&level=99"},
        {"span", "lanes=0&t=x"}, {"span", ""},          {"select", "t0=9&t1=3"},
        {"search", ""},          {"counters", "n=0"},   {"lanes", "off=-1"}};
    str text;
    for (size_t i = 0; i < countof(bad); i++) {
        CHECK(!try_ask(t, bad[i][0], bad[i][1], &text));
        CHECK_EQ(t->err.code, ERR_USAGE);
    }
    CHECK(!try_ask(t, "fish", "", &text));
    CHECK_EQ(t->err.code, ERR_NOT_FOUND);
}

TEST(trace_being_read_only_tells_its_progress) {
    struct trace_view v;
    struct buf b = buf_new(t->arena, 1 << 12);
    struct query query = {0};
    trace_view_init(&v, S("x"), S("not a trace"));
    struct trace_ask a = {
        .view = &v, .arena = t->arena, .out = &b, .err = &t->err, .query = &query};
    CHECK(!trace_answer(&a, S("summary")));
    CHECK_EQ(t->err.code, ERR_BUSY);
    CHECK(trace_answer(&a, S("progress")));
    trace_view_load(&v);
    CHECK(!trace_answer(&a, S("summary")));
    CHECK_EQ(t->err.code, ERR_UNRECOGNIZED);
    trace_view_done(&v);
}
