// view/labels.c - labels as the view sees them: units of numbers, hidden keys, frames made of
// values. Room: everything about labels but tagfocus and tagignore. Door: view/parts.h. Source:
// reference/pprof.md sections 2.3, 2.10, 2.11.
#include "view/parts.h"

#include <string.h>

enum {
    MAX_UNITS = 64,       // other units of one key that are told
    MAX_VALUES = 1 << 24, // bytes of one made-up name
};

// One key with numbers while units are being found.
struct key_units {
    u32 key;
    u32 unit; // 0: none met yet
    u32 others[MAX_UNITS];
    u32 n_others;
};

struct key_table {
    struct arena *arena;
    struct key_units *items;
    u32 n;
    size_t cap;
    u32 *by_string; // [string id]: index + 1
};

static struct key_units *key_at(struct key_table *t, const struct profile *p, u32 key) {
    if (t->by_string[key]) return &t->items[t->by_string[key] - 1];
    u32 i = 0;
    while (i < t->n && !str_eq(profile_str(p, t->items[i].key), profile_str(p, key))) i++;
    if (i == t->n) {
        GROW(t->arena, t->items, t->cap, t->n + 1);
        t->items[t->n++] = (struct key_units){.key = key};
    }
    t->by_string[key] = i + 1;
    return &t->items[i];
}

static void add_unit(const struct profile *p, struct key_units *k, u32 unit) {
    if (unit == 0 || unit == k->unit || profile_str(p, unit).len == 0) return;
    if (k->unit == 0) {
        k->unit = unit;
        return;
    }
    if (str_eq(profile_str(p, unit), profile_str(p, k->unit))) return;
    for (u32 i = 0; i < k->n_others; i++) {
        if (str_eq(profile_str(p, k->others[i]), profile_str(p, unit))) return;
    }
    if (k->n_others < MAX_UNITS) k->others[k->n_others++] = unit;
}

static int unit_order(const void *a, const void *b, void *p) {
    return str_cmp(profile_str(p, *(const u32 *)a), profile_str(p, *(const u32 *)b));
}

static void tell_others(struct arena *out, const struct profile *p, struct key_units *k,
                        struct buf *messages) {
    if (k->n_others == 0) return;
    sort_stable(out, k->others, k->n_others, sizeof k->others[0], unit_order, (void *)(uintptr_t)p);
    buf_printf(messages, "For tag " S_FMT " used unit " S_FMT ", also encountered unit(s) ",
               S_ARG(profile_str(p, k->key)), S_ARG(profile_str(p, k->unit)));
    for (u32 i = 0; i < k->n_others; i++) {
        if (i) buf_put(messages, S(", "));
        buf_put(messages, profile_str(p, k->others[i]));
    }
    buf_byte(messages, '\n');
}

static str chosen_unit(const struct profile *p, const struct key_units *k) {
    if (k->unit) return profile_str(p, k->unit);
    str key = profile_str(p, k->key);
    return str_eq(key, S("request")) || str_eq(key, S("alignment")) ? S("bytes") : key;
}

void label_units(struct arena *out, const struct profile *p, struct buf *messages,
                 struct view *ret) {
    if (!p->label_at) return;
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct key_table keys = {.arena = &scratch, .by_string = NULL};
    u32 n = p->label_at[p->n_samples];
    for (u32 i = 0; i < n; i++) {
        const struct label *l = &p->labels[i];
        if (label_is_text(l)) continue;
        if (!keys.by_string) keys.by_string = NEW(&scratch, u32, p->n_strings);
        add_unit(p, key_at(&keys, p, l->key), l->unit);
    }
    struct label_unit *units = NEW(out, struct label_unit, keys.n);
    for (u32 i = 0; i < keys.n; i++) {
        tell_others(&scratch, p, &keys.items[i], messages);
        units[i] = (struct label_unit){keys.items[i].key, chosen_unit(p, &keys.items[i])};
    }
    ret->units = units;
    ret->n_units = keys.n;
}

str view_label_unit(const struct view *v, u32 key) {
    for (u32 i = 0; i < v->n_units; i++) {
        if (v->units[i].key == key) return v->units[i].unit;
    }
    for (u32 i = 0; i < v->n_units; i++) {
        if (str_eq(profile_str(v->p, v->units[i].key), profile_str(v->p, key)))
            return v->units[i].unit;
    }
    return S("");
}

