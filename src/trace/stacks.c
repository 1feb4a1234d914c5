// trace/stacks.c - stacks kept once for a whole trace.
// Room: see stacks.h. Door: trace/trace.h.
#include "trace/trace.h"

#include <string.h>

void trace_stacks_init(struct trace_stacks *s, struct arena *arena) {
    *s = (struct trace_stacks){.arena = arena, .n = 1};
    idmap_init(&s->frame_by_pc, arena);
    strmap_init(&s->stack_by_frames, arena);
    GROW(arena, s->starts, s->cap_starts, 2);
    *strmap_at(&s->stack_by_frames, S("")) = 0;
}

static u32 add_frame(struct trace_stacks *s, const struct trace_frame *f) {
    u32 *at = idmap_at(&s->frame_by_pc, f->pc);
    if (*at != U32_NONE) return *at;
    *at = s->n_frames++;
    GROW(s->arena, s->frames, s->cap_frames, s->n_frames);
    s->frames[*at] = *f;
    return *at;
}

static u32 add_stack(struct trace_stacks *s, const struct trace_reader *r, u32 stack) {
    u32 n = trace_depth(r, stack), frames[TRACE_MAX_FRAMES];
    // The runtime writes an empty frame where it has no stack.
    for (; n > 0; n--) {
        const struct trace_frame *f = trace_frame(r, stack, n - 1);
        if (f->pc != 0 || f->func.len) break;
    }
    for (u32 i = 0; i < n; i++) frames[i] = add_frame(s, trace_frame(r, stack, i));
    str key = {(const char *)frames, n * sizeof *frames};
    u32 known = strmap_get(&s->stack_by_frames, key);
    if (known != U32_NONE) return known;
    u32 at = s->starts[s->n], number = s->n++;
    GROW(s->arena, s->items, s->cap_items, (size_t)at + n);
    GROW(s->arena, s->starts, s->cap_starts, (size_t)s->n + 1);
    memcpy(s->items + at, frames, key.len);
    s->starts[s->n] = at + n;
    *strmap_at(&s->stack_by_frames, str_copy(s->arena, key)) = number;
    return number;
}

u32 trace_stacks_add(struct trace_stacks *s, const struct trace_reader *r, u32 generation,
                     u32 stack) {
    if (stack == U32_NONE) return 0;
    if (generation != s->generation) {
        if (s->n_known) memset(s->known, 0, s->n_known * sizeof *s->known);
        s->n_known = 0;
        s->generation = generation;
    }
    if (stack >= s->n_known) {
        GROW(s->arena, s->known, s->cap_known, (size_t)stack + 1);
        s->n_known = stack + 1;
    }
    if (!s->known[stack]) s->known[stack] = add_stack(s, r, stack) + 1;
    return s->known[stack] - 1;
}

u32 trace_stacks_depth(const struct trace_stacks *s, u32 stack) {
    return s->starts[stack + 1] - s->starts[stack];
}

const struct trace_frame *trace_stacks_frame(const struct trace_stacks *s, u32 stack, u32 i) {
    return &s->frames[s->items[s->starts[stack] + i]];
}
