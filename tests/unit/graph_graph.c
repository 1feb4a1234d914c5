// tests/unit/graph_graph.c - weights, edges, trimming and names of graphs.
#include "stacks.h"

#include "graph/graph.h"

struct fixture {
    struct view_opts view_opts;
    struct graph_opts opts;
    struct view view;
    struct frames frames;
    struct graph graph;
};

static void build(struct unit *t, const struct profile *p, struct fixture *f,
                  struct graph_request req) {
    struct buf messages = buf_new(t->arena, 4096);
    CHECK(view_build(t->arena, p, &f->view_opts, S("minimum"), &messages, &f->view, &t->err));
    view_frames(t->arena, &f->view, &(struct frame_opts){0}, &f->frames);
    req.opts = &f->opts;
    req.needs_edges = true;
    req.unit = S("minimum");
    graph_build(t->arena, &f->view, &f->frames, &req, &f->graph);
}

static const struct node *node(struct fixture *f, const char *name) {
    for (u32 i = 0; i < f->graph.n_shown; i++) {
        if (str_eq(f->graph.names[f->graph.shown[i]], str_of(name)))
            return &f->graph.nodes[f->graph.shown[i]];
    }
    fail_msg("no node %s", name);
    return NULL;
}

static const struct edge *edge(struct fixture *f, const char *src, const char *dst) {
    for (u32 i = 0; i < f->graph.n_edges; i++) {
        const struct edge *e = &f->graph.edges[i];
        if (e->is_removed) continue;
        if (str_eq(f->graph.names[e->src], str_of(src)) &&
            str_eq(f->graph.names[e->dst], str_of(dst)))
            return e;
    }
    return NULL;
}

TEST(recursion_counts_once) {
    struct profile p = STACKS(t, "main;a;b;a;b;a 5");
    struct fixture f = {0};
    build(t, &p, &f, (struct graph_request){0});
    CHECK_EQ(node(&f, "a")->cum, 5);
    CHECK_EQ(node(&f, "a")->flat, 5);
    CHECK_EQ(node(&f, "b")->cum, 5);
    CHECK_EQ(edge(&f, "a", "b")->weight, 5);
    CHECK_EQ(edge(&f, "b", "a")->weight, 5);
}

TEST(direct_recursion_makes_no_edge) {
    struct profile p = STACKS(t, "main;a;a 5");
    struct fixture f = {0};
    build(t, &p, &f, (struct graph_request){0});
    CHECK(!edge(&f, "a", "a"));
}

TEST(light_nodes_go_and_leave_residual_edges) {
    struct profile p = STACKS(t, "main;thin;deep 1", "main;deep 99");
    struct fixture f = {.opts = {.nodefraction = 0.05}};
    build(t, &p, &f, (struct graph_request){0});
    CHECK_EQ(f.graph.n_shown, 2);
    CHECK_EQ(f.graph.dropped_nodes, 1);
    CHECK_EQ(edge(&f, "main", "deep")->weight, 100);
    CHECK(edge(&f, "main", "deep")->is_residual);
}

TEST(a_leaf_that_goes_gives_its_weight_to_nobody) {
    struct profile p = STACKS(t, "main;leaf 1", "main 99");
    struct fixture f = {.opts = {.nodefraction = 0.05}};
    build(t, &p, &f, (struct graph_request){0});
    CHECK_EQ(node(&f, "main")->flat, 99);
    CHECK_EQ(node(&f, "main")->cum, 100);
}

TEST(the_node_count_keeps_the_heaviest) {
    struct profile p = STACKS(t, "main;a 3", "main;b 2", "main;c 1");
    struct fixture f = {.opts = {.nodecount = 2}};
    build(t, &p, &f, (struct graph_request){0});
    CHECK_EQ(f.graph.n_shown, 2);
    CHECK_EQ(f.graph.orig_count, 4);
    CHECK_STR(f.graph.names[f.graph.shown[0]], S("a"));
    CHECK_STR(f.graph.names[f.graph.shown[1]], S("b"));
    f.opts.sort = SORT_CUM;
    build(t, &p, &f, (struct graph_request){0});
    CHECK_STR(f.graph.names[f.graph.shown[0]], S("main"));
}

TEST(ties_sort_by_name_and_magnitude_ignores_sign) {
    struct profile p = STACKS(t, "b 2", "a -2", "c 3");
    struct fixture f = {0};
    build(t, &p, &f, (struct graph_request){0});
    CHECK_STR(f.graph.names[f.graph.shown[0]], S("c"));
    CHECK_STR(f.graph.names[f.graph.shown[1]], S("a"));
    CHECK_STR(f.graph.names[f.graph.shown[2]], S("b"));
}

TEST(drop_negative_takes_negative_nodes) {
    struct profile p = STACKS(t, "main;a -2", "main;b 3");
    struct fixture f = {.opts = {.drop_negative = true}};
    build(t, &p, &f, (struct graph_request){0});
    CHECK_EQ(f.graph.n_shown, 2);
    CHECK_EQ(node(&f, "main")->cum, 1);
}

