// formats/otlp_tables.c - OTLP's wire form and its dictionary.
// Room: fields of messages; mappings, functions, locations, stacks and attributes by index. Door:
// formats/otlp.h. Source: opentelemetry/proto/profiles/v1development/profiles.proto and
// common/v1/common.proto.
#include "formats/otlp.h"

#include <string.h>

bool otlp_next(struct reader *r, struct otlp_field *ret, struct err *err) {
    u64 tag;
    struct otlp_field f = {0};
    if (reader_left(r) == 0 || !reader_varint(r, &tag, err)) return false;
    f.number = tag >> 3;
    f.type = tag & 7;
    u32 half;
    switch (f.type) {
    case OTLP_VARINT:
        if (!reader_varint(r, &f.num, err)) return false;
        break;
    case OTLP_FIXED64:
        if (!reader_u64le(r, &f.num, err)) return false;
        break;
    case OTLP_FIXED32:
        if (!reader_u32le(r, &half, err)) return false;
        f.num = half;
        break;
    case OTLP_BYTES:
        if (!reader_varint(r, &f.num, err) || !reader_bytes(r, f.num, &f.bytes, err)) return false;
        break;
    default:
        return err_set(err, ERR_MALFORMED, reader_at(r), "unknown wire type %u", f.type);
    }
    *ret = f;
    return true;
}

bool otlp_each(str message, otlp_take take, void *to, struct err *err) {
    struct reader r = reader_of(message);
    while (reader_left(&r) > 0) {
        struct otlp_field f;
        if (!otlp_next(&r, &f, err) || !take(to, &f, err)) return false;
    }
    return true;
}

bool otlp_numbers(const struct otlp_field *field, u64 **items, size_t *n, size_t *cap,
                  struct arena *arena, struct err *err) {
    if (field->type != OTLP_BYTES) {
        GROW(arena, *items, *cap, *n + 1);
        (*items)[(*n)++] = field->num;
        return true;
    }
    struct reader r = reader_of(field->bytes);
    while (reader_left(&r) > 0) {
        u64 num;
        if (!reader_varint(&r, &num, err)) return false;
        GROW(arena, *items, *cap, *n + 1);
        (*items)[(*n)++] = num;
    }
    return true;
}

str otlp_string(const struct otlp_tables *t, u64 index) {
    return index < t->strings.n ? t->strings.items[index] : (str){0};
}

static bool take_table(void *to, const struct otlp_field *f, struct err *err) {
    struct otlp_tables *t = to;
    (void)err;
    struct otlp_list *lists[] = {NULL,      &t->mappings, &t->locations,  &t->functions,
                                 &t->links, &t->strings,  &t->attributes, &t->stacks};
    if (f->type != OTLP_BYTES || f->number == 0 || f->number >= countof(lists)) return true;
    struct otlp_list *list = lists[f->number];
    GROW(t->scratch, list->items, list->cap, (size_t)list->n + 1);
    list->items[list->n++] = f->bytes;
    return true;
}

bool otlp_tables_read(struct otlp_tables *t, str dictionary, struct err *err) {
    return otlp_each(dictionary, take_table, t, err);
}

// A label's value while its message is read.
struct value {
    struct otlp_tables *t;
    struct label *label;
    bool has_text_key;
};

static void set_text(struct value *v, str text) {
    v->label->is_string = true;
    v->label->str = builder_str(v->t->b, text);
}

static void set_real(struct value *v, u64 bits) {
    double real;
    memcpy(&real, &bits, sizeof real);
    struct buf text = buf_new(v->t->scratch, 64);
    num_general(&text, real, -1);
    set_text(v, buf_str(&text));
}

static void set_hex(struct value *v, str bytes) {
    struct buf text = buf_new(v->t->scratch, 2 * bytes.len + 1);
    for (size_t i = 0; i < bytes.len; i++) num_hex(&text, (u8)bytes.p[i], 2);
    set_text(v, buf_str(&text));
}

// AnyValue.
static bool take_any_value(void *to, const struct otlp_field *f, struct err *err) {
    enum { TEXT = 1, BOOL = 2, INT = 3, REAL = 4, BINARY = 7, TEXT_INDEX = 8 };
    struct value *v = to;
    (void)err;
    if (f->number == TEXT && f->type == OTLP_BYTES) set_text(v, f->bytes);
    if (f->number == BOOL) set_text(v, f->num ? S("true") : S("false"));
    if (f->number == INT) v->label->num = (i64)f->num;
    if (f->number == REAL && f->type == OTLP_FIXED64) set_real(v, f->num);
    if (f->number == BINARY && f->type == OTLP_BYTES) set_hex(v, f->bytes);
    if (f->number == TEXT_INDEX) set_text(v, otlp_string(v->t, f->num));
    return true;
}

