// fuzz/web.c - requests of any kind at the server of a profile, and settings.json of any kind.
// Room: one libFuzzer entry. First byte 'c': the rest is a settings file; 'p': a plain
// profile.proto message to make a flame graph of; else lines: Host, Origin, target. Checked: no
// crash, every status is one that docs/api.md names, and what is said to be JSON is JSON.
#include "web/answer.h"
#include "web/configs.h"
#include "web/guard.h"
#include "web/profile.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct profile_site site;
static struct web_site web;

// Ten stacks with labels, and one address without symbols.
static struct profile make_profile(struct arena *out) {
    struct profile_builder b;
    builder_init(&b, out);
    builder_sample_type(&b, S("samples"), S("count"));
    builder_sample_type(&b, S("cpu"), S("nanoseconds"));
    u32 locations[4], key = builder_str(&b, S("k"));
    for (u32 i = 0; i < 4; i++) {
        struct function f = {.name = builder_str(&b, str_take(S("main"), 4 - i))};
        struct line line = {.function_i = builder_function(&b, &f), .line = i};
        locations[i] = builder_location(&b, 0x1000 + i, U32_NONE, &line, i != 3);
    }
    for (u32 i = 0; i < 10; i++) {
        u32 stack[] = {locations[i % 4], locations[i * 7 % 3], locations[0]};
        struct label label = {.key = key, .num = i, .str = i & 1 ? key : 0};
        builder_sample(&b, (i64[]){i, i * 100}, stack, countof(stack), &label, 1);
    }
    return builder_done(&b);
}

static void open_site(void) {
    static struct arena arena;
    static struct cli cli;
    static struct profile p;
    static const struct ui ui;
    struct err err;
    if (site.sources) return;
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    cli.options = options_default();
    p = make_profile(&arena);
    if (!profile_site_open(&arena, &cli, &p, &ui, &site, &web, &err)) abort();
}

static void check_settings(struct arena *arena, str text) {
    struct config_list list;
    struct err err = {0};
    if (!configs_parse(arena, text, &list, &err)) assert(err.text[0]);
}

static void check_flame(struct arena *arena, str bytes) {
    struct profile p;
    struct err err;
    struct options o = options_default();
    struct buf messages = buf_new(arena, 1 << 16);
    struct view view;
    struct flame_index index;
    struct flame_weights weights;
    struct flame_tree tree;
    if (!profile_decode(arena, bytes, &p, &err) || !profile_check(&p, &err)) return;
    if (!view_build(arena, &p, &o.view, o.report.unit, &messages, &view, &err)) return;
    for (int is_up = 0; is_up < 2; is_up++) {
        flame_index_build(arena, &view, is_up, &index);
        flame_weigh(arena, &index, &view, &weights);
        flame_ask(arena, &index, &weights, &(struct flame_query){.least = 1, .max_nodes = 100},
                  &tree);
        assert(tree.n >= 1 && tree.n <= 100);
        flame_trim(arena, &tree, 3);
        assert(tree.n <= 3);
    }
}

static void check_json(const struct answer *a) {
    json_error_t error;
    if (!str_eq(a->type, S("application/json")) || a->status == 304) return;
    json_t *root = json_loadb(a->body.p, a->body.len, JSON_ALLOW_NUL, &error);
    if (!root) abort();
    json_decref(root);
}

static void check_request(struct arena *arena, str text) {
    struct listening at = {.host = S("localhost"), .is_loopback = true, .port = 80};
    struct provenance from = {0};
    struct answer_request rq = {0};
    struct answer a;
    struct err err = {0};
    str target, path;
    str_cut(text, '\n', &from.host, &text);
    str_cut(text, '\n', &from.origin, &target);
    if (!guard_check(&at, &from, &err)) assert(err.text[0]);
    str_cut(target, '?', &path, &rq.query);
    // No pictures: they start a program.
    if (!url_decode(arena, path, false, &rq.path, &err) || str_contains(rq.query, S("svg"))) return;
    answer_make(arena, &web, &rq, &a);
    static const int statuses[] = {200, 304, 307, 400, 404, 405, 409, 500, 501};
    bool is_known = false;
    for (size_t i = 0; i < countof(statuses); i++) is_known |= a.status == statuses[i];
    assert(is_known);
    check_json(&a);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    struct arena arena;
    str rest = {(const char *)data + 1, size - 1};
    if (size == 0) return 0;
    open_site();
    arena_init(&arena);
    if (data[0] == 'c')
        check_settings(&arena, rest);
    else if (data[0] == 'p')
        check_flame(&arena, rest);
    else
        check_request(&arena, rest);
    arena_done(&arena);
    return 0;
}
