// tests/unit/graph_flame.c - proves that flame graphs asked of sorted stacks are what adding up
// every stack gives: on small profiles, and on every profile of tests/golden/synthetic.
#include "stacks.h"

#include "graph/graph.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

struct flame {
    struct view_opts opts;
    struct view view;
    struct flame_index index;
    struct flame_weights weights;
    struct flame_tree tree;
};

static void open_flame(struct unit *t, const struct profile *p, struct flame *f, bool is_up) {
    struct buf messages = buf_new(t->arena, 4096);
    CHECK(view_build(t->arena, p, &f->opts, S("minimum"), &messages, &f->view, &t->err));
    flame_index_build(t->arena, &f->view, is_up, &f->index);
    flame_weigh(t->arena, &f->index, &f->view, &f->weights);
}

static void ask(struct unit *t, struct flame *f, struct flame_query q) {
    if (!q.least) q.least = 1;
    if (!q.max_nodes) q.max_nodes = UINT32_MAX;
    flame_ask(t->arena, &f->index, &f->weights, &q, &f->tree);
}

// "a 5(2)": a node with its total and own weight, and "+3*2" for 3 hidden in 2 children; two blanks
// a level.
static str text_of(struct unit *t, const struct flame *f) {
    struct buf b = buf_new(t->arena, 1 << 20);
    for (u32 i = 0; i < f->tree.n; i++) {
        const struct flame_node *n = &f->tree.nodes[i];
        buf_fill(&b, ' ', n->depth);
        str name = n->frame == U32_NONE ? S("root") : f->index.frames[n->frame].name;
        buf_printf(&b, S_FMT " %lld(%lld)", S_ARG(name), (long long)n->total, (long long)n->self);
        if (n->base) buf_printf(&b, "-%lld", (long long)n->base);
        if (n->n_hidden) buf_printf(&b, "+%lld*%u", (long long)n->hidden, n->n_hidden);
        if (n->inlining == FLAME_INLINED_ALWAYS) buf_put(&b, S(" inlined"));
        if (n->inlining == FLAME_INLINED_SOMETIMES) buf_put(&b, S(" partly"));
        buf_byte(&b, '\n');
    }
    return buf_str(&b);
}

TEST(stacks_of_equal_frames_are_one_node) {
    struct profile p = STACKS(t, "main;a;x 2", "main;b 1", "main;a 3", "main;a;x 4", "main;a;y 1");
    struct flame f = {0};
    open_flame(t, &p, &f, false);
    ask(t, &f, (struct flame_query){0});
    CHECK_STR(text_of(t, &f), S("root 11(0)\n main 11(0)\n  a 10(3)\n   x 6(6)\n   y 1(1)\n"
                                "  b 1(1)\n"));
}

TEST(up_goes_from_the_leaf) {
    struct profile p = STACKS(t, "main;a;x 2", "main;b;x 1", "main;b 4");
    struct flame f = {0};
    open_flame(t, &p, &f, true);
    ask(t, &f, (struct flame_query){0});
    CHECK_STR(text_of(t, &f), S("root 7(0)\n b 4(0)\n  main 4(4)\n x 3(0)\n  a 2(0)\n   main 2(2)\n"
                                "  b 1(0)\n   main 1(1)\n"));
}

TEST(what_is_too_light_is_told) {
    struct profile p = STACKS(t, "main;a 90", "main;b 4", "main;c;d 3", "main;e 3");
    struct flame f = {0};
    open_flame(t, &p, &f, false);
    ask(t, &f, (struct flame_query){.least = 5});
    CHECK_STR(text_of(t, &f), S("root 100(0)\n main 100(0)+10*3\n  a 90(90)\n"));
    ask(t, &f, (struct flame_query){.max_nodes = 4});
    CHECK_STR(text_of(t, &f), S("root 100(0)\n main 100(0)+6*2\n  a 90(90)\n  b 4(4)\n"));
    ask(t, &f, (struct flame_query){0});
    flame_trim(t->arena, &f.tree, 4);
    CHECK_STR(text_of(t, &f), S("root 100(0)\n main 100(0)+6*2\n  a 90(90)\n  b 4(4)\n"));
}

TEST(inlined_and_called_frames_of_one_name_are_one_node) {
    struct profile p = STACKS(t, "main+a 2", "main;a 3", "main+b 1");
    struct flame f = {0};
    open_flame(t, &p, &f, false);
    ask(t, &f, (struct flame_query){0});
    CHECK_STR(text_of(t, &f), S("root 6(0)\n main 6(0)\n  a 5(5) partly\n  b 1(1) inlined\n"));
}

