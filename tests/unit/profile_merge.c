// tests/unit/profile_merge.c - proves what is one row after a merge and what is refused.
// The expectations were compared with google/pprof's own merge over every profile of the
// conformance sets, byte for byte; each test here holds one rule of it.
#include "unit.h"

#include "profile/profile.h"

// A profile with one sample type, one mapping at start and one sample at address.
static struct profile one_sample(struct unit *t, str type, str unit, u64 start, u64 address,
                                 i64 value) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    builder_sample_type(&b, type, unit);
    b.p.period_type = (struct value_type){builder_str(&b, S("cpu")), builder_str(&b, S("ns"))};
    struct mapping m = {
        .start = start, .limit = start + 0x2f00, .file = builder_str(&b, S("/bin/x"))};
    u32 mapping_i = builder_mapping(&b, &m);
    u32 location_i = builder_location(&b, address, mapping_i, NULL, 0);
    builder_sample(&b, &value, &location_i, 1, NULL, 0);
    return builder_done(&b);
}

static bool merge2(struct unit *t, const struct profile *a, const struct profile *b,
                   struct profile *ret) {
    return profile_merge(t->arena, (const struct profile *[]){a, b}, 2, ret, &t->err);
}

TEST(merge_adds_equal_stacks_of_moved_mappings) {
    struct profile a = one_sample(t, S("n"), S("count"), 0x400000, 0x400010, 3);
    struct profile b = one_sample(t, S("n"), S("count"), 0x7f0000000000, 0x7f0000000010, 4), p;
    CHECK(merge2(t, &a, &b, &p));
    CHECK_EQ(p.n_samples, 1);
    CHECK_EQ(p.values[0], 7);
    CHECK_EQ(p.n_mappings, 1);
    CHECK_EQ(p.locations[0].address, 0x400010);
    CHECK(profile_check(&p, &t->err));
}

TEST(merge_drops_samples_that_cancel_and_what_they_reached) {
    struct profile a = one_sample(t, S("n"), S("count"), 0x400000, 0x400010, 3);
    struct profile b = profile_scale(t->arena, &a, (double[]){-1}), p;
    CHECK_EQ(b.values[0], -3);
    CHECK(merge2(t, &a, &b, &p));
    CHECK_EQ(p.n_samples, 0);
    CHECK_EQ(p.n_locations, 0);
    CHECK_EQ(p.n_mappings, 1); // the main binary stays
}

TEST(merge_adds_durations_and_takes_the_first_nonzero_time) {
    struct profile a = one_sample(t, S("n"), S("count"), 0, 1, 1), b = a, p;
    a.time_nanos = 50, a.duration_nanos = 10, a.period = 5;
    b.time_nanos = 40, b.duration_nanos = 7, b.period = 9;
    CHECK(merge2(t, &a, &b, &p));
    CHECK_EQ(p.time_nanos, 40);
    CHECK_EQ(p.duration_nanos, 17);
    CHECK_EQ(p.period, 9);
    b.time_nanos = 0; // quirk Q17: a later profile without a time takes it away
    CHECK(merge2(t, &a, &b, &p));
    CHECK_EQ(p.time_nanos, 0);
}

static struct profile with_two_columns(struct unit *t, i64 inner, i64 outer) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    builder_sample_type(&b, S("n"), S("count"));
    struct function f = {.name = builder_str(&b, S("f"))};
    u32 f_i = builder_function(&b, &f);
    struct line lines[] = {{f_i, 1, inner}, {f_i, 2, outer}};
    u32 location_i = builder_location(&b, 0, U32_NONE, lines, 2);
    builder_sample(&b, &(i64){1}, &location_i, 1, NULL, 0);
    return builder_done(&b);
}

TEST(merge_ignores_inner_columns_as_the_reference_does) {
    struct profile a = with_two_columns(t, 5, 6), b = with_two_columns(t, 7, 6), p;
    CHECK(merge2(t, &a, &b, &p));
    CHECK_EQ(p.n_samples, 1);
    b = with_two_columns(t, 5, 8);
    CHECK(merge2(t, &a, &b, &p));
    CHECK_EQ(p.n_samples, 2);
}

TEST(merge_outlives_its_inputs) {
    struct arena inputs;
    arena_init(&inputs);
    struct unit other = {.arena = &inputs};
    struct profile a = one_sample(&other, S("n"), S("count"), 0, 1, 1), p;
    CHECK(merge2(t, &a, &a, &p));
    arena_done(&inputs);
    CHECK_STR(profile_str(&p, p.mappings[0].file), S("/bin/x"));
    CHECK_STR(profile_str(&p, p.sample_types[0].unit), S("count"));
}

