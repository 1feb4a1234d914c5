// formats/maps.c - the memory map section behind the samples of most legacy forms.
// Room: lines of /proc/self/maps or of the brief form, substitutions in them, and the repairs the
// original makes. Door: legacy_read_map(). Source: reference/pprof.md section 3.7.
#include "formats/legacy.h"

enum {
    // Assignments "name=value" honoured for later lines; maps use one or two ("build").
    MAX_ASSIGNMENTS = 64,
    // A line after substitution; the original stops at lines of this length.
    MAX_LINE_BYTES = 64 << 10,
    USUAL_START = 0x400000, // where x86-64 programs that are not PIE are linked to
};

struct assignments {
    str names[MAX_ASSIGNMENTS], values[MAX_ASSIGNMENTS]; // names start with '$'
    size_t n;
};

// What one line says, as text.
struct map_line {
    str start, limit, perm, offset, file, build_id;
};

static bool is_perm(char c) {
    return c == '-' || c == 'r' || c == 'w' || c == 'x' || c == 'p';
}

static bool is_not_space(char c) {
    return !is_space(c);
}

// Hex digits with or without 0x in front.
static bool take_hex(str *rest, str *ret) {
    str from = *rest;
    if (take_text(&from, S("0x"))) {
        *ret = take_while(&from, is_hex);
        if (ret->len) {
            *rest = from;
            return true;
        }
    }
    *ret = take_while(rest, is_hex);
    return ret->len > 0;
}

// Blanks and then text of one kind; nothing is taken where either is missing.
static bool take_word(str *rest, bool (*is)(char), str *ret) {
    str from = *rest;
    if (take_while(&from, is_space).len == 0) return false;
    *ret = take_while(&from, is);
    if (ret->len == 0) return false;
    *rest = from;
    return true;
}

// The address range. With is_split the last digit of the first number is the second one: what the
// original's expression falls back to where no second number follows.
static bool take_range(str *rest, bool is_split, struct map_line *ret) {
    take_while(rest, is_space);
    if (!take_hex(rest, &ret->start)) return false;
    if (is_split) {
        if (ret->start.len < 2) return false;
        ret->start.len--;
        *rest = (str){rest->p - 1, rest->len + 1};
    } else {
        if (!take_text(rest, S("-")) && rest->len && is_space(rest->p[0]))
            *rest = str_skip(*rest, 1);
        take_while(rest, is_space);
    }
    if (!take_hex(rest, &ret->limit)) return false;
    take_text(rest, S(":"));
    return true;
}

// Device and inode: " 08:02 173521".
static bool take_device(str *rest) {
    str ignored;
    return take_word(rest, is_hex, &ignored) && take_text(rest, S(":")) &&
           take_while(rest, is_hex).len > 0 && take_word(rest, is_digit, &ignored);
}

// "400000-452000 r-xp 00000000 08:02 173521 /bin/x": as the kernel writes it.
static bool split_proc(str line, bool is_split, struct map_line *ret) {
    *ret = (struct map_line){0};
    if (!take_range(&line, is_split, ret)) return false;
    take_word(&line, is_perm, &ret->perm);
    str with_offset = line;
    if (take_word(&with_offset, is_hex, &ret->offset) && take_device(&with_offset)) {
        line = with_offset;
    } else {
        ret->offset = (str){0};
        if (!take_device(&line)) return false;
    }
    take_word(&line, is_not_space, &ret->file);
    return true;
}

// "(@FF00)".
static void take_at_offset(str *rest, str *ret) {
    str from = *rest;
    if (take_while(&from, is_space).len == 0 || !take_text(&from, S("(@"))) return;
    str digits = take_while(&from, is_hex);
    if (digits.len == 0 || !take_text(&from, S(")"))) return;
    *ret = digits;
    *rest = from;
}

// "40000-80000 /bin/x (@FF00) abc123456": every part behind the range may be missing.
static bool split_brief(str line, bool is_split, struct map_line *ret) {
    *ret = (struct map_line){0};
    if (!take_range(&line, is_split, ret)) return false;
    take_word(&line, is_perm, &ret->perm);
    take_word(&line, is_not_space, &ret->file);
    take_at_offset(&line, &ret->offset);
    take_word(&line, is_hex, &ret->build_id);
    return true;
}

static bool split_line(str line, struct map_line *ret) {
    return split_proc(line, false, ret) || split_proc(line, true, ret) ||
           split_brief(line, false, ret) || split_brief(line, true, ret);
}

// Takes a line as a mapping; true also for one that cannot run and is left out.
static bool read_mapping(struct legacy *l, str line) {
    struct map_line parts;
    struct mapping m = {0};
    if (!split_line(line, &parts)) return false;
    if (parts.perm.len && str_find_byte(parts.perm, 'x') < 0) return true;
    if (!num_parse_u64(parts.start, 16, &m.start) || !num_parse_u64(parts.limit, 16, &m.limit))
        return false;
    if (parts.offset.len && !num_parse_u64(parts.offset, 16, &m.offset)) return false;
    m.file = builder_str(&l->b, parts.file);
    m.build_id = builder_str(&l->b, parts.build_id);
    GROW(l->scratch, l->mappings, l->cap_mappings, l->n_mappings + 1);
    l->mappings[l->n_mappings++] = m;
    return true;
}