TEST(an_edge_is_inline_when_every_call_was) {
    struct profile p = STACKS(t, "main+a 1", "main+b 1", "main;b 1");
    struct fixture f = {0};
    build(t, &p, &f, (struct graph_request){0});
    CHECK(edge(&f, "main", "a")->is_inline);
    CHECK(!edge(&f, "main", "b")->is_inline);
}

TEST(a_call_tree_keeps_contexts_apart) {
    struct profile p = STACKS(t, "main;a;c 1", "main;b;c 2", "main;c;c 4");
    struct fixture f = {0};
    build(t, &p, &f, (struct graph_request){.call_tree = true});
    u32 n = 0;
    for (u32 i = 0; i < f.graph.n_shown; i++) n += str_eq(f.graph.names[f.graph.shown[i]], S("c"));
    CHECK_EQ(n, 4);
    CHECK_EQ(f.graph.n_edges, 6);
}

TEST(a_trimmed_tree_hangs_children_below_the_next_node_that_stays) {
    struct profile p = STACKS(t, "main;thin;deep 1", "main;deep 49", "other;thin;deep 50");
    struct fixture f = {.opts = {.nodecount = 4, .sort = SORT_CUM}};
    build(t, &p, &f, (struct graph_request){.call_tree = true});
    for (u32 i = 0; i < f.graph.n_edges; i++) {
        const struct edge *e = &f.graph.edges[i];
        CHECK(e->is_removed || f.graph.nodes[e->dst].cum >= 49);
    }
    CHECK_EQ(f.graph.n_shown, 4);
}

TEST(redundant_residual_edges_go_from_drawings) {
    // a reaches c through b, and once through a node that was not kept.
    struct profile p = STACKS(t, "a;b;c 50", "a;thin;c 1");
    struct fixture f = {.opts = {.nodefraction = 0.1}};
    build(t, &p, &f, (struct graph_request){.is_visual = true});
    CHECK(edge(&f, "a", "b") && edge(&f, "b", "c"));
    CHECK(!edge(&f, "a", "c"));
}

TEST(light_edges_go) {
    struct profile p = STACKS(t, "a;b 99", "c;b 1", "c 50");
    struct fixture f = {.opts = {.edgefraction = 0.05}};
    build(t, &p, &f, (struct graph_request){0});
    CHECK(edge(&f, "a", "b"));
    CHECK(!edge(&f, "c", "b"));
    CHECK_EQ(f.graph.dropped_edges, 1);
}

TEST(names_are_shortened_by_the_rules_of_their_language) {
    static const struct {
        const char *name, *want;
    } cases[] = {
        {"root", "root"},
        {"syscall.Syscall", "syscall.Syscall"},
        {"net/http.(*conn).serve", "http.(*conn).serve"},
        {"github.com/blah/foo.Foo", "foo.Foo"},
        {"github.com/blah/foo_bar.(*FooBar).Foo", "foo_bar.(*FooBar).Foo"},
        {"encoding/json.(*structEncoder).(encoding/json.encode)-fm",
         "json.(*structEncoder).(encoding/json.encode)-fm"},
        {"github.com/blah/blah/vendor/gopkg.in/redis.v3.(*baseClient).(x/y.process)-fm",
         "redis.v3.(*baseClient).(x/y.process)-fm"},
        {"github.com/foo/bar/v4.(*Foo).Bar", "bar.(*Foo).Bar"},
        {"github.com/foo/bar/v4/baz.Foo.Bar", "baz.Foo.Bar"},
        {"github.com/foo/bar/v123.(*Foo).Bar", "bar.(*Foo).Bar"},
        {"github.com/foobar/v0.(*Foo).Bar", "v0.(*Foo).Bar"},
        {"github.com/foobar/v1.(*Foo).Bar", "v1.(*Foo).Bar"},
        {"java.util.concurrent.ThreadPoolExecutor$Worker.run", "ThreadPoolExecutor$Worker.run"},
        {"java.bar.foo.FooBar.run(java.lang.Runnable)", "FooBar.run"},
        {"(anonymous namespace)::Bar::Foo", "Bar::Foo"},
        {"(anonymous namespace)::foo", "foo"},
        {"cpp::namespace::Class::method(int)::$_100::operator()", "Class::method"},
        {"foo_bar::Foo::bar", "Foo::bar"},
        {"cpp::namespace::Class::method<float, long, int>", "Class::method<float, long, int>"},
        {"foo", "foo"},
        {"com/foo/Bar.<init>", "Bar.<init>"},
        {"_Foo::__Bar::baz", "__Bar::baz"},
        {"foo::Bar::~Bar", "Bar::~Bar"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        CHECK_STR(name_shorten(t->arena, str_of(cases[i].name)), str_of(cases[i].want));
    }
}