TEST(merge_refuses_other_types) {
    struct profile a = one_sample(t, S("n"), S("count"), 0, 1, 1);
    struct profile b = one_sample(t, S("n"), S("bytes"), 0, 1, 1), p;
    CHECK(!merge2(t, &a, &b, &p));
    CHECK_EQ(t->err.code, ERR_USAGE);
    b = a;
    b.period_type.unit = 0;
    CHECK(!merge2(t, &a, &b, &p));
    CHECK_STR(str_of(t->err.text), S("incompatible period types &{cpu ns 0 0} and &{cpu  0 0}"));
}

TEST(compatible_brings_units_to_the_finest) {
    struct profile a = one_sample(t, S("cpu"), S("milliseconds"), 0, 1, 3);
    struct profile b = one_sample(t, S("cpu"), S("microseconds"), 0, 1, 5), p;
    const struct profile *list[] = {&a, &b};
    CHECK(profile_make_compatible(t->arena, list, 2, &t->err));
    CHECK(profile_merge(t->arena, list, 2, &p, &t->err));
    CHECK_EQ(p.values[0], 3005);
    CHECK_STR(profile_str(&p, p.sample_types[0].unit), S("microseconds"));
}

static struct profile with_types(struct unit *t, const char *const *types, u32 n) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    i64 values[8];
    for (u32 i = 0; i < n; i++) {
        builder_sample_type(&b, str_of(types[i]), S("count"));
        values[i] = (i64)(types[i][0]);
    }
    builder_sample(&b, values, NULL, 0, NULL, 0);
    return builder_done(&b);
}

TEST(compatible_keeps_common_types_in_the_first_order) {
    struct profile a = with_types(t, (const char *[]){"x", "y", "z"}, 3);
    struct profile b = with_types(t, (const char *[]){"z", "w", "x"}, 3);
    const struct profile *list[] = {&a, &b};
    CHECK(profile_make_compatible(t->arena, list, 2, &t->err));
    for (int k = 0; k < 2; k++) {
        CHECK_EQ(list[k]->n_types, 2);
        CHECK_EQ(list[k]->values[0], 'x');
        CHECK_EQ(list[k]->values[1], 'z');
        CHECK_STR(profile_str(list[k], list[k]->default_sample_type), S("x"));
    }
}

TEST(compatible_refuses_profiles_without_a_common_type) {
    struct profile a = with_types(t, (const char *[]){"x"}, 1);
    struct profile b = with_types(t, (const char *[]){"y"}, 1);
    const struct profile *list[] = {&a, &b};
    CHECK(!profile_make_compatible(t->arena, list, 2, &t->err));
    CHECK_STR(str_of(t->err.text), S("profiles have empty common sample type list"));
    struct profile c = one_sample(t, S("x"), S("bytes"), 0, 1, 1);
    list[0] = &c, list[1] = &a;
    CHECK(!profile_make_compatible(t->arena, list, 2, &t->err));
    CHECK_STR(str_of(t->err.text), S("period type: incompatible types: {cpu ns 0 0} {  0 0}"));
}

TEST(scale_rounds_and_drops_what_became_zero) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    builder_sample_type(&b, S("a"), S("count"));
    builder_sample_type(&b, S("b"), S("count"));
    u32 l = builder_location(&b, 1, U32_NONE, NULL, 0),
        m = builder_location(&b, 2, U32_NONE, NULL, 0);
    builder_sample(&b, (i64[]){1, 9}, &l, 1, NULL, 0);
    struct label label = {.key = builder_str(&b, S("k")), .num = 1};
    builder_sample(&b, (i64[]){5, 9}, &m, 1, &label, 1);
    struct profile p = builder_done(&b), q = profile_scale(t->arena, &p, (double[]){0.3, 1});
    CHECK_EQ(q.n_samples, 1); // the first has only its unscaled value left (quirk Q18)
    CHECK_EQ(q.values[0], 2);
    CHECK_EQ(q.values[1], 9);
    u32 n;
    CHECK_EQ(profile_stack(&q, 0, &n)[0], m);
    profile_labels(&q, 0, &n);
    CHECK_EQ(n, 1);
    CHECK_EQ(p.n_samples, 2);
}

TEST(scale_saturates_where_go_does) {
    struct profile a = one_sample(t, S("n"), S("count"), 0, 1, INT64_MAX);
    struct profile q = profile_scale(t->arena, &a, (double[]){4});
    CHECK(q.values[0] == INT64_MIN);
}

