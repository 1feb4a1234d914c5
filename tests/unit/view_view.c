// tests/unit/view_view.c - what filters leave of samples, stacks and labels.
#include "stacks.h"

#include "view/view.h"

static struct view look(struct unit *t, const struct profile *p, const struct view_opts *opts) {
    struct view v;
    struct buf messages = buf_new(t->arena, 4096);
    if (!view_build(t->arena, p, opts, S("minimum"), &messages, &v, &t->err))
        fail_msg("%s", t->err.text);
    return v;
}

// The view as folded stacks, one line a sample.
static str shown(struct unit *t, const struct view *v) {
    struct frames f;
    struct buf b = buf_new(t->arena, 4096);
    view_frames(t->arena, v, &(struct frame_opts){0}, &f);
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 n;
        const u32 *stack = view_stack(v, i, &n);
        bool is_first = true;
        for (u32 j = n; j-- > 0;) {
            for (u32 k = f.at[stack[j] + 1]; k-- > f.at[stack[j]];) {
                if (!is_first) buf_byte(&b, ';');
                buf_put(&b, frame_name(t->arena, &f.items[f.ids[k]]));
                is_first = false;
            }
        }
        buf_byte(&b, '\n');
    }
    return buf_str(&b);
}

#define CHECK_SHOWN(p, want, ...)                                                                  \
    do {                                                                                           \
        struct view_opts opts_ = {__VA_ARGS__};                                                    \
        struct view v_ = look(t, &(p), &opts_);                                                    \
        CHECK_STR(shown(t, &v_), S(want));                                                         \
    } while (0)

TEST(focus_keeps_stacks_with_a_match_and_ignore_wins) {
    struct profile p = STACKS(t, "main;a;b 1", "main;c 2", "main;a;c 3");
    CHECK_SHOWN(p, "main;a;b\nmain;a;c\n", .focus = S("^a$"));
    CHECK_SHOWN(p, "main;a;b\n", .focus = S("^a$"), .ignore = S("^c$"));
    CHECK_SHOWN(p, "", .focus = S("nothing"));
}

TEST(hide_and_show_take_frames_and_then_empty_stacks) {
    struct profile p = STACKS(t, "main;a;b 1", "a 2");
    CHECK_SHOWN(p, "main;b\n", .hide = S("^a$"));
    CHECK_SHOWN(p, "a\na\n", .show = S("^a$"));
}

TEST(hide_keeps_the_other_lines_of_an_inlined_call) {
    struct profile p = STACKS(t, "main;a+b+c 1");
    CHECK_SHOWN(p, "main;a;c\n", .hide = S("^b$"));
    CHECK_SHOWN(p, "main;a;b\n", .hide = S("^c$"));
}

TEST(show_from_cuts_above_the_highest_match) {
    struct profile p = STACKS(t, "main;a;b;a;c 1", "main;c 2");
    CHECK_SHOWN(p, "a;b;a;c\n", .show_from = S("^a$"));
    struct profile q = STACKS(t, "main;a+b+c;d 1");
    CHECK_SHOWN(q, "b;c;d\n", .show_from = S("^b$"));
}

TEST(prune_from_cuts_below_the_first_match_from_the_leaf) {
    struct profile p = STACKS(t, "main;a;b;a(int);c 1", "main;c 2");
    CHECK_SHOWN(p, "main;a;b;a(int)\nmain;c\n", .prune_from = S("^a$"));
}

TEST(noinlines_leaves_the_outermost_function) {
    struct profile p = STACKS(t, "main;a+b+c;d 1");
    CHECK_SHOWN(p, "main;a;d\n", .noinlines = true);
}

TEST(granularity_says_what_frames_are_told_apart_by) {
    struct profile p = STACKS(t, "f@x.c:1 1", "f@x.c:2 1", "f@y.c:1 1");
    CHECK_SHOWN(p, "f\nf\nf\n", .granularity = GRANULARITY_FUNCTIONS);
    CHECK_SHOWN(p, "f x.c\nf x.c\nf y.c\n", .granularity = GRANULARITY_FILEFUNCTIONS);
    CHECK_SHOWN(p, "x.c\nx.c\ny.c\n", .granularity = GRANULARITY_FILES);
    CHECK_SHOWN(p, "f x.c:1\nf x.c:2\nf y.c:1\n", .granularity = GRANULARITY_LINES);
    struct view_opts opts = {0};
    struct view v = look(t, &p, &opts);
    struct frames f;
    view_frames(t->arena, &v, &(struct frame_opts){0}, &f);
    CHECK_EQ(f.n, 1);
}

TEST(a_location_without_lines_is_one_unknown_frame) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    builder_sample_type(&b, S("n"), S("count"));
    u32 mapping_i = builder_mapping(&b, &(struct mapping){.file = builder_str(&b, S("/bin/sh"))});
    u32 stack[] = {builder_location(&b, 0x10, mapping_i, NULL, 0),
                   builder_location(&b, 0x20, U32_NONE, NULL, 0)};
    builder_sample(&b, &(i64){1}, stack, 2, NULL, 0);
    struct profile p = builder_done(&b);
    CHECK_SHOWN(p, "<unknown>;[sh]\n", .noinlines = false);
    CHECK_SHOWN(p, "0000000000000020 <unknown>;0000000000000010 [sh]\n",
                .granularity = GRANULARITY_ADDRESSES);
    CHECK_SHOWN(p, "", .show = S("x")); // show hides what has no name
}

