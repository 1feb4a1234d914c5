// fuzz/http_request.c - request targets and bodies of any kind at /debug/pprof/.
// Room: one libFuzzer entry. First line: the target, the rest: a body. What evhttp makes of raw
// bytes is its own; everything we decide on is here.
#include "agent/agent.h"
#include "agent/http.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

// Two profiles of their own kinds instead of libpprof's table.
const struct collector fgprof_collector = {0};
const struct collector *collector_find(str name) {
    static const struct collector heap = {.has_delta = true}, custom = {0};
    if (str_eq(name, S("heap"))) return &heap;
    return str_eq(name, S("custom")) ? &custom : NULL;
}

static str name_some(void *ctx, u64 address) {
    (void)ctx;
    return address % 3 == 0 ? S("some") : (str){0};
}

static void check_plan(struct arena *arena, const struct http_request *request) {
    struct plan plan;
    http_plan(arena, request, &plan);
    if (plan.kind == PLAN_ANSWER && (plan.reply.status < 300 || !plan.reply.content_type)) abort();
    if ((plan.kind == PLAN_SNAPSHOT || plan.kind == PLAN_DELTA) && !plan.of) abort();
    if ((plan.kind == PLAN_CPU || plan.kind == PLAN_DELTA) &&
        (plan.seconds <= 0 || plan.seconds > SECONDS_MAX))
        abort();
    if (plan.kind != PLAN_SYMBOL) return;
    str answer = http_symbols(arena, plan.addresses, name_some, NULL);
    if (!str_starts(answer, S("num_symbols: 1\n"))) abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    static const str forms[] = {{"application/x-www-form-urlencoded", 33}, {"", 0}};
    struct arena arena;
    struct http_request request = {.method = size > 0 ? (enum http_method)(data[0] % 4) : HTTP_GET};
    str target, raw;
    arena_init(&arena);
    str_cut(str_skip((str){(const char *)data, size}, 1), '\n', &target, &request.body);
    str_cut(target, '?', &raw, &request.query);
    request.content_type = forms[size % 2];
    if (http_path(&arena, raw, &request.path)) check_plan(&arena, &request);
    arena_done(&arena);
    return 0;
}
