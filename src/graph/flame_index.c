// graph/flame_index.c - the sorted stacks of a view, and the weights over them.
// Room: see flame.h; sorting is flame_sort.c, asking flame_query.c. Door: graph/flame.h.
#include "graph/flame.h"

#include "graph/flame_parts.h"

#include <string.h>

struct builder {
    struct arena *out;
    const struct view *v;
    struct frames f;
    u32 *bare; // [loc_i]: the frame of a location without lines, + 1; 0: it has lines
    struct flame_index *ret;
};

static str bare_name(struct arena *out, const struct profile *p, const struct location *loc) {
    struct buf b = buf_new(out, SIZE_MAX);
    u64 address = loc->address;
    if (loc->mapping_i != U32_NONE) {
        const struct mapping *m = &p->mappings[loc->mapping_i];
        str file = profile_str(p, m->file);
        bool is_inside = address >= m->start && address < m->limit;
        if (is_inside && file.len) {
            buf_put(&b, str_basename(file));
            buf_byte(&b, '+');
            address = address - m->start + m->offset;
        }
    }
    buf_printf(&b, "0x%llx", (unsigned long long)address);
    return buf_str(&b);
}

static str object_of(const struct profile *p, const struct location *loc) {
    if (loc->mapping_i == U32_NONE) return S("");
    str file = profile_str(p, p->mappings[loc->mapping_i].file);
    return file.len ? str_basename(file) : file;
}

static bool is_bare(const struct builder *b, u32 loc_i) {
    const struct view *v = b->v;
    bool is_hidden = v->is_hidden && v->is_hidden[loc_i];
    bool has_lines = v->line_at[loc_i] != v->line_at[loc_i + 1];
    return !is_hidden && !has_lines && v->opts->granularity != GRANULARITY_FILES;
}

// Frames by name first, then one for each location that has none.
static void name_frames(struct builder *b) {
    const struct profile *p = b->v->p;
    struct flame_index *ix = b->ret;
    b->bare = NEW(b->out, u32, p->n_locations);
    ix->frames = NEW(b->out, struct flame_frame, (size_t)b->f.n + p->n_locations);
    ix->n_frames = b->f.n;
    for (u32 i = 0; i < b->f.n; i++) {
        const struct frame *f = &b->f.items[i];
        ix->frames[i] = (struct flame_frame){frame_name(b->out, f), f->file, S(""), f->line};
    }
    for (u32 i = 0; i < p->n_locations; i++) {
        const struct location *loc = &p->locations[i];
        if (is_bare(b, i)) {
            ix->frames[ix->n_frames++] =
                (struct flame_frame){bare_name(b->out, p, loc), S(""), object_of(p, loc), 0};
            b->bare[i] = ix->n_frames;
            continue;
        }
        for (u32 j = b->f.at[i]; j < b->f.at[i + 1]; j++) {
            struct flame_frame *f = &ix->frames[b->f.ids[j]];
            if (!f->object.len) f->object = object_of(p, loc);
        }
    }
}

// Where functions lie, for colours and tooltips: frames told apart by name alone have no file.
static void name_files(struct builder *b) {
    const struct view *v = b->v;
    const struct profile *p = v->p;
    for (u32 i = 0; i < p->n_locations; i++) {
        u32 n = v->line_at[i + 1] - v->line_at[i];
        if (b->f.at[i + 1] - b->f.at[i] != n) continue; // hidden, bare, or without inlines
        for (u32 j = 0; j < n; j++) {
            struct flame_frame *f = &b->ret->frames[b->f.ids[b->f.at[i] + j]];
            const struct line *line = &p->lines[v->line_ids[v->line_at[i] + j]];
            if (!f->file.len && line->function_i != U32_NONE)
                f->file = profile_str(p, p->functions[line->function_i].filename);
        }
    }
}

static u32 n_keys_of(const struct builder *b, u32 loc_i) {
    return b->bare[loc_i] ? 1 : b->f.at[loc_i + 1] - b->f.at[loc_i];
}

// Innermost first.
static u32 key_of(const struct builder *b, u32 loc_i, u32 i) {
    if (b->bare[loc_i]) return (b->bare[loc_i] - 1) << 1;
    u32 at = b->f.at[loc_i] + i;
    return b->f.ids[at] << 1 | (at + 1 < b->f.at[loc_i + 1]);
}

