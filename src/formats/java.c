// formats/java.c - Java heap and contention profiles as text, and the places of Java addresses.
// Room: attributes, samples with their values swapped, places. Door: java_decode(),
// java_read_places(). Source: reference/pprof.md section 3.8.
#include "formats/java.h"

enum { HEAP_RATE_BYTES = 512 << 10 }; // what the Java heap sampler uses; it is not in the file

enum java_kind { JAVA_HEAP, JAVA_CONTENTION };

static bool is_attribute_char(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ' ';
}

// "name=value" of word characters and blanks, anywhere in line.
static bool find_attribute(str line, str *name, str *value) {
    for (str rest = line; rest.len;) {
        *name = take_while(&rest, is_attribute_char);
        if (name->len && take_text(&rest, S("="))) {
            str from = rest;
            *value = take_while(&from, is_attribute_char);
            if (value->len) {
                *name = str_trim(*name);
                *value = str_trim(*value);
                return true;
            }
        } else if (name->len == 0) {
            rest = str_skip(rest, 1);
        }
    }
    return false;
}

static void set_types(struct legacy *l, str count_type, str other_type, str unit) {
    struct profile *p = &l->b.p;
    p->n_types = 0; // a second resolution takes the place of the first
    builder_sample_type(&l->b, count_type, S("count"));
    builder_sample_type(&l->b, other_type, unit);
}

static bool bad_attribute(str line, str value, struct err *err) {
    return err_set(err, ERR_MALFORMED, 0,
                   "failed to parse attribute " S_FMT ": strconv.ParseInt: parsing \"" S_FMT
                   "\": invalid syntax",
                   S_ARG(line), S_ARG(value));
}

static bool read_contention_attribute(struct legacy *l, str name, str value, str line,
                                      struct err *err) {
    if (str_eq(name, S("resolution"))) {
        set_types(l, S("contentions"), S("delay"), value);
    } else if (str_eq(name, S("sampling period"))) {
        legacy_period_type(l, S("contentions"), S("count"));
        if (!num_parse_i64(value, 0, &l->b.p.period)) return bad_attribute(line, value, err);
    } else if (str_eq(name, S("ms since reset"))) {
        i64 ms;
        if (!num_parse_i64(value, 0, &ms)) return bad_attribute(line, value, err);
        l->b.p.duration_nanos = (i64)((u64)ms * 1000 * 1000);
    } else {
        return legacy_unrecognized(err);
    }
    return true;
}

static bool read_attribute(struct legacy *l, enum java_kind kind, str name, str value, str line,
                           struct err *err) {
    if (str_eq(name, S("format"))) return str_eq(value, S("java")) || legacy_unrecognized(err);
    if (kind == JAVA_CONTENTION) return read_contention_attribute(l, name, value, line, err);
    if (!str_eq(name, S("resolution"))) return legacy_unrecognized(err);
    set_types(l, S("inuse_objects"), S("inuse_space"), value);
    return true;
}

// The next whole line of *text, trimmed; a last line without its newline is none, as in the
// original.
static bool peek_line(str text, str *line, str *rest) {
    bool is_whole = str_cut(text, '\n', line, rest);
    *line = str_trim(*line);
    return is_whole;
}

static bool read_attributes(struct legacy *l, enum java_kind kind, str *text, struct err *err) {
    str line, rest, name, value;
    for (; peek_line(*text, &line, &rest); *text = rest) {
        if (line.len == 0) continue;
        if (!find_attribute(line, &name, &value)) break;
        if (!read_attribute(l, kind, name, value, line, err)) return false;
    }
    return true;
}

// "V1 V2 @ ADDRESSES" anywhere in line.
static bool find_sample(str line, str *first, str *second, str *addresses) {
    for (str rest = line; rest.len;) {
        if (!take_digits(&rest, first)) {
            rest = str_skip(rest, 1);
            continue;
        }
        str from = rest;
        bool is_ok = take_while(&from, is_blank).len > 0 && take_digits(&from, second) &&
                     take_while(&from, is_blank).len > 0 && take_text(&from, S("@")) &&
                     take_while(&from, is_blank).len > 0;
        if (!is_ok) continue;
        *addresses = take_while(&from, is_address_text);
        return true;
    }
    return false;
}

static bool read_value(str text, str line, i64 *ret, struct err *err) {
    if (num_parse_i64(text, 0, ret)) return true;
    return err_set(err, ERR_MALFORMED, 0,
                   "parsing sample " S_FMT ": strconv.ParseInt: parsing \"" S_FMT
                   "\": invalid syntax",
                   S_ARG(line), S_ARG(text));
}

static bool scale_sample(struct legacy *l, enum java_kind kind, struct legacy_sample *s, str line,
                         struct err *err) {
    i64 *values = s->values;
    if (kind == JAVA_HEAP) {
        if (values[0] == 0)
            return err_set(err, ERR_MALFORMED, 0,
                           "parsing sample " S_FMT ": second value must be non-zero", S_ARG(line));
        s->has_bytes = true;
        s->bytes = legacy_divide(values[1], values[0]);
        legacy_unsample(&values[0], &values[1], HEAP_RATE_BYTES);
    } else if (l->b.p.period != 0) {
        values[0] = (i64)((u64)values[0] * (u64)l->b.p.period);
        values[1] = (i64)((u64)values[1] * (u64)l->b.p.period);
    }
    return true;
}

// Java's addresses are names of places, not return addresses, so none is lowered.
static bool add_places(struct legacy *l, str addresses, str line, struct err *err) {
    if (!legacy_addresses_add(l, addresses, false, line, err)) return false;
    const struct legacy_sample *s = &l->samples[l->n_samples - 1];
    for (u64 i = s->at; i < s->at + s->n; i++) l->addresses[i]++;
    return true;
}

