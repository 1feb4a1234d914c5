// profile/build.c - growing the tables of a profile row by row.
// Room: interning of strings, functions and locations; rows once made are not changed. Door:
// builder_init() to builder_done(). Used by formats/ and the agent.
#include "profile/build.h"

#include <assert.h>
#include <string.h>

// Doubling keeps at most one old copy of each table in the arena.
#define PUSH(b, items, cap, n)                                                                     \
    ({                                                                                             \
        GROW((b)->arena, items, cap, (size_t)(n) + 1);                                             \
        &(items)[(n)++];                                                                           \
    })

void builder_init(struct profile_builder *b, struct arena *out) {
    *b = (struct profile_builder){.arena = out};
    strmap_init(&b->strings_by_text, out);
    idmap_init(&b->locations_by_key, out);
    idmap_init(&b->functions_by_key, out);
    builder_str(b, (str){0}); // strings[0] is ""
}

u32 builder_str(struct profile_builder *b, str text) {
    u32 id = strmap_get(&b->strings_by_text, text);
    if (id != U32_NONE) return id;
    struct profile *p = &b->p;
    id = p->n_strings;
    str own = str_copy(b->arena, text);
    *PUSH(b, p->strings, b->cap_strings, p->n_strings) = own;
    *strmap_at(&b->strings_by_text, own) = id;
    return id;
}

void builder_sample_type(struct profile_builder *b, str type, str unit) {
    assert(b->p.n_samples == 0); // the values column's width is fixed by now
    struct value_type row = {builder_str(b, type), builder_str(b, unit)};
    *PUSH(b, b->p.sample_types, b->cap_types, b->p.n_types) = row;
}

void builder_comment(struct profile_builder *b, str text) {
    u32 id = builder_str(b, text);
    *PUSH(b, b->p.comments, b->cap_comments, b->p.n_comments) = id;
}

u32 builder_mapping(struct profile_builder *b, const struct mapping *row) {
    struct mapping *m = PUSH(b, b->p.mappings, b->cap_mappings, b->p.n_mappings);
    *m = *row;
    m->id = b->p.n_mappings;
    return b->p.n_mappings - 1;
}

static u64 hash_step(u64 hash, u64 part) {
    return hash_mix(hash ^ part) + part;
}

static bool functions_equal(const struct function *a, const struct function *b) {
    return a->name == b->name && a->system_name == b->system_name && a->filename == b->filename &&
           a->start_line == b->start_line;
}

// Two rows with one hash take neighbouring keys: the walk ends at an equal row or a free key.
u32 builder_function(struct profile_builder *b, const struct function *row) {
    struct profile *p = &b->p;
    u64 key = hash_step(row->name, row->system_name);
    key = hash_step(hash_step(key, row->filename), (u64)row->start_line);
    for (;; key++) {
        u32 *at = idmap_at(&b->functions_by_key, key);
        if (*at == U32_NONE) {
            *at = p->n_functions;
            struct function *f = PUSH(b, p->functions, b->cap_functions, p->n_functions);
            *f = *row;
            f->id = p->n_functions;
            return p->n_functions - 1;
        }
        if (functions_equal(&p->functions[*at], row)) return *at;
    }
}

static bool lines_equal(const struct line *a, const struct line *b, u32 n) {
    for (u32 i = 0; i < n; i++) {
        if (a[i].function_i != b[i].function_i || a[i].line != b[i].line ||
            a[i].column != b[i].column)
            return false;
    }
    return true;
}

static bool is_location(const struct profile *p, const struct location *l, u64 address,
                        u32 mapping_i, const struct line *lines, u32 n_lines) {
    return l->address == address && l->mapping_i == mapping_i && l->n_lines == n_lines &&
           lines_equal(p->lines + l->lines_at, lines, n_lines);
}

