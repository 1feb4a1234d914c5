// base/regex_syntax.c - RE2 syntax checked as Go checks it, and written down for PCRE2.
// Room: groups, flags, repetition, anchors; single characters are regex_class.c.
// Door: base/regex.h. Source: https://golang.org/s/re2syntax, behaviour of Go's regexp/syntax.
//
// Only whether a text matches is ever asked, so groups capture nothing. What PCRE2 reads
// differently is written out: $ is \z, . is [^\n], \s has no vertical tab; (?s), (?m) and (?U) are
// resolved here.
#include "base/regex_syntax.h"

enum {
    MAX_DEPTH = 1000,  // Go refuses deeper nesting too
    MAX_REPEAT = 1000, // Go's limit on {n,m}
};

enum { FLAG_MULTI = 1, FLAG_DOT_ALL = 2 };

struct translator {
    str all, left;
    struct buf *to;
    struct err *err;
    u8 flags;
    u8 group_flags[MAX_DEPTH]; // flags to come back to at ')'
    bool group_has_item[MAX_DEPTH];
    u32 depth;
    bool has_item;   // something stands before that can be repeated
    str last_repeat; // where the repetition just read starts; empty when the last thing was none
    bool has_operator;
};

static str part_until(str from, str rest) {
    return str_take(from, from.len - rest.len);
}

static void item(struct translator *t, const char *text, size_t len) {
    buf_put(t->to, str_of(text));
    t->left = str_skip(t->left, len);
    t->has_item = true;
    t->has_operator = true;
}

static bool is_name(str name) {
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        bool is_ok = c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
        if (!is_ok) return false;
    }
    return name.len > 0;
}

static bool open_group(struct translator *t, size_t len) {
    if (t->depth == MAX_DEPTH) {
        return regex_fail(t->err, "expression nests too deeply", t->all);
    }
    t->group_flags[t->depth] = t->flags;
    t->group_has_item[t->depth++] = t->has_item;
    t->has_item = false;
    t->left = str_skip(t->left, len);
    buf_put(t->to, S("(?:"));
    return true;
}

// (?P<name>expr) and (?<name>expr); *matched false when it is neither.
static bool named_group(struct translator *t, bool *matched) {
    str s = t->left;
    size_t start = s.len > 4 && s.p[2] == 'P' && s.p[3] == '<' ? 4
                   : s.len > 3 && s.p[2] == '<'                ? 3
                                                               : 0;
    *matched = start != 0;
    if (!start) return true;
    ptrdiff_t end = str_find_byte(s, '>');
    if (end < 0) return regex_fail(t->err, "invalid named capture", s);
    str capture = str_take(s, (size_t)end + 1);
    if (!is_name(str_take(str_skip(s, start), (size_t)end - start))) {
        return regex_fail(t->err, "invalid named capture", capture);
    }
    return open_group(t, capture.len);
}

// Applies one flag letter; false when it is none.
static bool flag_letter(char c, bool is_on, u8 *flags, int *fold) {
    u8 bit = 0;
    switch (c) {
    case 'i':
        *fold = is_on;
        return true;
    case 'U':
        return true; // greediness does not change whether a text matches
    case 'm':
        bit = FLAG_MULTI;
        break;
    case 's':
        bit = FLAG_DOT_ALL;
        break;
    default:
        return false;
    }
    *flags = is_on ? *flags | bit : *flags & (u8)~bit;
    return true;
}

// (?flags) and (?flags:expr), at "(?".
static bool flag_group(struct translator *t) {
    str s = str_skip(t->left, 2);
    u8 flags = t->flags;
    int fold = -1; // -1: unchanged
    bool is_on = true, saw_flag = false;
    while (s.len > 0) {
        char c = s.p[0];
        s = str_skip(s, 1);
        if (flag_letter(c, is_on, &flags, &fold)) {
            saw_flag = true;
        } else if (c == '-' && is_on) {
            is_on = false;
            saw_flag = false;
        } else if ((c == ':' || c == ')') && (is_on || saw_flag)) {
            if (c == ':' && !open_group(t, 0)) return false;
            if (fold >= 0) buf_put(t->to, fold ? S("(?i)") : S("(?-i)"));
            t->flags = flags;
            t->left = s;
            return true;
        } else {
            break;
        }
    }
    return regex_fail(t->err, "invalid or unsupported Perl syntax", part_until(t->left, s));
}

static bool left_paren(struct translator *t) {
    t->has_operator = true;
    if (t->left.len < 2 || t->left.p[1] != '?') return open_group(t, 1);
    bool matched;
    if (!named_group(t, &matched)) return false;
    return matched || flag_group(t);
}

static bool right_paren(struct translator *t) {
    if (t->depth == 0) return regex_fail(t->err, "unexpected )", t->all);
    t->flags = t->group_flags[--t->depth];
    item(t, ")", 1);
    return true;
}

static bool digits(str *s, i64 *ret) {
    if (s->len == 0 || s->p[0] < '0' || s->p[0] > '9') return false;
    if (s->len >= 2 && s->p[0] == '0' && s->p[1] >= '0' && s->p[1] <= '9') return false;
    i64 n = 0;
    while (s->len > 0 && s->p[0] >= '0' && s->p[0] <= '9') {
        if (n < MAX_REPEAT * 10) n = n * 10 + (s->p[0] - '0');
        *s = str_skip(*s, 1);
    }
    *ret = n;
    return true;
}