bool label_keys(struct arena *out, const struct view_opts *opts, struct buf *messages,
                struct view *ret, struct err *err) {
    if (opts->tagshow.len == 0 && opts->taghide.len == 0) return true;
    const struct profile *p = ret->p;
    struct matcher show, hide;
    if (!matcher_init(out, p, "tagshow", opts->tagshow, &show, err)) return false;
    if (!matcher_init(out, p, "taghide", opts->taghide, &hide, err)) {
        matcher_done(&show);
        return false;
    }
    bool *is_hidden = NEW(out, bool, p->n_strings);
    bool any_shown = false, any_hidden = false;
    for (u32 i = 0; i < ret->n_samples; i++) {
        u32 n;
        const struct label *labels = profile_labels(p, view_sample(ret, i), &n);
        for (u32 j = 0; j < n; j++) {
            bool shows = !show.re || matcher_matches(&show, labels[j].key);
            bool hides = hide.re && matcher_matches(&hide, labels[j].key);
            any_shown |= shows;
            any_hidden |= hides;
            is_hidden[labels[j].key] = !shows || hides;
        }
    }
    warn_no_match(messages, "TagShow", show.re, any_shown);
    warn_no_match(messages, "TagHide", hide.re, any_hidden);
    matcher_done(&show);
    matcher_done(&hide);
    ret->is_hidden_key = is_hidden;
    return true;
}

// Made-up locations, one for each pair of key and joined values.
struct maker {
    struct arena *out;
    const struct profile *p;
    struct profile made;
    struct strmap by_text; // key NUL values -> location index
    size_t cap_functions, cap_locations, cap_lines, cap_strings;
    u64 next_location_id, next_function_id;
    str unit;
    struct buf text;
    bool found_root, found_leaf;
};

// A table of the profile with room to grow, copied.
#define GROWABLE(m, field, n_field, cap)                                                           \
    do {                                                                                           \
        __typeof__((m)->made.field) copy_ = NULL;                                                  \
        (cap) = 0;                                                                                 \
        GROW((m)->out, copy_, (cap), (m)->p->n_field + 64);                                        \
        if ((m)->p->n_field) memcpy(copy_, (m)->p->field, sizeof(*copy_) * (m)->p->n_field);       \
        (m)->made.field = copy_;                                                                   \
    } while (0)

static void maker_init(struct maker *m, struct arena *out, const struct profile *p, str unit) {
    *m = (struct maker){.out = out, .p = p, .made = *p, .unit = unit};
    strmap_init(&m->by_text, out);
    m->text = buf_new(out, MAX_VALUES);
    GROWABLE(m, functions, n_functions, m->cap_functions);
    GROWABLE(m, locations, n_locations, m->cap_locations);
    GROWABLE(m, lines, n_lines, m->cap_lines);
    GROWABLE(m, strings, n_strings, m->cap_strings);
    for (u32 i = 0; i < p->n_locations; i++) {
        if (p->locations[i].id > m->next_location_id) m->next_location_id = p->locations[i].id;
    }
    for (u32 i = 0; i < p->n_functions; i++) {
        if (p->functions[i].id > m->next_function_id) m->next_function_id = p->functions[i].id;
    }
}

static u32 add_string(struct maker *m, str text) {
    if (text.len == 0) return 0;
    struct profile *made = &m->made;
    GROW(m->out, made->strings, m->cap_strings, made->n_strings + 1);
    made->strings[made->n_strings] = text;
    return made->n_strings++;
}

static u32 add_location(struct maker *m, str key, str values) {
    struct profile *made = &m->made;
    GROW(m->out, made->functions, m->cap_functions, made->n_functions + 1);
    made->functions[made->n_functions++] = (struct function){
        .id = ++m->next_function_id, .name = add_string(m, values), .filename = add_string(m, key)};
    GROW(m->out, made->lines, m->cap_lines, made->n_lines + 1);
    made->lines[made->n_lines++] = (struct line){.function_i = made->n_functions - 1};
    GROW(m->out, made->locations, m->cap_locations, made->n_locations + 1);
    made->locations[made->n_locations++] = (struct location){.id = ++m->next_location_id,
                                                             .mapping_i = U32_NONE,
                                                             .lines_at = made->n_lines - 1,
                                                             .n_lines = 1};
    return made->n_locations - 1;
}

