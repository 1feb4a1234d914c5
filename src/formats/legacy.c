// formats/legacy.c - from lists of addresses to a profile.
// Room: see legacy.h. The memory map section is maps.c, the dropped frames are frames.c. Door:
// legacy_init() to legacy_finish().
#include "formats/legacy.h"

#include <math.h>

void legacy_init(struct legacy *l, struct arena *out, struct arena *scratch) {
    *l = (struct legacy){.scratch = scratch};
    builder_init(&l->b, out);
    idmap_init(&l->places_by_address, scratch);
}

void legacy_period_type(struct legacy *l, str type, str unit) {
    l->b.p.period_type = (struct value_type){builder_str(&l->b, type), builder_str(&l->b, unit)};
}

struct legacy_sample *legacy_sample_add(struct legacy *l) {
    GROW(l->scratch, l->samples, l->cap_samples, l->n_samples + 1);
    struct legacy_sample *s = &l->samples[l->n_samples++];
    *s = (struct legacy_sample){.at = l->n_addresses};
    return s;
}

void legacy_address_add(struct legacy *l, u64 address) {
    GROW(l->scratch, l->addresses, l->cap_addresses, l->n_addresses + 1);
    l->addresses[l->n_addresses++] = address;
    l->samples[l->n_samples - 1].n++;
}

// The next 0x... number of *rest, as text.
static bool take_hex_number(str *rest, str *ret) {
    for (;;) {
        ptrdiff_t at = str_find(*rest, S("0x"));
        if (at < 0) return false;
        str digits = str_skip(*rest, (size_t)at + 2), from = str_skip(*rest, (size_t)at);
        size_t n = take_while(&digits, is_lower_hex).len;
        *rest = digits;
        *ret = str_take(from, n + 2);
        if (n > 0) return true;
    }
}

bool legacy_addresses_add(struct legacy *l, str text, bool keep_leaf, str line, struct err *err) {
    str number;
    while (take_hex_number(&text, &number)) {
        u64 address;
        if (!num_parse_u64(str_skip(number, 2), 16, &address))
            return err_set(err, ERR_MALFORMED, 0,
                           "malformed sample: " S_FMT
                           ": failed to parse as hex 64-bit number: " S_FMT,
                           S_ARG(line), S_ARG(number));
        bool is_leaf = l->samples[l->n_samples - 1].n == 0;
        legacy_address_add(l, address - !(keep_leaf && is_leaf));
    }
    return true;
}

bool legacy_unrecognized(struct err *err) {
    return err_set(err, ERR_UNRECOGNIZED, 0, "unrecognized profile format");
}

bool legacy_number(str text, int base, str line, i64 *ret, struct err *err) {
    if (num_parse_i64(text, base, ret)) return true;
    // Only digits come here, so the number is too large (or no octal one, which is as wrong).
    return err_set(err, ERR_MALFORMED, 0,
                   "malformed sample: " S_FMT ": strconv.ParseInt: parsing \"" S_FMT
                   "\": value out of range",
                   S_ARG(line), S_ARG(text));
}

i64 legacy_truncate(double x) {
    return x >= -0x1p63 && x < 0x1p63 ? (i64)x : INT64_MIN;
}

i64 legacy_divide(i64 a, i64 b) {
    return b == -1 ? (i64)(0 - (u64)a) : a / b;
}

void legacy_unsample(i64 *count, i64 *size, i64 rate) {
    if (*count == 0 || *size == 0) {
        *count = *size = 0;
        return;
    }
    if (rate <= 1) return; // everything was recorded, or nobody knows
    double mean = (double)*size / (double)*count;
    double scale = 1 / (1 - exp(-mean / (double)rate));
    *count = legacy_truncate((double)*count * scale);
    *size = legacy_truncate((double)*size * scale);
}

// The mapping an address lies in, by the original's three attempts; U32_NONE for none needed.
// A mapping whose first part was left out of the map is lowered, and one shared mapping of
// everything takes the rest.
static u32 find_mapping(struct legacy *l, u64 address, size_t *fake_i) {
    if (address == 0) return U32_NONE;
    for (size_t i = 0; i < l->n_mappings; i++) {
        const struct mapping *m = &l->mappings[i];
        if (m->start <= address && address < m->limit) return (u32)i;
    }
    for (size_t i = 0; i < l->n_mappings; i++) {
        struct mapping *m = &l->mappings[i];
        if (m->offset == 0 || address < m->start - m->offset || address >= m->start) continue;
        m->start -= m->offset;
        m->offset = 0;
        return (u32)i;
    }
    if (*fake_i == SIZE_MAX) {
        GROW(l->scratch, l->mappings, l->cap_mappings, l->n_mappings + 1);
        *fake_i = l->n_mappings;
        l->mappings[l->n_mappings++] = (struct mapping){.limit = UINT64_MAX};
    }
    return (u32)*fake_i;
}

static u32 location_add(struct legacy *l, u64 address, size_t *fake_i) {
    u32 place_i = idmap_get(&l->places_by_address, address);
    bool has_place = place_i != U32_NONE;
    struct location row = {.mapping_i = has_place ? U32_NONE : find_mapping(l, address, fake_i),
                           .address = l->is_java ? 0 : address,
                           .n_lines = has_place};
    struct line line = {0};
    if (has_place) {
        line.function_i = builder_function(&l->b, &l->functions[place_i]);
        line.line = l->line_numbers[place_i];
    }
    return builder_location_new(&l->b, &row, &line);
}

// Replaces nothing: gives each address its location, new ones in the order of the samples.
static u32 *make_locations(struct legacy *l) {
    u32 *stack = NEW(l->scratch, u32, l->n_addresses);
    struct idmap by_address;
    idmap_init(&by_address, l->scratch);
    size_t fake_i = SIZE_MAX;
    for (size_t s = 0; s < l->n_samples; s++) {
        const struct legacy_sample *sample = &l->samples[s];
        for (u64 i = sample->at; i < sample->at + sample->n; i++) {
            u32 *at = idmap_at(&by_address, l->addresses[i]);
            if (*at == U32_NONE) *at = location_add(l, l->addresses[i], &fake_i);
            stack[i] = *at;
        }
    }
    return stack;
}

static void add_samples(struct legacy *l, u32 *stack) {
    u32 bytes_key = builder_str(&l->b, S("bytes"));
    for (size_t s = 0; s < l->n_samples; s++) {
        const struct legacy_sample *sample = &l->samples[s];
        const u64 *addresses = l->addresses + sample->at;
        u32 *from = stack + sample->at, n = sample->n;
        bool is_doubled = l->drops_doubled_leaf && n > 1 && addresses[0] == addresses[1] + 1;
        if (is_doubled) {
            from[1] = from[0];
            from++;
            n--;
        }
        struct label labels[2];
        u32 n_labels = 0;
        if (sample->has_bytes)
            labels[n_labels++] = (struct label){.key = bytes_key, .num = sample->bytes};
        if (sample->has_thread)
            labels[n_labels++] =
                (struct label){.key = builder_str(&l->b, S("thread")), .num = sample->thread};
        builder_sample(&l->b, sample->values, from, n, labels, n_labels);
    }
}

struct profile legacy_finish(struct legacy *l) {
    u32 *stack = make_locations(l);
    for (size_t i = 0; i < l->n_mappings; i++) builder_mapping(&l->b, &l->mappings[i]);
    add_samples(l, stack);
    legacy_set_frames(&l->b);
    return builder_done(&l->b);
}
