// formats/threadz.c - the stacks of all threads as text.
// Room: one block a thread, with or without symbols beside the addresses. Door: threadz_decode().
// Source: reference/pprof.md section 3.6.
#include "formats/legacy.h"

// "--- threadz N ---" anywhere in line.
static bool is_start(str line) {
    const str words = S("--- threadz ");
    for (ptrdiff_t at; (at = str_find(line, words)) >= 0;) {
        line = str_skip(line, (size_t)at + words.len);
        str rest = line, digits;
        if (take_digits(&rest, &digits) && str_starts(rest, S(" ---"))) return true;
    }
    return false;
}

// "/N) stack: ---" anywhere in text.
static bool has_thread_end(str text) {
    const str words = S(") stack: ---");
    for (str rest = text; rest.len;) {
        ptrdiff_t at = str_find(rest, words);
        if (at < 0) return false;
        str before = str_take(text, (size_t)(rest.p + at - text.p));
        size_t n = 0;
        while (n < before.len && is_digit(before.p[before.len - 1 - n])) n++;
        if (n > 0 && n < before.len && before.p[before.len - 1 - n] == '/') return true;
        rest = str_skip(rest, (size_t)at + words.len);
    }
    return false;
}

// "--- Thread HEX (name: NAME/N) stack: ---" anywhere in line.
static bool is_thread(str line) {
    const str words = S("--- Thread ");
    for (ptrdiff_t at; (at = str_find(line, words)) >= 0;) {
        line = str_skip(line, (size_t)at + words.len);
        str rest = line;
        bool is_head = take_while(&rest, is_hex).len > 0 && take_text(&rest, S(" (name: "));
        // What does not end here does not end behind a later head.
        if (is_head) return has_thread_end(rest);
    }
    return false;
}

// Reads one thread's block into a new sample; *line gets the line behind it. A block without
// addresses means the thread before once more.
static bool read_block(struct legacy *l, struct lines *s, str *line, struct err *err) {
    bool is_same = false;
    legacy_sample_add(l);
    while (lines_next(s)) {
        *line = str_trim(s->line);
        if (line->len == 0) continue;
        if (str_starts(*line, S("---"))) break;
        if (str_contains(*line, S("same as previous thread")))
            is_same = true;
        else if (!legacy_addresses_add(l, *line, true, *line, err))
            return false;
    }
    struct legacy_sample *sample = &l->samples[l->n_samples - 1];
    if (!is_same && sample->n > 0) {
        sample->values[0] = 1;
        return true;
    }
    l->n_addresses = sample->at;
    l->n_samples--;
    if (l->n_samples > 0) l->samples[l->n_samples - 1].values[0]++;
    return true;
}

static bool read_blocks(struct legacy *l, struct lines *s, str line, struct err *err) {
    while (!is_map_sentinel(line) && !str_starts(line, S("---- no stack trace for"))) {
        if (!is_thread(line)) return legacy_unrecognized(err);
        line = (str){0};
        if (!read_block(l, s, &line, err)) return false;
    }
    return true;
}

bool threadz_decode(struct arena *out, str bytes, struct profile *ret, struct err *err) {
    struct lines s = lines_of(bytes);
    while (lines_next(&s) && is_space_or_comment(s.line)) continue;
    str line = s.line;
    if (is_start(line)) {
        while (lines_next(&s)) {
            line = s.line;
            if (is_map_sentinel(line) || str_starts(line, S("-"))) break;
        }
    } else if (!is_thread(line)) {
        return legacy_unrecognized(err);
    }
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct legacy l;
    legacy_init(&l, out, &scratch);
    l.b.p.period = 1;
    legacy_period_type(&l, S("thread"), S("count"));
    builder_sample_type(&l.b, S("thread"), S("count"));
    l.drops_doubled_leaf = true;
    if (!read_blocks(&l, &s, line, err)) return false;
    legacy_skip_to_map(&s);
    legacy_read_map(&l, &s);
    *ret = legacy_finish(&l);
    return true;
}
