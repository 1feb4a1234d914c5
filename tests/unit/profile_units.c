// tests/unit/profile_units.c - proves that values are scaled and written as google/pprof does.
// Expected texts come from running its measurement package (reference/pprof.md section 2.9).
#include "unit.h"

#include "profile/profile.h"

static str label(struct unit *t, i64 value, str from, str to) {
    struct buf b = buf_new(t->arena, 1024);
    units_label(&b, value, from, to);
    return buf_str(&b);
}

static str percent(struct unit *t, i64 value, i64 total) {
    struct buf b = buf_new(t->arena, 1024);
    units_percent(&b, value, total);
    return buf_str(&b);
}

TEST(label_picks_the_largest_unit_that_gives_one_or_more) {
    CHECK_STR(label(t, 1536, S("bytes"), S("auto")), S("1.50kB"));
    CHECK_STR(label(t, 1024, S("bytes"), S("minimum")), S("1kB"));
    CHECK_STR(label(t, 30000000, S("nanoseconds"), S("auto")), S("30ms"));
    CHECK_STR(label(t, 7200, S("seconds"), S("auto")), S("2hrs"));
    CHECK_STR(label(t, 1500, S("milligcu"), S("auto")), S("1.50GCU"));
}

TEST(label_keeps_two_digits_or_none) {
    CHECK_STR(label(t, 1229, S("b"), S("kb")), S("1.20kB"));
    CHECK_STR(label(t, 1, S("ms"), S("s")), S("0"));
    CHECK_STR(label(t, -1, S("ms"), S("s")), S("0"));
    CHECK_STR(label(t, 0, S("bytes"), S("auto")), S("0"));
    CHECK_STR(label(t, -2048, S("bytes"), S("auto")), S("-2kB"));
}

TEST(label_of_another_family_takes_the_default_unit) {
    CHECK_STR(label(t, 2500000000, S("ns"), S("mb")), S("2.50s"));
    CHECK_STR(label(t, 5, S("kB"), S("seconds")), S("5120B"));
}

TEST(label_of_unknown_units_is_bare_or_carries_the_asked_unit) {
    CHECK_STR(label(t, 1234, S("count"), S("minimum")), S("1234"));
    CHECK_STR(label(t, 1234, S("cycles"), S("sample")), S("1234"));
    CHECK_STR(label(t, 1234, S("cycles"), S("cycles")), S("1234cycles"));
    CHECK_STR(label(t, 1234, S("count"), S("seconds")), S("1234seconds"));
    CHECK_STR(label(t, 7, S("\xce\xbcs"), S("auto")), S("7"));
}

TEST(units_ignore_case_and_one_plural_s) {
    CHECK_STR(label(t, 3, S("MegaBytes"), S("KB")), S("3072kB"));
    CHECK_STR(label(t, 3, S("ms"), S("us")), S("3000us"));
    CHECK_STR(label(t, 1, S("hrs"), S("s")), S("3600s"));
    CHECK_STR(label(t, 3, S("s"), S("ms")), S("3000ms"));
}

TEST(most_negative_value_is_scaled_without_overflow) {
    str unit;
    CHECK(units_scale(INT64_MIN, S("count"), S("auto"), &unit) == (double)INT64_MIN);
    CHECK_STR(unit, S(""));
}

TEST(percent_takes_five_columns_and_loses_the_sign) {
    CHECK_STR(percent(t, 100, 100), S("  100%"));
    CHECK_STR(percent(t, 9996, 10000), S("  100%"));
    CHECK_STR(percent(t, 1234, 10000), S("12.34%"));
    CHECK_STR(percent(t, -1234, 10000), S("12.34%"));
    CHECK_STR(percent(t, 5, 1000), S("  0.5%"));
    CHECK_STR(percent(t, 42, 1000000), S("0.0042%"));
    CHECK_STR(percent(t, 12, 100000000), S("1.2e-05%"));
    CHECK_STR(percent(t, 1, 0), S("    0%"));
    CHECK_STR(percent(t, 250, 100), S("250.00%"));
}

TEST(units_of_one_family_convert) {
    CHECK(units_convert(S("ns"), S("seconds")));
    CHECK(units_convert(S("bytes"), S("GB")));
    CHECK(!units_convert(S("bytes"), S("ms")));
    CHECK(!units_convert(S("count"), S("count")));
}
