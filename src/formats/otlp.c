// formats/otlp.c - OTLP profiles: ProfilesData, and the export request, which has the same fields.
// Room: resources, scopes, profiles and samples; the wire and the dictionary are otlp_tables.c.
// Door: otlp_decode(). Source: opentelemetry/proto/profiles/v1development as of proto 1.10, whose
// Sample has attributes in 2, link in 3 and values in 4; the numbering before it (values in 2,
// attributes in 3, link in 4) is told by the types of its fields.
//
// Each profile has one value type: those of all profiles are the sample types. Attributes of a
// sample, its profile and its resource become labels, and so do the ids of its span.
#include "formats/otlp.h"

#include "formats/recognize.h"

enum {
    MAX_TYPES = 32, // values of every sample have this many columns; collectors send one to four
    // Values, stack entries and labels of all samples: 2 GiB of each at most. Samples name stacks
    // and attributes by index, so that a small file could ask for far more.
    MAX_VALUES = 1 << 28,
    MAX_STACK_ENTRIES = 1 << 29,
    MAX_LABELS = 1 << 26,
};

struct otlp {
    struct profile_builder b;
    struct otlp_tables t;
    struct arena *scratch;
    struct otlp_list resources; // the ResourceProfiles
    str dictionary;
    bool has_dictionary, is_other;
    bool is_old; // the numbering of Sample before 1.10
    bool has_old_sign, has_new_sign, has_times;
    bool is_counting;     // first pass: types and numbering only
    struct label *labels; // of the sample: of its resource, its profile and itself
    u32 n_labels;
    size_t cap_labels;
    u32 type_i; // of the profile being read
    u64 n_stack_entries, n_label_entries;
    u64 *numbers; // scratch for packed fields
    size_t cap_numbers;
};

static bool take_top(void *to, const struct otlp_field *f, struct err *err) {
    struct otlp *o = to;
    (void)err;
    if (f->type != OTLP_BYTES || f->number < 1 || f->number > 2) {
        o->is_other = true;
    } else if (f->number == 2) {
        o->is_other |= o->has_dictionary;
        o->has_dictionary = true;
        o->dictionary = f->bytes;
    } else {
        GROW(o->scratch, o->resources.items, o->resources.cap, (size_t)o->resources.n + 1);
        o->resources.items[o->resources.n++] = f->bytes;
    }
    return true;
}

static void label_push(struct otlp *o, const struct label *label) {
    if (label->key == 0) return;
    GROW(o->scratch, o->labels, o->cap_labels, (size_t)o->n_labels + 1);
    o->labels[o->n_labels++] = *label;
}

static bool push_attributes(struct otlp *o, const struct otlp_field *f, struct err *err) {
    size_t n = 0;
    if (!otlp_numbers(f, &o->numbers, &n, &o->cap_numbers, o->scratch, err)) return false;
    for (size_t i = 0; i < n; i++) {
        if (o->numbers[i] < o->t.labels.n) label_push(o, &o->t.labels.items[o->numbers[i]]);
    }
    return true;
}

struct sample {
    struct otlp *o;
    u64 stack_i;
    u64 value; // sum of those at several times
    u64 n_values, n_times;
};

static bool add_values(struct sample *s, const struct otlp_field *f, struct err *err) {
    size_t n = 0;
    struct otlp *o = s->o;
    if (!otlp_numbers(f, &o->numbers, &n, &o->cap_numbers, o->scratch, err)) return false;
    for (size_t i = 0; i < n; i++) s->value += o->numbers[i];
    s->n_values += n;
    return true;
}

static void push_hex(struct otlp *o, str key, str bytes) {
    if (bytes.len == 0) return;
    struct buf text = buf_new(o->scratch, 2 * bytes.len + 1);
    for (size_t i = 0; i < bytes.len; i++) num_hex(&text, (u8)bytes.p[i], 2);
    struct label label = {.key = builder_str(&o->b, key),
                          .str = builder_str(&o->b, buf_str(&text)),
                          .is_string = true};
    label_push(o, &label);
}

static bool take_link(void *to, const struct otlp_field *f, struct err *err) {
    (void)err;
    if (f->type != OTLP_BYTES || f->bytes.len > 16) return true; // a trace id is 16 bytes
    if (f->number == 1) push_hex(to, S("trace_id"), f->bytes);
    if (f->number == 2) push_hex(to, S("span_id"), f->bytes);
    return true;
}

