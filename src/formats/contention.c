// formats/contention.c - contention and mutex profiles as text, of C++ servers and of Go.
// Room: attributes that say how to scale, then samples. Door: contention_decode(). Source:
// reference/pprof.md section 3.5.
#include "formats/legacy.h"

static bool is_header(str line) {
    return str_starts(line, S("--- contentionz ")) || str_starts(line, S("--- mutex:")) ||
           str_starts(line, S("--- contention:"));
}

// One "name = value". What is unknown here may be Java's.
static bool read_attribute(struct legacy *l, str name, str value, i64 *cpu_hz) {
    if (str_eq(name, S("cycles/second"))) return num_parse_i64(value, 0, cpu_hz);
    if (str_eq(name, S("sampling period"))) return num_parse_i64(value, 0, &l->b.p.period);
    if (str_eq(name, S("discarded samples"))) return true;
    i64 ms;
    if (!str_eq(name, S("ms since reset")) || !num_parse_i64(value, 0, &ms)) return false;
    l->b.p.duration_nanos = (i64)((u64)ms * 1000 * 1000);
    return true;
}

// Reads attributes up to the first line that is none; that line is s->line then.
static bool read_attributes(struct legacy *l, struct lines *s, i64 *cpu_hz) {
    while (lines_next(s)) {
        str line = str_trim(s->line), name, value;
        if (is_space_or_comment(line)) continue;
        if (str_starts(line, S("---")) || !str_cut(line, '=', &name, &value)) return true;
        if (!read_attribute(l, str_trim(name), str_trim(value), cpu_hz)) return false;
    }
    return true;
}

// "DELAY COUNT @ ..." anywhere in line. Without a blank between them the last digit is the count:
// the original's expression gives digits back until it matches.
static bool find_sample(str line, str *delay, str *count, str *addresses) {
    for (str rest = line; rest.len;) {
        if (!take_digits(&rest, delay)) {
            rest = str_skip(rest, 1);
            continue;
        }
        str from = rest;
        take_while(&from, is_blank);
        bool has_both = take_digits(&from, count) && str_starts(from, S(" @"));
        bool has_one = delay->len > 1 && str_starts(rest, S(" @"));
        if (!has_both && !has_one) continue;
        if (!has_both) {
            *count = str_skip(*delay, delay->len - 1);
            delay->len--;
            from = rest;
        }
        from = str_skip(from, 2);
        *addresses = take_while(&from, is_address_text);
        return true;
    }
    return false;
}

static bool read_sample(struct legacy *l, str line, i64 cpu_hz, struct err *err) {
    str delay_text, count_text, addresses;
    i64 delay, count, period = l->b.p.period;
    if (!find_sample(line, &delay_text, &count_text, &addresses)) return legacy_unrecognized(err);
    if (!legacy_number(delay_text, 10, line, &delay, err)) return false;
    if (!legacy_number(count_text, 10, line, &count, err)) return false;
    if (period > 0) {
        if (cpu_hz > 0)
            delay = legacy_truncate((double)delay * (double)period / ((double)cpu_hz / 1e9));
        count = (i64)((u64)count * (u64)period);
    }
    struct legacy_sample *s = legacy_sample_add(l);
    s->values[0] = count;
    s->values[1] = delay;
    return legacy_addresses_add(l, addresses, false, line, err);
}

bool contention_decode(struct arena *out, str bytes, struct profile *ret, struct err *err) {
    struct lines s = lines_of(bytes);
    if (!lines_next(&s) || !is_header(s.line)) return legacy_unrecognized(err);
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct legacy l;
    legacy_init(&l, out, &scratch);
    l.b.p.period = 1;
    legacy_period_type(&l, S("contentions"), S("count"));
    builder_sample_type(&l.b, S("contentions"), S("count"));
    builder_sample_type(&l.b, S("delay"), S("nanoseconds"));
    i64 cpu_hz = 0;
    if (!read_attributes(&l, &s, &cpu_hz)) return legacy_unrecognized(err);
    do {
        str line = str_trim(s.line);
        if (str_starts(line, S("---"))) break;
        if (!is_space_or_comment(line) && !read_sample(&l, line, cpu_hz, err)) return false;
    } while (lines_next(&s));
    legacy_skip_to_map(&s);
    legacy_read_map(&l, &s);
    *ret = legacy_finish(&l);
    return true;
}
