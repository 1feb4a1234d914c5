// base/regex_class.c - the single-character half of RE2 syntax: escapes, classes, runes.
// Room: what stands for one character; groups and repetition are regex_syntax.c.
// Door: base/regex.h. Source: https://golang.org/s/re2syntax, behaviour of Go's regexp/syntax.
#include "base/regex_syntax.h"

#include <string.h>

bool regex_fail(struct err *err, const char *code, str part) {
    return err_set(err, ERR_USAGE, 0, "error parsing regexp: %s: `" S_FMT "`", code, S_ARG(part));
}

// The part of all that ends where rest starts.
static str before(str all, str rest) {
    return str_take(all, all.len - rest.len);
}

static size_t rune_size(u8 lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead < 0xe0) return 2;
    if (lead >= 0xe0 && lead < 0xf0) return 3;
    if (lead >= 0xf0 && lead < 0xf5) return 4;
    return 0;
}

bool regex_rune(str s, u32 *ret, str *rest, struct err *err) {
    size_t size = rune_size((u8)s.p[0]);
    if (size == 0 || size > s.len) return regex_fail(err, "invalid UTF-8", s);
    u32 rune = size == 1 ? (u8)s.p[0] : (u8)s.p[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (((u8)s.p[i] & 0xc0) != 0x80) return regex_fail(err, "invalid UTF-8", s);
        rune = rune << 6 | ((u8)s.p[i] & 0x3f);
    }
    static const u32 least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (rune < least[size] || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) {
        return regex_fail(err, "invalid UTF-8", s);
    }
    *ret = rune;
    *rest = str_skip(s, size);
    return true;
}

static bool is_alnum(u32 c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void regex_put_rune(struct buf *to, u32 rune) {
    if (rune < 0x80 && (is_alnum(rune) || rune == '_')) {
        buf_byte(to, (char)rune);
    } else {
        buf_printf(to, "\\x{%x}", rune);
    }
}

static int unhex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// What follows "\x": two digits, or any number of them in braces.
static bool hex_escape(str all, str t, u32 *ret, str *rest, struct err *err) {
    u32 rune = 0;
    if (t.len >= 2 && t.p[0] == '{') {
        size_t i = 1;
        for (; i < t.len && unhex(t.p[i]) >= 0 && rune <= 0x10ffff; i++) {
            rune = rune * 16 + (u32)unhex(t.p[i]);
        }
        if (i < t.len && t.p[i] == '}' && i > 1 && rune <= 0x10ffff) {
            *ret = rune;
            *rest = str_skip(t, i + 1);
            return true;
        }
        // Go names the escape up to and with the byte it stopped at.
        return regex_fail(err, "invalid escape sequence",
                          str_take(all, (size_t)(t.p - all.p) + (i < t.len ? i + 1 : i)));
    }
    if (t.len >= 2 && unhex(t.p[0]) >= 0 && unhex(t.p[1]) >= 0) {
        *ret = (u32)(unhex(t.p[0]) * 16 + unhex(t.p[1]));
        *rest = str_skip(t, 2);
        return true;
    }
    return regex_fail(err, "invalid escape sequence", before(all, str_skip(t, 2)));
}

static u32 octal_escape(str t, u32 first, str *rest) {
    u32 rune = first;
    size_t i = 0;
    for (; i < 2 && i < t.len && t.p[i] >= '0' && t.p[i] <= '7'; i++) {
        rune = rune * 8 + (u32)(t.p[i] - '0');
    }
    *rest = str_skip(t, i);
    return rune;
}

bool regex_escape(str s, u32 *ret, str *rest, struct err *err) {
    str t = str_skip(s, 1);
    if (t.len == 0) return regex_fail(err, "trailing backslash at end of expression", t);
    u32 c;
    if (!regex_rune(t, &c, &t, err)) return false;
    static const char names[] = "afnrtv", codes[] = "\a\f\n\r\t\v";
    const char *named = c < 0x80 && c ? strchr(names, (int)c) : NULL;
    if (named) {
        *ret = (u32)codes[named - names];
        *rest = t;
        return true;
    }
    bool is_octal =
        c == '0' || (c >= '1' && c <= '7' && t.len > 0 && t.p[0] >= '0' && t.p[0] <= '7');
    if (is_octal) {
        *ret = octal_escape(t, c - '0', rest);
        return true;
    }
    if (c == 'x') return hex_escape(s, t, ret, rest, err);
    if (c < 0x80 && !is_alnum(c)) {
        *ret = c;
        *rest = t;
        return true;
    }
    return regex_fail(err, "invalid escape sequence", before(s, t));
}

bool regex_perl_class(str s, bool in_class, struct buf *to, str *rest) {
    if (s.len < 2 || s.p[0] != '\\') return false;
    // Go's \s has no vertical tab, PCRE2's has.
    const char *set = NULL;
    switch (s.p[1]) {
    case 'd':
        set = in_class ? "0-9" : "[0-9]";
        break;
    case 'D':
        set = in_class ? "\\D" : "[^0-9]";
        break;
    case 's':
        set = in_class ? "\\t\\n\\f\\r\\x20" : "[\\t\\n\\f\\r\\x20]";
        break;
    case 'S':
        set = in_class ? "\\S\\x0b" : "[^\\t\\n\\f\\r\\x20]";
        break;
    case 'w':
        set = in_class ? "0-9A-Za-z_" : "[0-9A-Za-z_]";
        break;
    case 'W':
        set = in_class ? "\\W" : "[^0-9A-Za-z_]";
        break;
    }
    if (!set) return false;
    buf_put(to, str_of(set));
    *rest = str_skip(s, 2);
    return true;
}

bool regex_unicode_class(str s, struct buf *to, bool *matched, str *rest, struct err *err) {
    *matched = false;
    if (s.len < 3 || s.p[0] != '\\' || (s.p[1] != 'p' && s.p[1] != 'P')) return true;
    *matched = true;
    str name = str_take(str_skip(s, 2), 1);
    *rest = str_skip(s, 3);
    if (s.p[2] == '{') {
        ptrdiff_t end = str_find_byte(s, '}');
        if (end < 0) return regex_fail(err, "invalid character class range", s);
        name = str_take(str_skip(s, 3), (size_t)end - 3);
        *rest = str_skip(s, (size_t)end + 1);
    }
    bool is_negated = s.p[1] == 'P';
    if (name.len > 0 && name.p[0] == '^') {
        is_negated = !is_negated;
        name = str_skip(name, 1);
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!is_alnum((u8)name.p[i]) && name.p[i] != '_') {
            return regex_fail(err, "invalid character class range", before(s, *rest));
        }
    }
    if (name.len == 0) return regex_fail(err, "invalid character class range", before(s, *rest));
    buf_printf(to, "\\%c{" S_FMT "}", is_negated ? 'P' : 'p', S_ARG(name));
    return true;
}

