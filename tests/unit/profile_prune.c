// tests/unit/profile_prune.c - proves which frames drop_frames and keep_frames take away.
#include "unit.h"

#include "profile/profile.h"

#include <string.h>

// A profile with one sample whose stack, leaf first, is names; "a+b" is one location with a inlined
// into b.
static struct profile stack_of(struct unit *t, const char *const *names, u32 n, str drop,
                               str keep) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    builder_sample_type(&b, S("n"), S("count"));
    u32 stack[8];
    for (u32 i = 0; i < n; i++) {
        str rest = str_of(names[i]), name;
        struct line lines[4] = {0};
        u32 n_lines = 0;
        while (rest.len) {
            str_cut(rest, '+', &name, &rest);
            struct function f = {.name = builder_str(&b, name)};
            lines[n_lines++].function_i = builder_function(&b, &f);
        }
        stack[i] = builder_location(&b, i + 1, U32_NONE, lines, n_lines);
    }
    builder_sample(&b, &(i64){1}, stack, n, NULL, 0);
    b.p.drop_frames = builder_str(&b, drop);
    b.p.keep_frames = builder_str(&b, keep);
    return builder_done(&b);
}

// The pruned stack as "a b+c d".
static str pruned(struct unit *t, struct profile p) {
    profile_prune(t->arena, &p, &p);
    struct buf text = buf_new(t->arena, 1024);
    u32 n;
    const u32 *stack = profile_stack(&p, 0, &n);
    for (u32 i = 0; i < n; i++) {
        const struct location *l = &p.locations[stack[i]];
        if (i) buf_byte(&text, ' ');
        for (u32 k = 0; k < l->n_lines; k++) {
            if (k) buf_byte(&text, '+');
            buf_put(&text, profile_str(&p, p.functions[p.lines[l->lines_at + k].function_i].name));
        }
    }
    return buf_str(&text);
}

#define STACK(...) (const char *[]){__VA_ARGS__}, countof(((const char *[]){__VA_ARGS__}))

TEST(prune_drops_the_frame_and_all_beneath) {
    CHECK_STR(pruned(t, stack_of(t, STACK("x", "malloc", "user", "main"), S("malloc"), S(""))),
              S("user main"));
}

TEST(prune_looks_from_the_root) {
    CHECK_STR(pruned(t, stack_of(t, STACK("malloc", "a", "malloc", "main"), S("malloc"), S(""))),
              S("main"));
}

TEST(prune_keeps_frames_before_the_first_user_frame) {
    CHECK_STR(pruned(t, stack_of(t, STACK("malloc", "malloc"), S("malloc"), S(""))),
              S("malloc malloc"));
}

TEST(prune_keeps_what_keep_frames_names) {
    CHECK_STR(pruned(t, stack_of(t, STACK("runtime.a", "runtime.panic", "main"), S("runtime\\..*"),
                                 S("runtime\\.panic"))),
              S("runtime.panic main"));
}

TEST(prune_cuts_inlined_lines_and_keeps_the_outer_ones) {
    CHECK_STR(pruned(t, stack_of(t, STACK("x", "leaf+malloc+user", "main"), S("malloc"), S(""))),
              S("user main"));
}

TEST(prune_matches_whole_names_without_arguments) {
    CHECK_STR(pruned(t, stack_of(t, STACK("x", "malloc_not", "main"), S("malloc"), S(""))),
              S("x malloc_not main"));
    CHECK_STR(pruned(t, stack_of(t, STACK("x", ".std::vec(int)", "main"), S("std::vec"), S(""))),
              S("main"));
}

TEST(prune_leaves_a_profile_with_a_bad_expression_alone) {
    CHECK_STR(pruned(t, stack_of(t, STACK("a", "b"), S("a("), S(""))), S("a b"));
    CHECK_STR(pruned(t, stack_of(t, STACK("a", "b"), S("a"), S("("))), S("a b"));
}

TEST(simple_name_ends_before_the_arguments) {
    CHECK_STR(function_simple_name(t->arena, S(".foo(int)")), S("foo"));
    CHECK_STR(function_simple_name(t->arena, S("(anonymous namespace)::f(int)")),
              S("(anonymous namespace)::f"));
    CHECK_STR(function_simple_name(t->arena, S("A::operator()(int) const")), S("A::operator()"));
    CHECK_STR(function_simple_name(t->arena, S("")), S(""));
    CHECK_STR(function_simple_name(t->arena, S("(")), S(""));
}
