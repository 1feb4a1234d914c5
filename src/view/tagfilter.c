// view/tagfilter.c - tagfocus and tagignore: samples by their labels.
// Room: the grammar of one value and its answer for one sample. Door: view/parts.h.
// Source: reference/pprof.md section 2.3.
#include "view/parts.h"

#include <stdio.h>

enum {
    MAX_TEXT = 1 << 20
}; // bytes of one "key:value"; longer label values cannot come from a profile row

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
static bool is_alpha(char c) {
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

// Finds the next [+-]?digits[letters] at or after *at; *at moves behind it.
static bool next_number(str s, size_t *at, str *number, str *unit) {
    size_t i = *at;
    while (i < s.len) {
        size_t start = i;
        if (s.p[i] == '+' || s.p[i] == '-') i++;
        size_t digits = i;
        while (i < s.len && is_digit(s.p[i])) i++;
        if (i == digits) {
            i = start + 1;
            continue;
        }
        *number = str_take(str_skip(s, start), i - start);
        size_t letters = i;
        while (i < s.len && is_alpha(s.p[i])) i++;
        *unit = str_take(str_skip(s, letters), i - letters);
        *at = i;
        return true;
    }
    return false;
}

// "+5" reads as 5 there too.
static bool parse_number(str number, i64 *ret) {
    return num_parse_i64(str_drop_prefix(number, S("+")), 10, ret);
}

// N, N:, :N and N:M, each N with a unit; false when value is none of them.
static bool parse_range(str value, struct tag_filter *ret) {
    str number[2], unit[2], full_unit;
    size_t end[2] = {0}, start;
    if (!next_number(value, &end[0], &number[0], &unit[0])) return false;
    end[1] = end[0];
    bool has_two = next_number(value, &end[1], &number[1], &unit[1]);
    start = (size_t)(number[0].p - value.p);
    i64 n;
    if (!parse_number(number[0], &n)) return false;
    double first = units_scale(n, unit[0], unit[0], &full_unit);
    ret->unit = full_unit;
    ret->low = ret->high = first;
    if (has_two) {
        bool is_pair = start == 0 && end[0] < value.len && value.p[end[0]] == ':' &&
                       number[1].p == value.p + end[0] + 1 && end[1] == value.len;
        if (!is_pair || !parse_number(number[1], &n)) return false;
        ret->high = units_scale(n, unit[1], ret->unit, &full_unit);
        ret->has_low = ret->has_high = true;
        return str_eq(full_unit, ret->unit);
    }
    bool from_start = start == 0, to_end = end[0] == value.len;
    bool opens = start == 1 && value.p[0] == ':',
         closes = end[0] + 1 == value.len && value.p[end[0]] == ':';
    ret->has_low = from_start && (to_end || closes);
    ret->has_high = to_end && (from_start || opens);
    return ret->has_low || ret->has_high;
}

static bool compile_list(struct arena *out, const char *option, str value, struct tag_filter *ret,
                         struct err *err) {
    u32 n = 1;
    for (size_t i = 0; i < value.len; i++) n += value.p[i] == ',';
    ret->regexes = NEW(out, struct regex *, n);
    str part, rest = value;
    bool more = true;
    while (more) {
        more = str_cut(rest, ',', &part, &rest);
        if (!regex_compile(out, part, &ret->regexes[ret->n], err)) {
            char context[64];
            snprintf(context, sizeof context, "parsing %s regexp", option);
            return err_in(err, context);
        }
        ret->n++;
    }
    return true;
}

bool tag_filter_init(struct arena *out, const char *option, str value, struct buf *messages,
                     struct tag_filter *ret, struct err *err) {
    *ret = (struct tag_filter){.text = buf_new(out, MAX_TEXT)};
    if (value.len == 0) return true;
    ret->is_given = true;
    str key, rest;
    if (str_cut(value, '=', &key, &rest)) {
        ret->key = key;
        value = rest;
    }
    if (parse_range(value, ret)) {
        ret->is_range = true;
        buf_printf(messages, "%s:Interpreted '" S_FMT "' as range, not regexp\n", option,
                   S_ARG(value));
        return true;
    }
    if (compile_list(out, option, value, ret, err)) return true;
    tag_filter_done(ret);
    return false;
}

void tag_filter_done(struct tag_filter *f) {
    for (u32 i = 0; i < f->n; i++) regex_done(f->regexes[i]);
    f->n = 0;
}

static bool number_matches(const struct tag_filter *f, const struct view *v,
                           const struct label *l) {
    str unit;
    double x = units_scale(l->num, view_label_unit(v, l->key), f->unit, &unit);
    return str_eq(unit, f->unit) && (!f->has_low || x >= f->low) && (!f->has_high || x <= f->high);
}

static bool range_matches(const struct tag_filter *f, const struct view *v,
                          const struct label *labels, u32 n) {
    for (u32 i = 0; i < n; i++) {
        if (label_is_text(&labels[i])) continue;
        if (f->key.len > 0 && !str_eq(f->key, profile_str(v->p, labels[i].key))) continue;
        if (number_matches(f, v, &labels[i])) return true;
    }
    return false;
}

// With a key: any expression matches any of its values.
static bool key_matches(const struct tag_filter *f, const struct profile *p,
                        const struct label *labels, u32 n) {
    for (u32 i = 0; i < n; i++) {
        if (!label_is_text(&labels[i]) || !str_eq(f->key, profile_str(p, labels[i].key))) continue;
        for (u32 j = 0; j < f->n; j++) {
            if (regex_match(f->regexes[j], profile_str(p, labels[i].str))) return true;
        }
    }
    return false;
}

static bool any_label_matches(const struct regex *re, const struct profile *p,
                              const struct label *labels, u32 n, struct buf *text) {
    for (u32 i = 0; i < n; i++) {
        if (!label_is_text(&labels[i])) continue;
        text->len = 0;
        buf_put(text, profile_str(p, labels[i].key));
        buf_byte(text, ':');
        buf_put(text, profile_str(p, labels[i].str));
        if (regex_match(re, buf_str(text))) return true;
    }
    return false;
}

bool tag_filter_matches(struct tag_filter *f, const struct view *v, u32 sample_i) {
    u32 n;
    const struct label *labels = profile_labels(v->p, sample_i, &n);
    if (f->is_range) return range_matches(f, v, labels, n);
    if (f->key.len > 0) return key_matches(f, v->p, labels, n);
    // Without a key every expression must match some label.
    for (u32 i = 0; i < f->n; i++) {
        if (!any_label_matches(f->regexes[i], v->p, labels, n, &f->text)) return false;
    }
    return true;
}