static bool posix_class(str s, struct buf *to, bool *matched, str *rest, struct err *err) {
    *matched = false;
    if (s.len <= 2 || s.p[0] != '[' || s.p[1] != ':') return true;
    ptrdiff_t end = str_find(str_skip(s, 2), S(":]"));
    if (end < 0) return true;
    str name = str_take(s, (size_t)end + 4);
    str word = str_drop_prefix(str_take(str_skip(s, 2), (size_t)end), S("^"));
    static const char *const known[] = {"alnum", "alpha", "ascii", "blank", "cntrl",
                                        "digit", "graph", "lower", "print", "punct",
                                        "space", "upper", "word",  "xdigit"};
    for (size_t i = 0; i < countof(known); i++) {
        if (!str_eq(word, str_of(known[i]))) continue;
        buf_put(to, name);
        *matched = true;
        *rest = str_skip(s, name.len);
        return true;
    }
    return regex_fail(err, "invalid character class range", name);
}

static bool class_rune(str s, str whole, u32 *ret, str *rest, struct err *err) {
    if (s.len == 0) return regex_fail(err, "missing closing ]", whole);
    return s.p[0] == '\\' ? regex_escape(s, ret, rest, err) : regex_rune(s, ret, rest, err);
}

static bool class_range(str t, str whole, struct buf *to, str *rest, struct err *err) {
    u32 low, high;
    str s = t;
    if (!class_rune(s, whole, &low, &s, err)) return false;
    regex_put_rune(to, low);
    if (s.len >= 2 && s.p[0] == '-' && s.p[1] != ']') {
        if (!class_rune(str_skip(s, 1), whole, &high, &s, err)) return false;
        if (high < low) return regex_fail(err, "invalid character class range", before(t, s));
        buf_byte(to, '-');
        regex_put_rune(to, high);
    }
    *rest = s;
    return true;
}

bool regex_class(str s, struct buf *to, str *rest, struct err *err) {
    str t = str_skip(s, 1);
    buf_byte(to, '[');
    if (t.len > 0 && t.p[0] == '^') {
        buf_byte(to, '^');
        t = str_skip(t, 1);
    }
    for (bool is_first = true; is_first || t.len == 0 || t.p[0] != ']'; is_first = false) {
        bool matched;
        if (!posix_class(t, to, &matched, &t, err)) return false;
        if (matched) continue;
        if (!regex_unicode_class(t, to, &matched, &t, err)) return false;
        if (matched || regex_perl_class(t, true, to, &t)) continue;
        if (!class_range(t, s, to, &t, err)) return false;
    }
    buf_byte(to, ']');
    *rest = str_skip(t, 1);
    return true;
}
