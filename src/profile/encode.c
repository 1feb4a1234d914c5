// profile/encode.c - dense tables to profile.proto.
// Room: the wire form byte for byte as google/pprof's writer makes it, so that files compare equal.
// Door: profile_encode(), at the end. Source: reference/pprof.md section 4 (Encoding).
#include "profile/codec.h"
#include "profile/labels.h"
#include "profile/sweep.h"

struct encoder {
    struct arena *scratch;
    const struct profile *p;
    u8 *bytes;
    size_t len, cap;
    struct arena *out;
    u32 *new_id; // of each string of p, U32_NONE before its first use
    u32 *by_new; // strings of p in order of their new ids
    u32 n_used;
};

enum {
    // A tag and a number take at most this many bytes.
    FIELD_MAX = 2 * WIRE_VARINT_MAX,
    // Repeated numbers are packed from three on.
    PACKED_MIN = 3,
    // Numbers at most, lengths and tags of what is nested included.
    SAMPLE_FIELDS = 3,
    LABEL_FIELDS = 4,
};

static void reserve(struct encoder *e, size_t n) {
    if (n <= e->cap - e->len) return;
    GROW(e->out, e->bytes, e->cap, e->len + n);
}

static size_t varint_len(u64 x) {
    size_t n = 1;
    for (; x >= 0x80; x >>= 7) n++;
    return n;
}

static inline u8 *varint_put(u8 *to, u64 x) {
    for (; x >= 0x80; x >>= 7) *to++ = (u8)(x | 0x80);
    *to++ = (u8)x;
    return to;
}

static void put_number(struct encoder *e, u32 field, u64 x) {
    reserve(e, FIELD_MAX);
    u8 *end = varint_put(e->bytes + e->len, (u64)field << 3 | WIRE_VARINT);
    e->len = (size_t)(varint_put(end, x) - e->bytes);
}

static void put_nonzero(struct encoder *e, u32 field, u64 x) {
    if (x) put_number(e, field, x);
}

// Opens a nested message or packed run: one byte is kept free for its length.
static size_t open_bytes(struct encoder *e, u32 field) {
    reserve(e, FIELD_MAX);
    e->len = (size_t)(varint_put(e->bytes + e->len, (u64)field << 3 | WIRE_BYTES) - e->bytes) + 1;
    return e->len;
}

// Writes the length of what came since open_bytes, moving it up where the length needs more bytes.
static void close_bytes(struct encoder *e, size_t start) {
    size_t len = e->len - start;
    u8 length[WIRE_VARINT_MAX];
    size_t n = (size_t)(varint_put(length, len) - length);
    if (n > 1) {
        reserve(e, n);
        memmove(e->bytes + start + n - 1, e->bytes + start, len);
        e->len += n - 1;
    }
    memcpy(e->bytes + start - 1, length, n);
}

static u64 str_id(struct encoder *e, u32 id) {
    if (e->new_id[id] == U32_NONE) {
        e->new_id[id] = e->n_used;
        e->by_new[e->n_used++] = id;
    }
    return e->new_id[id];
}

static void put_str_id(struct encoder *e, u32 field, u32 id) {
    put_nonzero(e, field, e->new_id[id]);
}

static void put_value_type(struct encoder *e, u32 field, struct value_type t) {
    size_t start = open_bytes(e, field);
    put_str_id(e, 1, t.type);
    put_str_id(e, 2, t.unit);
    close_bytes(e, start);
}

static void put_stack(struct encoder *e, u32 sample_i) {
    const struct location *locations = e->p->locations;
    u32 n;
    const u32 *stack = profile_stack(e->p, sample_i, &n);
    if (n < PACKED_MIN) {
        for (u32 i = 0; i < n; i++) put_number(e, SAMPLE_LOCATION_ID, locations[stack[i]].id);
        return;
    }
    size_t start = open_bytes(e, SAMPLE_LOCATION_ID);
    reserve(e, (size_t)n * WIRE_VARINT_MAX);
    u8 *to = e->bytes + e->len;
    for (u32 i = 0; i < n; i++) to = varint_put(to, locations[stack[i]].id);
    e->len = (size_t)(to - e->bytes);
    close_bytes(e, start);
}

