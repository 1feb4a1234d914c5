// tests/unit/driver_settings.c - options by name, as the shell and URLs set them.
#include "unit.h"

#include "driver/settings.h"

static str shown(struct unit *t, const struct options *o, str name) {
    struct buf b = buf_new(t->arena, 256);
    option_show(o, option_find(name), &b);
    return buf_str(&b);
}

TEST(defaults_are_the_originals) {
    struct options o = options_default();
    CHECK_STR(shown(t, &o, S("nodecount")), S("-1"));
    CHECK_STR(shown(t, &o, S("nodefraction")), S("0.005"));
    CHECK_STR(shown(t, &o, S("edgefraction")), S("0.001"));
    CHECK_STR(shown(t, &o, S("divide_by")), S("1"));
    CHECK_STR(shown(t, &o, S("trim")), S("true"));
    CHECK_STR(shown(t, &o, S("unit")), S("minimum"));
    CHECK_STR(shown(t, &o, S("sort")), S("flat"));
    CHECK_STR(shown(t, &o, S("granularity")), S(""));
}

TEST(every_option_takes_back_what_it_shows) {
    struct options o = options_default(), back = options_default();
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option *opt = &option_table[i];
        str text = shown(t, &o, opt->name);
        if (opt->type == OPTION_GRANULARITY) continue; // its default has no name
        CHECK(option_set(t->arena, &back, opt, text, &t->err));
        CHECK_STR(shown(t, &back, opt->name), text);
    }
}

TEST(booleans_of_the_shell_are_generous) {
    struct options o = options_default();
    const struct option *mean = option_find(S("mean"));
    CHECK(option_set(t->arena, &o, mean, S("YES"), &t->err) && o.view.mean);
    CHECK(option_set(t->arena, &o, mean, S("n"), &t->err) && !o.view.mean);
    CHECK(option_set(t->arena, &o, mean, S(""), &t->err) && o.view.mean);
    CHECK(!option_set(t->arena, &o, mean, S("maybe"), &t->err));
    CHECK_STR(str_of(t->err.text), S("illegal value \"maybe\" for bool variable"));
    CHECK(o.view.mean);
}

TEST(wrong_values_are_told_in_gos_words) {
    struct options o = options_default();
    CHECK(!options_assign(t->arena, &o, S("nodecount"), S("abc"), &t->err));
    CHECK_STR(str_of(t->err.text), S("strconv.Atoi: parsing \"abc\": invalid syntax"));
    CHECK(!options_assign(t->arena, &o, S("divide_by"), S("x"), &t->err));
    CHECK_STR(str_of(t->err.text), S("strconv.ParseFloat: parsing \"x\": invalid syntax"));
    CHECK(!options_assign(t->arena, &o, S("sort"), S("foo"), &t->err));
    CHECK_STR(str_of(t->err.text), S("invalid \"sort\" value \"foo\""));
}

TEST(a_choice_is_set_by_true_and_by_its_group) {
    struct options o = options_default();
    CHECK(options_assign(t->arena, &o, S("lines"), S("1"), &t->err));
    CHECK_EQ(o.view.granularity, GRANULARITY_LINES);
    CHECK(options_assign(t->arena, &o, S("granularity"), S("files"), &t->err));
    CHECK_EQ(o.view.granularity, GRANULARITY_FILES);
    CHECK(options_assign(t->arena, &o, S("cum"), S("true"), &t->err));
    CHECK_EQ(o.graph.sort, SORT_CUM);
    // A choice without a value fails, as recorded of the original (quirk Q4).
    CHECK(!options_assign(t->arena, &o, S("flat"), S(""), &t->err));
    CHECK_STR(str_of(t->err.text), S("unknown config field \"flat\""));
}
