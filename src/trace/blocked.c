// trace/blocked.c - how long goroutines waited, by the stack at which the wait began.
// Room: the official tool's four profiles of a trace, made in one pass. Door: trace/trace.h.
// Source: reference/go.md section 5.1.
#include "trace/v1.h"

// Stacks as runs of frames, equal ones once. Frames are one a pc: the first seen wins.
struct wait_stack {
    u32 *frames;
    u32 n;
    u32 n_empty; // frames at pc 0 below them: see stack_add
    i64 count, delay_ns;
};

// Waits of a goroutine that did not run yet: they do not count if it ever does.
struct unsure_wait {
    u32 stack_i, n_empty, next;
    i64 delay_ns;
};

struct waiter {
    u32 stack_i; // where it began to wait; U32_NONE: it does not
    u32 n_empty; // of that stack
    u32 unsure;  // list of struct unsure_wait
    i64 since_ns, end_ns;
    bool has_run;
};

struct waits {
    struct arena *arena;
    struct trace_frame *frames;
    struct wait_stack *stacks;
    struct unsure_wait *unsure;
    struct waiter *waiters;
    u32 *stack_of_index; // of the current generation: index + 1, 0: not seen
    struct idmap frame_by_pc;
    struct id_table waiter_by_go;
    struct strmap stack_by_frames;
    u32 n_frames, n_stacks, n_unsure, n_waiters, n_indexes, generation;
    const struct idmap *only;
    bool is_by_id; // stacks of different ids are different: the official tools of v1's time
    size_t cap_frames, cap_stacks, cap_unsure, cap_waiters;
};

static u32 frame_index(struct waits *w, const struct trace_frame *f) {
    u32 *at = idmap_at(&w->frame_by_pc, f->pc);
    if (*at != U32_NONE) return *at;
    *at = w->n_frames++;
    GROW(w->arena, w->frames, w->cap_frames, w->n_frames);
    w->frames[*at] = *f;
    return *at;
}

// Stacks that differ in frames at pc 0 at their end count as one in the official tool, whose key is
// filled up with zeros; it is shown as the one that ended a wait last.
static u32 empty_frames(const struct trace_reader *r, u32 stack) {
    u32 depth = trace_depth(r, stack), n = 0;
    while (n < depth && trace_frame(r, stack, depth - 1 - n)->pc == 0) n++;
    return n;
}

static u32 stack_add(struct waits *w, const struct trace_reader *r, u32 stack) {
    u32 n = trace_depth(r, stack);
    u32 frames[TRACE_MAX_FRAMES];
    n -= empty_frames(r, stack);
    for (u32 i = 0; i < n; i++) frames[i] = frame_index(w, trace_frame(r, stack, i));
    str key = {(const char *)frames, n * sizeof *frames};
    u32 known = strmap_get(&w->stack_by_frames, key);
    if (known != U32_NONE && !w->is_by_id) return known;
    key = str_copy(w->arena, key);
    u32 *own = NEW(w->arena, u32, n);
    for (u32 i = 0; i < n; i++) own[i] = frames[i];
    GROW(w->arena, w->stacks, w->cap_stacks, w->n_stacks + 1);
    w->stacks[w->n_stacks] = (struct wait_stack){.frames = own, .n = n};
    *strmap_at(&w->stack_by_frames, key) = w->n_stacks;
    return w->n_stacks++;
}

// The stack of an event; looked up once a generation.
static u32 stack_index(struct waits *w, const struct trace_reader *r,
                       const struct trace_event *ev) {
    if (ev->stack == U32_NONE) return stack_add(w, r, U32_NONE);
    if (w->generation != ev->generation) {
        for (u32 i = 0; i < w->n_indexes; i++) w->stack_of_index[i] = 0;
        w->generation = ev->generation;
    }
    GROW(w->arena, w->stack_of_index, w->n_indexes, (size_t)ev->stack + 1);
    u32 *known = &w->stack_of_index[ev->stack];
    if (*known == 0) *known = stack_add(w, r, ev->stack) + 1;
    return *known - 1;
}

static struct waiter *waiter_of(struct waits *w, i64 go) {
    u32 i = id_table_get(&w->waiter_by_go, (u64)go);
    if (i == U32_NONE && id_table_add(&w->waiter_by_go, (u64)go)) {
        i = w->n_waiters++;
        GROW(w->arena, w->waiters, w->cap_waiters, w->n_waiters);
        w->waiters[i] =
            (struct waiter){.stack_i = U32_NONE, .unsure = U32_NONE, .end_ns = INT64_MAX};
    }
    return &w->waiters[i];
}

static void count(struct waits *w, u32 stack_i, u32 n_empty, i64 delay_ns) {
    w->stacks[stack_i].n_empty = n_empty;
    w->stacks[stack_i].count++;
    w->stacks[stack_i].delay_ns += delay_ns;
}

static void wait_end(struct waits *w, struct waiter *g, i64 now_ns) {
    u32 stack_i = g->stack_i;
    i64 end_ns = now_ns < g->end_ns ? now_ns : g->end_ns;
    g->stack_i = U32_NONE;
    if (end_ns <= g->since_ns) return;
    if (g->has_run) {
        count(w, stack_i, g->n_empty, end_ns - g->since_ns);
        return;
    }
    GROW(w->arena, w->unsure, w->cap_unsure, w->n_unsure + 1);
    w->unsure[w->n_unsure] = (struct unsure_wait){.stack_i = stack_i,
                                                  .n_empty = g->n_empty,
                                                  .delay_ns = end_ns - g->since_ns,
                                                  .next = g->unsure};
    g->unsure = w->n_unsure++;
}

