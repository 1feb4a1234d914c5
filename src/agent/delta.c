// agent/delta.c - the change since the last scrape.
// Room: see delta.h.
#include "agent/delta.h"

#include "agent/make.h"

#include <setjmp.h>

enum {
    MAX_STATES = 16,    // collectors that are scraped for deltas
    MAX_MARKS = 1 << 19 // rows remembered of one: 24 MiB; further ones are given whole each time
};

// What a row held at the last scrape.
struct mark {
    u64 key;
    i64 values[ROW_VALUES];
};

struct state {
    const struct collector *of; // NULL: free
    struct arena arena;         // of what follows
    struct mark *marks;
    u32 n;
    size_t cap;
    struct idmap mark_by_key;
    i64 time_nanos;
};

static struct state states[MAX_STATES]; // used by the agent thread

static struct state *state_of(const struct collector *of) {
    for (u32 i = 0; i < MAX_STATES; i++) {
        if (states[i].of == of) return &states[i];
        if (states[i].of) continue;
        states[i] = (struct state){.of = of};
        arena_init(&states[i].arena);
        return &states[i];
    }
    return NULL;
}

// Stack and labels in 64 bits: of a million rows two meet by chance once in 30 million scrapes.
static u64 row_key(const struct row *row) {
    u64 key = str_hash((str){(const char *)row->pcs, row->n_pcs * sizeof *row->pcs});
    for (u32 i = 0; i < row->n_labels; i++) {
        const struct row_label *label = &row->labels[i];
        key = hash_mix(key ^ str_hash(label->key)) + str_hash(label->text) + (u64)label->num;
    }
    return key;
}

static void mark_add(struct state *to, u64 key, const i64 *values) {
    u32 *at = idmap_at(&to->mark_by_key, key);
    if (*at != U32_NONE || to->n >= MAX_MARKS) return;
    GROW(&to->arena, to->marks, to->cap, to->n + 1);
    *at = to->n;
    struct mark *mark = &to->marks[to->n++];
    mark->key = key;
    for (u32 k = 0; k < ROW_VALUES; k++) mark->values[k] = values[k];
}

// Whether anything is left of the row once the last values are taken off.
static bool row_subtract(const struct collector *of, struct row *row, const struct mark *last) {
    bool is_any = false;
    for (u32 k = 0; k < of->n_types; k++) {
        if (last && make_is_counter(of->types[k].type)) row->values[k] -= last->values[k];
        if (row->values[k] < 0) row->values[k] = 0; // scaled anew meanwhile (pprof_set_heap_rate)
        is_any = is_any || row->values[k];
    }
    return is_any;
}

static void rows_subtract(struct state *s, struct state *next, struct rows *rows) {
    u32 n = 0;
    for (u32 i = 0; i < rows->n; i++) {
        struct row *row = &rows->items[i];
        u64 key = row_key(row);
        u32 last = idmap_get(&s->mark_by_key, key);
        mark_add(next, key, row->values);
        if (row_subtract(s->of, row, last == U32_NONE ? NULL : &s->marks[last]))
            rows->items[n++] = *row;
    }
    rows->n = n;
}

void delta_take(const struct collector *of, struct rows *rows) {
    struct state *s = state_of(of);
    struct state next = {.of = of, .time_nanos = time_now_ns()};
    jmp_buf no_memory;
    if (!s) return;
    arena_init(&next.arena);
    next.arena.on_oom = &no_memory;
    // Without memory for the marks these rows are given whole, and so are the next.
    if (setjmp(no_memory) == 0) {
        idmap_init(&next.mark_by_key, &next.arena);
        if (s->time_nanos) rows->duration_nanos = next.time_nanos - s->time_nanos;
        rows_subtract(s, &next, rows);
    }
    arena_done(&s->arena);
    *s = next;
    s->mark_by_key.arena = &s->arena;
    s->arena.on_oom = NULL;
}

void delta_after_fork_child(void) {
    for (u32 i = 0; i < MAX_STATES; i++) // the memory is a copy nobody needs
        if (states[i].of) states[i] = (struct state){0};
}
