// tests/unit/base_regex.c - expressions mean what they mean to Go, and mistakes are told in its
// words.
#include "unit.h"

static bool matches(struct unit *t, const char *pattern, const char *text) {
    struct regex *re;
    CHECK(regex_compile(t->arena, str_of(pattern), &re, &t->err));
    bool is_match = regex_match(re, str_of(text));
    regex_done(re);
    return is_match;
}

static void check_fails(struct unit *t, const char *pattern, const char *sentence) {
    struct regex *re;
    CHECK(!regex_compile(t->arena, str_of(pattern), &re, &t->err));
    CHECK_STR(str_of(t->err.text), str_of(sentence));
    CHECK_EQ(t->err.code, ERR_USAGE);
}

TEST(a_plain_word_is_found_anywhere) {
    CHECK(matches(t, "main", "xmainx"));
    CHECK(!matches(t, "Main", "xmainx"));
    CHECK(matches(t, "", ""));
}

TEST(dollar_and_z_mean_the_end_of_the_text_only) {
    CHECK(matches(t, "a$", "ba"));
    CHECK(!matches(t, "a$", "a\n"));
    CHECK(matches(t, "(?m)a$", "a\nb"));
    CHECK(matches(t, "a\\z", "a"));
    CHECK(!matches(t, "a\\z", "a\n"));
}

TEST(dot_does_not_match_a_newline_unless_s) {
    CHECK(!matches(t, "a.b", "a\nb"));
    CHECK(matches(t, "(?s)a.b", "a\nb"));
    CHECK(matches(t, "(?s:a.)b", "a\nb"));
    CHECK(!matches(t, "(?s:a.)b.c", "a\nb\nc"));
}

TEST(flags_end_with_their_group) {
    CHECK(matches(t, "(?i)MAIN", "main"));
    CHECK(matches(t, "(?:(?i)A)b", "ab"));
    CHECK(!matches(t, "(?:(?i)A)b", "aB"));
    CHECK(matches(t, "(?i:x)|(?-i:y)", "X"));
}

TEST(classes_follow_re2) {
    CHECK(matches(t, "^[[:word:]]+$", "a_1"));
    CHECK(!matches(t, "^[[:^word:]]", "a"));
    CHECK(!matches(t, "\\s", "\v"));
    CHECK(matches(t, "[\\S]", "\v"));
    CHECK(matches(t, "^\\pN$", "\xd9\xa3"));
    CHECK(matches(t, "\\p{Greek}", "\xce\xb1"));
    CHECK(matches(t, "[]a]", "]"));
    CHECK(matches(t, "[a\\]-]", "-"));
    CHECK(!matches(t, "\\w", "\xc3\xa9"));
}

TEST(quoting_takes_everything_up_to_E) {
    CHECK(matches(t, "\\Qa.b(\\Ec", "xa.b(c"));
    CHECK(!matches(t, "\\Qa.b\\E", "axb"));
    CHECK(matches(t, "(?P<name>a)(?<other>b)", "ab"));
    CHECK(matches(t, "a{,2}", "a{,2}"));
    CHECK(matches(t, "^a{2,3}$", "aaa"));
    CHECK(matches(t, "^*a", "a"));
}

TEST(mistakes_are_told_as_go_tells_them) {
    check_fails(t, "a(b", "error parsing regexp: missing closing ): `a(b`");
    check_fails(t, "a)b", "error parsing regexp: unexpected ): `a)b`");
    check_fails(t, "[a", "error parsing regexp: missing closing ]: `[a`");
    check_fails(t, "a**", "error parsing regexp: invalid nested repetition operator: `**`");
    check_fails(t, "*a", "error parsing regexp: missing argument to repetition operator: `*`");
    check_fails(t, "a|*", "error parsing regexp: missing argument to repetition operator: `*`");
    check_fails(t, "a{1001}", "error parsing regexp: invalid repeat count: `{1001}`");
    check_fails(t, "(?=a)", "error parsing regexp: invalid or unsupported Perl syntax: `(?=`");
    check_fails(t, "(?<!a)", "error parsing regexp: invalid named capture: `(?<!a)`");
    check_fails(t, "(a)\\1", "error parsing regexp: invalid escape sequence: `\\1`");
    check_fails(t, "\\8", "error parsing regexp: invalid escape sequence: `\\8`");
    check_fails(t, "a\\", "error parsing regexp: trailing backslash at end of expression: ``");
    check_fails(t, "[z-a]", "error parsing regexp: invalid character class range: `z-a`");
    check_fails(t, "[[:foo:]]", "error parsing regexp: invalid character class range: `[:foo:]`");
    check_fails(t, "\\xZZ", "error parsing regexp: invalid escape sequence: `\\xZZ`");
}

TEST(an_expression_that_explodes_is_given_up) {
    CHECK(!matches(t, "^(a*)*$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
}
