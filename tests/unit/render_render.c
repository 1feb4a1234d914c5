// tests/unit/render_render.c - small reports, whole, as they are printed.
#include "stacks.h"

#include "render/render.h"

struct fixture {
    struct view_opts view_opts;
    struct graph_opts opts;
    struct report_opts report_opts;
    struct view view;
    struct frames frames;
    struct graph graph;
    struct summary summary;
    struct lines legend;
    struct buf to;
};

static void prepare(struct unit *t, const struct profile *p, struct fixture *f, bool is_visual) {
    struct buf messages = buf_new(t->arena, 4096);
    f->report_opts = (struct report_opts){.unit = S("minimum"), .divide_by = 1};
    CHECK(view_build(t->arena, p, &f->view_opts, S("minimum"), &messages, &f->view, &t->err));
    CHECK(summary_build(t->arena, &f->view, &f->report_opts, &f->summary, &t->err));
    view_frames(t->arena, &f->view, &(struct frame_opts){0}, &f->frames);
    graph_build(
        t->arena, &f->view, &f->frames,
        &(struct graph_request){
            .opts = &f->opts, .is_visual = is_visual, .needs_edges = true, .unit = S("minimum")},
        &f->graph);
    summary_choose_unit(&f->summary, &f->graph, false);
    legend_graph(t->arena, &f->summary, &f->graph, &f->opts, is_visual, &f->legend);
    f->to = buf_new(t->arena, 1 << 20);
}

TEST(top_is_rows_below_a_legend) {
    struct profile p = STACKS(t, "main;a+b 3", "main;a 1");
    struct fixture f = {.view_opts = {.focus = S("main")}};
    prepare(t, &p, &f, false);
    struct top top;
    report_top(t->arena, &f.graph, &top);
    render_top(&f.to, &f.summary, &f.legend, &top);
    CHECK_STR(buf_str(&f.to), S("Type: n\n"
                                "Active filters:\n"
                                "   focus=main\n"
                                "Showing nodes accounting for 4, 100% of 4 total\n"
                                "      flat  flat%   sum%        cum   cum%\n"
                                "         3 75.00% 75.00%          3 75.00%  b (inline)\n"
                                "         1 25.00%   100%          4   100%  a\n"
                                "         0     0%   100%          4   100%  main\n"));
}

TEST(peek_shows_callers_and_callees_of_what_matches) {
    struct profile p = STACKS(t, "main;a;b 3", "main;a 1");
    struct fixture f = {0};
    prepare(t, &p, &f, false);
    struct regex *re;
    struct tree tree;
    CHECK(regex_compile(t->arena, S("^a$"), &re, &t->err));
    CHECK(report_tree(t->arena, &f.graph, re, S("^a$"), &tree, &t->err));
    CHECK_EQ(tree.n, 1);
    CHECK_STR(tree.rows[0].in[0].name, S("main"));
    CHECK_EQ(tree.rows[0].in[0].weight, 4);
    CHECK_STR(tree.rows[0].calls[0].name, S("b"));
    regex_done(re);
    CHECK(regex_compile(t->arena, S("nothing"), &re, &t->err));
    CHECK(!report_tree(t->arena, &f.graph, re, S("nothing"), &tree, &t->err));
    CHECK_STR(str_of(t->err.text), S("no matches found for regexp: nothing"));
    regex_done(re);
}

TEST(traces_and_folded_walk_every_stack) {
    struct profile p = STACKS(t, "main;a+b 3", "x;y 2");
    struct fixture f = {0};
    prepare(t, &p, &f, false);
    struct lines none = {0};
    legend_profile(t->arena, &f.summary, &none);
    render_traces(&f.to, &f.summary, &none, &f.frames);
    CHECK_STR(buf_str(&f.to),
              S("Type: n\n"
                "-----------+-------------------------------------------------------\n"
                "         3   b (inline)\n"
                "             a\n"
                "             main\n"
                "-----------+-------------------------------------------------------\n"
                "         2   y\n"
                "             x\n"
                "-----------+-------------------------------------------------------\n"));
    f.to.len = 0;
    render_folded(&f.to, &f.summary, &f.frames);
    CHECK_STR(buf_str(&f.to), S("main;a;b 3\nx;y 2\n"));
}