// KeyValueAndUnit names key and unit by index; KeyValue has its key as text, or since 2025 in 3 as
// index.
static bool take_attribute(void *to, const struct otlp_field *f, struct err *err) {
    struct value *v = to;
    if (f->number == 1 && v->has_text_key && f->type == OTLP_BYTES)
        v->label->key = builder_str(v->t->b, f->bytes);
    if (f->number == (v->has_text_key ? 3 : 1) && f->type == OTLP_VARINT)
        v->label->key = builder_str(v->t->b, otlp_string(v->t, f->num));
    if (f->number == 3 && !v->has_text_key && f->type == OTLP_VARINT)
        v->label->unit = builder_str(v->t->b, otlp_string(v->t, f->num));
    if (f->number == 2 && f->type == OTLP_BYTES) return otlp_each(f->bytes, take_any_value, v, err);
    return true;
}

bool otlp_label(struct otlp_tables *t, str message, bool has_text_key, struct label *ret,
                struct err *err) {
    struct label label = {0};
    struct value v = {t, &label, has_text_key};
    if (!otlp_each(message, take_attribute, &v, err)) return false;
    if (label.is_string) label.unit = 0;
    *ret = label;
    return true;
}

static bool make_labels(struct otlp_tables *t, struct err *err) {
    t->labels.n = t->attributes.n;
    t->labels.items = NEW(t->scratch, struct label, t->attributes.n);
    for (u32 i = 0; i < t->attributes.n; i++) {
        if (!otlp_label(t, t->attributes.items[i], false, &t->labels.items[i], err)) return false;
    }
    return true;
}

struct mapping_in {
    struct otlp_tables *t;
    struct mapping row;
    u64 *attributes;
    size_t n, cap;
};

static bool take_mapping(void *to, const struct otlp_field *f, struct err *err) {
    struct mapping_in *m = to;
    switch (f->number) {
    case 1:
        m->row.start = f->num;
        return true;
    case 2:
        m->row.limit = f->num;
        return true;
    case 3:
        m->row.offset = f->num;
        return true;
    case 4:
        m->row.file = builder_str(m->t->b, otlp_string(m->t, f->num));
        return true;
    case 5:
        return otlp_numbers(f, &m->attributes, &m->n, &m->cap, m->t->scratch, err);
    default:
        return true;
    }
}

static void set_build_id(struct mapping_in *m) {
    for (size_t i = 0; i < m->n; i++) {
        if (m->attributes[i] >= m->t->labels.n) continue;
        const struct label *label = &m->t->labels.items[m->attributes[i]];
        str key = profile_str(&m->t->b->p, label->key);
        if (str_eq(key, S("process.executable.build_id.gnu"))) m->row.build_id = label->str;
    }
}

// Entry 0 of each table stands for nothing.
static bool make_mappings(struct otlp_tables *t, struct err *err) {
    t->mapping_rows = NEW(t->scratch, u32, (size_t)t->mappings.n + 1);
    t->mapping_rows[0] = U32_NONE;
    for (u32 i = 1; i < t->mappings.n; i++) {
        struct mapping_in m = {.t = t};
        if (!otlp_each(t->mappings.items[i], take_mapping, &m, err)) return false;
        set_build_id(&m);
        t->mapping_rows[i] = builder_mapping(t->b, &m.row);
    }
    return true;
}

struct function_in {
    struct otlp_tables *t;
    struct function row;
};

static bool take_function(void *to, const struct otlp_field *f, struct err *err) {
    struct function_in *in = to;
    (void)err;
    if (f->number == 4) in->row.start_line = (i64)f->num;
    if (f->number < 1 || f->number > 3) return true;
    u32 text = builder_str(in->t->b, otlp_string(in->t, f->num));
    if (f->number == 1) in->row.name = text;
    if (f->number == 2) in->row.system_name = text;
    if (f->number == 3) in->row.filename = text;
    return true;
}

static bool make_functions(struct otlp_tables *t, struct err *err) {
    t->function_rows = NEW(t->scratch, u32, (size_t)t->functions.n + 1);
    t->function_rows[0] = U32_NONE;
    for (u32 i = 1; i < t->functions.n; i++) {
        struct function_in in = {.t = t};
        if (!otlp_each(t->functions.items[i], take_function, &in, err)) return false;
        if (in.row.system_name == 0) in.row.system_name = in.row.name;
        t->function_rows[i] = builder_function(t->b, &in.row);
    }
    return true;
}

