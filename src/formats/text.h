// formats/text.h - lines and tokens of the text forms.
// Room: private to formats/: taking pieces off the front of a line. The original's grammars are
// regular expressions; here each is a few calls that give the same pieces. Door: lines_next(),
// take_while() and friends.
#pragma once

#include "base/base.h"

// The lines of a text. After lines_next gave false, line is empty.
struct lines {
    struct reader r;
    str line;
};

static inline struct lines lines_of(str text) {
    return (struct lines){.r = reader_of(text)};
}

static inline bool lines_next(struct lines *l) {
    if (reader_line(&l->r, &l->line)) return true;
    l->line = (str){0};
    return false;
}

static inline bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}
static inline bool is_blank(char c) {
    return c == ' ';
}
static inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
static inline bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
static inline bool is_lower_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f');
}
// What may stand in a list of addresses.
static inline bool is_address_text(char c) {
    return is_lower_hex(c) || c == ' ' || c == 'x';
}

// The longest front of *rest whose bytes all are; it is taken off.
static inline str take_while(str *rest, bool (*is)(char)) {
    size_t n = 0;
    while (n < rest->len && is(rest->p[n])) n++;
    str taken = str_take(*rest, n);
    *rest = str_skip(*rest, n);
    return taken;
}

// Takes text off the front of *rest where it stands there.
static inline bool take_text(str *rest, str text) {
    if (!str_starts(*rest, text)) return false;
    *rest = str_skip(*rest, text.len);
    return true;
}

// One or more digits.
static inline bool take_digits(str *rest, str *ret) {
    *ret = take_while(rest, is_digit);
    return ret->len > 0;
}

static inline bool is_space_or_comment(str line) {
    line = str_trim(line);
    return line.len == 0 || line.p[0] == '#';
}

// The line that starts the memory map section.
static inline bool is_map_sentinel(str line) {
    return str_contains(line, S("--- Memory map: ---")) ||
           str_contains(line, S("MAPPED_LIBRARIES:"));
}
