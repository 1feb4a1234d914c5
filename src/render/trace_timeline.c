// render/trace_timeline.c - see trace_timeline.h.
// Room: the states of goroutines and processors turned into slices. Door: timeline_read().
#include "render/trace_timeline.h"

// Counters of goroutines change with every event; this often is enough to draw them.
enum { COUNT_EVERY_NS = 20000 };

struct timeline_go {
    i64 id;
    str name;     // with the function it started in, once that is known
    i64 p;        // where it runs; TRACE_NONE
    u64 flow;     // the arrow that ends when it runs
    u8 state;     // enum trace_state
    u8 n_regions; // open, 255 at most
    bool has_func, is_named, is_named_fully, has_slice, has_regions; // named: to the form
};

struct timeline_proc {
    i64 id;
    u32 go_i;
    u8 depth; // open slices: a goroutine, a call in it
};

struct timeline {
    struct arena *arena;
    const struct timeline_form *form;
    void *to;
    const struct trace_reader *r;
    struct trace_stacks *stacks;
    struct timeline_go *gos;
    struct timeline_proc *procs;
    struct idmap go_ids, proc_ids, open_tasks; // of a task: 1 while it is open
    u32 n_gos, n_procs;
    size_t cap_gos, cap_procs;
    u64 n_flows, n_in[TRACE_IDLE + 1], told[TIMELINE_COUNTERS];
    i64 begin_ns, now_ns, counted_ns;
    bool has_begun, has_gc, has_stop, is_gc_named, is_stop_named;
};

str timeline_counter_name(enum timeline_counter counter) {
    static const str names[] = {
        [TIMELINE_RUNNING] = S("goroutines running"),
        [TIMELINE_RUNNABLE] = S("goroutines runnable"),
        [TIMELINE_WAITING] = S("goroutines waiting"),
        [TIMELINE_IN_SYSCALL] = S("goroutines in syscalls"),
        [TIMELINE_HEAP] = S("heap allocated"),
        [TIMELINE_GOAL] = S("heap goal"),
        [TIMELINE_PROCS] = S("GOMAXPROCS"),
    };
    return names[counter];
}

static u32 stack_of(struct timeline *t, const struct trace_event *ev) {
    return trace_stacks_add(t->stacks, t->r, ev->generation, ev->stack);
}

static struct timeline_track track_of(enum timeline_kind kind, i64 id) {
    return (struct timeline_track){kind, id};
}

static struct timeline_proc *proc_of(struct timeline *t, i64 id) {
    u32 *at = idmap_at(&t->proc_ids, (u64)id);
    if (*at == U32_NONE) {
        *at = t->n_procs++;
        GROW(t->arena, t->procs, t->cap_procs, t->n_procs);
        t->procs[*at] = (struct timeline_proc){.id = id, .go_i = U32_NONE};
        char text[32];
        struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text, .arena = t->arena};
        buf_printf(&b, "Proc %lld", (long long)id);
        t->form->name(t->to, track_of(TIMELINE_PROC, id), buf_str(&b));
    }
    return &t->procs[*at];
}

// "G12 main.main"
static void name_by(struct timeline *t, struct timeline_go *g, str func) {
    struct buf b = buf_new(t->arena, 256);
    buf_byte(&b, 'G');
    num_i64(&b, g->id);
    if (func.len) buf_byte(&b, ' ');
    buf_put(&b, str_take(func, 200));
    g->name = buf_str(&b);
    g->has_func = func.len > 0;
}

static u32 go_index(struct timeline *t, i64 id) {
    u32 *at = idmap_at(&t->go_ids, (u64)id);
    if (*at == U32_NONE) {
        *at = t->n_gos++;
        GROW(t->arena, t->gos, t->cap_gos, t->n_gos);
        t->gos[*at] = (struct timeline_go){.id = id, .p = TRACE_NONE};
        name_by(t, &t->gos[*at], S(""));
    }
    return *at;
}

static void close_proc(struct timeline *t, struct timeline_proc *p, u32 stack) {
    for (; p->depth; p->depth--)
        t->form->end(t->to, track_of(TIMELINE_PROC, p->id), t->now_ns, stack);
    p->go_i = U32_NONE;
}