struct line_in {
    u64 function_i;
    struct line row;
};

static bool take_line(void *to, const struct otlp_field *f, struct err *err) {
    struct line_in *in = to;
    (void)err;
    if (f->number == 1) in->function_i = f->num;
    if (f->number == 2) in->row.line = (i64)f->num;
    if (f->number == 3) in->row.column = (i64)f->num;
    return true;
}

struct location_in {
    struct otlp_tables *t;
    struct location row;
    u64 mapping_i;
    struct line *lines;
    size_t cap;
};

static bool take_location(void *to, const struct otlp_field *f, struct err *err) {
    struct location_in *in = to;
    if (f->number == 1) in->mapping_i = f->num;
    if (f->number == 2) in->row.address = f->num;
    if (f->number != 3 || f->type != OTLP_BYTES) return true;
    struct line_in line = {0};
    if (!otlp_each(f->bytes, take_line, &line, err)) return false;
    if (line.function_i == 0 || line.function_i >= in->t->functions.n) return true;
    line.row.function_i = in->t->function_rows[line.function_i];
    GROW(in->t->scratch, in->lines, in->cap, (size_t)in->row.n_lines + 1);
    in->lines[in->row.n_lines++] = line.row;
    return true;
}

static void mark_mapping(struct otlp_tables *t, const struct location_in *in) {
    if (in->row.mapping_i == U32_NONE || in->row.n_lines == 0) return;
    struct mapping *m = &t->b->p.mappings[in->row.mapping_i];
    const struct line *line = &in->lines[0];
    m->has_functions = true;
    m->has_filenames |= t->b->p.functions[line->function_i].filename != 0;
    m->has_line_numbers |= line->line != 0;
    m->has_inline_frames |= in->row.n_lines > 1;
}

static bool make_locations(struct otlp_tables *t, struct err *err) {
    t->location_rows = NEW(t->scratch, u32, (size_t)t->locations.n + 1);
    t->location_rows[0] = U32_NONE;
    struct location_in in = {.t = t};
    for (u32 i = 0; i < t->locations.n; i++) {
        in.row = (struct location){0};
        in.mapping_i = 0;
        if (!otlp_each(t->locations.items[i], take_location, &in, err)) return false;
        in.row.mapping_i = in.mapping_i < t->mappings.n ? t->mapping_rows[in.mapping_i] : U32_NONE;
        // Entry 0 is nothing, except in files of writers that use it.
        bool is_nothing = i == 0 && in.row.address == 0 && in.row.n_lines == 0;
        if (is_nothing) continue;
        mark_mapping(t, &in);
        t->location_rows[i] = builder_location_new(t->b, &in.row, in.lines);
    }
    return true;
}

struct stack_in {
    struct otlp_tables *t;
    u64 *indexes;
    size_t n, cap;
};

static bool take_stack(void *to, const struct otlp_field *f, struct err *err) {
    struct stack_in *in = to;
    if (f->number != 1) return true;
    return otlp_numbers(f, &in->indexes, &in->n, &in->cap, in->t->scratch, err);
}

static bool make_stacks(struct otlp_tables *t, struct err *err) {
    struct stack_in in = {.t = t};
    t->stack_at = NEW(t->scratch, u64, (size_t)t->stacks.n + 1);
    u64 n = 0;
    for (u32 i = 0; i < t->stacks.n; i++) {
        in.n = 0;
        if (!otlp_each(t->stacks.items[i], take_stack, &in, err)) return false;
        GROW(t->scratch, t->stack_locations, t->cap_stack_locations, n + in.n);
        for (size_t j = 0; j < in.n; j++) {
            if (in.indexes[j] >= t->locations.n)
                return err_set(err, ERR_MALFORMED, 0, "OTLP: stack %u has no location %llu", i,
                               (unsigned long long)in.indexes[j]);
            u32 row = t->location_rows[in.indexes[j]];
            if (row != U32_NONE) t->stack_locations[n++] = row;
        }
        t->stack_at[i + 1] = n;
    }
    return true;
}

bool otlp_tables_make(struct otlp_tables *t, struct err *err) {
    return make_labels(t, err) && make_mappings(t, err) && make_functions(t, err) &&
           make_locations(t, err) && make_stacks(t, err);
}