static enum trace_state state_of(enum trace_wait wait) {
    switch (wait) {
    case TRACE_WAIT_NET:
    case TRACE_WAIT_SYNC:
        return TRACE_WAITING;
    case TRACE_WAIT_SYSCALL:
        return TRACE_IN_SYSCALL;
    case TRACE_WAIT_SCHED:
        return TRACE_RUNNABLE;
    }
    return TRACE_UNDETERMINED;
}

static bool is_reason(enum trace_wait wait, str reason) {
    if (wait == TRACE_WAIT_NET) return str_eq(reason, S("network"));
    if (wait != TRACE_WAIT_SYNC) return true;
    return str_contains(reason, S("chan")) || str_contains(reason, S("sync")) ||
           str_contains(reason, S("select"));
}

static void follow(struct waits *w, const struct trace_reader *r, enum trace_wait wait,
                   const struct trace_event *ev) {
    struct waiter *g = waiter_of(w, ev->subject);
    bool is_wait = ev->to == state_of(wait);
    if (ev->to == TRACE_RUNNING && !g->has_run) {
        g->has_run = true;
        g->unsure = U32_NONE; // all of it was before
        g->stack_i = U32_NONE;
    }
    if (g->stack_i != U32_NONE && !is_wait) {
        wait_end(w, g, ev->time_ns);
    } else if (g->stack_i == U32_NONE && is_wait && is_reason(wait, ev->name)) {
        g->stack_i = stack_index(w, r, ev);
        g->n_empty = empty_frames(r, ev->stack);
        g->since_ns = ev->time_ns;
    }
    bool is_gone =
        ev->to == TRACE_NOT_EXIST || (ev->to == TRACE_WAITING && str_eq(ev->name, S("forever")));
    if (is_gone && g->end_ns == INT64_MAX) g->end_ns = ev->time_ns;
}

static bool counts(const struct waits *w, i64 go) {
    return !w->only || idmap_get(w->only, (u64)go) != U32_NONE;
}

static void read_events(struct waits *w, struct trace_reader *r, enum trace_wait wait) {
    struct trace_event ev;
    while (trace_next(r, &ev)) {
        if (ev.kind == TRACE_TRANSITION && ev.subject_kind == TRACE_GOROUTINE &&
            counts(w, ev.subject))
            follow(w, r, wait, &ev);
    }
}

static void read_v1(struct waits *w, struct trace_reader *r, enum trace_wait wait) {
    struct trace_event ev = {.generation = 1};
    i64 ns;
    w->is_by_id = true;
    while (v1_next_wait(v1_of(r), wait, &ev, &ns))
        if (counts(w, ev.subject)) count(w, stack_index(w, r, &ev), 0, ns);
    while (trace_next(r, &ev)) {
    } // the end, and why
}

static void count_unsure(struct waits *w) {
    for (u32 i = 0; i < w->n_waiters; i++) {
        for (u32 at = w->waiters[i].unsure; at != U32_NONE; at = w->unsure[at].next)
            count(w, w->unsure[at].stack_i, w->unsure[at].n_empty, w->unsure[at].delay_ns);
    }
}

static u32 build_location(struct profile_builder *b, const struct trace_frame *f) {
    u32 name = builder_str(b, f->func);
    struct function function = {
        .name = name, .system_name = name, .filename = builder_str(b, f->file)};
    struct line line = {.function_i = builder_function(b, &function), .line = (i64)f->line};
    return builder_location(b, f->pc, U32_NONE, &line, 1);
}

static struct profile build(struct arena *out, const struct waits *w) {
    struct profile_builder b;
    builder_init(&b, out);
    builder_sample_type(&b, S("contentions"), S("count"));
    builder_sample_type(&b, S("delay"), S("nanoseconds"));
    b.p.period_type = (struct value_type){.type = builder_str(&b, S("trace")),
                                          .unit = builder_str(&b, S("count"))};
    b.p.period = 1;
    for (u32 i = 0; i < w->n_stacks; i++) {
        const struct wait_stack *s = &w->stacks[i];
        u32 stack[TRACE_MAX_FRAMES];
        if (s->count == 0) continue;
        for (u32 k = 0; k < s->n; k++) stack[k] = build_location(&b, &w->frames[s->frames[k]]);
        u32 n = s->n;
        const struct trace_frame nowhere = {0};
        for (u32 k = 0; k < s->n_empty && n < TRACE_MAX_FRAMES; k++)
            stack[n++] = build_location(&b, &nowhere);
        builder_sample(&b, (i64[]){s->count, s->delay_ns}, stack, n, NULL, 0);
    }
    return builder_done(&b);
}

void trace_blocked(struct arena *out, struct trace_reader *r, enum trace_wait wait,
                   const struct idmap *only, struct profile *ret) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct waits w = {.arena = &scratch, .only = only};
    idmap_init(&w.frame_by_pc, &scratch);
    id_table_init(&w.waiter_by_go, &scratch);
    strmap_init(&w.stack_by_frames, &scratch);
    if (v1_of(r))
        read_v1(&w, r, wait);
    else
        read_events(&w, r, wait);
    count_unsure(&w);
    *ret = build(out, &w);
}
