// trace/table.c - what the numbers of a generation refer to: strings, stacks, frames.
// Room: filling and looking up; reading batches is generation.c. Door: trace/trace.h.
#include "trace/generation.h"

// Ids below this many times the number of entries are held in an array; the runtime counts from 1.
enum { DENSE_FACTOR = 4, DENSE_FIRST = 1024 };

void id_table_init(struct id_table *t, struct arena *arena) {
    *t = (struct id_table){.arena = arena};
    idmap_init(&t->sparse, arena);
}

bool id_table_add(struct id_table *t, u64 id) {
    if (id_table_get(t, id) != U32_NONE || t->n >= U32_NONE - 1) return false;
    if (id < DENSE_FIRST + (u64)t->n * DENSE_FACTOR) {
        GROW(t->arena, t->dense, t->n_dense, id + 1);
        t->dense[id] = t->n + 1;
    } else {
        *idmap_at(&t->sparse, id) = t->n;
    }
    t->n++;
    return true;
}

void trace_table_init(struct trace_table *t, struct arena *arena) {
    *t = (struct trace_table){.arena = arena};
    id_table_init(&t->string_ids, arena);
    id_table_init(&t->stack_ids, arena);
    idmap_init(&t->frames_by_pc, arena);
    GROW(arena, t->strings, t->cap_strings, 1);
    GROW(arena, t->stacks, t->cap_stacks, 1);
    bool is_new = id_table_add(&t->string_ids, 0) && id_table_add(&t->stack_ids, 0);
    (void)is_new;
}

bool trace_table_string(struct trace_table *t, u64 id, str text) {
    if (!id_table_add(&t->string_ids, id)) return false;
    GROW(t->arena, t->strings, t->cap_strings, t->string_ids.n);
    t->strings[t->string_ids.n - 1] = text;
    return true;
}

bool trace_table_stack(struct trace_table *t, u64 id) {
    if (!id_table_add(&t->stack_ids, id)) return false;
    GROW(t->arena, t->stacks, t->cap_stacks, t->stack_ids.n);
    t->stacks[t->stack_ids.n - 1] = (struct trace_stack){.at = t->n_stack_frames};
    return true;
}

void trace_table_frame(struct trace_table *t, u64 pc, u64 func_id, u64 file_id, u64 line) {
    u32 *at = idmap_at(&t->frames_by_pc, pc);
    if (*at == U32_NONE) {
        *at = t->n_frames++;
        GROW(t->arena, t->frames, t->cap_frames, t->n_frames);
        GROW(t->arena, t->frame_texts, t->cap_texts, t->n_frames);
        t->frames[*at] = (struct trace_frame){.pc = pc, .line = line};
        t->frame_texts[*at][0] = func_id;
        t->frame_texts[*at][1] = file_id;
    }
    GROW(t->arena, t->stack_frames, t->cap_stack_frames, t->n_stack_frames + 1);
    t->stack_frames[t->n_stack_frames++] = *at;
    t->stacks[t->stack_ids.n - 1].n++;
}

bool trace_table_finish(struct trace_table *t, struct err *err) {
    for (u32 i = 0; i < t->n_frames; i++) {
        struct trace_frame *f = &t->frames[i];
        if (!trace_table_text(t, t->frame_texts[i][0], &f->func) ||
            !trace_table_text(t, t->frame_texts[i][1], &f->file))
            return err_set(err, ERR_INCONSISTENT, 0,
                           "the frame at pc 0x%llx is named by a string that is not there",
                           (unsigned long long)f->pc);
    }
    return true;
}