static bool push_link(struct otlp *o, u64 link_i, struct err *err) {
    if (link_i == 0 || link_i >= o->t.links.n) return true;
    return otlp_each(o->t.links.items[link_i], take_link, o, err);
}

static bool take_sample_field(void *to, const struct otlp_field *f, struct err *err) {
    struct sample *s = to;
    const bool is_old = s->o->is_old;
    const u64 attributes = is_old ? 3 : 2, link = is_old ? 4 : 3, values = is_old ? 2 : 4;
    if (f->number == 1) s->stack_i = f->num;
    if (f->number == 5) s->n_times += f->type == OTLP_BYTES ? f->bytes.len / 8 : 1;
    if (f->number == attributes) return push_attributes(s->o, f, err);
    if (f->number == values) return add_values(s, f, err);
    if (f->number == link && f->type == OTLP_VARINT) return push_link(s->o, f->num, err);
    return true;
}

static bool check_room(struct otlp *o, u64 n_stack, struct err *err) {
    o->n_stack_entries += n_stack;
    o->n_label_entries += o->n_labels;
    bool is_full = (u64)(o->b.p.n_samples + 1) * o->b.p.n_types > MAX_VALUES ||
                   o->n_stack_entries > MAX_STACK_ENTRIES || o->n_label_entries > MAX_LABELS;
    return !is_full || err_set(err, ERR_LIMIT, 0, "OTLP: samples of more than 2 GiB");
}

// Without values each time counts 1.
static bool add_sample(struct otlp *o, str message, struct err *err) {
    struct sample s = {.o = o};
    u32 n_kept = o->n_labels;
    if (!otlp_each(message, take_sample_field, &s, err)) return false;
    if (s.stack_i >= o->t.stacks.n && s.stack_i > 0)
        return err_set(err, ERR_MALFORMED, 0, "OTLP: a sample has no stack %llu",
                       (unsigned long long)s.stack_i);
    i64 values[MAX_TYPES] = {0};
    values[o->type_i] = (i64)(s.n_values ? s.value : s.n_times);
    u64 at = 0, n = 0;
    if (s.stack_i < o->t.stacks.n) {
        at = o->t.stack_at[s.stack_i];
        n = o->t.stack_at[s.stack_i + 1] - at;
    }
    if (!check_room(o, n, err)) return false;
    builder_sample(&o->b, values, n ? o->t.stack_locations + at : NULL, (u32)n, o->labels,
                   o->n_labels);
    o->n_labels = n_kept;
    return true;
}

// What tells the numberings apart.
static bool take_sign(void *to, const struct otlp_field *f, struct err *err) {
    struct otlp *o = to;
    (void)err;
    if (f->number == 4 && f->type == OTLP_BYTES) o->has_new_sign = true;
    if (f->number == 3 && f->type == OTLP_BYTES) o->has_old_sign = true;
    if (f->number == 4 && f->type == OTLP_VARINT) o->has_old_sign = true;
    if (f->number == 5) o->has_times = true;
    return true;
}

struct value_type_in {
    struct otlp *o;
    str type, unit;
};

static bool take_value_type(void *to, const struct otlp_field *f, struct err *err) {
    struct value_type_in *in = to;
    (void)err;
    if (f->number == 1) in->type = otlp_string(&in->o->t, f->num);
    if (f->number == 2) in->unit = otlp_string(&in->o->t, f->num);
    return true;
}

// A profile's fields in any order: those besides samples come first.
struct profile_in {
    struct otlp *o;
    struct value_type_in type, period_type;
    u64 time_ns, duration_ns, period;
};

static bool take_profile_head(void *to, const struct otlp_field *f, struct err *err) {
    struct profile_in *in = to;
    struct otlp *o = in->o;
    bool is_bytes = f->type == OTLP_BYTES;
    switch (f->number) {
    case 1:
        return !is_bytes || otlp_each(f->bytes, take_value_type, &in->type, err);
    case 2:
        return !is_bytes || !o->is_counting || otlp_each(f->bytes, take_sign, o, err);
    case 3:
        in->time_ns = f->num;
        return true;
    case 4:
        in->duration_ns = f->num;
        return true;
    case 5:
        return !is_bytes || otlp_each(f->bytes, take_value_type, &in->period_type, err);
    case 6:
        in->period = f->num;
        return true;
    case 11:
        return o->is_counting || push_attributes(o, f, err);
    default:
        return true;
    }
}

