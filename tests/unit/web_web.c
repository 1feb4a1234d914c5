// tests/unit/web_web.c - proves what the server takes for a query, a name of itself, a state, and a
// saved configuration.
#include "unit.h"

#include "web/answer.h"
#include "web/configs.h"
#include "web/guard.h"
#include "web/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct query query(struct unit *t, const char *text) {
    struct query q;
    CHECK(query_parse(t->arena, str_of(text), &q, &t->err));
    return q;
}

TEST(queries_are_decoded) {
    struct query q = query(t, "f=a%2Bb+c&&si=cpu&empty=&=x&f=second");
    CHECK_STR(query_get(&q, S("f")), S("a+b c"));
    CHECK_STR(query_get(&q, S("si")), S("cpu"));
    CHECK_STR(query_get(&q, S("empty")), S(""));
    CHECK_STR(query_get(&q, S("absent")), S(""));
}

TEST(bad_escapes_and_long_queries_are_refused) {
    struct query q;
    struct buf b = buf_new(t->arena, 1 << 16);
    CHECK(!query_parse(t->arena, S("f=%zz"), &q, &t->err));
    CHECK(!query_parse(t->arena, S("f=%4"), &q, &t->err));
    for (int i = 0; i <= MAX_QUERY_PAIRS; i++) buf_put(&b, S("k=v&"));
    CHECK(!query_parse(t->arena, buf_str(&b), &q, &t->err));
    CHECK_EQ(t->err.code, ERR_LIMIT);
}

TEST(numbers_outside_their_range_are_refused) {
    struct query q = query(t, "px=100000&off=-1&limit=x");
    i64 n;
    CHECK(!query_number(&q, S("px"), 64, 16384, 1440, &n, &t->err));
    CHECK(!query_number(&q, S("off"), 0, 10, 0, &n, &t->err));
    CHECK(!query_number(&q, S("limit"), 0, 10, 0, &n, &t->err));
    CHECK(query_number(&q, S("absent"), 0, 10, 7, &n, &t->err));
    CHECK_EQ(n, 7);
}

static bool is_answered(struct unit *t, const struct listening *l, const char *host,
                        const char *origin, bool is_change) {
    struct provenance from = {
        .host = str_of(host), .origin = str_of(origin), .is_change = is_change};
    return guard_check(l, &from, &t->err);
}

TEST(only_names_of_this_desk_are_answered) {
    struct listening l = {.host = S("localhost"), .port = 8080, .is_loopback = true};
    CHECK(is_answered(t, &l, "localhost:8080", NULL, false));
    CHECK(is_answered(t, &l, "LOCALHOST:9000", NULL, false)); // behind ssh -L
    CHECK(is_answered(t, &l, "127.0.0.1:8080", NULL, false));
    CHECK(is_answered(t, &l, "[::1]:8080", NULL, false));
    CHECK(!is_answered(t, &l, "evil.example:8080", NULL, false));
    CHECK(!is_answered(t, &l, "localhost.evil.example", NULL, false));
    CHECK(!is_answered(t, &l, "192.168.0.7:8080", NULL, false));
    CHECK(!is_answered(t, &l, "", NULL, false));
}

TEST(another_address_on_purpose_answers_to_addresses_and_the_machines_name) {
    str more[] = {S("prof.corp.example")};
    struct str_list allowed = {more, 1, 1};
    struct listening l = {
        .host = S("0.0.0.0"), .port = 80, .machine = S("desk"), .allowed = &allowed};
    CHECK(is_answered(t, &l, "192.168.0.7:80", NULL, false));
    CHECK(is_answered(t, &l, "desk", NULL, false));
    CHECK(is_answered(t, &l, "desk.local:80", NULL, false));
    CHECK(is_answered(t, &l, "prof.corp.example", NULL, false));
    CHECK(!is_answered(t, &l, "desk.evil.example", NULL, false));
    CHECK(!is_answered(t, &l, "evil.example", NULL, false));
}