u32 builder_location_new(struct profile_builder *b, const struct location *row,
                         const struct line *lines) {
    struct profile *p = &b->p;
    struct location *l = PUSH(b, p->locations, b->cap_locations, p->n_locations);
    *l = *row;
    l->id = p->n_locations;
    l->lines_at = p->n_lines;
    GROW(b->arena, p->lines, b->cap_lines, (size_t)p->n_lines + l->n_lines);
    if (l->n_lines) memcpy(p->lines + p->n_lines, lines, l->n_lines * sizeof *lines);
    p->n_lines += l->n_lines;
    return p->n_locations - 1;
}

u32 builder_location(struct profile_builder *b, u64 address, u32 mapping_i,
                     const struct line *lines, u32 n_lines) {
    u64 key = hash_step(address, mapping_i);
    for (u32 i = 0; i < n_lines; i++)
        key = hash_step(hash_step(hash_step(key, lines[i].function_i), (u64)lines[i].line),
                        (u64)lines[i].column);
    for (;; key++) {
        u32 *at = idmap_at(&b->locations_by_key, key);
        if (*at == U32_NONE)
            return *at = builder_location_new(b,
                                              &(struct location){.address = address,
                                                                 .mapping_i = mapping_i,
                                                                 .n_lines = n_lines},
                                              lines);
        if (is_location(&b->p, &b->p.locations[*at], address, mapping_i, lines, n_lines))
            return *at;
    }
}

void builder_reserve(struct profile_builder *b, u64 n_samples, u64 n_stack, u64 n_labels) {
    struct profile *p = &b->p;
    size_t n = (size_t)p->n_samples + n_samples + 1;
    GROW(b->arena, p->stack_at, b->cap_samples, n);
    GROW(b->arena, p->values, b->cap_values, n * p->n_types);
    GROW(b->arena, p->stack_locs, b->cap_stack, b->n_stack + n_stack);
    GROW(b->arena, p->labels, b->cap_labels, b->n_labels + n_labels);
    if (n_labels) GROW(b->arena, p->label_at, b->cap_label_at, n);
}

// label_at comes into being with the first label; the samples before it have label_at 0, which is
// what a fresh arena holds.
static void labels_add(struct profile_builder *b, const struct label *labels, u32 n) {
    struct profile *p = &b->p;
    if (n == 0 && b->n_labels == 0) return; // what is reserved already holds zeros
    GROW(b->arena, p->label_at, b->cap_label_at, (size_t)p->n_samples + 2);
    GROW(b->arena, p->labels, b->cap_labels, (size_t)b->n_labels + n);
    if (n) memcpy(p->labels + b->n_labels, labels, n * sizeof *labels);
    b->n_labels += n;
    p->label_at[p->n_samples + 1] = b->n_labels;
}

void builder_sample(struct profile_builder *b, const i64 *values, const u32 *stack, u32 n,
                    const struct label *labels, u32 n_labels) {
    struct profile *p = &b->p;
    labels_add(b, labels, n_labels);
    size_t values_at = (size_t)p->n_samples * p->n_types;
    GROW(b->arena, p->values, b->cap_values, values_at + p->n_types);
    if (p->n_types) memcpy(p->values + values_at, values, p->n_types * sizeof *values);
    GROW(b->arena, p->stack_locs, b->cap_stack, (size_t)b->n_stack + n);
    if (n) memcpy(p->stack_locs + b->n_stack, stack, n * sizeof *stack);
    b->n_stack += n;
    GROW(b->arena, p->stack_at, b->cap_samples, (size_t)p->n_samples + 2);
    p->n_samples++;
    p->stack_at[p->n_samples] = b->n_stack;
}

struct profile builder_done(struct profile_builder *b) {
    // A profile without samples still has the end of its last stack.
    GROW(b->arena, b->p.stack_at, b->cap_samples, (size_t)b->p.n_samples + 1);
    if (b->n_labels == 0) b->p.label_at = NULL;
    return b->p;
}