static bool key_has_units(const struct profile *p, str key, const struct label *labels, u32 n) {
    for (u32 i = 0; i < n; i++) {
        bool is_number = !label_is_text(&labels[i]) && str_eq(profile_str(p, labels[i].key), key);
        if (is_number && labels[i].unit != 0) return true;
    }
    return false;
}

// Appends the values of key to m->text: text first, then numbers; gives how many there are.
static u32 write_values(struct maker *m, str key, const struct label *labels, u32 n) {
    const struct profile *p = m->p;
    bool has_units = key_has_units(p, key, labels, n);
    u32 n_values = 0;
    for (int text = 1; text >= 0; text--) {
        for (u32 i = 0; i < n; i++) {
            const struct label *l = &labels[i];
            if (label_is_text(l) != text || !str_eq(profile_str(p, l->key), key)) continue;
            if (n_values++) buf_byte(&m->text, ',');
            if (text) {
                buf_put(&m->text, profile_str(p, l->str));
            } else {
                units_label(&m->text, l->num, profile_str(p, l->unit), has_units ? m->unit : S(""));
            }
        }
    }
    return n_values;
}

static u32 label_location(struct maker *m, str key, u32 sample_i, bool *found) {
    u32 n;
    const struct label *labels = profile_labels(m->p, sample_i, &n);
    m->text.len = 0;
    buf_put(&m->text, key);
    buf_byte(&m->text, '\0');
    if (write_values(m, key, labels, n)) *found = true;
    str text = buf_str(&m->text);
    u32 known = strmap_get(&m->by_text, text);
    if (known != U32_NONE) return known;
    text = str_copy(m->out, text);
    u32 loc_i = add_location(m, str_take(text, key.len), str_skip(text, key.len + 1));
    *strmap_at(&m->by_text, text) = loc_i;
    return loc_i;
}

// The keys of a comma list, last first, as they are stacked from leaf to root.
static u32 split_keys(struct arena *out, str list, str **ret) {
    u32 n = 1;
    for (size_t i = 0; i < list.len; i++) n += list.p[i] == ',';
    str *keys = NEW(out, str, n), key, rest = list;
    u32 at = n;
    bool more = true;
    while (more) {
        more = str_cut(rest, ',', &key, &rest);
        if (key.len) keys[--at] = key;
    }
    *ret = keys + at;
    return n - at;
}

static void make_stacks(struct maker *m, const str *roots, u32 n_roots, const str *leaves,
                        u32 n_leaves) {
    const struct profile *p = m->p;
    u64 *at = NEW(m->out, u64, (size_t)p->n_samples + 1);
    size_t n = p->stack_at ? p->stack_at[p->n_samples] : 0;
    u32 *locs = NEW(m->out, u32, n + (size_t)p->n_samples * (n_roots + n_leaves));
    u64 to = 0;
    u32 *root_locs = NEW(m->out, u32, n_roots);
    for (u32 i = 0; i < p->n_samples; i++) {
        at[i] = to;
        // Roots are made before leaves: new ids follow that order there.
        for (u32 k = 0; k < n_roots; k++)
            root_locs[k] = label_location(m, roots[k], i, &m->found_root);
        for (u32 k = 0; k < n_leaves; k++)
            locs[to++] = label_location(m, leaves[k], i, &m->found_leaf);
        u32 depth;
        const u32 *stack = profile_stack(p, i, &depth);
        if (depth) memcpy(locs + to, stack, depth * sizeof *locs);
        to += depth;
        for (u32 k = 0; k < n_roots; k++) locs[to++] = root_locs[k];
    }
    at[p->n_samples] = to;
    m->made.stack_at = at;
    m->made.stack_locs = locs;
}

struct profile label_frames(struct arena *out, const struct profile *p,
                            const struct view_opts *opts, str unit, struct buf *messages) {
    if (opts->tagroot.len == 0 && opts->tagleaf.len == 0) return *p;
    str *roots, *leaves;
    u32 n_roots = split_keys(out, opts->tagroot, &roots),
        n_leaves = split_keys(out, opts->tagleaf, &leaves);
    struct maker m;
    maker_init(&m, out, p, unit);
    make_stacks(&m, roots, n_roots, leaves, n_leaves);
    warn_no_match(messages, "TagRoot", opts->tagroot.len > 0, m.found_root);
    warn_no_match(messages, "TagLeaf", opts->tagleaf.len > 0, m.found_leaf);
    return m.made;
}
