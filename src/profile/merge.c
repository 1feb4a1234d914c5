// profile/merge.c - many profiles into one.
// Room: which rows of different profiles are the same, and adding them up. What makes profiles fit
// each other first is compatible.c's. Door: merger_new() to merger_done(), and profile_merge(), at
// the end. Source: reference/pprof.md section 4 (Merge), quirk Q17.
#include "profile/merge.h"

#include "profile/build.h"
#include "profile/labels.h"

#include <string.h>

// Rows of the profile that is being read, as rows of the result: U32_NONE until first used.
struct merge_source {
    const struct profile *p;
    u32 *strings, *mappings, *functions, *locations;
};

// A sample on its way into the result, as rows of the result. Its place in the table of all samples
// is asked for before those of the samples ahead of it are looked at: the table is larger than the
// caches, and one sample a cache miss was a quarter of merging.
struct hand {
    u64 key;
    const i64 *values;
    u32 *stack;
    size_t cap_stack;
    struct label *labels;
    size_t cap_labels;
    u32 n_stack, n_labels;
};

enum { N_HANDS = 4 }; // taking three samples takes longer than a miss

struct merger {
    struct profile_builder to;
    struct arena index; // what only merging needs
    struct arena pass;  // what only the profile in hand needs
    struct merge_source from;
    i64 group_time;    // of the group in hand, which has
    size_t n_in_group; // so many profiles
    struct idmap locations_by_key, samples_by_key;
    struct hand hands[N_HANDS]; // a ring
    struct line *lines;         // of the location in hand
    size_t cap_lines;
};

// Address space layout differs between runs, so mappings are compared by size in pages.
enum {
    PAGE_BYTES = 4096,
    MAX_EXPECTED = 1 << 28, // stack entries, 1 GiB of address space; tables double from there
};

// One multiplication a step: stacks are long, and the map mixes the sum of it again.
static u64 hash_step(u64 hash, u64 part) {
    return ((hash << 23 | hash >> 41) ^ part) * 0x9e3779b97f4a7c15u; // 2^64 by the golden ratio
}

static u32 *none_filled(struct arena *scratch, u32 n) {
    u32 *ids = NEW(scratch, u32, n);
    memset(ids, 0xff, n * sizeof *ids);
    return ids;
}

static u32 merge_str(struct merger *m, u32 id) {
    u32 *to = &m->from.strings[id];
    if (*to == U32_NONE) *to = builder_str(&m->to, profile_str(m->from.p, id));
    return *to;
}

static u64 rounded_size(const struct mapping *m) {
    return (m->limit - m->start + PAGE_BYTES - 1) / PAGE_BYTES;
}

// What names the file: the build id, else the path; two mappings without either are the same.
static u32 mapping_identity(const struct mapping *m) {
    return m->build_id ? m->build_id : m->file;
}

static u32 merge_mapping(struct merger *m, u32 i) {
    if (i == U32_NONE) return U32_NONE;
    u32 *to = &m->from.mappings[i];
    if (*to != U32_NONE) return *to;
    struct mapping row = m->from.p->mappings[i];
    row.file = merge_str(m, row.file);
    row.build_id = merge_str(m, row.build_id);
    row.kernel_relocation_symbol = merge_str(m, row.kernel_relocation_symbol);
    // A profile has a handful of mappings: a look at each beats a map.
    const struct profile *p = &m->to.p;
    for (u32 k = 0; k < p->n_mappings; k++) {
        const struct mapping *old = &p->mappings[k];
        if (rounded_size(old) == rounded_size(&row) && old->offset == row.offset &&
            mapping_identity(old) == mapping_identity(&row))
            return *to = k;
    }
    return *to = builder_mapping(&m->to, &row);
}

static u32 merge_function(struct merger *m, u32 i) {
    if (i == U32_NONE) return U32_NONE;
    u32 *to = &m->from.functions[i];
    if (*to != U32_NONE) return *to;
    struct function row = m->from.p->functions[i];
    row.name = merge_str(m, row.name);
    row.system_name = merge_str(m, row.system_name);
    row.filename = merge_str(m, row.filename);
    return *to = builder_function(&m->to, &row);
}

static void merge_lines(struct merger *m, const struct location *l) {
    GROW(&m->index, m->lines, m->cap_lines, l->n_lines);
    for (u32 i = 0; i < l->n_lines; i++) {
        m->lines[i] = m->from.p->lines[l->lines_at + i];
        m->lines[i].function_i = merge_function(m, m->lines[i].function_i);
    }
}

