// tests/unit/base_text.c - slices, buffers, errors.
// Room: claims about base/str.h, base/buf.h and base/err.h.
#include "unit.h"

#include <errno.h>
#include <string.h>

TEST(basename_follows_go) {
    CHECK_STR(str_basename(S("/usr/bin/ls")), S("ls"));
    CHECK_STR(str_basename(S("ls")), S("ls"));
    CHECK_STR(str_basename(S("dir/")), S("dir"));
    CHECK_STR(str_basename(S("")), S("."));
    CHECK_STR(str_basename(S("///")), S("/"));
}

TEST(cut_splits_at_the_first_separator) {
    str before, after;
    CHECK(str_cut(S("key=a=b"), '=', &before, &after));
    CHECK_STR(before, S("key"));
    CHECK_STR(after, S("a=b"));
    CHECK(!str_cut(S("key"), '=', &before, &after));
    CHECK_STR(before, S("key"));
    CHECK_EQ(after.len, 0);
}

TEST(order_is_bytewise_with_the_prefix_first) {
    CHECK(str_cmp(S("a"), S("b")) < 0);
    CHECK(str_cmp(S("ab"), S("a")) > 0);
    CHECK(str_cmp(S("\x80"), S("a")) > 0);
    CHECK_EQ(str_cmp(S(""), (str){0}), 0);
}

TEST(searching_nothing_in_nothing_is_safe) {
    CHECK_EQ(str_find((str){0}, S("x")), -1);
    CHECK_EQ(str_find((str){0}, S("")), 0);
    CHECK_EQ(str_find_byte((str){0}, 'x'), -1);
    CHECK_STR(str_trim(S(" \t\n")), S(""));
    CHECK_STR(str_skip(S("ab"), 9), S(""));
}

TEST(join_puts_the_separator_between) {
    str parts[] = {S("a"), S(""), S("c")};
    CHECK_STR(str_join(t->arena, parts, 3, S(", ")), S("a, , c"));
    CHECK_STR(str_join(t->arena, parts, 0, S(", ")), S(""));
}

TEST(buffer_cuts_at_its_cap_and_says_so) {
    struct buf b = buf_new(t->arena, 5);
    buf_put(&b, S("abc"));
    CHECK(!b.is_full);
    buf_put(&b, S("defg"));
    CHECK(b.is_full);
    CHECK_STR(buf_str(&b), S("abcde"));
    CHECK(!buf_flush(&b));
}

TEST(padding_counts_code_points) {
    struct buf b = buf_new(t->arena, 100);
    buf_pad(&b, S("\xc2\xb5s"), 4);
    buf_byte(&b, '|');
    buf_pad(&b, S("ab"), -4);
    buf_byte(&b, '|');
    buf_pad(&b, S("abcdef"), 4);
    CHECK_STR(buf_str(&b), S("  \xc2\xb5s|ab  |abcdef"));
}

static bool collect(void *to, str bytes) {
    buf_put(to, bytes);
    return true;
}

static bool refuse(void *to, str bytes) {
    *(size_t *)to += bytes.len;
    return false;
}

TEST(sink_gets_every_byte_in_order) {
    struct buf all = buf_new(t->arena, 1000);
    struct buf b = buf_to_sink(t->arena, 8, collect, &all);
    buf_put(&b, S("abc"));
    buf_put(&b, S("0123456789abcdef")); // longer than the chunk: goes straight through, behind what
                                        // was held
    buf_printf(&b, "%d", 42);
    CHECK(buf_flush(&b));
    CHECK_STR(buf_str(&all), S("abc0123456789abcdef42"));
}

TEST(sink_that_refuses_is_asked_once) {
    size_t asked = 0;
    struct buf b = buf_to_sink(t->arena, 4, refuse, &asked);
    buf_put(&b, S("abcd"));
    buf_put(&b, S("efgh"));
    buf_put(&b, S("ijkl"));
    CHECK(!buf_flush(&b));
    CHECK_EQ(asked, 4);
}

TEST(error_sentences_nest_and_are_bounded) {
    CHECK(!err_set(&t->err, ERR_MALFORMED, 7, "label of %d bytes passes the end", 12));
    CHECK(!err_in(&t->err, "heap profile"));
    CHECK_EQ(t->err.code, ERR_MALFORMED);
    CHECK_EQ(t->err.at, 7);
    CHECK_STR(str_of(t->err.text), S("heap profile: label of 12 bytes passes the end"));
    for (int i = 0; i < 200; i++) err_in(&t->err, "deeper");
    CHECK_EQ(strlen(t->err.text), ERR_TEXT_CAP - 1);
    CHECK(str_ends(str_of(t->err.text), S("...")));
}

TEST(system_errors_carry_the_words_of_errno) {
    errno = ENOENT;
    CHECK(!err_sys(&t->err, "open %s", "x"));
    CHECK_STR(str_of(t->err.text), S("open x: no such file or directory"));
}
