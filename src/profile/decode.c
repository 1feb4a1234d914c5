// profile/decode.c - profile.proto from the wire into dense tables.
// Room: one pass over the message after sweep.c has sized the tables; samples are checked on the
// way, the finished tables by check.c. Door: profile_decode() and profile_decode_owned(), at the
// end. Source: profile.proto and reference/pprof.md section 3.1.
#include "profile/sweep.h"

#include "profile/check.h"
#include "profile/codec.h"

#include <sys/mman.h>

enum {
    // Decoded input is given back in steps of 4 MiB: small against any profile where memory
    // matters, large enough that the system calls do not show.
    DISCARD_STEP_BYTES = 4 << 20,
    PAGE_BYTES = 4096,
};

struct decoder {
    struct arena *out;
    struct profile p;
    struct sweep sweep;
    str msg;
    struct err *err;
    u32 n_strings; // read so far
    bool has_nil_location;
    bool is_owned;
    const u8 *discarded_to;
};

static bool malformed(struct decoder *d, const u8 *at, const char *why) {
    return err_set(d->err, ERR_MALFORMED, (u64)(at - (const u8 *)d->msg.p), "%s", why);
}

static bool want_type(struct decoder *d, const struct wire *w, u32 type) {
    return w->type == type || malformed(d, w->p, "field has the wrong wire type");
}

// A message's loop ends here: true when it was read whole.
static bool ended(struct decoder *d, const struct wire *w) {
    return !w->why || malformed(d, w->p, w->why);
}

static bool get_u64(struct decoder *d, const struct wire *w, u64 *ret) {
    *ret = w->num;
    return want_type(d, w, WIRE_VARINT);
}

static bool get_i64(struct decoder *d, const struct wire *w, i64 *ret) {
    *ret = (i64)w->num;
    return want_type(d, w, WIRE_VARINT);
}

static bool get_bool(struct decoder *d, const struct wire *w, bool *ret) {
    *ret = w->num != 0;
    return want_type(d, w, WIRE_VARINT);
}

// A string id; the table's size is known from the sweep, although its texts mostly come last.
static bool get_str(struct decoder *d, const struct wire *w, u32 *ret) {
    if (!want_type(d, w, WIRE_VARINT)) return false;
    if (w->num >= d->sweep.n_strings) return malformed(d, w->p, "string index out of range");
    *ret = (u32)w->num;
    return true;
}

static bool decode_value_type(struct decoder *d, const struct wire *top, struct value_type *ret) {
    if (!want_type(d, top, WIRE_BYTES)) return false;
    struct wire w = wire_of(top->data, top->num);
    *ret = (struct value_type){0};
    while (wire_next(&w)) {
        bool is_ok = w.field == 1   ? get_str(d, &w, &ret->type)
                     : w.field == 2 ? get_str(d, &w, &ret->unit)
                                    : true;
        if (!is_ok) return false;
    }
    return ended(d, &w);
}

// A location id becomes an index; one that no location has becomes U32_NONE and is remembered.
static inline u32 *put_location(struct decoder *d, u32 *to, u64 id) {
    *to = ids_find(&d->sweep.locations, id);
    d->has_nil_location |= *to == U32_NONE;
    return to + 1;
}

// The lowest four groups of seven bits, joined.
static inline u64 low_septets(u64 word) {
    return (word & 0x7f) | (word >> 1 & 0x3f80) | (word >> 2 & 0x1fc000) | (word >> 3 & 0xfe00000);
}

// Dense packed ids from p on, two a step while eight bytes can be read, both ids are shorter than
// five bytes and end before end; gives back where it stopped. In a profile with 40,000 locations
// ids take two or three bytes in no order: a branch on the length would be mispredicted for every
// other id, which costs more than all the masks here.
static const u8 *stack_dense(struct decoder *d, const u8 *p, const u8 *end, u32 **to_end) {
    const u8 *readable = (const u8 *)d->msg.p + d->msg.len;
    const u64 n = d->sweep.locations.n;
    u32 *to = *to_end;
    bool has_nil = false;
    while (readable - p >= 8) {
        u64 word;
        memcpy(&word, p, 8);
        u64 ends = ~word & 0x8080808080808080u;
        u64 more_ends = ends & (ends - 1);
        if (!more_ends) break;
        unsigned first_bits = (unsigned)__builtin_ctzll(ends) + 1;
        unsigned both_bits = (unsigned)__builtin_ctzll(more_ends) + 1;
        const u8 *next = p + both_bits / 8;
        if (next > end || first_bits > 32 || both_bits - first_bits > 32) break;
        u64 first = low_septets(word & (ends ^ (ends - 1))) - 1;
        u64 second = low_septets((word & (more_ends ^ (more_ends - 1))) >> first_bits) - 1;
        has_nil |= (first >= n) | (second >= n);
        to[0] = (u32)first;
        to[1] = (u32)second;
        to += 2;
        p = next;
    }
    d->has_nil_location |= has_nil;
    *to_end = to;
    return p;
}