static void run_on(struct timeline *t, u32 go_i, i64 proc) {
    struct timeline_go *g = &t->gos[go_i];
    if (proc == TRACE_NONE) return;
    struct timeline_proc *p = proc_of(t, proc);
    close_proc(t, p, 0);
    p->go_i = go_i;
    p->depth = 1;
    g->p = proc;
    t->form->begin(t->to, track_of(TIMELINE_PROC, proc), t->now_ns,
                   (struct timeline_mark){.name = g->name, .flow = g->flow});
    g->flow = 0;
}

static void leave_proc(struct timeline *t, u32 go_i, u32 stack) {
    struct timeline_go *g = &t->gos[go_i];
    if (g->p != TRACE_NONE) {
        struct timeline_proc *p = proc_of(t, g->p);
        if (p->go_i == go_i) close_proc(t, p, stack);
    }
    g->p = TRACE_NONE;
}

static void call_on(struct timeline *t, u32 go_i, bool is_begin, u32 stack) {
    struct timeline_go *g = &t->gos[go_i];
    if (g->p == TRACE_NONE) return;
    struct timeline_proc *p = proc_of(t, g->p);
    if (p->go_i != go_i || p->depth != (is_begin ? 1 : 2)) return;
    struct timeline_track track = track_of(TIMELINE_PROC, g->p);
    if (is_begin)
        t->form->begin(t->to, track, t->now_ns,
                       (struct timeline_mark){.name = S("syscall"), .stack = stack});
    else
        t->form->end(t->to, track, t->now_ns, 0);
    p->depth = is_begin ? 2 : 1;
}

static void show_state(struct timeline *t, struct timeline_go *g, const struct trace_event *ev,
                       u32 stack) {
    struct timeline_track track = track_of(TIMELINE_GO, g->id);
    // Again when its function is known: until then its number has to do.
    if (!g->is_named || (g->has_func && !g->is_named_fully)) t->form->name(t->to, track, g->name);
    g->is_named = true;
    g->is_named_fully = g->has_func;
    if (g->has_slice) t->form->end(t->to, track, t->now_ns, 0);
    g->has_slice =
        ev->to != TRACE_NOT_EXIST && !(ev->to == TRACE_WAITING && str_eq(ev->name, S("forever")));
    if (!g->has_slice) return;
    char text[128];
    struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text, .arena = t->arena};
    if (ev->to == TRACE_WAITING) {
        buf_put(&b, ev->name.len ? S("blocked: ") : S("blocked"));
        buf_put(&b, str_take(ev->name, 100));
    } else {
        buf_put(&b, ev->to == TRACE_RUNNING      ? S("running")
                    : ev->to == TRACE_IN_SYSCALL ? S("syscall")
                                                 : S("runnable"));
    }
    t->form->begin(t->to, track, t->now_ns,
                   (struct timeline_mark){.name = buf_str(&b), .stack = stack});
}

// An arrow from who made the goroutine runnable to where it runs next.
static void start_flow(struct timeline *t, u32 go_i, const struct trace_event *ev) {
    bool is_new = ev->from == TRACE_NOT_EXIST;
    if (ev->to != TRACE_RUNNABLE || (ev->from != TRACE_WAITING && !is_new)) return;
    if (ev->p == TRACE_NONE) return;
    struct timeline_proc *p = proc_of(t, ev->p);
    struct timeline_go *g = &t->gos[go_i];
    char text[288];
    struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text, .arena = t->arena};
    buf_put(&b, is_new ? S("go ") : S("unblock "));
    buf_put(&b, g->name);
    g->flow = ++t->n_flows;
    struct timeline_mark mark = {.name = buf_str(&b), .flow = g->flow, .stack = stack_of(t, ev)};
    t->form->instant(t->to, track_of(TIMELINE_PROC, p->id), t->now_ns, mark);
}

static void name_go(struct timeline *t, u32 go_i, const struct trace_event *ev) {
    u32 stack = ev->type == TRACE_EV_GoStatusStack ? ev->stack : ev->subject_stack;
    u32 n = trace_depth(t->r, stack);
    if (t->gos[go_i].has_func || n == 0) return;
    name_by(t, &t->gos[go_i], trace_frame(t->r, stack, n - 1)->func);
}

