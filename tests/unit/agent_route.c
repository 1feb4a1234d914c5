// tests/unit/agent_route.c - what a request for /debug/pprof/ asks for.
// Room: claims about agent/route and agent/params: statuses, texts, order of checks, against
// answers recorded from Go (reference: net/http/pprof). Door: the test runner.
#include "unit.h"

#include "agent/agent.h"
#include "agent/http.h"

static struct plan plan_of(struct unit *t, const char *target) {
    str path, query;
    struct plan plan;
    str_cut(str_of(target), '?', &path, &query);
    http_plan(t->arena, &(struct http_request){.path = path, .query = query}, &plan);
    return plan;
}

static void check_error(struct unit *t, const char *target, int status, const char *text) {
    struct plan plan = plan_of(t, target);
    CHECK_EQ(plan.kind, PLAN_ANSWER);
    CHECK_EQ(plan.reply.status, status);
    CHECK(plan.reply.is_error);
    CHECK_STR(plan.reply.body, str_of(text));
}

TEST(errors_have_gos_texts) {
    const char *positive = "invalid value for \"seconds\" - must be a positive integer\n";
    check_error(t, "/debug/pprof/nosuch", 404, "Unknown profile\n");
    check_error(t, "/debug/pprof/heap/", 404, "Unknown profile\n");
    check_error(t, "/debug/pprof/heap?seconds=0", 400, positive);
    check_error(t, "/debug/pprof/heap?seconds=-1", 400, positive);
    check_error(t, "/debug/pprof/heap?seconds=1.5", 400, positive);
    check_error(t, "/debug/pprof/heap?seconds=x", 400, positive);
    check_error(t, "/debug/pprof/heap?seconds=99999999999999999999", 400, positive);
    check_error(t, "/debug/pprof/heap?seconds=1&debug=1", 400,
                "seconds and debug params are incompatible\n");
}

TEST(an_unknown_profile_is_told_before_bad_seconds_and_bad_seconds_before_debug) {
    check_error(t, "/debug/pprof/nosuch?seconds=x&debug=1", 404, "Unknown profile\n");
    check_error(t, "/debug/pprof/heap?seconds=x&debug=1", 400,
                "invalid value for \"seconds\" - must be a positive integer\n");
}

TEST(each_name_has_its_plan) {
    CHECK_EQ(plan_of(t, "/debug/pprof/").kind, PLAN_INDEX);
    CHECK_EQ(plan_of(t, "/debug/pprof/cmdline").kind, PLAN_CMDLINE);
    CHECK_EQ(plan_of(t, "/debug/pprof/symbol?0x1+0x2").kind, PLAN_SYMBOL);
    CHECK_STR(plan_of(t, "/debug/pprof/symbol?0x1+0x2").addresses, S("0x1+0x2"));
    CHECK_EQ(plan_of(t, "/debug/pprof/heap").kind, PLAN_SNAPSHOT);
    CHECK_EQ(plan_of(t, "/debug/pprof/heap?seconds=").kind, PLAN_SNAPSHOT);
    CHECK_EQ(plan_of(t, "/debug/pprof/allocs?seconds=2").kind, PLAN_DELTA);
    CHECK_EQ(plan_of(t, "/debug/pprof/allocs?seconds=2").seconds, 2);
    CHECK(plan_of(t, "/debug/pprof/threads").of == collector_find(S("goroutine")));
}

TEST(a_cpu_profile_takes_thirty_seconds_unless_told_a_positive_number) {
    CHECK_EQ(plan_of(t, "/debug/pprof/profile").seconds, 30);
    CHECK_EQ(plan_of(t, "/debug/pprof/profile?seconds=-5").seconds, 30);
    CHECK_EQ(plan_of(t, "/debug/pprof/profile?seconds=1.5").seconds, 30);
    CHECK_EQ(plan_of(t, "/debug/pprof/profile?seconds=7&debug=1").seconds, 7);
    CHECK_EQ(plan_of(t, "/debug/pprof/profile?seconds=7&debug=1").kind, PLAN_CPU);
    CHECK_EQ(plan_of(t, "/debug/pprof/profile?hz=250").hz, 250);
    CHECK_EQ(plan_of(t, "/debug/pprof/profile?hz=x").hz, 0);
    CHECK_EQ(plan_of(t, "/debug/pprof/profile?seconds=9223372036854775807").seconds, SECONDS_MAX);
}