static bool decode_stack(struct decoder *d, const struct wire *w, u32 **to_end) {
    const u8 *p = w->data, *end = w->data + w->num;
    while (p < end) {
        if (d->sweep.locations.is_dense) p = stack_dense(d, p, end, to_end);
        if (p == end) break;
        u64 id;
        const u8 *next = wire_varint(p, end, &id);
        if (!next) return malformed(d, p, "bad varint in a stack");
        *to_end = put_location(d, *to_end, id);
        p = next;
    }
    return true;
}

static bool decode_values(struct decoder *d, const struct wire *w, i64 **to_end) {
    const u8 *p = w->data, *end = w->data + w->num;
    while (p < end) {
        u64 value;
        const u8 *next = wire_varint(p, end, &value);
        if (!next) return malformed(d, p, "bad varint in a sample's values");
        *(*to_end)++ = (i64)value;
        p = next;
    }
    return true;
}

// A label without string, number and unit says nothing and is dropped, as the reference does.
static bool decode_label(struct decoder *d, const struct wire *top) {
    if (!want_type(d, top, WIRE_BYTES)) return false;
    struct wire w = wire_of(top->data, top->num);
    struct label label = {0};
    while (wire_next(&w)) {
        bool is_ok = true;
        if (w.field == 1) is_ok = get_str(d, &w, &label.key);
        if (w.field == 2) is_ok = get_str(d, &w, &label.str);
        if (w.field == 3) is_ok = get_i64(d, &w, &label.num);
        if (w.field == 4) is_ok = get_str(d, &w, &label.unit);
        if (!is_ok) return false;
    }
    label.is_string = label.str != 0;
    if (label.is_string) label.num = label.unit = 0;
    u32 *n_labels = &d->p.label_at[d->p.n_samples + 1];
    if (label.is_string || label.num || label.unit) d->p.labels[(*n_labels)++] = label;
    return ended(d, &w);
}

// The sweep has counted the varints, so that neither column can be passed, and has made sure that
// every sample has n_types values.
static bool decode_sample(struct decoder *d, const struct wire *top) {
    struct profile *p = &d->p;
    u32 *stack_end = p->stack_locs + p->stack_at[p->n_samples];
    i64 *values_end = p->values + (size_t)p->n_samples * d->sweep.n_types;
    if (p->label_at) p->label_at[p->n_samples + 1] = p->label_at[p->n_samples];
    struct wire w = wire_of(top->data, top->num);
    while (wire_next(&w)) {
        bool is_ok = true;
        if (w.field == SAMPLE_LOCATION_ID) {
            if (w.type == WIRE_BYTES)
                is_ok = decode_stack(d, &w, &stack_end);
            else
                stack_end = put_location(d, stack_end, w.num);
        } else if (w.field == SAMPLE_VALUE) {
            if (w.type == WIRE_BYTES)
                is_ok = decode_values(d, &w, &values_end);
            else
                *values_end++ = (i64)w.num;
        } else if (w.field == SAMPLE_LABEL) {
            is_ok = decode_label(d, &w);
        }
        if (!is_ok) return false;
    }
    p->n_samples++;
    p->stack_at[p->n_samples] = (u64)(stack_end - p->stack_locs);
    return ended(d, &w);
}

static bool decode_mapping(struct decoder *d, const struct wire *top) {
    struct mapping *m = &d->p.mappings[d->p.n_mappings++];
    struct wire w = wire_of(top->data, top->num);
    while (wire_next(&w)) {
        bool is_ok = true;
        switch (w.field) {
        case 1:
            is_ok = get_u64(d, &w, &m->id);
            break;
        case 2:
            is_ok = get_u64(d, &w, &m->start);
            break;
        case 3:
            is_ok = get_u64(d, &w, &m->limit);
            break;
        case 4:
            is_ok = get_u64(d, &w, &m->offset);
            break;
        case 5:
            is_ok = get_str(d, &w, &m->file);
            break;
        case 6:
            is_ok = get_str(d, &w, &m->build_id);
            break;
        case 7:
            is_ok = get_bool(d, &w, &m->has_functions);
            break;
        case 8:
            is_ok = get_bool(d, &w, &m->has_filenames);
            break;
        case 9:
            is_ok = get_bool(d, &w, &m->has_line_numbers);
            break;
        case 10:
            is_ok = get_bool(d, &w, &m->has_inline_frames);
            break;
        default:
            break;
        }
        if (!is_ok) return false;
    }
    return ended(d, &w);
}

