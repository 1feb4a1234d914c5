// formats/heap.c - heap profiles as text: gperftools' heap_v2, growth and fragmentation, and what
// Go wrote before profile.proto. Room: the header that says how to read the numbers, and the
// samples. Door: heap_decode(). Source: reference/pprof.md section 3.3.
#include "formats/legacy.h"

struct heap_header {
    bool has_alloc; // allocated and freed are told apart
    bool is_sampled;
    i64 rate;
};

// "N: B [ N: B ]" with any blanks between.
static bool take_counts(str *rest, bool may_be_negative, str counts[4]) {
    for (int i = 0; i < 4; i++) {
        if (i == 2) {
            take_while(rest, is_blank);
            if (!take_text(rest, S("["))) return false;
        }
        if (i > 0) take_while(rest, is_blank);
        str from = *rest;
        if (may_be_negative && i < 2) take_text(rest, S("-"));
        str digits;
        if (!take_digits(rest, &digits)) return false;
        counts[i] = str_take(from, (size_t)(digits.p + digits.len - from.p));
        if (i % 2 == 0 && !take_text(rest, S(":"))) return false;
    }
    take_while(rest, is_blank);
    return take_text(rest, S("]"));
}

static bool is_kind_letter(char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || is_digit(c);
}

// The kind after "@": "heap_v2", and the rate behind its slash.
static bool read_kind(str rest, struct heap_header *ret) {
    take_while(&rest, is_blank);
    if (!take_text(&rest, S("@"))) return false;
    take_while(&rest, is_blank);
    str kind = take_while(&rest, is_kind_letter);
    if (!str_starts(kind, S("heap"))) return false;
    take_text(&rest, S("/"));
    str rate = take_while(&rest, is_digit);
    i64 n = 0;
    if (rate.len && !num_parse_i64(rate, 10, &n)) return false;
    bool is_v2 = str_eq(kind, S("heapz_v2")) || str_eq(kind, S("heap_v2"));
    bool is_go = str_eq(kind, S("heap")), is_plain = str_eq(kind, S("heapprofile"));
    // Old Go wrote twice its rate.
    *ret = (struct heap_header){.is_sampled = is_v2 || is_go,
                                .rate = is_plain ? 1
                                        : is_go  ? n / 2
                                                 : n};
    return is_v2 || is_go || is_plain;
}

static bool is_other(str a, str b) {
    return !str_eq(a, b) && !str_eq(a, S("0"));
}

static bool read_header(str line, struct heap_header *ret) {
    const str words = S("heap profile:");
    for (ptrdiff_t at; (at = str_find(line, words)) >= 0;) {
        line = str_skip(line, (size_t)at + words.len);
        str rest = line, counts[4];
        take_while(&rest, is_blank);
        if (!take_counts(&rest, false, counts)) continue;
        if (str_starts(rest, S(" @ growth")) || str_starts(rest, S(" @ fragmentation"))) {
            *ret = (struct heap_header){.rate = 1};
            return true;
        }
        if (!read_kind(rest, ret)) continue;
        ret->has_alloc = is_other(counts[2], counts[0]) || is_other(counts[3], counts[1]);
        return true;
    }
    return false;
}

static void set_types(struct legacy *l, bool has_alloc) {
    legacy_period_type(l, S("space"), S("bytes"));
    if (has_alloc) {
        // In use comes last, so that it is what reports show first.
        builder_sample_type(&l->b, S("alloc_objects"), S("count"));
        builder_sample_type(&l->b, S("alloc_space"), S("bytes"));
        builder_sample_type(&l->b, S("inuse_objects"), S("count"));
        builder_sample_type(&l->b, S("inuse_space"), S("bytes"));
    } else {
        builder_sample_type(&l->b, S("objects"), S("count"));
        builder_sample_type(&l->b, S("space"), S("bytes"));
    }
}

// "n: bytes [n: bytes] @" anywhere in line, and what follows.
static bool find_sample(str line, str counts[4], str *addresses) {
    for (str rest = line; rest.len;) {
        str from = rest;
        if (take_counts(&from, true, counts) && take_text(&from, S(" @"))) {
            *addresses = take_while(&from, is_address_text);
            return true;
        }
        // No later start within the same run of digits can do better.
        bool is_moved = take_text(&rest, S("-"));
        is_moved = take_while(&rest, is_digit).len > 0 || is_moved;
        if (!is_moved) rest = str_skip(rest, 1);
    }
    return false;
}

// One pair of count and size; *bytes gets the size of one object where there is one.
static bool read_pair(const str counts[2], const char *what, const struct heap_header *head,
                      str line, i64 *values, i64 *bytes, struct err *err) {
    i64 count, size;
    if (!legacy_number(counts[0], 10, line, &count, err)) return false;
    if (!legacy_number(counts[1], 10, line, &size, err)) return false;
    if (count == 0 && size != 0)
        return err_set(err, ERR_MALFORMED, 0, "%s count was 0 but %s bytes was %lld", what, what,
                       (long long)size);
    if (count != 0) {
        *bytes = legacy_divide(size, count);
        if (head->is_sampled) legacy_unsample(&count, &size, head->rate);
    }
    values[0] = count;
    values[1] = size;
    return true;
}

static bool read_sample(struct legacy *l, const struct heap_header *head, str line,
                        struct err *err) {
    str counts[4], addresses;
    if (!find_sample(line, counts, &addresses))
        return err_set(err, ERR_MALFORMED, 0, "unexpected number of sample values: got 0, want 6");
    struct legacy_sample *s = legacy_sample_add(l);
    s->has_bytes = true;
    if (head->has_alloc &&
        !read_pair(counts + 2, "allocation", head, line, s->values, &s->bytes, err))
        return false;
    i64 *inuse = s->values + (head->has_alloc ? 2 : 0);
    if (!read_pair(counts, "inuse", head, line, inuse, &s->bytes, err)) return false;
    return legacy_addresses_add(l, addresses, false, line, err);
}

bool heap_decode(struct arena *out, str bytes, struct profile *ret, struct err *err) {
    struct lines s = lines_of(bytes);
    struct heap_header head;
    if (!lines_next(&s) || !read_header(s.line, &head)) return legacy_unrecognized(err);
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct legacy l;
    legacy_init(&l, out, &scratch);
    l.b.p.period = head.rate;
    set_types(&l, head.has_alloc);
    while (lines_next(&s)) {
        str line = str_trim(s.line);
        if (is_space_or_comment(line)) continue;
        if (is_map_sentinel(line)) break;
        if (!read_sample(&l, &head, line, err)) return false;
    }
    legacy_skip_to_map(&s);
    legacy_read_map(&l, &s);
    *ret = legacy_finish(&l);
    return true;
}