TEST(debug_that_is_no_number_is_zero) {
    CHECK_EQ(plan_of(t, "/debug/pprof/heap?debug=abc").debug, 0);
    CHECK_EQ(plan_of(t, "/debug/pprof/heap?debug=-1").debug, -1);
    CHECK_EQ(plan_of(t, "/debug/pprof/heap?debug=2").debug, 2);
}

TEST(the_path_without_its_slash_is_redirected_with_its_query) {
    struct plan plan = plan_of(t, "/debug/pprof?a=b");
    CHECK_EQ(plan.reply.status, 301);
    CHECK_STR(str_of(plan.reply.location), S("/debug/pprof/?a=b"));
    CHECK_EQ(plan_of(t, "/other").reply.status, 404);
    CHECK(!plan_of(t, "/other").reply.is_error);
    CHECK_EQ(plan_of(t, "").reply.status, 404);
}

TEST(other_methods_are_refused_and_a_post_of_addresses_is_not) {
    struct plan plan;
    struct http_request request = {.method = HTTP_OTHER, .path = S("/debug/pprof/heap")};
    http_plan(t->arena, &request, &plan);
    CHECK_EQ(plan.reply.status, 405);
    request = (struct http_request){.method = HTTP_POST,
                                    .path = S("/debug/pprof/symbol"),
                                    .query = S("0x9"),
                                    .body = S("0x1+0x2")};
    http_plan(t->arena, &request, &plan);
    CHECK_EQ(plan.kind, PLAN_SYMBOL);
    CHECK_STR(plan.addresses, S("0x1+0x2"));
}

TEST(a_posted_form_comes_before_the_query) {
    struct plan plan;
    struct http_request request = {.method = HTTP_POST,
                                   .path = S("/debug/pprof/heap"),
                                   .query = S("debug=1"),
                                   .body = S("debug=2"),
                                   .content_type = S("application/x-www-form-urlencoded")};
    http_plan(t->arena, &request, &plan);
    CHECK_EQ(plan.debug, 2);
    request.content_type = S("text/plain");
    http_plan(t->arena, &request, &plan);
    CHECK_EQ(plan.debug, 1);
}

TEST(parameters_are_decoded_as_go_does) {
    CHECK_STR(http_param(t->arena, S("a=1&b=%32+x&b=9"), S("b")), S("2 x"));
    CHECK_STR(http_param(t->arena, S("a;b=1&b=2"), S("b")),
              S("2")); // Go refuses the semicolon's pair
    CHECK_STR(http_param(t->arena, S("b=%zz&b=%4&b=ok"), S("b")), S("ok"));
    CHECK_STR(http_param(t->arena, S("b"), S("b")), S(""));
    CHECK_STR(http_param(t->arena, S("%62=3"), S("b")), S("3"));
    CHECK_STR(http_param(t->arena, S(""), S("b")), S(""));
}

TEST(a_path_keeps_its_plus_and_refuses_a_broken_escape) {
    str path;
    CHECK(http_path(t->arena, S("/a%2Fb+c"), &path));
    CHECK_STR(path, S("/a/b+c"));
    CHECK(!http_path(t->arena, S("/a%2"), &path));
}

static str name_even(void *ctx, u64 address) {
    (void)ctx;
    return address % 2 == 0 ? S("even(int)") : (str){0};
}