static bool decode_line(struct decoder *d, const struct wire *top) {
    if (!want_type(d, top, WIRE_BYTES)) return false;
    struct line *line = &d->p.lines[d->p.n_lines++];
    struct wire w = wire_of(top->data, top->num);
    u64 function_id = 0;
    while (wire_next(&w)) {
        bool is_ok = w.field == 1   ? get_u64(d, &w, &function_id)
                     : w.field == 2 ? get_i64(d, &w, &line->line)
                     : w.field == 3 ? get_i64(d, &w, &line->column)
                                    : true;
        if (!is_ok) return false;
    }
    line->function_i = function_id ? ids_find(&d->sweep.functions, function_id) : U32_NONE;
    return ended(d, &w);
}

static bool decode_location(struct decoder *d, const struct wire *top) {
    struct location *l = &d->p.locations[d->p.n_locations++];
    l->lines_at = d->p.n_lines;
    struct wire w = wire_of(top->data, top->num);
    u64 mapping_id = 0;
    while (wire_next(&w)) {
        bool is_ok = true;
        switch (w.field) {
        case 1:
            is_ok = get_u64(d, &w, &l->id);
            break;
        case 2:
            is_ok = get_u64(d, &w, &mapping_id);
            break;
        case 3:
            is_ok = get_u64(d, &w, &l->address);
            break;
        case LOCATION_LINE:
            is_ok = decode_line(d, &w);
            break;
        case 5:
            is_ok = get_bool(d, &w, &l->is_folded);
            break;
        default:
            break;
        }
        if (!is_ok) return false;
    }
    l->n_lines = d->p.n_lines - l->lines_at;
    l->mapping_i = ids_find(&d->sweep.mappings, mapping_id);
    return ended(d, &w);
}

static bool decode_function(struct decoder *d, const struct wire *top) {
    struct function *f = &d->p.functions[d->p.n_functions++];
    struct wire w = wire_of(top->data, top->num);
    while (wire_next(&w)) {
        bool is_ok = true;
        switch (w.field) {
        case 1:
            is_ok = get_u64(d, &w, &f->id);
            break;
        case 2:
            is_ok = get_str(d, &w, &f->name);
            break;
        case 3:
            is_ok = get_str(d, &w, &f->system_name);
            break;
        case 4:
            is_ok = get_str(d, &w, &f->filename);
            break;
        case 5:
            is_ok = get_i64(d, &w, &f->start_line);
            break;
        default:
            break;
        }
        if (!is_ok) return false;
    }
    return ended(d, &w);
}

static bool decode_string(struct decoder *d, const struct wire *w) {
    if (d->n_strings == 0 && w->num != 0) return malformed(d, w->p, "string_table[0] must be ''");
    d->p.strings[d->n_strings++] = (str){(const char *)w->data, w->num};
    return true;
}

static bool decode_comments(struct decoder *d, const struct wire *w) {
    if (w->type != WIRE_BYTES) return get_str(d, w, &d->p.comments[d->p.n_comments++]);
    const u8 *p = w->data, *end = w->data + w->num;
    while (p < end) {
        struct wire one = {.type = WIRE_VARINT, .p = p};
        p = wire_varint(p, end, &one.num);
        if (!p) return malformed(d, one.p, "bad varint in the comments");
        if (!get_str(d, &one, &d->p.comments[d->p.n_comments++])) return false;
    }
    return true;
}

// Two whole profiles one behind the other read as one message in which single fields come twice.
static bool decode_time(struct decoder *d, const struct wire *w) {
    if (d->p.time_nanos != 0)
        return err_set(d->err, ERR_UNSUPPORTED, (u64)(w->p - (const u8 *)d->msg.p),
                       "concatenated profiles detected");
    return get_i64(d, w, &d->p.time_nanos);
}

