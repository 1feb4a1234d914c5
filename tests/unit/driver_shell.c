// tests/unit/driver_shell.c - lines of the shell and what TAB makes of them.
#include "unit.h"

#include "driver/complete.h"
#include "driver/shell_line.h"

// Two sample types and three functions.
static struct profile small_profile(struct unit *t) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    builder_sample_type(&b, S("contentions"), S("count"));
    builder_sample_type(&b, S("delay"), S("nanoseconds"));
    str names[] = {S("main.run"), S("std::map<int, x>::find(int)"), S("net.run")};
    for (size_t i = 0; i < countof(names); i++) {
        struct function f = {.name = builder_str(&b, names[i])};
        builder_function(&b, &f);
    }
    return builder_done(&b);
}

static bool read_line(struct unit *t, str line, struct shell_line *l) {
    struct profile p = small_profile(t);
    struct options o = options_default();
    return shell_line_read(t->arena, &p, &o, line, l, &t->err);
}

TEST(words_after_a_command_shape_its_one_report) {
    struct shell_line l;
    CHECK(read_line(t, S("top10 foo -bar baz > out -cum"), &l));
    CHECK_EQ(l.kind, LINE_REPORT);
    CHECK(l.command == &commands[CMD_top]);
    CHECK_EQ(l.options.graph.nodecount, 10);
    CHECK_STR(l.options.view.focus, S("foo|baz"));
    CHECK_STR(l.options.view.ignore, S("bar"));
    CHECK_STR(l.options.driver.output, S("out"));
    CHECK_EQ(l.options.graph.sort, SORT_CUM);
}

TEST(top_shows_ten_unless_told) {
    struct shell_line l;
    CHECK(read_line(t, S("top"), &l));
    CHECK_EQ(l.options.graph.nodecount, 10);
    CHECK(read_line(t, S("tree"), &l));
    CHECK_EQ(l.options.graph.nodecount, -1);
    CHECK(read_line(t, S("top 3"), &l));
    CHECK_EQ(l.options.graph.nodecount, 3);
}

TEST(commands_with_an_expression_need_one) {
    struct shell_line l;
    CHECK(!read_line(t, S("peek"), &l));
    CHECK_STR(str_of(t->err.text), S("command peek requires an argument"));
    CHECK(read_line(t, S("peek a b"), &l));
    CHECK_STR(l.arg, S("a"));
    CHECK_STR(l.options.view.focus, S("b"));
}

TEST(tags_filters_tags) {
    struct shell_line l;
    CHECK(read_line(t, S("tags a -b"), &l));
    CHECK_STR(l.options.view.tagfocus, S("a"));
    CHECK_STR(l.options.view.tagignore, S("b"));
    CHECK_EQ(l.options.view.focus.len, 0);
}

TEST(wrong_lines_are_told_in_the_originals_words) {
    struct shell_line l;
    CHECK(!read_line(t, S("bogus 1"), &l));
    CHECK_STR(str_of(t->err.text), S("unrecognized command: \"bogus\""));
    CHECK(!read_line(t, S("focus"), &l));
    CHECK_STR(str_of(t->err.text), S("please specify a value, e.g. focus=<val>"));
    CHECK(!read_line(t, S("nodecount 5"), &l));
    CHECK_STR(str_of(t->err.text), S("did you mean: nodecount=5"));
    CHECK(!read_line(t, S("top >"), &l));
    CHECK_STR(str_of(t->err.text), S("unexpected end of line after >"));
    CHECK(!read_line(t, S("lines"), &l));
    CHECK_STR(str_of(t->err.text), S("unknown config field \"lines\""));
}

