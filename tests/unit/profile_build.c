// tests/unit/profile_build.c - proves that rows are interned and that tables keep their shape.
#include "unit.h"

#include "profile/profile.h"

TEST(equal_functions_and_locations_are_one_row) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    struct function f = {.name = builder_str(&b, S("f"))}, g = {.name = builder_str(&b, S("g"))};
    u32 f_i = builder_function(&b, &f), g_i = builder_function(&b, &g);
    CHECK_EQ(builder_function(&b, &f), f_i);
    CHECK(f_i != g_i);
    struct line lines[] = {{f_i, 1, 0}, {g_i, 2, 0}};
    u32 l = builder_location(&b, 0x10, U32_NONE, lines, 2);
    CHECK_EQ(builder_location(&b, 0x10, U32_NONE, lines, 2), l);
    CHECK(builder_location(&b, 0x10, U32_NONE, lines, 1) != l);
    CHECK(builder_location(&b, 0x11, U32_NONE, lines, 2) != l);
    CHECK_EQ(b.p.functions[g_i].id, 2);
}

TEST(labels_begin_with_the_first_sample_that_has_one) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    builder_sample_type(&b, S("n"), S("count"));
    struct label label = {.key = builder_str(&b, S("k")), .num = 1};
    for (u32 i = 0; i < 40; i++) builder_sample(&b, &(i64){1}, NULL, 0, &label, i == 30);
    struct profile p = builder_done(&b);
    u32 n;
    profile_labels(&p, 29, &n);
    CHECK_EQ(n, 0);
    profile_labels(&p, 30, &n);
    CHECK_EQ(n, 1);
    profile_labels(&p, 39, &n);
    CHECK_EQ(n, 0);
}

TEST(a_profile_without_rows_is_valid) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    struct profile p = builder_done(&b);
    CHECK(profile_check(&p, &t->err));
    CHECK_EQ(p.n_strings, 1);
    CHECK_STR(profile_str(&p, 0), S(""));
    CHECK(!p.label_at);
}