static bool decode_field(struct decoder *d, const struct wire *w) {
    struct profile *p = &d->p;
    switch (w->field) {
    case PROFILE_SAMPLE_TYPE:
        return decode_value_type(d, w, &p->sample_types[p->n_types++]);
    case PROFILE_SAMPLE:
        return decode_sample(d, w);
    case PROFILE_MAPPING:
        return decode_mapping(d, w);
    case PROFILE_LOCATION:
        return decode_location(d, w);
    case PROFILE_FUNCTION:
        return decode_function(d, w);
    case PROFILE_STRING_TABLE:
        return decode_string(d, w);
    case PROFILE_DROP_FRAMES:
        return get_str(d, w, &p->drop_frames);
    case PROFILE_KEEP_FRAMES:
        return get_str(d, w, &p->keep_frames);
    case PROFILE_TIME_NANOS:
        return decode_time(d, w);
    case PROFILE_DURATION_NANOS:
        return get_i64(d, w, &p->duration_nanos);
    case PROFILE_PERIOD_TYPE:
        return decode_value_type(d, w, &p->period_type);
    case PROFILE_PERIOD:
        return get_i64(d, w, &p->period);
    case PROFILE_COMMENT:
        return decode_comments(d, w);
    case PROFILE_DEFAULT_SAMPLE_TYPE:
        return get_str(d, w, &p->default_sample_type);
    case PROFILE_DOC_URL:
        return get_str(d, w, &p->doc_url);
    default:
        return true; // unknown fields are skipped
    }
}

static void discard_pages(const u8 *from, const u8 *to) {
    uintptr_t first = ((uintptr_t)from + PAGE_BYTES - 1) & ~(uintptr_t)(PAGE_BYTES - 1);
    uintptr_t end = (uintptr_t)to & ~(uintptr_t)(PAGE_BYTES - 1);
    // A failure costs memory, nothing else.
    if (first < end) (void)madvise((void *)first, end - first, MADV_DONTNEED);
}

// Gives back the decoded bytes before p, without those the strings point into.
static void discard_decoded(struct decoder *d, const u8 *p) {
    const u8 *from = d->sweep.strings_from, *to = d->sweep.strings_to;
    if (!from || p <= from) {
        discard_pages(d->discarded_to, p);
    } else if (d->discarded_to < from) {
        discard_pages(d->discarded_to, from);
    } else if (d->discarded_to >= to) {
        discard_pages(d->discarded_to, p);
    }
    d->discarded_to = p;
}

static bool decode_message(struct decoder *d) {
    struct wire w = wire_of((const u8 *)d->msg.p, d->msg.len);
    d->discarded_to = w.p;
    while (wire_next(&w)) {
        if (!decode_field(d, &w)) return false;
        if (d->is_owned && w.p - d->discarded_to >= DISCARD_STEP_BYTES) discard_decoded(d, w.p);
    }
    return ended(d, &w);
}

static bool check_limits(const struct sweep *s, struct err *err) {
    const u64 sizes[] = {s->n_types,    s->n_samples,  s->n_labels,    s->n_lines,    s->n_strings,
                         s->n_comments, s->mappings.n, s->locations.n, s->functions.n};
    for (size_t i = 0; i < countof(sizes); i++) {
        // strings get up to one more entry a mapping (the kernel's relocation symbol)
        if (sizes[i] + s->mappings.n >= U32_NONE)
            return err_set(err, ERR_LIMIT, 0, "a table has more than 2^32-2 entries");
    }
    return true;
}

// The columns hold n_types values a sample, so samples with another number end before decoding. The
// sentences are profile_check's.
static bool check_values(const struct sweep *s, struct err *err) {
    if (s->n_samples == 0) return true;
    if (s->n_types == 0)
        return err_set(err, ERR_INCONSISTENT, 0, "missing sample type information");
    u64 n = s->n_values_first != s->n_types ? s->n_values_first : s->n_values_odd;
    if (n != s->n_types)
        return err_set(err, ERR_INCONSISTENT, 0, "mismatch: sample has %llu values vs. %llu types",
                       (unsigned long long)n, (unsigned long long)s->n_types);
    return true;
}

static void allocate_tables(struct decoder *d) {
    const struct sweep *s = &d->sweep;
    struct profile *p = &d->p;
    p->strings = NEW(d->out, str, s->n_strings + s->mappings.n);
    p->sample_types = NEW(d->out, struct value_type, s->n_types);
    p->values = NEW(d->out, i64, s->n_samples * s->n_types);
    p->stack_at = NEW(d->out, u64, s->n_samples + 1);
    p->stack_locs = NEW(d->out, u32, s->n_stack);
    if (s->n_labels) {
        p->label_at = NEW(d->out, u32, s->n_samples + 1);
        p->labels = NEW(d->out, struct label, s->n_labels);
    }
    p->mappings = NEW(d->out, struct mapping, s->mappings.n);
    p->locations = NEW(d->out, struct location, s->locations.n);
    p->lines = NEW(d->out, struct line, s->n_lines);
    p->functions = NEW(d->out, struct function, s->functions.n);
    p->comments = NEW(d->out, u32, s->n_comments);
}