// Without "FILE:LINE] " in front, which glog writes.
static str drop_log_prefix(str line) {
    size_t end = 0;
    while (end < line.len && line.p[end] != '[' && line.p[end] != ']') end++;
    if (end + 1 >= line.len || line.p[end] != ']' || !is_space(line.p[end + 1])) return line;
    size_t digits = end;
    while (digits > 0 && is_digit(line.p[digits - 1])) digits--;
    bool is_prefix = digits < end && digits > 1 && line.p[digits - 1] == ':';
    return is_prefix ? str_skip(line, end + 2) : line;
}

static bool assign(struct assignments *a, struct arena *scratch, str line) {
    str name, value;
    if (!str_cut(line, '=', &name, &value) || a->n == MAX_ASSIGNMENTS) return false;
    str parts[] = {S("$"), str_trim(name)};
    a->names[a->n] = str_join(scratch, parts, countof(parts), (str){0});
    a->values[a->n++] = str_copy(scratch, str_trim(value));
    return true;
}

// The value of the earliest assignment whose name stands at the front of *rest.
static bool take_assigned(const struct assignments *a, str *rest, str *ret) {
    for (size_t i = 0; i < a->n; i++) {
        if (!take_text(rest, a->names[i])) continue;
        *ret = a->values[i];
        return true;
    }
    return false;
}

static str substitute(const struct assignments *a, struct buf *to, str line) {
    if (a->n == 0 || str_find_byte(line, '$') < 0) return line;
    to->len = 0;
    to->is_full = false;
    while (line.len) {
        str value;
        if (line.p[0] == '$' && take_assigned(a, &line, &value)) {
            buf_put(to, value);
        } else {
            buf_byte(to, line.p[0]);
            line = str_skip(line, 1);
        }
    }
    return buf_str(to);
}

static bool are_adjacent(const struct mapping *a, const struct mapping *b) {
    if (a->file && b->file && a->file != b->file) return false;
    if (a->build_id && b->build_id && a->build_id != b->build_id) return false;
    if (a->limit != b->start) return false;
    return !a->offset || !b->offset || a->offset + (a->limit - a->start) == b->offset;
}

// Unites mappings that were one and were split.
static void unite_adjacent(struct legacy *l) {
    size_t n = l->n_mappings > 0;
    for (size_t i = 1; i < l->n_mappings; i++) {
        struct mapping *last = &l->mappings[n - 1];
        const struct mapping *m = &l->mappings[i];
        if (!are_adjacent(last, m)) {
            l->mappings[n++] = *m;
            continue;
        }
        last->limit = m->limit;
        if (m->file) last->file = m->file;
        if (m->build_id) last->build_id = m->build_id;
    }
    l->n_mappings = n;
}

// ".so" at the end, or ".so.1" or ".so_1" anywhere.
static bool is_library(str file) {
    if (str_ends(file, S(".so"))) return true;
    for (ptrdiff_t at; (at = str_find(file, S(".so"))) >= 0;) {
        file = str_skip(file, (size_t)at + 3);
        if (file.len > 1 && (file.p[0] == '.' || file.p[0] == '_') && is_digit(file.p[1]))
            return true;
    }
    return false;
}

static bool may_be_main(str file) {
    file = str_trim(str_drop_suffix(str_drop_prefix(file, S("(deleted)")), S("(deleted)")));
    return file.len > 0 && file.p[0] != '[' && !is_library(file);
}

static void put_main_first(struct legacy *l) {
    for (size_t i = 0; i < l->n_mappings; i++) {
        if (!may_be_main(profile_str(&l->b.p, l->mappings[i].file))) continue;
        struct mapping main = l->mappings[i];
        l->mappings[i] = l->mappings[0];
        l->mappings[0] = main;
        return;
    }
}

// A main program whose text was copied to huge pages shows them instead of itself; and one whose
// map begins past its headers is put where it was linked to.
static void repair_main(struct legacy *l) {
    if (l->n_mappings == 0) return;
    str file = profile_str(&l->b.p, l->mappings[0].file);
    bool is_huge = str_starts(file, S("/anon_hugepage"));
    if (is_huge && l->n_mappings > 1 && l->mappings[0].limit == l->mappings[1].start) {
        l->mappings++;
        l->n_mappings--;
        l->cap_mappings--;
    }
    struct mapping *m = &l->mappings[0];
    if (m->start - m->offset != USUAL_START) return;
    m->start = USUAL_START;
    m->offset = 0;
}

void legacy_skip_to_map(struct lines *s) {
    while (!is_map_sentinel(s->line) && lines_next(s)) continue;
}

void legacy_read_map(struct legacy *l, struct lines *s) {
    struct assignments a = {.n = 0};
    struct buf line = buf_new(l->scratch, MAX_LINE_BYTES);
    while (lines_next(s)) {
        str text = substitute(&a, &line, drop_log_prefix(s->line));
        if (!read_mapping(l, text)) assign(&a, l->scratch, text);
    }
    unite_adjacent(l);
    put_main_first(l);
    repair_main(l);
}
