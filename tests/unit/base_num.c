// tests/unit/base_num.c - numbers read and write as Go's do, in every locale.
// Room: claims about base/num.h. Expected texts were printed by Go 1.26's fmt and strconv.
#include "unit.h"

#include <locale.h>
#include <math.h>

static str fixed(struct unit *t, double x, int digits) {
    struct buf b = buf_new(t->arena, 1024);
    num_fixed(&b, x, digits);
    return buf_str(&b);
}

static str general(struct unit *t, double x, int digits) {
    struct buf b = buf_new(t->arena, 1024);
    num_general(&b, x, digits);
    return buf_str(&b);
}

static str quoted(struct unit *t, str s) {
    struct buf b = buf_new(t->arena, 1024);
    num_quote(&b, s);
    return buf_str(&b);
}

TEST(fixed_rounds_half_to_even_on_the_exact_binary_value) {
    CHECK_STR(fixed(t, 0.125, 2), S("0.12"));
    CHECK_STR(fixed(t, 0.375, 2), S("0.38"));
    CHECK_STR(fixed(t, 1.005, 2), S("1.00"));
    CHECK_STR(fixed(t, -0.001, 2), S("-0.00"));
    CHECK_STR(fixed(t, 1e21, 2), S("1000000000000000000000.00"));
}

TEST(fixed_spells_specials_as_go) {
    CHECK_STR(fixed(t, (double)NAN, 2), S("NaN"));
    CHECK_STR(fixed(t, (double)INFINITY, 2), S("+Inf"));
    CHECK_STR(fixed(t, -(double)INFINITY, 2), S("-Inf"));
}

TEST(general_keeps_significant_digits) {
    CHECK_STR(general(t, 0.0042, 2), S("0.0042"));
    CHECK_STR(general(t, 0.000012, 2), S("1.2e-05"));
    CHECK_STR(general(t, 123456.0, 2), S("1.2e+05"));
    CHECK_STR(general(t, 0.0, 2), S("0"));
}

TEST(general_shortest_reads_back_and_switches_at_1e6) {
    CHECK_STR(general(t, 0.1, -1), S("0.1"));
    CHECK_STR(general(t, 1.0 / 3.0, -1), S("0.3333333333333333"));
    CHECK_STR(general(t, 100000.0, -1), S("100000"));
    CHECK_STR(general(t, 1e6, -1), S("1e+06"));
    CHECK_STR(general(t, 123456789.0, -1), S("1.23456789e+08"));
    CHECK_STR(general(t, 0.0001, -1), S("0.0001"));
    CHECK_STR(general(t, 0.00001, -1), S("1e-05"));
    CHECK_STR(general(t, 5e-324, -1), S("5e-324"));
    CHECK_STR(general(t, -2.5, -1), S("-2.5"));
}

TEST(integers_cover_their_whole_range) {
    struct buf b = buf_new(t->arena, 1024);
    num_i64(&b, INT64_MIN);
    buf_byte(&b, ' ');
    num_u64(&b, UINT64_MAX);
    buf_byte(&b, ' ');
    num_hex(&b, 0xbeef, 8);
    CHECK_STR(buf_str(&b), S("-9223372036854775808 18446744073709551615 0000beef"));
}

TEST(quote_escapes_as_strconv) {
    CHECK_STR(quoted(t, S("a\"b\\\n\t")), S("\"a\\\"b\\\\\\n\\t\""));
    CHECK_STR(quoted(t, S("\x01\x7f")), S("\"\\x01\\x7f\""));
    CHECK_STR(quoted(t, S("\xff")), S("\"\\xff\""));
    CHECK_STR(quoted(t, S("\xc3\xa9\xe2\x82\xac")), S("\"\xc3\xa9\xe2\x82\xac\""));
}

static bool i64_of(str s, int base, i64 want) {
    i64 got;
    return num_parse_i64(s, base, &got) && got == want;
}

TEST(parse_i64_takes_go_literals) {
    CHECK(i64_of(S("0x1F"), 0, 31));
    CHECK(i64_of(S("0b101"), 0, 5));
    CHECK(i64_of(S("0o17"), 0, 15));
    CHECK(i64_of(S("017"), 0, 15));
    CHECK(i64_of(S("1_000"), 0, 1000));
    CHECK(i64_of(S("0"), 0, 0));
    CHECK(i64_of(S("-9223372036854775808"), 10, INT64_MIN));
}

TEST(parse_i64_refuses_what_go_refuses) {
    i64 x;
    CHECK(!num_parse_i64(S(""), 10, &x));
    CHECK(!num_parse_i64(S("-"), 10, &x));
    CHECK(!num_parse_i64(S("12a"), 10, &x));
    CHECK(!num_parse_i64(S("0x"), 0, &x));
    CHECK(!num_parse_i64(S("_1"), 0, &x));
    CHECK(!num_parse_i64(S("1__0"), 0, &x));
    CHECK(!num_parse_i64(S("1_"), 0, &x));
    CHECK(!num_parse_i64(S("1_0"), 10, &x));
    CHECK(!num_parse_i64(S("9223372036854775808"), 10, &x));
}

static bool f64_of(str s, double want) {
    double got;
    return num_parse_f64(s, &got) && got == want;
}

TEST(parse_f64_takes_go_floats_only) {
    double x;
    CHECK(f64_of(S("0.005"), 0.005));
    CHECK(f64_of(S("1e3"), 1000));
    CHECK(f64_of(S("0x1p4"), 16));
    CHECK(f64_of(S("-inf"), -(double)INFINITY));
    CHECK(!num_parse_f64(S(" 1"), &x));
    CHECK(!num_parse_f64(S("1e400"), &x));
    CHECK(!num_parse_f64(S("nan(1)"), &x));
    CHECK(!num_parse_f64(S("1,5"), &x));
    CHECK(!num_parse_f64(S(""), &x));
}

TEST(a_comma_locale_changes_nothing) {
    const char *locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE",
                             "C"}; // the last one is always there
    for (size_t i = 0; i < countof(locales) && !setlocale(LC_ALL, locales[i]); i++) {
    }
    double x;
    CHECK_STR(fixed(t, 1.5, 2), S("1.50"));
    CHECK(num_parse_f64(S("1.5"), &x) && x == 1.5);
    setlocale(LC_ALL, "C");
}