TEST(a_middle_is_the_outermost_of_recursion) {
    struct profile p = STACKS(t, "main;a;b;a;c 5", "other;a 2", "main;z 9");
    bool *is_a = NEW(t->arena, bool, 16);
    struct flame f = {0}, up = {0};
    open_flame(t, &p, &f, false);
    for (u32 i = 0; i < f.index.n_frames; i++) is_a[i] = str_eq(f.index.frames[i].name, S("a"));
    ask(t, &f, (struct flame_query){.is_middle = is_a});
    CHECK_STR(text_of(t, &f), S("a 7(2)\n b 5(0)\n  a 5(0)\n   c 5(5)\n"));
    open_flame(t, &p, &up, true);
    ask(t, &up, (struct flame_query){.is_middle = is_a});
    CHECK_STR(text_of(t, &up), S("a 7(0)\n main 5(5)\n other 2(2)\n"));
}

TEST(a_path_goes_below_a_node) {
    struct profile p = STACKS(t, "main;a;x 2", "main;a;x;y 1", "main;b 4");
    struct flame f = {0};
    open_flame(t, &p, &f, false);
    u32 path[2] = {0};
    for (u32 i = 0; i < f.index.n_frames; i++) {
        if (str_eq(f.index.frames[i].name, S("main"))) path[0] = i;
        if (str_eq(f.index.frames[i].name, S("a"))) path[1] = i;
    }
    ask(t, &f, (struct flame_query){.path = path, .n_path = 2});
    CHECK_STR(text_of(t, &f), S("a 3(0)\n x 3(2)\n  y 1(1)\n"));
    path[1] = 12345;
    ask(t, &f, (struct flame_query){.path = path, .n_path = 2});
    CHECK_EQ(f.tree.n, 1);
    CHECK_EQ(f.tree.nodes[0].total, 0);
}

TEST(negative_values_are_the_base) {
    struct profile p = STACKS(t, "main;a 5", "main;a -2", "main;b -4");
    struct flame f = {0};
    open_flame(t, &p, &f, false);
    ask(t, &f, (struct flame_query){0});
    CHECK_STR(text_of(t, &f), S("root 5(0)-6\n main 5(0)-6\n  a 5(5)-2\n  b 0(0)-4\n"));
}

TEST(addresses_without_symbols_are_frames) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    builder_sample_type(&b, S("n"), S("count"));
    u32 m = builder_mapping(&b, &(struct mapping){.start = 0x1000,
                                                  .limit = 0x2000,
                                                  .offset = 0x500,
                                                  .file = builder_str(&b, S("/lib/libz.so"))});
    u32 stack[] = {builder_location(&b, 0x1234, m, NULL, 0),
                   builder_location(&b, 0x77, U32_NONE, NULL, 0)};
    builder_sample(&b, &(i64){3}, stack, 2, NULL, 0);
    struct profile p = builder_done(&b);
    struct flame f = {0};
    open_flame(t, &p, &f, false);
    ask(t, &f, (struct flame_query){0});
    CHECK_STR(text_of(t, &f), S("root 3(0)\n 0x77 3(0)\n  libz.so+0x734 3(3)\n"));
}

TEST(frames_found_together_count_once) {
    struct profile p = STACKS(t, "main;a;b 5", "main;b;a 2", "main;c 1");
    struct flame f = {0};
    struct flame_sum all, each[16] = {0};
    bool is_chosen[16] = {0};
    open_flame(t, &p, &f, false);
    u32 a = 0;
    for (u32 i = 0; i < f.index.n_frames; i++) {
        str name = f.index.frames[i].name;
        is_chosen[i] = str_eq(name, S("a")) || str_eq(name, S("b"));
        if (str_eq(name, S("a"))) a = i;
    }
    flame_sum(t->arena, &f.index, &f.weights, is_chosen, &all, each);
    CHECK_EQ(all.cum, 7);
    CHECK_EQ(all.self, 7);
    CHECK_EQ(each[a].cum, 7);
    CHECK_EQ(each[a].self, 2);
}

TEST(filters_need_no_index_of_their_own) {
    struct profile p = STACKS(t, "main;a 5", "main;b 2");
    struct flame f = {0}, focused = {.opts.focus = S("b")};
    open_flame(t, &p, &f, false);
    open_flame(t, &p, &focused, false);
    flame_weigh(t->arena, &f.index, &focused.view, &f.weights);
    ask(t, &f, (struct flame_query){0});
    CHECK_STR(text_of(t, &f), S("root 2(0)\n main 2(0)\n  b 2(2)\n"));
}

// The tree as everybody would write it: a node for each frame below each node.
struct plain_node {
    u64 total, self, base, base_self;
};
struct plain {
    struct idmap map; // parent << 32 | frame
    struct plain_node nodes[1 << 16];
    u32 n;
};

static u32 plain_child(struct plain *tree, u32 parent, u32 frame) {
    u32 *at = idmap_at(&tree->map, (u64)parent << 32 | frame);
    if (*at == U32_NONE) {
        *at = tree->n++;
        CHECK(tree->n <= countof(tree->nodes));
    }
    return *at;
}

static void plain_add(struct plain *tree, u32 node, i64 value, bool is_self) {
    struct plain_node *n = &tree->nodes[node];
    *(value < 0 ? &n->base : &n->total) += (u64)abs_i64(value);
    if (is_self) *(value < 0 ? &n->base_self : &n->self) += (u64)abs_i64(value);
}