// {n}, {n,}, {n,m}; false when s is no repetition and the brace stands for itself. *max -1: no
// limit.
static bool counted(str s, i64 *min, i64 *max, str *rest) {
    s = str_skip(s, 1);
    if (!digits(&s, min) || s.len == 0) return false;
    *max = *min;
    if (s.p[0] == ',') {
        s = str_skip(s, 1);
        *max = -1;
        if (s.len > 0 && s.p[0] != '}' && !digits(&s, max)) return false;
    }
    if (s.len == 0 || s.p[0] != '}') return false;
    *rest = str_skip(s, 1);
    return true;
}

// The repetition operator from t->left up to rest, with the '?' that may follow.
static bool repeat(struct translator *t, str rest, str last_repeat) {
    str op = t->left;
    if (rest.len > 0 && rest.p[0] == '?') rest = str_skip(rest, 1);
    if (last_repeat.len > 0) {
        return regex_fail(t->err, "invalid nested repetition operator",
                          part_until(last_repeat, rest));
    }
    if (!t->has_item) {
        return regex_fail(t->err, "missing argument to repetition operator", part_until(op, rest));
    }
    buf_put(t->to, part_until(op, rest));
    t->left = rest;
    t->last_repeat = op;
    t->has_operator = true;
    return true;
}

static void literal(struct translator *t, u32 rune, str rest) {
    regex_put_rune(t->to, rune);
    t->left = rest;
    t->has_item = true;
}

static bool brace(struct translator *t, str last_repeat) {
    i64 min, max;
    str rest;
    if (!counted(t->left, &min, &max, &rest)) {
        literal(t, '{', str_skip(t->left, 1));
        return true;
    }
    if (min > MAX_REPEAT || max > MAX_REPEAT || (max >= 0 && min > max)) {
        return regex_fail(t->err, "invalid repeat count", part_until(t->left, rest));
    }
    return repeat(t, rest, last_repeat);
}

// \Q...\E: everything between stands for itself.
static bool quoted(struct translator *t) {
    str s = str_skip(t->left, 2);
    ptrdiff_t end = str_find(s, S("\\E"));
    str text = end < 0 ? s : str_take(s, (size_t)end);
    str rest = end < 0 ? str_skip(s, s.len) : str_skip(s, (size_t)end + 2);
    while (text.len > 0) {
        u32 rune;
        if (!regex_rune(text, &rune, &text, t->err)) return false;
        literal(t, rune, rest);
    }
    t->left = rest;
    t->has_operator = true;
    return true;
}

static bool backslash(struct translator *t) {
    t->has_operator = true;
    switch (t->left.len >= 2 ? t->left.p[1] : 0) {
    case 'A':
        item(t, "(?:\\A)", 2);
        return true;
    case 'z':
        item(t, "(?:\\z)", 2);
        return true;
    case 'b':
        item(t, "(?:\\b)", 2);
        return true;
    case 'B':
        item(t, "(?:\\B)", 2);
        return true;
    case 'C':
        return regex_fail(t->err, "invalid escape sequence", str_take(t->left, 2));
    case 'Q':
        return quoted(t);
    }
    bool matched;
    if (!regex_unicode_class(t->left, t->to, &matched, &t->left, t->err)) return false;
    t->has_item = true;
    if (matched || regex_perl_class(t->left, false, t->to, &t->left)) return true;
    u32 rune;
    str rest;
    if (!regex_escape(t->left, &rune, &rest, t->err)) return false;
    literal(t, rune, rest);
    return true;
}

static bool step(struct translator *t) {
    str last_repeat = t->last_repeat;
    t->last_repeat = (str){0};
    bool is_multi = t->flags & FLAG_MULTI;
    u32 rune;
    str rest;
    switch (t->left.p[0]) {
    case '(':
        return left_paren(t);
    case ')':
        return right_paren(t);
    case '|':
        item(t, "|", 1);
        t->has_item = false;
        return true;
    case '^':
        item(t, is_multi ? "(?:(?m)^)" : "(?:\\A)", 1);
        return true;
    case '$':
        item(t, is_multi ? "(?:(?m)$)" : "(?:\\z)", 1);
        return true;
    case '.':
        item(t, t->flags & FLAG_DOT_ALL ? "(?:(?s).)" : "[^\\n]", 1);
        return true;
    case '[':
        t->has_operator = t->has_item = true;
        return regex_class(t->left, t->to, &t->left, t->err);
    case '*':
    case '+':
    case '?':
        return repeat(t, str_skip(t->left, 1), last_repeat);
    case '{':
        return brace(t, last_repeat);
    case '\\':
        return backslash(t);
    default:
        if (!regex_rune(t->left, &rune, &rest, t->err)) return false;
        literal(t, rune, rest);
        return true;
    }
}

bool regex_translate(str pattern, struct buf *to, bool *ret_is_literal, struct err *err) {
    struct translator t = {.all = pattern, .left = pattern, .to = to, .err = err};
    while (t.left.len > 0) {
        if (!step(&t)) return false;
    }
    if (t.depth > 0) return regex_fail(err, "missing closing )", pattern);
    *ret_is_literal = !t.has_operator;
    return true;
}