// Lines are compared without the columns of all but the last: the reference means to compare them
// and overwrites them (quirk Q17), and files merged by it must merge the same here.
static bool lines_equal(const struct line *a, const struct line *b, u32 n) {
    for (u32 i = 0; i < n; i++) {
        if (a[i].function_i != b[i].function_i || a[i].line != b[i].line) return false;
    }
    return n == 0 || a[n - 1].column == b[n - 1].column;
}

static u64 lines_hash(const struct line *lines, u32 n) {
    u64 hash = n;
    for (u32 i = 0; i < n; i++)
        hash = hash_step(hash_step(hash, lines[i].function_i), (u64)lines[i].line);
    return hash;
}

static bool locations_equal(const struct profile *p, const struct location *a,
                            const struct location *row, const struct line *lines) {
    return a->address == row->address && a->mapping_i == row->mapping_i &&
           a->is_folded == row->is_folded && a->n_lines == row->n_lines &&
           lines_equal(p->lines + a->lines_at, lines, row->n_lines);
}

static u32 location_intern(struct merger *m, const struct location *row) {
    u64 key = hash_step(lines_hash(m->lines, row->n_lines), row->address);
    key = hash_step(key, (u64)row->mapping_i << 1 | row->is_folded);
    for (;; key++) {
        u32 *at = idmap_at(&m->locations_by_key, key);
        if (*at == U32_NONE) return *at = builder_location_new(&m->to, row, m->lines);
        if (locations_equal(&m->to.p, &m->to.p.locations[*at], row, m->lines)) return *at;
    }
}

// An address keeps its distance from the start of its mapping.
static u32 merge_location(struct merger *m, u32 i) {
    u32 *to = &m->from.locations[i];
    if (*to != U32_NONE) return *to;
    const struct location *l = &m->from.p->locations[i];
    struct location row = *l;
    row.mapping_i = merge_mapping(m, l->mapping_i);
    if (row.mapping_i != U32_NONE)
        row.address +=
            m->to.p.mappings[row.mapping_i].start - m->from.p->mappings[l->mapping_i].start;
    merge_lines(m, l);
    return *to = location_intern(m, &row);
}

static u64 merge_stack(struct merger *m, u32 sample_i, struct hand *h) {
    const u32 *stack = profile_stack(m->from.p, sample_i, &h->n_stack);
    GROW(&m->index, h->stack, h->cap_stack, h->n_stack);
    u64 hash = h->n_stack;
    for (u32 i = 0; i < h->n_stack; i++) {
        h->stack[i] = merge_location(m, stack[i]);
        hash = hash_step(hash, h->stack[i]);
    }
    return hash;
}

static u64 merge_labels(struct merger *m, u32 sample_i, struct hand *h) {
    struct label few[FEW_LABELS];
    const struct label *labels = labels_sorted(m->from.p, sample_i, &m->pass, few, &h->n_labels);
    GROW(&m->index, h->labels, h->cap_labels, h->n_labels);
    u64 hash = h->n_labels;
    for (u32 i = 0; i < h->n_labels; i++) {
        struct label *l = &h->labels[i];
        *l = labels[i];
        l->key = merge_str(m, l->key);
        l->str = merge_str(m, l->str);
        l->unit = merge_str(m, l->unit);
        hash = hash_step(hash_step(hash, (u64)l->key << 32 | l->str), l->unit);
        hash = hash_step(hash, (u64)l->num);
    }
    return hash;
}

static bool labels_equal(const struct label *a, const struct label *b, u32 n) {
    for (u32 i = 0; i < n; i++) {
        if (a[i].key != b[i].key || a[i].str != b[i].str || a[i].unit != b[i].unit ||
            a[i].num != b[i].num || a[i].is_string != b[i].is_string)
            return false;
    }
    return true;
}

static bool is_sample_in_hand(const struct merger *m, u32 sample_i, const struct hand *h) {
    u32 n;
    const u32 *stack = profile_stack(&m->to.p, sample_i, &n);
    if (n != h->n_stack || (n && memcmp(stack, h->stack, n * sizeof *stack) != 0)) return false;
    // Until the first label there is no table of labels, and then no sample has any.
    const struct label *labels = m->to.n_labels ? profile_labels(&m->to.p, sample_i, &n) : NULL;
    if (!labels) n = 0;
    return n == h->n_labels && labels_equal(labels, h->labels, n);
}

static void add_values(struct profile *p, u32 sample_i, const i64 *values) {
    i64 *to = p->values + (size_t)sample_i * p->n_types;
    for (u32 i = 0; i < p->n_types; i++) to[i] = (i64)((u64)to[i] + (u64)values[i]);
}