static void put_numbers(struct encoder *e, u32 field, const i64 *values, u32 n) {
    if (n < PACKED_MIN) {
        for (u32 i = 0; i < n; i++) put_number(e, field, (u64)values[i]);
        return;
    }
    size_t start = open_bytes(e, field);
    reserve(e, (size_t)n * WIRE_VARINT_MAX);
    u8 *to = e->bytes + e->len;
    for (u32 i = 0; i < n; i++) to = varint_put(to, (u64)values[i]);
    e->len = (size_t)(to - e->bytes);
    close_bytes(e, start);
}

static void name_labels(struct encoder *e) {
    struct label few[FEW_LABELS];
    for (u32 s = 0; e->p->label_at && s < e->p->n_samples; s++) {
        u32 n;
        const struct label *labels = labels_sorted(e->p, s, e->scratch, few, &n);
        for (u32 i = 0; i < n; i++) {
            str_id(e, labels[i].key);
            str_id(e, labels[i].is_string ? labels[i].str : labels[i].unit);
        }
    }
}

// Gives every string its place in the new table: in the order the reference meets them, which is
// not the order they are written in.
static void name_strings(struct encoder *e) {
    const struct profile *p = e->p;
    str_id(e, 0);
    for (u32 i = 0; i < p->n_types; i++) {
        str_id(e, p->sample_types[i].type);
        str_id(e, p->sample_types[i].unit);
    }
    name_labels(e);
    for (u32 i = 0; i < p->n_mappings; i++) {
        str_id(e, p->mappings[i].file);
        str_id(e, p->mappings[i].build_id);
    }
    for (u32 i = 0; i < p->n_functions; i++) {
        str_id(e, p->functions[i].name);
        str_id(e, p->functions[i].system_name);
        str_id(e, p->functions[i].filename);
    }
    str_id(e, p->drop_frames);
    str_id(e, p->keep_frames);
    str_id(e, p->period_type.type);
    str_id(e, p->period_type.unit);
    for (u32 i = 0; i < p->n_comments; i++) str_id(e, p->comments[i]);
    str_id(e, p->default_sample_type);
    str_id(e, p->doc_url);
}

static void put_label(struct encoder *e, const struct label *l) {
    size_t start = open_bytes(e, SAMPLE_LABEL);
    put_str_id(e, 1, l->key);
    if (l->is_string) {
        put_str_id(e, 2, l->str);
    } else {
        put_nonzero(e, 3, (u64)l->num);
        put_str_id(e, 4, l->unit);
    }
    close_bytes(e, start);
}

static void put_samples(struct encoder *e) {
    struct label few[FEW_LABELS];
    for (u32 s = 0; s < e->p->n_samples; s++) {
        size_t start = open_bytes(e, PROFILE_SAMPLE);
        put_stack(e, s);
        put_numbers(e, SAMPLE_VALUE, profile_values(e->p, s), e->p->n_types);
        u32 n;
        const struct label *labels = labels_sorted(e->p, s, e->scratch, few, &n);
        for (u32 i = 0; i < n; i++) put_label(e, &labels[i]);
        close_bytes(e, start);
    }
}

static void put_mappings(struct encoder *e) {
    for (u32 i = 0; i < e->p->n_mappings; i++) {
        const struct mapping *m = &e->p->mappings[i];
        size_t start = open_bytes(e, PROFILE_MAPPING);
        put_nonzero(e, 1, m->id);
        put_nonzero(e, 2, m->start);
        put_nonzero(e, 3, m->limit);
        put_nonzero(e, 4, m->offset);
        put_str_id(e, 5, m->file);
        put_str_id(e, 6, m->build_id);
        put_nonzero(e, 7, m->has_functions);
        put_nonzero(e, 8, m->has_filenames);
        put_nonzero(e, 9, m->has_line_numbers);
        put_nonzero(e, 10, m->has_inline_frames);
        close_bytes(e, start);
    }
}

static void put_line(struct encoder *e, const struct line *line) {
    size_t start = open_bytes(e, LOCATION_LINE);
    if (line->function_i != U32_NONE) put_nonzero(e, 1, e->p->functions[line->function_i].id);
    put_nonzero(e, 2, (u64)line->line);
    put_nonzero(e, 3, (u64)line->column);
    close_bytes(e, start);
}