static void rename_strings(struct profile *p, const u32 *to) {
    for (u32 i = 0; i < p->n_types; i++) {
        p->sample_types[i].type = to[p->sample_types[i].type];
        p->sample_types[i].unit = to[p->sample_types[i].unit];
    }
    for (u32 i = 0; p->label_at && i < p->label_at[p->n_samples]; i++) {
        struct label *l = &p->labels[i];
        l->key = to[l->key], l->str = to[l->str], l->unit = to[l->unit];
    }
    for (u32 i = 0; i < p->n_mappings; i++) {
        p->mappings[i].file = to[p->mappings[i].file];
        p->mappings[i].build_id = to[p->mappings[i].build_id];
    }
    for (u32 i = 0; i < p->n_functions; i++) {
        struct function *f = &p->functions[i];
        f->name = to[f->name], f->system_name = to[f->system_name], f->filename = to[f->filename];
    }
    for (u32 i = 0; i < p->n_comments; i++) p->comments[i] = to[p->comments[i]];
    u32 *single[] = {&p->drop_frames, &p->keep_frames,      &p->default_sample_type,
                     &p->doc_url,     &p->period_type.type, &p->period_type.unit};
    for (size_t i = 0; i < countof(single); i++) *single[i] = to[*single[i]];
}

// "[kernel.kallsyms]_text": the rest names the symbol that was the start of the mapping.
static void split_kernel_symbols(struct profile *p, struct strmap *by_text) {
    const str prefix = S("[kernel.kallsyms]");
    for (u32 i = 0; i < p->n_mappings; i++) {
        str file = profile_str(p, p->mappings[i].file);
        if (!str_starts(file, prefix)) continue;
        u32 *id = strmap_at(by_text, str_skip(file, prefix.len));
        if (*id == U32_NONE) {
            *id = p->n_strings;
            p->strings[p->n_strings++] = str_skip(file, prefix.len);
        }
        p->mappings[i].kernel_relocation_symbol = *id;
    }
}

// Equal texts get one id, so that everybody may compare ids. Writers do so already, and then this
// only looks.
static void unite_strings(struct decoder *d, struct arena *scratch) {
    struct profile *p = &d->p;
    struct strmap by_text;
    strmap_init(&by_text, scratch);
    u32 *to = NEW(scratch, u32, d->n_strings);
    bool has_equal = false;
    for (u32 i = 0; i < d->n_strings; i++) {
        u32 *id = strmap_at(&by_text, p->strings[i]);
        if (*id == U32_NONE) *id = i;
        to[i] = *id;
        has_equal = has_equal || to[i] != i;
    }
    p->n_strings = d->n_strings;
    if (has_equal) rename_strings(p, to);
    split_kernel_symbols(p, &by_text);
}

static bool decode(struct arena *out, str bytes, bool is_owned, struct profile *ret,
                   struct err *err) {
    if (bytes.len == 0) return err_set(err, ERR_UNSUPPORTED, 0, "empty input file");
    struct decoder d = {.out = out, .msg = bytes, .err = err, .is_owned = is_owned};
    struct wire bad;
    if (!sweep_count(bytes, &d.sweep, &bad)) return malformed(&d, bad.p, bad.why);
    if (!check_limits(&d.sweep, err)) return false;
    if (d.sweep.n_strings == 0) return malformed(&d, (const u8 *)bytes.p, "no string table");
    if (!check_values(&d.sweep, err)) return false;
    AUTO_ARENA struct arena scratch = arena_sub(out);
    ids_make(&scratch, bytes, &d.sweep);
    allocate_tables(&d);
    if (!decode_message(&d)) return false;
    unite_strings(&d, &scratch);
    if (d.has_nil_location) return err_set(err, ERR_INCONSISTENT, 0, "sample has nil location");
    if (!check_tables(&d.p, err)) return false;
    *ret = d.p;
    return true;
}

bool profile_decode(struct arena *out, str bytes, struct profile *ret, struct err *err) {
    return decode(out, bytes, false, ret, err);
}

bool profile_decode_owned(struct arena *out, str bytes, struct profile *ret, struct err *err) {
    return decode(out, bytes, true, ret, err);
}