static void go_changes(struct timeline *t, const struct trace_event *ev) {
    if (ev->from == ev->to) return;
    u32 go_i = go_index(t, ev->subject);
    name_go(t, go_i, ev);
    struct timeline_go *g = &t->gos[go_i];
    if (g->state != TRACE_UNDETERMINED) t->n_in[g->state]--;
    g->state = ev->to;
    t->n_in[g->state]++;
    start_flow(t, go_i, ev);
    // Of what a goroutine does to itself: where it blocks, calls or is preempted.
    u32 stack = ev->g == ev->subject || ev->from == TRACE_UNDETERMINED ? stack_of(t, ev) : 0;
    if (ev->from == TRACE_RUNNING && ev->to == TRACE_IN_SYSCALL)
        call_on(t, go_i, true, stack);
    else if (ev->from == TRACE_IN_SYSCALL && ev->to == TRACE_RUNNING)
        call_on(t, go_i, false, stack);
    else if (ev->to == TRACE_RUNNING)
        run_on(t, go_i, ev->p);
    else
        leave_proc(t, go_i, stack);
    g = &t->gos[go_i];
    show_state(t, g, ev, stack);
    if (ev->to != TRACE_NOT_EXIST) return;
    for (; g->n_regions; g->n_regions--)
        t->form->end(t->to, track_of(TIMELINE_REGIONS, g->id), t->now_ns, 0);
}

static void slice_on_go(struct timeline *t, const struct trace_event *ev, i64 go, bool is_begin,
                        str name) {
    if (go == TRACE_NONE) return;
    struct timeline_go *g = &t->gos[go_index(t, go)];
    struct timeline_track track = track_of(TIMELINE_REGIONS, go);
    if (!g->has_regions) t->form->name(t->to, track, g->name);
    g->has_regions = true;
    if (is_begin && g->n_regions < UINT8_MAX) {
        g->n_regions++;
        t->form->begin(t->to, track, t->now_ns,
                       (struct timeline_mark){.name = name, .stack = stack_of(t, ev)});
    } else if (!is_begin && g->n_regions) {
        g->n_regions--;
        t->form->end(t->to, track, t->now_ns, stack_of(t, ev));
    }
}

// Collections and stopped worlds have a track each; a mark assist lies among the regions that are
// under way around it.
static void range(struct timeline *t, const struct trace_event *ev) {
    AUTO_ARENA struct arena scratch = arena_sub(t->arena);
    bool is_end = ev->kind == TRACE_RANGE_END;
    bool is_gc =
        ev->type == TRACE_EV_GCBegin || ev->type == TRACE_EV_GCActive || ev->type == TRACE_EV_GCEnd;
    if (ev->type == TRACE_EV_GCMarkAssistBegin || ev->type == TRACE_EV_GCMarkAssistActive ||
        ev->type == TRACE_EV_GCMarkAssistEnd)
        slice_on_go(t, ev, ev->subject, !is_end, trace_range_name(&scratch, ev));
    if (!is_gc && ev->type != TRACE_EV_STWBegin && ev->type != TRACE_EV_STWEnd) return;
    struct timeline_track track = track_of(is_gc ? TIMELINE_GC : TIMELINE_STOP, 0);
    bool *is_open = is_gc ? &t->has_gc : &t->has_stop;
    bool *is_named = is_gc ? &t->is_gc_named : &t->is_stop_named;
    if (*is_open == !is_end) return;
    *is_open = !is_end;
    if (!*is_named) t->form->name(t->to, track, is_gc ? S("GC") : S("stop the world"));
    *is_named = true;
    if (is_end)
        t->form->end(t->to, track, t->now_ns, 0);
    else
        t->form->begin(t->to, track, t->now_ns,
                       (struct timeline_mark){.name = trace_range_name(&scratch, ev),
                                              .stack = stack_of(t, ev)});
}

static void task(struct timeline *t, const struct trace_event *ev) {
    struct timeline_track track = track_of(TIMELINE_TASK, (i64)ev->args[0]);
    u32 *is_open = idmap_at(&t->open_tasks, ev->args[0]);
    if (ev->kind == TRACE_TASK_BEGIN) {
        t->form->name(t->to, track, ev->name);
        t->form->begin(t->to, track, t->now_ns,
                       (struct timeline_mark){.name = ev->name, .stack = stack_of(t, ev)});
    } else if (*is_open == 1) {
        t->form->end(t->to, track, t->now_ns, stack_of(t, ev));
    }
    *is_open = ev->kind == TRACE_TASK_BEGIN;
}