TEST(assignments_drop_the_comment_the_options_list_prints) {
    struct shell_line l;
    CHECK(read_line(t, S("sort = cum //: [cum | flat]"), &l));
    CHECK_EQ(l.kind, LINE_ASSIGNMENT);
    CHECK_EQ(l.options.graph.sort, SORT_CUM);
    CHECK(read_line(t, S("mean"), &l));
    CHECK(l.options.view.mean);
    CHECK(read_line(t, S("sample_index=0"), &l));
    CHECK_STR(l.options.view.sample_index, S("contentions"));
    CHECK(!read_line(t, S("sample_index=nosuch"), &l));
}

TEST(names_of_sample_types_are_shortcuts) {
    struct profile p = small_profile(t);
    str lines[MAX_EXPANSION];
    CHECK_EQ(shell_expand(t->arena, &p, S(" mean_delay "), lines), 2);
    CHECK_STR(lines[0], S("mean=1"));
    CHECK_STR(lines[1], S("sample_index=delay"));
    CHECK_EQ(shell_expand(t->arena, &p, S("delay"), lines), 1);
    CHECK_STR(lines[0], S("sample_index=delay"));
    CHECK_EQ(shell_expand(t->arena, &p, S(":"), lines), 5);
    CHECK_EQ(shell_expand(t->arena, &p, S("top"), lines), 1);
}

TEST(tab_offers_commands_and_options_by_prefix) {
    struct profile p = small_profile(t);
    struct completion c;
    complete_line(t->arena, &p, S("topp"), &c);
    CHECK_EQ(c.n, 1);
    CHECK_STR(c.candidates[0], S("topproto"));
    complete_line(t->arena, &p, S("nod"), &c);
    CHECK_EQ(c.n, 2);
    CHECK_STR(completion_prefix(&c), S("node"));
    complete_line(t->arena, &p, S("help foc"), &c);
    CHECK_STR(c.candidates[0], S("focus"));
    CHECK_EQ(c.word_at, 5);
}

TEST(tab_offers_values_after_an_equals_sign) {
    struct profile p = small_profile(t);
    struct completion c;
    complete_line(t->arena, &p, S("sample_index=d"), &c);
    CHECK_EQ(c.n, 1);
    CHECK_STR(c.candidates[0], S("delay"));
    CHECK_EQ(c.word_at, 13);
    complete_line(t->arena, &p, S("granularity=fi"), &c);
    CHECK_STR(completion_prefix(&c), S("file"));
}

TEST(tab_offers_functions_by_any_part_as_expressions) {
    struct profile p = small_profile(t);
    struct completion c;
    complete_line(t->arena, &p, S("peek map"), &c);
    CHECK_EQ(c.n, 1);
    CHECK_STR(c.candidates[0], S("std::map<int,.x>::find\\(int\\)"));
    complete_line(t->arena, &p, S("top10 -run"), &c);
    CHECK_EQ(c.n, 2);
    CHECK_STR(c.candidates[0], S("-main\\.run"));
    complete_line(t->arena, &p, S("tags run"), &c);
    CHECK_EQ(c.n, 0);
}

TEST(json_names_another_report) {
    struct shell_line l;
    CHECK(read_line(t, S("json tree 5 foo"), &l));
    CHECK(l.command == &commands[CMD_tree]);
    CHECK_EQ(l.form, FORM_JSON);
    CHECK_EQ(l.options.graph.nodecount, 5);
    CHECK_STR(l.options.view.focus, S("foo"));
    CHECK(read_line(t, S("csv foo"), &l)); // no report: an expression, of top's rows
    CHECK_EQ(l.form, FORM_CSV);
    CHECK_STR(l.options.view.focus, S("foo"));
    CHECK(!read_line(t, S("csv raw"), &l));
    CHECK(str_starts(str_of(t->err.text), S("csv has no rows of raw, but of ")));
    CHECK(str_contains(str_of(t->err.text), S("traces")));
    struct profile p = small_profile(t);
    struct completion c;
    complete_line(t->arena, &p, S("json tre"), &c);
    CHECK_EQ(c.n, 1);
    CHECK_STR(c.candidates[0], S("tree"));
}