TEST(normalize_gives_the_base_total) {
    struct profile a = one_sample(t, S("n"), S("count"), 0, 1, 4);
    struct profile b = one_sample(t, S("n"), S("count"), 0, 1, 10), q;
    CHECK(profile_normalize(t->arena, &a, &b, &q, &t->err));
    CHECK_EQ(q.values[0], 10);
}

TEST(with_label_replaces_a_label_of_that_key) {
    struct profile a = one_sample(t, S("n"), S("count"), 0, 1, 4);
    struct profile q = profile_with_label(t->arena, &a, S("k"), S("old"));
    q = profile_with_label(t->arena, &q, S("k"), S("new"));
    u32 n;
    profile_labels(&q, 0, &n);
    CHECK_EQ(n, 1);
    CHECK_STR(profile_str(&q, q.labels[0].str), S("new"));
}

// -1 of a sample in a later group takes the sample away, with what it reached; groups do not show
// in sums.
TEST(merger_adds_one_after_another_as_merge_does_at_once) {
    struct profile a = one_sample(t, S("n"), S("count"), 0x400000, 0x400010, 3);
    struct profile b = one_sample(t, S("n"), S("count"), 0x7f0000000000, 0x7f0000000020, 4);
    struct profile c = profile_scale(t->arena, &a, (double[]){-1}), all, p;
    const struct profile *list[] = {&a, &b, &c, &b};
    CHECK(profile_merge(t->arena, list, 4, &all, &t->err));
    struct merger *m = merger_new(t->arena, &a);
    for (int i = 0; i < 4; i++) {
        CHECK(merger_add(m, list[i], &t->err));
        CHECK_EQ(merger_so_far(m)->n_samples, i == 0 ? 1 : 2);
    }
    p = merger_done(m);
    str want, got;
    CHECK(profile_encode(t->arena, &all, &want, &t->err));
    CHECK(profile_encode(t->arena, &p, &got, &t->err));
    CHECK_STR(got, want);
    CHECK_EQ(p.n_samples, 1);
    CHECK_EQ(p.n_locations, 1);
    CHECK_EQ(p.values[0], 8);
}

TEST(merger_goes_on_after_a_cut_that_dropped_samples) {
    struct profile a = one_sample(t, S("n"), S("count"), 0x400000, 0x400010, 3), p;
    struct profile b = profile_scale(t->arena, &a, (double[]){-1});
    a.comments = b.comments = &a.sample_types[0].type, a.n_comments = b.n_comments = 1;
    struct merger *m = merger_new(t->arena, &a);
    CHECK(merger_add(m, &a, &t->err));
    CHECK(merger_add(m, &b, &t->err));
    merger_cut(m);
    CHECK_EQ(merger_so_far(m)->n_samples, 0);
    CHECK(merger_add(m, &a, &t->err));
    p = merger_done(m);
    CHECK_EQ(p.n_samples, 1);
    CHECK_EQ(p.values[0], 3);
    CHECK_EQ(p.n_comments, 1);
    CHECK_STR(profile_str(&p, p.comments[0]), S("n"));
    CHECK(profile_check(&p, &t->err));
}

// Within a group a profile without a time takes away the time before it (quirk Q17); a group's
// time is then one like any other's.
TEST(merger_finds_the_time_of_each_group_first) {
    static const i64 times[] = {50, 0, 60};
    struct profile a = one_sample(t, S("n"), S("count"), 0, 1, 1);
    struct merger *at_once = merger_new(t->arena, &a), *cut = merger_new(t->arena, &a);
    for (size_t i = 0; i < countof(times); i++) {
        a.time_nanos = times[i], a.duration_nanos = 5;
        CHECK(merger_add(at_once, &a, &t->err));
        CHECK(merger_add(cut, &a, &t->err));
        if (i == 0) merger_cut(cut);
    }
    struct profile p = merger_done(at_once), q = merger_done(cut);
    CHECK_EQ(p.time_nanos, 60);
    CHECK_EQ(q.time_nanos, 50);
    CHECK_EQ(q.duration_nanos, 15);
}

TEST(merger_refuses_other_types_and_keeps_what_it_has) {
    struct profile a = one_sample(t, S("n"), S("count"), 0, 1, 1);
    struct profile b = one_sample(t, S("n"), S("bytes"), 0, 1, 1);
    struct merger *m = merger_new(t->arena, &a);
    CHECK(merger_add(m, &a, &t->err));
    CHECK(!merger_add(m, &b, &t->err));
    struct profile p = merger_done(m);
    CHECK_EQ(p.values[0], 1);
}
