// symbols/edit.c - growing copies of a profile's tables.
// Room: see edit.h. Door: edit_init().
#include "symbols/edit.h"

#include <string.h>

// A copy of n elements, with room for as many more.
#define COPY(arena, items, n, cap)                                                                 \
    ({                                                                                             \
        __typeof__(items) from_ = (items);                                                         \
        (cap) = (size_t)(n)*2 + 16;                                                                \
        __typeof__(items) to_ =                                                                    \
            arena_array((arena), (cap), sizeof *from_, _Alignof(__typeof__(*from_)));              \
        if (n) memcpy(to_, from_, (n) * sizeof *from_);                                            \
        to_;                                                                                       \
    })

void edit_init(struct edit *e, struct arena *out, const struct profile *p) {
    *e = (struct edit){.arena = out, .p = *p};
    size_t ignored;
    e->p.strings = COPY(out, p->strings, p->n_strings, e->cap_strings);
    e->p.functions = COPY(out, p->functions, p->n_functions, e->cap_functions);
    e->p.lines = COPY(out, p->lines, p->n_lines, e->cap_lines);
    e->p.locations = COPY(out, p->locations, p->n_locations, ignored);
    e->p.mappings = COPY(out, p->mappings, p->n_mappings, ignored);
    (void)ignored;
    strmap_init(&e->strings_by_text, out);
    idmap_init(&e->functions_by_key, out);
    for (u32 i = 0; i < p->n_strings; i++) *strmap_at(&e->strings_by_text, p->strings[i]) = i;
    for (u32 i = 0; i < p->n_functions; i++) {
        if (p->functions[i].id > e->last_function_id) e->last_function_id = p->functions[i].id;
    }
}

u32 edit_str(struct edit *e, str text) {
    u32 id = strmap_get(&e->strings_by_text, text);
    if (id != U32_NONE) return id;
    struct profile *p = &e->p;
    GROW(e->arena, p->strings, e->cap_strings, (size_t)p->n_strings + 1);
    p->strings[p->n_strings] = str_copy(e->arena, text);
    id = p->n_strings++;
    *strmap_at(&e->strings_by_text, p->strings[id]) = id;
    return id;
}

static bool functions_equal(const struct function *a, const struct function *b) {
    return a->name == b->name && a->system_name == b->system_name && a->filename == b->filename &&
           a->start_line == b->start_line;
}

u32 edit_function(struct edit *e, const struct function *row) {
    struct profile *p = &e->p;
    u64 key = hash_mix((u64)row->name << 32 | row->filename) ^ hash_mix((u64)row->start_line);
    key += row->system_name;
    for (;; key++) { // rows with one key take neighbouring ones
        u32 *at = idmap_at(&e->functions_by_key, key);
        if (*at != U32_NONE && !functions_equal(&p->functions[*at], row)) continue;
        if (*at != U32_NONE) return *at;
        GROW(e->arena, p->functions, e->cap_functions, (size_t)p->n_functions + 1);
        p->functions[p->n_functions] = *row;
        p->functions[p->n_functions].id = ++e->last_function_id;
        return *at = p->n_functions++;
    }
}

void edit_lines(struct edit *e, u32 location_i, const struct line *lines, u32 n) {
    struct profile *p = &e->p;
    GROW(e->arena, p->lines, e->cap_lines, (size_t)p->n_lines + n);
    if (n) memcpy(p->lines + p->n_lines, lines, n * sizeof *lines);
    struct location *l = &p->locations[location_i];
    l->lines_at = p->n_lines;
    l->n_lines = n;
    l->is_folded = false;
    p->n_lines += n;
}