// Recorded: GET /debug/pprof/symbol?0x6a9b26+0x1+zzz+0x6a9b26
TEST(symbol_answers_in_the_order_asked_and_skips_what_it_does_not_know) {
    CHECK_STR(http_symbols(t->arena, S("0x6a9b26+0x1+zzz+0x6a9b26+16+010"), name_even, NULL),
              S("num_symbols: 1\n0x6a9b26 even(int)\n0x6a9b26 even(int)\n0x10 even(int)\n0x8 "
                "even(int)\n"));
    CHECK_STR(http_symbols(t->arena, S(""), name_even, NULL), S("num_symbols: 1\n"));
    CHECK_STR(http_symbols(t->arena, S("+++"), name_even, NULL), S("num_symbols: 1\n"));
}

TEST(profiles_made_by_looking_have_a_duration_and_a_format) {
    CHECK_EQ(plan_of(t, "/debug/pprof/wall").kind, PLAN_WALL);
    CHECK_EQ(plan_of(t, "/debug/pprof/wall").seconds, 30);
    CHECK(plan_of(t, "/debug/pprof/wall?seconds=3").of == collector_find(S("wall")));
    CHECK_EQ(plan_of(t, "/debug/pprof/offcpu?seconds=3").kind, PLAN_OFFCPU);
    CHECK_EQ(plan_of(t, "/debug/pprof/offcpu?seconds=3").seconds, 3);
    CHECK(plan_of(t, "/debug/pprof/offcpu").of == collector_find(S("offcpu")));
    CHECK_EQ(plan_of(t, "/debug/fgprof?seconds=2&format=folded").kind, PLAN_WALL);
    CHECK(plan_of(t, "/debug/fgprof?format=folded").is_folded);
    CHECK(plan_of(t, "/debug/fgprof?format=pprof").of == &fgprof_collector);
    check_error(t, "/debug/fgprof?format=svg", 400,
                "invalid value for \"format\" - must be pprof or folded\n");
}

TEST(deltas_since_the_last_scrape_are_asked_of_profiles_that_have_seconds) {
    CHECK_EQ(plan_of(t, "/debug/pprof/delta_heap").kind, PLAN_SCRAPE);
    CHECK(plan_of(t, "/debug/pprof/delta_heap").of == collector_find(S("heap")));
    CHECK_EQ(plan_of(t, "/debug/pprof/delta_mutex").kind, PLAN_SCRAPE);
    CHECK_EQ(plan_of(t, "/debug/pprof/delta_block").kind, PLAN_SCRAPE);
    check_error(t, "/debug/pprof/delta_profile", 404, "Unknown profile\n");
    check_error(t, "/debug/pprof/delta_", 404, "Unknown profile\n");
}

TEST(the_heap_can_be_asked_for_its_peak_and_its_ages) {
    CHECK(plan_of(t, "/debug/pprof/heap?peak=1").is_peak);
    CHECK(plan_of(t, "/debug/pprof/allocs?age=1&debug=1").by_age);
    CHECK(!plan_of(t, "/debug/pprof/goroutine?peak=1").is_peak);
    CHECK(!plan_of(t, "/debug/pprof/heap?peak=0").is_peak);
    check_error(t, "/debug/pprof/heap?peak=1&seconds=1", 400,
                "seconds and peak or age params are incompatible\n");
}

TEST(a_trace_has_broken_seconds_and_a_second_without) {
    CHECK_EQ(plan_of(t, "/debug/pprof/trace").kind, PLAN_TRACE);
    CHECK_EQ(plan_of(t, "/debug/pprof/trace").ms, 1000);
    CHECK_EQ(plan_of(t, "/debug/pprof/trace?seconds=2.5").ms, 2500);
    CHECK_EQ(plan_of(t, "/debug/pprof/trace?seconds=-1").ms, 1000);
    CHECK_EQ(plan_of(t, "/debug/pprof/trace?seconds=nan").ms, 1000);
    CHECK_EQ(plan_of(t, "/debug/pprof/trace?seconds=1e300").ms, (u64)SECONDS_MAX * 1000);
    CHECK_EQ(plan_of(t, "/debug/pprof/trace?go=1.26").version, 26);
    CHECK_EQ(plan_of(t, "/debug/pprof/trace?go=1.99").version, 0);
    CHECK_EQ(plan_of(t, "/debug/pprof/flightrecorder").kind, PLAN_RECORDER);
}
