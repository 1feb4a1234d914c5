// tests/unit/symbols_remote.c - proves which URL is asked for names, what is asked, and what the
// answer means.
#include "unit.h"

#include "symbols/symbols.h"

static str url(struct unit *t, const char *source) {
    return remote_url(t->arena, str_of(source));
}

TEST(symbol_service_stands_beside_the_profile) {
    CHECK_STR(url(t, "http://h:80/debug/pprof/profile?seconds=3"),
              S("http://h:80/debug/pprof/symbol"));
    CHECK_STR(url(t, "http://h/pprof/heap"), S("http://h/pprof/symbol"));
    CHECK_STR(url(t, "http://h/a/profilez"), S("http://h/a/symbolz"));
    CHECK_STR(url(t, "http://h"), S("http://h/symbolz"));
    CHECK_STR(url(t, "http://h?x=/debug/pprof/"), S("http://h/symbolz"));
    CHECK_STR(url(t, "file.pb.gz"), S(""));
    CHECK_STR(url(t, "http:///x"), S(""));
}

static struct profile two_addresses(struct unit *t) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    builder_sample_type(&b, S("n"), S("count"));
    u32 m = builder_mapping(&b, &(struct mapping){.start = 0x1000, .limit = 0x2000});
    u32 stack[] = {builder_location(&b, 0x1010, m, NULL, 0),
                   builder_location(&b, 0x1020, m, NULL, 0)};
    builder_sample(&b, &(i64){1}, stack, 2, NULL, 0);
    return builder_done(&b);
}

TEST(question_holds_the_addresses_of_the_source) {
    struct profile p = two_addresses(t);
    str question;
    CHECK(remote_question(t->arena, &p, 0, 0x100, &question, &t->err));
    CHECK_STR(question, S("0x1110+0x1120"));
    CHECK(!remote_question(t->arena, &p, 0, -0x2000, &question, &t->err));
    CHECK_EQ(t->err.code, ERR_LIMIT);
}

TEST(answer_names_addresses_of_the_profile) {
    struct profile p = two_addresses(t), q;
    str answer = S("num_symbols: 1\n0x1110\tmain.f(int)\n0x9999 other\n");
    CHECK(remote_answer(t->arena, &p, 0, 0x100, answer, &q, &t->err));
    CHECK(profile_check(&q, &t->err));
    CHECK_EQ(q.locations[0].n_lines, 1);
    CHECK_EQ(q.locations[1].n_lines, 0);
    const struct function *f = &q.functions[q.lines[q.locations[0].lines_at].function_i];
    CHECK_STR(profile_str(&q, f->name), S("main.f(int)"));
    CHECK(q.mappings[0].has_functions);
    CHECK(!p.mappings[0].has_functions);
    CHECK(!remote_answer(t->arena, &p, 0, 0, S("0x11111111111111111 f\n"), &q, &t->err));
}