TEST(speedscope_lists_frames_once_and_stacks_root_first) {
    struct profile p = STACKS(t, "main;a+b 3", "main;y\xff\xc3\xa9 2", "main 0");
    struct fixture f = {0};
    prepare(t, &p, &f, false);
    render_speedscope(&f.to, &f.summary, &f.frames);
    str text = buf_str(&f.to);
    ptrdiff_t at = str_find(text, S("\"shared\""));
    CHECK(at > 0);
    CHECK_STR(
        str_skip(text, (size_t)at),
        S("\"shared\":{\"frames\":[\n{\"name\":\"main\"},\n{\"name\":\"b\"},\n{\"name\":\"a\"},"
          "\n{\"name\":\"y\\ufffd\xc3\xa9\"}\n]},\n\"profiles\":[{\"type\":\"sampled\",\n"
          "\"name\":\"n\",\n\"unit\":\"none\",\n\"samples\":[\n[0,2,1],\n[0,3]\n],\n"
          "\"weights\":[3,2],\n\"startValue\":0,\"endValue\":5}]}\n"));
}

TEST(dot_escapes_what_would_end_a_string) {
    struct profile p = STACKS(t, "say \"hi\"\\;b 3");
    struct fixture f = {0};
    prepare(t, &p, &f, true);
    render_dot(&f.to, &f.summary, &f.legend, &f.graph);
    str text = buf_str(&f.to);
    CHECK(str_contains(text, S("tooltip=\"say \\\"hi\\\"\\\\ (3)\"")));
    CHECK(str_contains(text, S("N1 [label=\"b\\n3 (100%)\" id=\"node1\" fontsize=24 shape=box")));
    CHECK(str_contains(text, S("N2 -> N1 [label=\" 3\" weight=101 penwidth=6 color=\"#b20000\"")));
}

TEST(dot_escapes_file_names_in_labels) {
    struct profile p = STACKS(t, "main@a\\x\"b.cc:7 3");
    struct fixture f = {.view_opts = {.granularity = GRANULARITY_LINES}};
    prepare(t, &p, &f, true);
    render_dot(&f.to, &f.summary, &f.legend, &f.graph);
    CHECK(str_contains(buf_str(&f.to), S("N1 [label=\"main\\na\\\\x\\\"b.cc:7\\n3 (100%)\"")));
}

TEST(callgrind_compresses_names_and_addresses) {
    struct profile p = STACKS(t, "main@m.c:1;a@a.c:2 3", "main@m.c:1;a@a.c:3 1");
    struct fixture f = {.view_opts = {.granularity = GRANULARITY_LINES}};
    prepare(t, &p, &f, false);
    render_callgrind(&f.to, &f.summary, &f.graph);
    CHECK_STR(buf_str(&f.to), S("positions: instr line\nevents: n(count)\n"
                                "\nob=\nfl=(1) a.c\nfn=(1) a\n0x0 2 3\n* 3 1\n"
                                "\nob=\nfl=(2) m.c\nfn=(2) main\n* 1 0\n"
                                "cfl=(1)\ncfn=(1)\ncalls=0 * 2\n* * 3\n"
                                "cfl=(1)\ncfn=(1)\ncalls=0 * 3\n* * 1\n"));
}

TEST(rows_for_programs_are_quoted) {
    struct profile p = STACKS(t, "a,\"b\" 3");
    struct fixture f = {0};
    prepare(t, &p, &f, false);
    struct top top;
    report_top(t->arena, &f.graph, &top);
    render_top_csv(&f.to, &f.summary, &top);
    CHECK_STR(buf_str(&f.to), S("name,flat,cum,unit,inlined\n\"a,\"\"b\"\"\",3,3,count,\n"));
    f.to.len = 0;
    render_top_json(&f.to, &f.summary, &top);
    CHECK_STR(buf_str(&f.to),
              S("{\"type\":\"n\",\"unit\":\"count\",\"total\":3,\"rows\":[\n"
                "{\"name\":\"a,\\\"b\\\"\",\"flat\":3,\"cum\":3,\"inlined\":\"\"}\n]}\n"));
}

TEST(tags_are_summed_by_key_and_value) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    builder_sample_type(&b, S("n"), S("count"));
    struct label labels[] = {
        {.key = builder_str(&b, S("k")), .str = builder_str(&b, S("v")), .is_string = true},
        {.key = builder_str(&b, S("bytes")), .num = 2048}};
    stacks_add(&b, S("a 3"), labels, 2);
    stacks_add(&b, S("b 1"), labels, 1);
    struct profile p = builder_done(&b);
    struct fixture f = {0};
    prepare(t, &p, &f, false);
    struct tags tags;
    f.summary.style.output_unit = S("minimum"); // tags let each value choose
    report_tags(t->arena, &f.summary, &tags);
    render_tags(&f.to, &f.summary, &tags);
    CHECK_STR(buf_str(&f.to), S(" bytes: Total 3 of 4 (75.00%)\n"
                                "        3 (75.00%): 2kB\n\n"
                                " k: Total 4 of 4 (  100%)\n"
                                "    4 (  100%): v\n\n"));
}