static void point(struct timeline *t, const struct trace_event *ev) {
    char text[512];
    struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text, .arena = t->arena};
    if (ev->p == TRACE_NONE) return;
    if (ev->kind == TRACE_LOG) {
        buf_printf(&b, S_FMT ": " S_FMT, S_ARG(str_take(ev->name, 100)),
                   S_ARG(str_take(ev->value, 400)));
    } else {
        u32 n = trace_depth(t->r, ev->stack);
        str func = n ? trace_frame(t->r, ev->stack, 0)->func : S("");
        buf_printf(&b, "CPU sample " S_FMT, S_ARG(str_take(func, 400)));
    }
    i64 p = proc_of(t, ev->p)->id;
    t->form->instant(t->to, track_of(TIMELINE_PROC, p), t->now_ns,
                     (struct timeline_mark){.name = buf_str(&b), .stack = stack_of(t, ev)});
}

static void tell(struct timeline *t, enum timeline_counter counter, u64 value) {
    if (t->told[counter] == value) return;
    t->told[counter] = value;
    t->form->count(t->to, counter, t->now_ns, value);
}

static void count_gos(struct timeline *t) {
    if (t->now_ns - t->counted_ns < COUNT_EVERY_NS) return;
    t->counted_ns = t->now_ns;
    tell(t, TIMELINE_RUNNING, t->n_in[TRACE_RUNNING]);
    tell(t, TIMELINE_RUNNABLE, t->n_in[TRACE_RUNNABLE]);
    tell(t, TIMELINE_WAITING, t->n_in[TRACE_WAITING]);
    tell(t, TIMELINE_IN_SYSCALL, t->n_in[TRACE_IN_SYSCALL]);
}

static void show(struct timeline *t, const struct trace_event *ev) {
    switch ((enum trace_kind)ev->kind) {
    case TRACE_TRANSITION:
        if (ev->subject_kind == TRACE_GOROUTINE)
            go_changes(t, ev);
        else if (ev->to == TRACE_IDLE)
            close_proc(t, proc_of(t, ev->subject), 0);
        count_gos(t);
        break;
    case TRACE_RANGE_BEGIN:
    case TRACE_RANGE_ACTIVE:
    case TRACE_RANGE_END:
        range(t, ev);
        break;
    case TRACE_REGION_BEGIN:
    case TRACE_REGION_END:
        slice_on_go(t, ev, ev->g, ev->kind == TRACE_REGION_BEGIN, ev->name);
        break;
    case TRACE_TASK_BEGIN:
    case TRACE_TASK_END:
        task(t, ev);
        break;
    case TRACE_LOG:
    case TRACE_SAMPLE:
        point(t, ev);
        break;
    case TRACE_METRIC:
        tell(t,
             ev->type == TRACE_EV_ProcsChange ? TIMELINE_PROCS
             : ev->type == TRACE_EV_HeapGoal  ? TIMELINE_GOAL
                                              : TIMELINE_HEAP,
             ev->args[0]);
        break;
    case TRACE_STRUCTURE:
    case TRACE_SYNC:
    case TRACE_LABEL:
    case TRACE_EXPERIMENTAL:
        break;
    }
}

static void end_all(struct timeline *t) {
    for (u32 i = 0; i < t->n_procs; i++) close_proc(t, &t->procs[i], 0);
    for (u32 i = 0; i < t->n_gos; i++) {
        struct timeline_go *g = &t->gos[i];
        if (g->has_slice) t->form->end(t->to, track_of(TIMELINE_GO, g->id), t->now_ns, 0);
        for (; g->n_regions; g->n_regions--)
            t->form->end(t->to, track_of(TIMELINE_REGIONS, g->id), t->now_ns, 0);
    }
    if (t->has_gc) t->form->end(t->to, track_of(TIMELINE_GC, 0), t->now_ns, 0);
    if (t->has_stop) t->form->end(t->to, track_of(TIMELINE_STOP, 0), t->now_ns, 0);
}

void timeline_read(struct arena *scratch, struct trace_reader *r, const struct timeline_form *form,
                   void *to, struct trace_stacks *stacks) {
    struct timeline t = {.arena = scratch, .form = form, .to = to, .r = r, .stacks = stacks};
    struct trace_event ev;
    idmap_init(&t.go_ids, scratch);
    idmap_init(&t.proc_ids, scratch);
    idmap_init(&t.open_tasks, scratch);
    while (trace_next(r, &ev)) {
        if (!t.has_begun) t.begin_ns = ev.time_ns;
        t.has_begun = true;
        t.now_ns = ev.time_ns - t.begin_ns;
        show(&t, &ev);
    }
    end_all(&t);
}