static void plain_make(struct unit *t, const struct flame *f, bool is_up, struct plain *tree) {
    struct frames frames;
    view_frames(t->arena, &f->view, &(struct frame_opts){0}, &frames);
    idmap_init(&tree->map, t->arena);
    tree->n = 1;
    for (u32 i = 0; i < f->view.n_samples; i++) {
        u32 n, ids[4096], n_ids = 0, node = 0;
        const u32 *stack = view_stack(&f->view, i, &n);
        i64 value = view_value(&f->view, view_sample(&f->view, i));
        for (u32 k = 0; k < n; k++)
            for (u32 j = frames.at[stack[k]]; j < frames.at[stack[k] + 1]; j++)
                ids[n_ids++] = frames.ids[j];
        plain_add(tree, 0, value, n_ids == 0);
        for (u32 k = 0; k < n_ids; k++) {
            node = plain_child(tree, node, ids[is_up ? k : n_ids - 1 - k]);
            plain_add(tree, node, value, k + 1 == n_ids);
        }
    }
}

// Every node of the answer is the plain tree's, and none of those with weight is missing.
static void check_equal(struct unit *t, struct flame *f, struct plain *tree) {
    u32 *at = NEW(t->arena, u32, f->tree.n + 1), n_heavy = 0;
    for (u32 i = 0; i < f->tree.n; i++) {
        const struct flame_node *n = &f->tree.nodes[i];
        at[n->depth] = n->depth ? plain_child(tree, at[n->depth - 1], n->frame) : 0;
        const struct plain_node *want = &tree->nodes[at[n->depth]];
        CHECK_EQ(n->total, want->total);
        CHECK_EQ(n->self, want->self);
        CHECK_EQ(n->base, want->base);
        CHECK_EQ(n->base_self, want->base_self);
        CHECK_EQ(n->n_hidden, 0);
    }
    for (u32 i = 0; i < tree->n; i++)
        n_heavy += i == 0 || tree->nodes[i].total + tree->nodes[i].base;
    CHECK_EQ(f->tree.n, n_heavy);
}

// Any cut: what is shown and what is hidden add up, and nothing hidden is heavier than what is
// shown.
static void check_sums(struct unit *t, struct flame *f, u32 max_nodes) {
    ask(t, f, (struct flame_query){.max_nodes = max_nodes});
    CHECK(f->tree.n <= max_nodes);
    i64 *sum = NEW(t->arena, i64, f->tree.n);
    u32 *parent = NEW(t->arena, u32, f->tree.n), *at = NEW(t->arena, u32, f->tree.n + 1);
    for (u32 i = 0; i < f->tree.n; i++) {
        const struct flame_node *n = &f->tree.nodes[i];
        at[n->depth] = i;
        if (n->depth) sum[at[n->depth - 1]] += n->total;
        parent[i] = n->depth ? at[n->depth - 1] : 0;
    }
    for (u32 i = 0; i < f->tree.n; i++)
        CHECK_EQ(f->tree.nodes[i].total, f->tree.nodes[i].self + sum[i] + f->tree.nodes[i].hidden);
}

static bool load(struct unit *t, const char *path, struct profile *ret) {
    FILE *file = fopen(path, "rb");
    static char bytes[1 << 20];
    if (!file) return false;
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    str plain;
    return profile_unpack(t->arena, (str){bytes, n}, &(struct unpack_opts){0}, &plain, &t->err) &&
           profile_decode(t->arena, plain, ret, &t->err);
}

TEST(every_golden_profile_gives_the_plain_tree) {
    char pattern[512];
    glob_t found;
    u32 n_loaded = 0;
    snprintf(pattern, sizeof pattern, "%.*s/../golden/*/profiles/*.pb.gz",
             (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__);
    if (glob(pattern, 0, NULL, &found) != 0) fail_msg("nothing at %s", pattern);
    struct plain *tree = NEW(t->arena, struct plain, 1);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct profile p;
        if (!load(t, found.gl_pathv[i], &p) || !p.n_samples || p.n_samples > 5000) continue;
        for (int is_up = 0; is_up < 2; is_up++) {
            // Files: there addresses without symbols are one frame a binary, in both trees.
            struct flame f = {.opts.granularity = i & 1 ? GRANULARITY_FILES : GRANULARITY_LINES};
            bool has_bare = false;
            for (u32 k = 0; k < p.n_locations; k++) has_bare |= p.locations[k].n_lines == 0;
            if (has_bare) f.opts.granularity = GRANULARITY_FILES;
            open_flame(t, &p, &f, is_up);
            memset(tree, 0, sizeof *tree);
            plain_make(t, &f, is_up, tree);
            ask(t, &f, (struct flame_query){0});
            check_equal(t, &f, tree);
            check_sums(t, &f, 7);
            check_sums(t, &f, 40);
        }
        n_loaded++;
    }
    globfree(&found);
    CHECK(n_loaded > 10);
}