TEST(pages_of_others_may_not_write) {
    struct listening l = {.host = S("localhost"), .port = 8080, .is_loopback = true};
    CHECK(is_answered(t, &l, "localhost:8080", "http://localhost:8080", true));
    CHECK(!is_answered(t, &l, "localhost:8080", "http://localhost:3000", true));
    CHECK(!is_answered(t, &l, "localhost:8080", "https://evil.example", true));
    CHECK(!is_answered(t, &l, "localhost:8080", "null", true));
    struct provenance from = {
        .host = S("localhost:8080"), .fetch_site = S("cross-site"), .is_change = true};
    CHECK(!guard_check(&l, &from, &t->err));
}

static struct options state(struct unit *t, const char *text) {
    struct options before = options_default(), o;
    struct query q = query(t, text);
    str where;
    CHECK(state_read(t->arena, &before, &q, false, &o, &where, &t->err));
    return o;
}

TEST(a_state_reads_and_writes_the_originals_keys) {
    const char *all = "calltree=t&unit=ms&si=cpu&divide_by=2&sort=cum&tagroot=k&n=20&nf=0.1&trim=f&"
                      "f=a%20b&i=x&sf=y&tf=k%3Dv&noinlines=t&g=lines";
    struct options o = state(t, all);
    CHECK_STR(o.view.focus, S("a b"));
    CHECK_EQ(o.graph.nodecount, 20);
    CHECK(!o.graph.trim && o.graph.call_tree && o.view.noinlines);
    CHECK_EQ(o.view.granularity, GRANULARITY_LINES);
    CHECK_STR(state_query(t->arena, &o), str_of(all));
    o = state(t, "f=&n=-1&trim=t&nothing=1");
    CHECK_STR(state_query(t->arena, &o), S(""));
}

TEST(what_cannot_be_read_names_its_key) {
    struct options before = options_default(), o;
    struct query q = query(t, "g=words");
    str where = S("");
    CHECK(!state_read(t->arena, &before, &q, false, &o, &where, &t->err));
    CHECK_STR(where, S("g"));
}

TEST(flags_are_quoted_for_a_shell) {
    struct options o = state(t, "f=it%27s%20a&g=lines&trim=f&n=5&mean=t");
    struct buf b = buf_new(t->arena, 4096);
    state_flags(&b, &o);
    CHECK_STR(buf_str(&b), S(" -mean -nodecount=5 -trim=false '-focus=it'\\''s a' -lines"));
}

TEST(configurations_read_as_the_original_means_them) {
    struct config_list list;
    // As google/pprof writes it: fields that are zero are left out, so trim is false here.
    CHECK(configs_parse(t->arena,
                        S("{\"configs\":[{\"name\":\"hot\",\"unit\":\"minimum\",\"sort\":\"flat\","
                          "\"nodecount\":-1,\"nodefraction\":0.005,\"edgefraction\":0.001,"
                          "\"focus\":\"a\"}]}"),
                        &list, &t->err));
    CHECK_EQ(list.n, 1);
    CHECK_STR(list.items[0].name, S("hot"));
    CHECK(!list.items[0].options.graph.trim);
    CHECK_STR(state_query(t->arena, &list.items[0].options), S("trim=f&f=a"));
}

TEST(malformed_settings_are_refused) {
    static const char *const bad[] = {"",
                                      "[]",
                                      "{\"configs\":{}}",
                                      "{\"configs\":[1]}",
                                      "{\"configs\":[{}]}",
                                      "{\"configs\":[{\"name\":1}]}",
                                      "{\"configs\":[{\"name\":\"a\",\"trim\":\"yes\"}]}",
                                      "{\"configs\":[{\"name\":\"a\",\"granularity\":\"x\"}]}"};
    struct config_list list;
    for (size_t i = 0; i < countof(bad); i++)
        if (configs_parse(t->arena, str_of(bad[i]), &list, &t->err)) fail_msg("taken: %s", bad[i]);
}