static void put_locations(struct encoder *e) {
    for (u32 i = 0; i < e->p->n_locations; i++) {
        const struct location *l = &e->p->locations[i];
        size_t start = open_bytes(e, PROFILE_LOCATION);
        put_nonzero(e, 1, l->id);
        if (l->mapping_i != U32_NONE) put_nonzero(e, 2, e->p->mappings[l->mapping_i].id);
        put_nonzero(e, 3, l->address);
        for (u32 k = 0; k < l->n_lines; k++) put_line(e, &e->p->lines[l->lines_at + k]);
        put_nonzero(e, 5, l->is_folded);
        close_bytes(e, start);
    }
}

static void put_functions(struct encoder *e) {
    for (u32 i = 0; i < e->p->n_functions; i++) {
        const struct function *f = &e->p->functions[i];
        size_t start = open_bytes(e, PROFILE_FUNCTION);
        put_nonzero(e, 1, f->id);
        put_str_id(e, 2, f->name);
        put_str_id(e, 3, f->system_name);
        put_str_id(e, 4, f->filename);
        put_nonzero(e, 5, (u64)f->start_line);
        close_bytes(e, start);
    }
}

static void put_strings(struct encoder *e) {
    for (u32 i = 0; i < e->n_used; i++) {
        str text = e->p->strings[e->by_new[i]];
        reserve(e, FIELD_MAX + text.len);
        u8 *to = varint_put(e->bytes + e->len, PROFILE_STRING_TABLE << 3 | WIRE_BYTES);
        to = varint_put(to, text.len);
        if (text.len) memcpy(to, text.p, text.len);
        e->len = (size_t)(to - e->bytes) + text.len;
    }
}

static void put_header(struct encoder *e) {
    const struct profile *p = e->p;
    put_str_id(e, PROFILE_DROP_FRAMES, p->drop_frames);
    put_str_id(e, PROFILE_KEEP_FRAMES, p->keep_frames);
    put_nonzero(e, PROFILE_TIME_NANOS, (u64)p->time_nanos);
    put_nonzero(e, PROFILE_DURATION_NANOS, (u64)p->duration_nanos);
    if (p->period_type.type || p->period_type.unit)
        put_value_type(e, PROFILE_PERIOD_TYPE, p->period_type);
    put_nonzero(e, PROFILE_PERIOD, (u64)p->period);
    i64 *comments = NEW(e->scratch, i64, p->n_comments);
    for (u32 i = 0; i < p->n_comments; i++) comments[i] = e->new_id[p->comments[i]];
    put_numbers(e, PROFILE_COMMENT, comments, p->n_comments);
    // Written even when 0: the reference does, and its files are compared byte for byte.
    put_number(e, PROFILE_DEFAULT_SAMPLE_TYPE, e->new_id[p->default_sample_type]);
    put_str_id(e, PROFILE_DOC_URL, p->doc_url);
}

// Room for all samples at once: pages that stay unwritten cost nothing, growing would copy.
static void reserve_samples(struct encoder *e) {
    const struct profile *p = e->p;
    u64 last_id = 0;
    for (u32 i = 0; i < p->n_locations; i++) {
        if (p->locations[i].id > last_id) last_id = p->locations[i].id;
    }
    size_t n_stack = p->n_samples ? p->stack_at[p->n_samples] : 0;
    size_t n_labels = p->label_at ? p->label_at[p->n_samples] : 0;
    size_t n_numbers =
        (size_t)p->n_samples * (p->n_types + SAMPLE_FIELDS) + n_labels * LABEL_FIELDS;
    reserve(e, n_stack * (varint_len(last_id) + 1) + n_numbers * FIELD_MAX);
}

bool profile_encode(struct arena *out, const struct profile *p, str *ret, struct err *err) {
    (void)err; // memory is the only thing that can end, and the arena speaks for that
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct encoder e = {.scratch = &scratch, .p = p, .out = out};
    e.new_id = NEW(&scratch, u32, p->n_strings);
    e.by_new = NEW(&scratch, u32, p->n_strings);
    memset(e.new_id, 0xff, p->n_strings * sizeof *e.new_id);
    name_strings(&e);
    reserve_samples(&e);
    for (u32 i = 0; i < p->n_types; i++)
        put_value_type(&e, PROFILE_SAMPLE_TYPE, p->sample_types[i]);
    put_samples(&e);
    put_mappings(&e);
    put_locations(&e);
    put_functions(&e);
    put_strings(&e);
    put_header(&e);
    *ret = (str){(const char *)e.bytes, e.len};
    return true;
}