static u32 *put_stack(const struct builder *b, const u32 *stack, u32 n, bool is_up, u32 *to) {
    for (u32 i = 0; i < n; i++) {
        u32 loc = stack[is_up ? i : n - 1 - i], n_keys = n_keys_of(b, loc);
        for (u32 j = 0; j < n_keys; j++) *to++ = key_of(b, loc, is_up ? j : n_keys - 1 - j);
    }
    return to;
}

// The stacks as they come: sample i of the view has keys[at[i] .. at[i + 1]).
static void spread(const struct builder *b, struct arena *scratch, u64 **ret_at, u32 **ret_keys) {
    const struct view *v = b->v;
    u64 *at = NEW(scratch, u64, (size_t)v->n_samples + 1);
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 n;
        const u32 *stack = view_stack(v, i, &n);
        at[i + 1] = at[i];
        for (u32 k = 0; k < n; k++) at[i + 1] += n_keys_of(b, stack[k]);
    }
    u32 *keys = NEW(scratch, u32, at[v->n_samples]), *to = keys;
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 n;
        const u32 *stack = view_stack(v, i, &n);
        to = put_stack(b, stack, n, b->ret->is_up, to);
    }
    *ret_at = at;
    *ret_keys = keys;
}

// The sorted stacks side by side, each once.
static void lay_out(const struct builder *b, const u64 *at, const u32 *keys, const u32 *order) {
    struct flame_index *ix = b->ret;
    const struct view *v = b->v;
    ix->at = NEW(b->out, u64, (size_t)v->n_samples + 1);
    ix->keys = NEW(b->out, u32, at[v->n_samples]);
    ix->stack_of = NEW(b->out, u32, v->p->n_samples);
    for (u32 i = 0; i < v->p->n_samples; i++) ix->stack_of[i] = U32_NONE;
    for (u32 i = 0; i < v->n_samples; i++) {
        u64 n = at[order[i] + 1] - at[order[i]], to = ix->at[ix->n_stacks];
        const u32 *from = keys + at[order[i]];
        u64 before = ix->n_stacks ? ix->at[ix->n_stacks - 1] : 0;
        bool is_same = ix->n_stacks && to - before == n &&
                       memcmp(ix->keys + before, from, n * sizeof *from) == 0;
        if (!is_same) {
            memcpy(ix->keys + to, from, n * sizeof *from);
            ix->at[++ix->n_stacks] = to + n;
        }
        ix->stack_of[view_sample(v, order[i])] = ix->n_stacks - 1;
    }
}

void flame_index_build(struct arena *out, const struct view *v, bool is_up,
                       struct flame_index *ret) {
    *ret = (struct flame_index){.is_up = is_up};
    struct builder b = {.out = out, .v = v, .ret = ret};
    AUTO_ARENA struct arena scratch = arena_sub(out);
    u64 *at;
    u32 *keys;
    view_frames(out, v, &(struct frame_opts){0}, &b.f);
    name_frames(&b);
    name_files(&b);
    spread(&b, &scratch, &at, &keys);
    u32 *order = NEW(&scratch, u32, v->n_samples);
    flame_sort(&scratch, at, keys, order, v->n_samples);
    lay_out(&b, at, keys, order);
}

static i64 add(i64 a, i64 b) {
    return (i64)((u64)a + (u64)b); // sums wrap as Go's do
}

void flame_weigh(struct arena *out, const struct flame_index *index, const struct view *v,
                 struct flame_weights *ret) {
    i64 *positive = NEW(out, i64, (size_t)index->n_stacks + 1);
    i64 *negative = NEW(out, i64, (size_t)index->n_stacks + 1);
    bool has_negative = false;
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 s = view_sample(v, i), stack = index->stack_of[s];
        i64 value = view_value(v, s);
        if (stack == U32_NONE) continue;
        has_negative |= value < 0;
        if (value < 0)
            negative[stack + 1] = add(negative[stack + 1], (i64)(0 - (u64)value));
        else
            positive[stack + 1] = add(positive[stack + 1], value);
    }
    for (u32 i = 0; i < index->n_stacks; i++) {
        positive[i + 1] = add(positive[i + 1], positive[i]);
        negative[i + 1] = add(negative[i + 1], negative[i]);
    }
    *ret = (struct flame_weights){positive, has_negative ? negative : NULL};
}