static bool type_at(struct otlp *o, const struct value_type_in *type, u32 *ret, struct err *err) {
    const struct profile *p = &o->b.p;
    u32 name = builder_str(&o->b, type->type), unit = builder_str(&o->b, type->unit);
    for (*ret = 0; *ret < p->n_types; ++*ret) {
        if (p->sample_types[*ret].type == name && p->sample_types[*ret].unit == unit) return true;
    }
    if (p->n_types == MAX_TYPES)
        return err_set(err, ERR_LIMIT, 0, "OTLP: more than %d value types", MAX_TYPES);
    builder_sample_type(&o->b, type->type, type->unit);
    return true;
}

// The first profile speaks for all.
static void set_header(struct otlp *o, const struct profile_in *in) {
    struct profile *p = &o->b.p;
    if (p->time_nanos == 0) p->time_nanos = (i64)in->time_ns;
    if (p->duration_nanos == 0) p->duration_nanos = (i64)in->duration_ns;
    if (p->period || in->period == 0) return;
    p->period = (i64)in->period;
    p->period_type = (struct value_type){builder_str(&o->b, in->period_type.type),
                                         builder_str(&o->b, in->period_type.unit)};
}

static bool take_profile_sample(void *to, const struct otlp_field *f, struct err *err) {
    if (f->number != 2 || f->type != OTLP_BYTES) return true;
    return add_sample(to, f->bytes, err);
}

static bool take_profile(struct otlp *o, str message, struct err *err) {
    struct profile_in in = {.o = o, .type.o = o, .period_type.o = o};
    u32 n_kept = o->n_labels;
    if (!otlp_each(message, take_profile_head, &in, err)) return false;
    if (!type_at(o, &in.type, &o->type_i, err)) return false;
    if (o->is_counting) {
        set_header(o, &in);
        return true;
    }
    bool is_ok = otlp_each(message, take_profile_sample, o, err);
    o->n_labels = n_kept;
    return is_ok;
}

static bool take_scope(void *to, const struct otlp_field *f, struct err *err) {
    if (f->number != 2 || f->type != OTLP_BYTES) return true;
    return take_profile(to, f->bytes, err);
}

static bool take_resource(void *to, const struct otlp_field *f, struct err *err) {
    struct otlp *o = to;
    struct label label;
    if (f->number != 1 || f->type != OTLP_BYTES) return true;
    if (!otlp_label(&o->t, f->bytes, true, &label, err)) return false;
    label_push(o, &label);
    return true;
}

static bool take_resource_head(void *to, const struct otlp_field *f, struct err *err) {
    struct otlp *o = to;
    if (f->number != 1 || f->type != OTLP_BYTES || o->is_counting) return true;
    return otlp_each(f->bytes, take_resource, o, err);
}

static bool take_scopes(void *to, const struct otlp_field *f, struct err *err) {
    if (f->number != 2 || f->type != OTLP_BYTES) return true;
    return otlp_each(f->bytes, take_scope, to, err);
}

static bool read_resources(struct otlp *o, bool is_counting, struct err *err) {
    o->is_counting = is_counting;
    for (u32 i = 0; i < o->resources.n; i++) {
        o->n_labels = 0;
        str message = o->resources.items[i];
        if (!otlp_each(message, take_resource_head, o, err) ||
            !otlp_each(message, take_scopes, o, err))
            return false;
    }
    return true;
}

// Nothing has a magic here: the fields of the message and a string table that begins with "" do.
static bool recognize(struct otlp *o, str bytes, struct err *err) {
    bool is_ours = bytes.len > 0 && otlp_each(bytes, take_top, o, err) && !o->is_other &&
                   o->has_dictionary && otlp_tables_read(&o->t, o->dictionary, err) &&
                   o->t.strings.n > 0 && o->t.strings.items[0].len == 0;
    return is_ours || err_set(err, ERR_UNRECOGNIZED, 0, "not OTLP profiles");
}

bool otlp_decode(struct arena *out, str bytes, struct profile *ret, struct err *err) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct otlp o = {.scratch = &scratch};
    builder_init(&o.b, out);
    o.t.b = &o.b;
    o.t.scratch = &scratch;
    if (!recognize(&o, bytes, err)) return false;
    if (!otlp_tables_make(&o.t, err) || !read_resources(&o, true, err)) return err_in(err, "OTLP");
    // Samples that only have the field 2 have values there, unless times count for them.
    o.is_old = !o.has_new_sign && (o.has_old_sign || !o.has_times);
    if (!read_resources(&o, false, err)) return err_in(err, "OTLP");
    *ret = builder_done(&o.b);
    return true;
}