// Three samples: user=ann 4kB, user=bob 8kB, no label.
static struct profile labelled(struct unit *t) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    builder_sample_type(&b, S("n"), S("count"));
    const char *users[] = {"ann", "bob"};
    for (u32 i = 0; i < 2; i++) {
        struct label labels[] = {{.key = builder_str(&b, S("user")),
                                  .str = builder_str(&b, str_of(users[i])),
                                  .is_string = true},
                                 {.key = builder_str(&b, S("bytes")),
                                  .unit = builder_str(&b, S("bytes")),
                                  .num = 4096 * (i + 1)}};
        stacks_add(&b, i ? S("main;b 2") : S("main;a 1"), labels, 2);
    }
    stacks_add(&b, S("main;c 4"), NULL, 0);
    return builder_done(&b);
}

TEST(tagfocus_reads_ranges_and_lists_of_expressions) {
    struct profile p = labelled(t);
    CHECK_SHOWN(p, "main;a\n", .tagfocus = S("user=ann"));
    CHECK_SHOWN(p, "main;a\nmain;b\n", .tagfocus = S("user=ann,bob"));
    CHECK_SHOWN(p, "", .tagfocus = S("ann,bob")); // without a key all must match
    CHECK_SHOWN(p, "main;b\n", .tagfocus = S("6kb:"));
    CHECK_SHOWN(p, "main;a\n", .tagfocus = S(":4kb"));
    CHECK_SHOWN(p, "main;b\n", .tagfocus = S("bytes=8kb"));
    CHECK_SHOWN(p, "main;a\nmain;b\n", .tagfocus = S("1kb:1mb"));
    CHECK_SHOWN(p, "main;b\nmain;c\n", .tagignore = S("ann"));
}

TEST(tagroot_and_tagleaf_add_a_frame_to_every_stack) {
    struct profile p = labelled(t);
    CHECK_SHOWN(p, "ann;main;a\nbob;main;b\n<unknown>;main;c\n", .tagroot = S("user"));
    CHECK_SHOWN(p, "main;a;4kB\nmain;b;8kB\nmain;c;<unknown>\n", .tagleaf = S("bytes"),
                .focus = S("main"));
}

TEST(hidden_keys_leave_the_profile_made_of_the_view) {
    struct profile p = labelled(t);
    struct view_opts opts = {.taghide = S("^user$"), .tagfocus = S("bob")};
    struct view v = look(t, &p, &opts);
    struct profile q = view_profile(t->arena, &v);
    CHECK_EQ(q.n_samples, 1);
    u32 n;
    const struct label *labels = profile_labels(&q, 0, &n);
    CHECK_EQ(n, 1);
    CHECK_EQ(labels[0].num, 8192);
}

TEST(a_view_without_filters_shares_the_tables) {
    struct profile p = labelled(t);
    struct view_opts opts = {0};
    struct view v = look(t, &p, &opts);
    struct profile q = view_profile(t->arena, &v);
    CHECK(q.values == p.values && q.stack_locs == p.stack_locs && q.labels == p.labels);
}

TEST(totals_are_of_the_base_where_there_is_one) {
    struct profile p = labelled(t), minus;
    struct view_opts opts = {0};
    CHECK_EQ(look(t, &p, &opts).total, 7);
    struct profile base = profile_with_label(t->arena, &p, S("pprof::base"), S("true"));
    minus = profile_scale(t->arena, &base, (double[]){-10});
    const struct profile *both[] = {&p, &minus};
    struct profile diff;
    CHECK(profile_merge(t->arena, both, 2, &diff, &t->err));
    CHECK_EQ(look(t, &diff, &opts).total, 70);
}

TEST(sample_types_are_found_by_name_and_number) {
    struct profile p = STACKS(t, "a 1");
    u32 i;
    CHECK(view_sample_index(&p, S("inuse_n"), &i, &t->err));
    CHECK(view_sample_index(&p, S("0"), &i, &t->err));
    CHECK(!view_sample_index(&p, S("7"), &i, &t->err));
    CHECK_STR(str_of(t->err.text), S("sample_index 7 is outside the range [0..0]"));
    CHECK(!view_sample_index(&p, S("x"), &i, &t->err));
    CHECK_STR(str_of(t->err.text), S("sample_index \"x\" must be one of: [n]"));
}

TEST(a_bad_expression_names_its_option) {
    struct profile p = STACKS(t, "a 1");
    struct view_opts opts = {.hide = S("(")};
    struct buf messages = buf_new(t->arena, 64);
    struct view v;
    CHECK(!view_build(t->arena, &p, &opts, S("minimum"), &messages, &v, &t->err));
    CHECK_STR(str_of(t->err.text),
              S("parsing hide regexp: error parsing regexp: missing closing ): `(`"));
}

TEST(paths_are_cleaned_and_trimmed) {
    CHECK_STR(path_clean(t->arena, S("a//b/./c/../d/")), S("a/b/d"));
    CHECK_STR(path_clean(t->arena, S("/../a/.git")), S("/a/.git"));
    CHECK_STR(path_clean(t->arena, S("../../a")), S("../../a"));
    CHECK_STR(path_clean(t->arena, S("a/..")), S("."));
    CHECK_STR(path_trim(S("/x/y/z.c"), S("/w:/x/"), S("")), S("y/z.c"));
    CHECK_STR(path_trim(S("/far/project/src/z.c"), S(""), S("/near/project")), S("src/z.c"));
    CHECK_STR(path_trim(S("/proc/self/cwd/./a.c"), S(""), S("")), S("a.c"));
    CHECK_STR(path_trim(S("/xy/z.c"), S("/x"), S("")), S("/xy/z.c"));
}