static bool is_zero(const struct profile *p, u32 sample_i) {
    const i64 *values = profile_values(p, sample_i);
    for (u32 i = 0; i < p->n_types; i++) {
        if (values[i] != 0) return false;
    }
    return true;
}

static void take_sample(struct merger *m, u32 sample_i, struct hand *h) {
    h->values = profile_values(m->from.p, sample_i);
    h->key = merge_stack(m, sample_i, h);
    h->key = hash_step(h->key, merge_labels(m, sample_i, h));
    idmap_prefetch(&m->samples_by_key, h->key);
}

static void put_sample(struct merger *m, const struct hand *h) {
    for (u64 key = h->key;; key++) {
        u32 *at = idmap_at(&m->samples_by_key, key);
        if (*at == U32_NONE) {
            *at = m->to.p.n_samples;
            builder_sample(&m->to, h->values, h->stack, h->n_stack, h->labels, h->n_labels);
            return;
        }
        if (!is_sample_in_hand(m, *at, h)) continue;
        add_values(&m->to.p, *at, h->values);
        return;
    }
}

// The first mapping stands for the main binary and stays first, used or not.
static void merge_samples(struct merger *m, const struct profile *p) {
    arena_init(&m->pass);
    m->from = (struct merge_source){
        .p = p,
        .strings = none_filled(&m->pass, p->n_strings),
        .mappings = none_filled(&m->pass, p->n_mappings),
        .functions = none_filled(&m->pass, p->n_functions),
        .locations = none_filled(&m->pass, p->n_locations),
    };
    if (m->to.p.n_mappings == 0 && p->n_mappings > 0) merge_mapping(m, 0);
    u32 n_taken = 0, n_put = 0;
    for (u32 i = 0; i < p->n_samples; i++) {
        if (is_zero(p, i)) continue;
        if (n_taken - n_put == N_HANDS) put_sample(m, &m->hands[n_put++ % N_HANDS]);
        take_sample(m, i, &m->hands[n_taken++ % N_HANDS]);
    }
    while (n_put < n_taken) put_sample(m, &m->hands[n_put++ % N_HANDS]);
    arena_done(&m->pass);
}

static bool has_comment(const struct profile *p, u32 id) {
    for (u32 i = 0; i < p->n_comments; i++) {
        if (p->comments[i] == id) return true;
    }
    return false;
}

static void merge_comments(struct profile_builder *b, const struct profile *p) {
    for (u32 i = 0; i < p->n_comments; i++) {
        str text = profile_str(p, p->comments[i]);
        if (!has_comment(&b->p, builder_str(b, text))) builder_comment(b, text);
    }
}

// A profile without a time takes away the time found before it (quirk Q17).
static void merge_time(i64 *to, i64 time_nanos) {
    if (*to == 0 || time_nanos < *to) *to = time_nanos;
}

// What the first profile says for all.
static void merge_first(struct profile_builder *b, const struct profile *first) {
    struct profile *to = &b->p;
    for (u32 i = 0; i < first->n_types; i++)
        builder_sample_type(b, profile_str(first, first->sample_types[i].type),
                            profile_str(first, first->sample_types[i].unit));
    to->drop_frames = builder_str(b, profile_str(first, first->drop_frames));
    to->keep_frames = builder_str(b, profile_str(first, first->keep_frames));
    to->period_type.type = builder_str(b, profile_str(first, first->period_type.type));
    to->period_type.unit = builder_str(b, profile_str(first, first->period_type.unit));
}

// Durations add up even where the machines ran side by side.
static void merge_header(struct merger *m, const struct profile *p) {
    struct profile_builder *b = &m->to;
    struct profile *to = &b->p;
    merge_time(&m->group_time, p->time_nanos);
    m->n_in_group++;
    to->duration_nanos = (i64)((u64)to->duration_nanos + (u64)p->duration_nanos);
    if (to->period == 0 || to->period < p->period) to->period = p->period;
    merge_comments(b, p);
    if (!to->default_sample_type)
        to->default_sample_type = builder_str(b, profile_str(p, p->default_sample_type));
    if (!to->doc_url) to->doc_url = builder_str(b, profile_str(p, p->doc_url));
}

static bool text_equal(const struct profile *a, u32 x, const struct profile *b, u32 y) {
    return str_eq(profile_str(a, x), profile_str(b, y));
}

static bool types_equal(const struct profile *a, struct value_type x, const struct profile *b,
                        struct value_type y) {
    return text_equal(a, x.type, b, y.type) && text_equal(a, x.unit, b, y.unit);
}