static str temporary_path(struct unit *t) {
    char folder[] = "/tmp/pprof-unit-XXXXXX";
    CHECK(mkdtemp(folder) != NULL);
    str parts[] = {str_of(folder), S("/deep/pprof/settings.json")};
    return str_join(t->arena, parts, 2, S(""));
}

TEST(configurations_are_saved_replaced_and_deleted) {
    str path = temporary_path(t);
    struct config c = {.name = S("hot"), .options = state(t, "f=a&n=5&si=cpu")};
    struct config_list list;
    struct stat st;
    CHECK(configs_load(t->arena, path, &list, &t->err) && list.n == 0);
    CHECK(configs_save(t->arena, path, &c, &t->err));
    c.options = state(t, "f=b");
    CHECK(configs_save(t->arena, path, &c, &t->err));
    c.name = S("other");
    CHECK(configs_save(t->arena, path, &c, &t->err));
    CHECK(configs_load(t->arena, path, &list, &t->err) && list.n == 2);
    CHECK_STR(state_query(t->arena, &list.items[0].options), S("f=b"));
    CHECK(stat(str_z(t->arena, path), &st) == 0 && (st.st_mode & 0777) == 0644);
    CHECK(configs_delete(t->arena, path, S("hot"), &t->err));
    CHECK(!configs_delete(t->arena, path, S("hot"), &t->err));
    CHECK_EQ(t->err.code, ERR_NOT_FOUND);
    CHECK(configs_load(t->arena, path, &list, &t->err) && list.n == 1);
    CHECK(!configs_save(t->arena, path, &(struct config){.name = S("")}, &t->err));
}

TEST(what_else_is_in_the_settings_stays) {
    str path = temporary_path(t), text;
    struct config c = {.name = S("a"), .options = options_default()};
    CHECK(configs_save(t->arena, path, &c, &t->err));
    FILE *file = fopen(str_z(t->arena, path), "w");
    CHECK(file != NULL);
    fputs("{\"newer\": 1, \"configs\": [{\"name\": \"b\", \"unknown\": [2]}]}", file);
    fclose(file);
    CHECK(configs_save(t->arena, path, &c, &t->err));
    struct load_opts limit = {.max_bytes = 1 << 20};
    CHECK(load_bytes(t->arena, path, &limit, &text, &t->err));
    CHECK(str_contains(text, S("\"newer\": 1")) && str_contains(text, S("\"unknown\"")));
}

static bool say_hello(struct web_request *rq, struct web_reply *reply, struct err *err) {
    (void)err;
    buf_put(&reply->body, query_get(&rq->query, S("name")));
    return true;
}

static const struct web_route hello_routes[] = {{S("/hello"), WEB_READ, say_hello},
                                                {S("/set"), WEB_CHANGE, say_hello}};
static const struct web_site hello = {.routes = hello_routes, .n_routes = countof(hello_routes)};

TEST(routes_look_at_the_method) {
    struct answer a;
    answer_make(t->arena, &hello, &(struct answer_request){.path = S("/set")}, &a);
    CHECK_EQ(a.status, 405);
    CHECK(a.allows_post);
    answer_make(t->arena, &hello, &(struct answer_request){.path = S("/set"), .is_change = true},
                &a);
    CHECK_EQ(a.status, 200);
    answer_make(t->arena, &hello, &(struct answer_request){.path = S("/nothing")}, &a);
    CHECK_EQ(a.status, 404);
}

TEST(an_answer_that_is_known_is_not_sent_again) {
    struct answer a, again;
    struct answer_request rq = {.path = S("/hello"), .query = S("name=you")};
    answer_make(t->arena, &hello, &rq, &a);
    CHECK_STR(a.body, S("you"));
    rq.if_none_match = a.etag;
    answer_make(t->arena, &hello, &rq, &again);
    CHECK_EQ(again.status, 304);
    CHECK_EQ(again.body.len, 0);
}