static bool read_samples(struct legacy *l, enum java_kind kind, str *text, struct err *err) {
    str line, rest, first, second, addresses;
    for (; peek_line(*text, &line, &rest); *text = rest) {
        if (line.len == 0) continue;
        if (!find_sample(line, &first, &second, &addresses)) break;
        struct legacy_sample *s = legacy_sample_add(l);
        if (!add_places(l, addresses, line, err) || !read_value(second, line, &s->values[0], err) ||
            !read_value(first, line, &s->values[1], err) || !scale_sample(l, kind, s, line, err))
            return false;
    }
    return true;
}

// Where the last blank with "(" behind it stands before limit, or -1.
static ptrdiff_t find_open(str text, size_t limit) {
    for (size_t i = limit < text.len ? limit : text.len; i-- > 1;) {
        if (text.p[i] == '(' && is_space(text.p[i - 1])) return (ptrdiff_t)i - 1;
    }
    return -1;
}

struct place {
    str function, file;
    i64 line;
};

// "function (file:line)"; a line that is no positive number counts as none.
static bool split_file_line(str text, struct place *ret) {
    if (!str_ends(text, S(")"))) return false;
    ptrdiff_t colon = str_rfind_byte(text, ':');
    if (colon < 0) return false;
    str number = str_take(str_skip(text, (size_t)colon + 1), text.len - (size_t)colon - 2);
    str digits = str_drop_prefix(number, S("-"));
    if (digits.len == 0 || take_while(&digits, is_digit).len == 0 || digits.len > 0) return false;
    ptrdiff_t open = find_open(text, (size_t)colon > 0 ? (size_t)colon - 1 : 0);
    if (open < 0) return false;
    size_t file_at = (size_t)open + 2;
    *ret = (struct place){.function = str_take(text, (size_t)open),
                          .file = str_take(str_skip(text, file_at), (size_t)colon - file_at)};
    if (!num_parse_i64(number, 10, &ret->line) || ret->line < 0) ret->line = 0;
    return true;
}

// "function (path of a library)": only the library's name is of interest.
static bool split_path(str text, struct place *ret) {
    ptrdiff_t open = str_ends(text, S(")")) ? find_open(text, text.len) : -1;
    if (open < 0) return false;
    size_t path_at = (size_t)open + 2;
    str path = str_take(str_skip(text, path_at), text.len - path_at - 1);
    *ret = (struct place){.function = str_take(text, (size_t)open), .file = str_basename(path)};
    return true;
}

// States such as "GC" stand as they are.
static struct place split_place(str text) {
    struct place place;
    if (split_file_line(text, &place) || split_path(text, &place)) return place;
    bool is_stub = str_contains(text, S("generated stub/JIT"));
    return (struct place){.function = is_stub ? S("STUB") : text};
}

// Functions are told apart by name only: the first file seen stays.
static void place_add(struct legacy *l, struct strmap *by_name, u64 address, struct place place) {
    GROW(l->scratch, l->functions, l->cap_places, l->n_places + 1);
    GROW(l->scratch, l->line_numbers, l->cap_line_numbers, l->n_places + 1);
    u32 *first = strmap_at(by_name, place.function);
    if (*first == U32_NONE) {
        *first = (u32)l->n_places;
        struct function *f = &l->functions[l->n_places];
        f->name = f->system_name = builder_str(&l->b, place.function);
        f->filename = builder_str(&l->b, place.file);
    } else {
        l->functions[l->n_places] = l->functions[*first];
    }
    l->line_numbers[l->n_places] = place.line;
    *idmap_at(&l->places_by_address, address) = (u32)l->n_places++;
}

// The addresses that samples hold; places of others are not of interest.
static void mark_used(const struct legacy *l, struct idmap *used) {
    for (size_t i = 0; i < l->n_addresses; i++) *idmap_at(used, l->addresses[i]) = 1;
}

bool java_read_places(struct legacy *l, str text, struct err *err) {
    l->is_java = true;
    struct idmap used;
    struct strmap by_name;
    idmap_init(&used, l->scratch);
    strmap_init(&by_name, l->scratch);
    mark_used(l, &used);
    struct lines s = lines_of(text);
    while (lines_next(&s)) {
        str line = str_trim(s.line), rest = line;
        if (!take_text(&rest, S("0x"))) continue;
        str digits = take_while(&rest, is_hex);
        if (digits.len == 0 || take_while(&rest, is_space).len == 0) continue;
        u64 address;
        if (!num_parse_u64(digits, 16, &address))
            return err_set(err, ERR_MALFORMED, 0,
                           "parsing sample " S_FMT ": strconv.ParseUint: parsing \"" S_FMT
                           "\": value out of range",
                           S_ARG(line), S_ARG(digits));
        if (idmap_get(&used, address) != U32_NONE)
            place_add(l, &by_name, address, split_place(rest));
    }
    return true;
}

bool java_decode(struct arena *out, str bytes, struct profile *ret, struct err *err) {
    str line, text;
    if (!peek_line(bytes, &line, &text)) return legacy_unrecognized(err);
    bool is_heap = str_eq(line, S("--- heapz 1 ---"));
    if (!is_heap && !str_eq(line, S("--- contentionz 1 ---"))) return legacy_unrecognized(err);
    enum java_kind kind = is_heap ? JAVA_HEAP : JAVA_CONTENTION;
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct legacy l;
    legacy_init(&l, out, &scratch);
    if (!read_attributes(&l, kind, &text, err) || !read_samples(&l, kind, &text, err)) return false;
    if (l.n_samples > 0 && l.b.p.n_types == 0)
        return err_set(err, ERR_MALFORMED, 0, "missing sample type information");
    if (!java_read_places(&l, text, err)) return false;
    *ret = legacy_finish(&l);
    return true;
}
