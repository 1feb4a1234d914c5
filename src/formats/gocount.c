// formats/gocount.c - Go's count profiles as text: what /debug/pprof/goroutine?debug=1 answers.
// Room: counts and stacks; the symbols in its comments are not read, as in the original. Door:
// gocount_decode(). Source: reference/pprof.md section 3.4.
#include "formats/legacy.h"

static bool is_not_space(char c) {
    return !is_space(c);
}

// "TYPE profile: total N", and nothing else.
static bool read_header(str line, str *type) {
    *type = take_while(&line, is_not_space);
    str total;
    return type->len && take_text(&line, S(" profile: total ")) && take_digits(&line, &total) &&
           line.len == 0;
}

// "N @ 0x1 0x2", and nothing else.
static bool read_sample(struct legacy *l, str line, struct err *err) {
    str text = line, count;
    i64 n;
    bool is_ok =
        take_digits(&text, &count) && num_parse_i64(count, 0, &n) && take_text(&text, S(" @"));
    str addresses = text;
    while (is_ok && text.len)
        is_ok = take_text(&text, S(" 0x")) && take_while(&text, is_lower_hex).len > 0;
    if (is_ok && addresses.len) {
        legacy_sample_add(l)->values[0] = n;
        if (legacy_addresses_add(l, addresses, false, line, err)) return true;
    }
    return err_set(err, ERR_MALFORMED, 0, "malformed profile format");
}

bool gocount_decode(struct arena *out, str bytes, struct profile *ret, struct err *err) {
    struct lines s = lines_of(bytes);
    while (lines_next(&s) && is_space_or_comment(s.line)) continue;
    str type;
    if (!read_header(s.line, &type)) return legacy_unrecognized(err);
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct legacy l;
    legacy_init(&l, out, &scratch);
    l.b.p.period = 1;
    legacy_period_type(&l, type, S("count"));
    builder_sample_type(&l.b, type, S("count"));
    while (lines_next(&s)) {
        if (is_space_or_comment(s.line)) continue;
        if (str_starts(s.line, S("---"))) break;
        if (!read_sample(&l, s.line, err)) return false;
    }
    legacy_skip_to_map(&s);
    legacy_read_map(&l, &s);
    *ret = legacy_finish(&l);
    return true;
}