static bool types_differ(const struct profile *a, const struct profile *b, struct err *err) {
    str name_a = a->n_types ? profile_str(a, a->sample_types[0].type) : S("none");
    str name_b = b->n_types ? profile_str(b, b->sample_types[0].type) : S("none");
    return err_set(err, ERR_USAGE, 0,
                   "incompatible sample types: %u from " S_FMT " on and %u from " S_FMT " on",
                   a->n_types, S_ARG(name_a), b->n_types, S_ARG(name_b));
}

bool profile_can_merge(const struct profile *a, const struct profile *b, struct err *err) {
    if (!types_equal(a, a->period_type, b, b->period_type))
        return err_set(
            err, ERR_USAGE, 0,
            "incompatible period types &{" S_FMT " " S_FMT " 0 0} and &{" S_FMT " " S_FMT " 0 0}",
            S_ARG(profile_str(a, a->period_type.type)), S_ARG(profile_str(a, a->period_type.unit)),
            S_ARG(profile_str(b, b->period_type.type)), S_ARG(profile_str(b, b->period_type.unit)));
    if (a->n_types != b->n_types) return types_differ(a, b, err);
    for (u32 i = 0; i < a->n_types; i++) {
        if (!types_equal(a, a->sample_types[i], b, b->sample_types[i]))
            return types_differ(a, b, err);
    }
    return true;
}

struct merger *merger_new(struct arena *out, const struct profile *first) {
    struct merger *m = NEW(out, struct merger, 1);
    m->index = arena_sub(out);
    m->pass = arena_sub(out);
    builder_init(&m->to, out);
    idmap_init(&m->locations_by_key, &m->index);
    idmap_init(&m->samples_by_key, &m->index);
    merge_first(&m->to, first);
    return m;
}

const struct profile *merger_so_far(const struct merger *m) {
    return &m->to.p;
}

void merger_expect(struct merger *m, const struct profile *const *list, size_t n, size_t times) {
    u64 n_samples = 0, n_stack = 0, n_labels = 0;
    u32 n_most = 0; // samples of one: most are different, those of two profiles may be the same
    for (size_t i = 0; i < n; i++) {
        const struct profile *p = list[i];
        n_samples += p->n_samples;
        if (p->n_samples > n_most) n_most = p->n_samples;
        n_stack += p->stack_at[p->n_samples];
        n_labels += p->label_at ? p->label_at[p->n_samples] : 0;
    }
    if (n_stack && times > MAX_EXPECTED / n_stack) times = MAX_EXPECTED / n_stack + 1;
    idmap_reserve(&m->samples_by_key, n_most);
    builder_reserve(&m->to, n_samples * times, n_stack * times, n_labels * times);
}

bool merger_add(struct merger *m, const struct profile *p, struct err *err) {
    if (!profile_can_merge(&m->to.p, p, err)) return false;
    merge_header(m, p);
    merge_samples(m, p);
    return true;
}

static bool has_zero(const struct profile *p) {
    for (u32 i = 0; i < p->n_samples; i++) {
        if (is_zero(p, i)) return true;
    }
    return false;
}

// Starts over with what is merged so far, when samples in it cancelled out: they go, and with them
// what only they reached. The tables of before stay in their arena until that ends.
static void drop_zeros(struct merger *m) {
    if (!has_zero(&m->to.p)) return;
    struct arena *out = m->to.arena;
    struct profile before = builder_done(&m->to);
    arena_done(&m->index);
    struct merger *fresh = merger_new(out, &before);
    merge_header(fresh, &before);
    merge_samples(fresh, &before);
    *m = *fresh;
    m->to.p.time_nanos = before.time_nanos;
    m->group_time = 0;
    m->n_in_group = 0;
    m->locations_by_key.arena = m->samples_by_key.arena = &m->index;
}

void merger_cut(struct merger *m) {
    if (m->n_in_group) merge_time(&m->to.p.time_nanos, m->group_time);
    m->group_time = 0;
    m->n_in_group = 0;
    drop_zeros(m);
}

struct profile merger_done(struct merger *m) {
    merger_cut(m);
    arena_done(&m->index);
    return builder_done(&m->to);
}

bool profile_merge(struct arena *out, const struct profile *const *list, size_t n,
                   struct profile *ret, struct err *err) {
    if (n == 0) return err_set(err, ERR_USAGE, 0, "no profiles to merge");
    for (size_t i = 1; i < n; i++) {
        if (!profile_can_merge(list[0], list[i], err)) return false;
    }
    struct merger *m = merger_new(out, list[0]);
    merger_expect(m, list, n, 1);
    for (size_t i = 0; i < n; i++) {
        if (!merger_add(m, list[i], err)) return false;
    }
    *ret = merger_done(m);
    return true;
}
