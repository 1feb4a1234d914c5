// trace/lanes.c - events to lanes, counters, samples and ranges: see lanes.h.
// Room: what each event means to a timeline. Door: trace/trace.h.
#include "trace/generation.h"

// Where a goroutine is while it runs or is in a call.
struct lanes_go {
    u32 proc_i, thread_i; // U32_NONE: nowhere
    u8 class;
    u32 range; // open on it; U32_NONE
};

struct lanes_proc {
    u32 go_i, thread_i; // who is on it, who holds it; U32_NONE
    u32 range;
    bool is_running;
};

struct lanes_thread {
    u32 proc_i, go_i; // held; in a call without a processor; U32_NONE
};

// States that are no reasons, by number: the first ones of every store.
enum {
    IDLE,
    NO_GOROUTINE,
    NO_PROCESSOR,
    ON_PROCESSOR,
    RUNNING,
    IN_SYSCALL,
    CREATED,
    UNBLOCKED,
    BACK,
    RUNNABLE,
    ENDED,
    UNKNOWN,
    NO_REASON,
};

static const struct lane_state known_states[] = {
    [IDLE] = {S("idle"), LANE_NONE, false},
    [NO_GOROUTINE] = {S("no goroutine"), LANE_NONE, false},
    [NO_PROCESSOR] = {S("no processor"), LANE_NONE, false},
    [ON_PROCESSOR] = {S("on processor"), LANE_RUNNING, true},
    [RUNNING] = {S("running"), LANE_RUNNING, false},
    [IN_SYSCALL] = {S("in syscall"), LANE_SYSCALL, false},
    [CREATED] = {S("created"), LANE_RUNNABLE, false},
    [UNBLOCKED] = {S("unblocked"), LANE_RUNNABLE, false},
    [BACK] = {S("back from syscall"), LANE_RUNNABLE, false},
    [RUNNABLE] = {S("runnable"), LANE_RUNNABLE, false},
    [ENDED] = {S("ended"), LANE_NONE, false},
    [UNKNOWN] = {S("unknown"), LANE_NONE, false},
    [NO_REASON] = {S("unknown reason"), LANE_WAIT, false},
};

void trace_lanes_init(struct trace_lanes *l, struct arena *arena) {
    *l = (struct trace_lanes){
        .arena = arena, .begin_ns = INT64_MIN, .open_gc = U32_NONE, .open_stw = U32_NONE};
    lane_store_init(&l->store, arena);
    trace_stacks_init(&l->stacks, arena);
    idmap_init(&l->reasons, arena);
    for (u32 i = 0; i < LANES_KINDS; i++) {
        l->sets[i].by_id = NEW(arena, struct id_table, 1);
        id_table_init(l->sets[i].by_id, arena);
    }
    for (u32 i = 0; i < LANES_COUNTERS; i++) counter_init(&l->counters[i], arena);
    for (u32 i = 0; i < countof(known_states); i++) lane_state_of(&l->store, known_states[i]);
}

str lane_class_name(enum lane_class class) {
    static const str names[] = {S("none"), S("running"), S("runnable"), S("in syscall"),
                                S("sync"), S("network"), S("sleep"),    S("waiting")};
    return names[class];
}

enum lane_class lane_class_of_reason(str reason) {
    if (str_eq(reason, S("network"))) return LANE_NET;
    if (str_eq(reason, S("sleep"))) return LANE_SLEEP;
    bool is_sync = str_contains(reason, S("chan")) || str_contains(reason, S("sync")) ||
                   str_contains(reason, S("select"));
    return is_sync ? LANE_SYNC : LANE_WAIT;
}

u32 trace_lanes_find(const struct trace_lanes *l, enum lanes_kind kind, i64 id) {
    return id_table_get(l->sets[kind].by_id, (u64)id);
}

static u32 set_index(struct trace_lanes *l, enum lanes_kind kind, i64 id, bool *is_new) {
    struct lane_set *set = &l->sets[kind];
    u32 i = id_table_get(set->by_id, (u64)id);
    *is_new = i == U32_NONE && id_table_add(set->by_id, (u64)id);
    if (!*is_new) return i;
    i = set->n++;
    GROW(l->arena, set->ids, set->cap_ids, set->n);
    GROW(l->arena, set->lanes, set->cap_lanes, set->n);
    set->ids[i] = id;
    set->lanes[i] = (struct lane){0};
    return i;
}

static u32 go_of(struct trace_lanes *l, i64 id) {
    bool is_new;
    if (id == TRACE_NONE) return U32_NONE;
    u32 i = set_index(l, LANES_GOROUTINE, id, &is_new);
    if (!is_new) return i;
    GROW(l->arena, l->gos, l->cap_gos, (size_t)i + 1);
    l->gos[i] = (struct lanes_go){.proc_i = U32_NONE, .thread_i = U32_NONE, .range = U32_NONE};
    return i;
}

static u32 proc_of(struct trace_lanes *l, i64 id) {
    bool is_new;
    if (id == TRACE_NONE) return U32_NONE;
    u32 i = set_index(l, LANES_PROC, id, &is_new);
    l->store.holders = l->sets[LANES_PROC].lanes;
    if (!is_new) return i;
    GROW(l->arena, l->procs, l->cap_procs, (size_t)i + 1);
    l->procs[i] = (struct lanes_proc){.go_i = U32_NONE, .thread_i = U32_NONE, .range = U32_NONE};
    return i;
}

static u32 thread_of(struct trace_lanes *l, i64 id) {
    bool is_new;
    if (id == TRACE_NONE) return U32_NONE;
    u32 i = set_index(l, LANES_THREAD, id, &is_new);
    if (!is_new) return i;
    GROW(l->arena, l->threads, l->cap_threads, (size_t)i + 1);
    l->threads[i] = (struct lanes_thread){.proc_i = U32_NONE, .go_i = U32_NONE};
    return i;
}

static void add_span(struct trace_lanes *l, enum lanes_kind kind, u32 i, i64 at, u8 state,
                     u32 place, u32 ref) {
    lane_append(&l->store, &l->sets[kind].lanes[i], at, state, place, ref);
}

// What the processor's lane shows from now on.
static void show_proc(struct trace_lanes *l, u32 i, i64 at) {
    const struct lanes_proc *p = &l->procs[i];
    u8 state = p->is_running ? NO_GOROUTINE : IDLE;
    if (p->go_i != U32_NONE) state = l->gos[p->go_i].class == LANE_SYSCALL ? IN_SYSCALL : RUNNING;
    add_span(l, LANES_PROC, i, at, state, p->thread_i, p->go_i);
}

static void show_thread(struct trace_lanes *l, u32 i, i64 at) {
    const struct lanes_thread *t = &l->threads[i];
    bool is_held = t->proc_i != U32_NONE;
    u8 state = is_held ? ON_PROCESSOR : t->go_i != U32_NONE ? IN_SYSCALL : NO_PROCESSOR;
    add_span(l, LANES_THREAD, i, at, state, U32_NONE, is_held ? t->proc_i : t->go_i);
}

static void release_proc(struct trace_lanes *l, u32 proc_i, i64 at) {
    struct lanes_proc *p = &l->procs[proc_i];
    if (p->thread_i != U32_NONE) {
        l->threads[p->thread_i].proc_i = U32_NONE;
        l->threads[p->thread_i].go_i = p->go_i;
        if (p->go_i != U32_NONE) l->gos[p->go_i].proc_i = U32_NONE;
        show_thread(l, p->thread_i, at);
    }
    p->thread_i = p->go_i = U32_NONE;
}

static void hold_proc(struct trace_lanes *l, u32 proc_i, u32 thread_i, i64 at) {
    struct lanes_thread *t = &l->threads[thread_i];
    l->procs[proc_i].thread_i = thread_i;
    t->proc_i = proc_i;
    if (t->go_i != U32_NONE) {
        l->gos[t->go_i].proc_i = proc_i;
        l->procs[proc_i].go_i = t->go_i;
        t->go_i = U32_NONE;
    }
    show_thread(l, thread_i, at);
}

static void change_proc(struct trace_lanes *l, const struct trace_event *ev, i64 at) {
    u32 i = proc_of(l, ev->subject), thread_i = thread_of(l, ev->m);
    if (i == U32_NONE) return; // as in change_go
    bool is_running = ev->to == TRACE_RUNNING, is_first = !l->sets[LANES_PROC].lanes[i].n;
    if (!is_first && l->procs[i].is_running == is_running) return;
    i64 since = is_first && ev->from == TRACE_UNDETERMINED ? 0 : at;
    l->procs[i].is_running = is_running;
    if (!is_running)
        release_proc(l, i, since);
    else if (thread_i != U32_NONE && l->threads[thread_i].proc_i == U32_NONE)
        hold_proc(l, i, thread_i, l->sets[LANES_THREAD].lanes[thread_i].n ? at : since);
    show_proc(l, i, since);
}

// Reasons are few and their texts lie in the trace: known by address, they are not compared.
static u8 state_of_reason(struct trace_lanes *l, str reason, bool is_runnable) {
    u32 *at = idmap_at(&l->reasons, (u64)(uintptr_t)reason.p << 1 | is_runnable);
    if (*at != U32_NONE) return (u8)*at;
    enum lane_class class = is_runnable ? LANE_RUNNABLE : lane_class_of_reason(reason);
    *at = lane_state_of(&l->store, (struct lane_state){reason, class, false});
    return (u8)*at;
}

// What a goroutine is doing from an event on, and why.
static u8 state_of(struct trace_lanes *l, const struct trace_event *ev) {
    switch ((enum trace_state)ev->to) {
    case TRACE_RUNNING:
        return RUNNING;
    case TRACE_IN_SYSCALL:
        return IN_SYSCALL;
    case TRACE_WAITING:
        if (!ev->name.len) return NO_REASON;
        return state_of_reason(l, ev->name, false);
    case TRACE_RUNNABLE:
        if (ev->name.len) return state_of_reason(l, ev->name, true);
        if (ev->from == TRACE_NOT_EXIST) return CREATED;
        if (ev->from == TRACE_WAITING) return UNBLOCKED;
        return ev->from == TRACE_IN_SYSCALL ? BACK : RUNNABLE;
    case TRACE_NOT_EXIST:
        return ENDED;
    case TRACE_UNDETERMINED:
    case TRACE_IDLE:
        break;
    }
    return UNKNOWN;
}

static void count_states(struct trace_lanes *l, enum lane_class from, enum lane_class to, i64 at) {
    static const u8 counter_of[LANE_CLASSES] = {
        [LANE_NONE] = LANES_COUNTERS,     [LANE_RUNNING] = LANES_RUNNING,
        [LANE_RUNNABLE] = LANES_RUNNABLE, [LANE_SYSCALL] = LANES_SYSCALL,
        [LANE_SYNC] = LANES_WAITING,      [LANE_NET] = LANES_WAITING,
        [LANE_SLEEP] = LANES_WAITING,     [LANE_WAIT] = LANES_WAITING};
    u8 less = counter_of[from], more = counter_of[to];
    if (less == more) return;
    if (less != LANES_COUNTERS) counter_set(&l->counters[less], at, --l->n_in[less]);
    if (more != LANES_COUNTERS) counter_set(&l->counters[more], at, ++l->n_in[more]);
}

// Takes the goroutine off where it was, and puts it where the event has it now.
static void place_go(struct trace_lanes *l, u32 i, const struct trace_event *ev, i64 at) {
    struct lanes_go *g = &l->gos[i];
    bool is_there = g->class == LANE_RUNNING || g->class == LANE_SYSCALL;
    if (!is_there) {
        if (g->proc_i != U32_NONE) {
            l->procs[g->proc_i].go_i = U32_NONE;
            show_proc(l, g->proc_i, at);
        } else if (g->thread_i != U32_NONE && l->threads[g->thread_i].go_i == i) {
            l->threads[g->thread_i].go_i = U32_NONE;
            show_thread(l, g->thread_i, at);
        }
        g->proc_i = g->thread_i = U32_NONE;
        return;
    }
    if (g->thread_i == U32_NONE) g->thread_i = thread_of(l, ev->m);
    if (g->thread_i == U32_NONE) return;
    g->proc_i = l->threads[g->thread_i].proc_i;
    if (g->proc_i != U32_NONE) {
        l->procs[g->proc_i].go_i = i;
        show_proc(l, g->proc_i, at);
    } else {
        l->threads[g->thread_i].go_i = i;
        show_thread(l, g->thread_i, at);
    }
}

static void change_go(struct trace_lanes *l, const struct trace_reader *r,
                      const struct trace_event *ev, i64 at) {
    u32 i = go_of(l, ev->subject);
    if (i == U32_NONE) return; // a broken trace: its number is that of no goroutine
    struct lane *lane = &l->sets[LANES_GOROUTINE].lanes[i];
    if (lane->n && ev->from == ev->to) return; // its status is told again
    u8 state = state_of(l, ev);
    enum lane_class class = l->store.states[state].class;
    i64 since = !lane->n && ev->from == TRACE_UNDETERMINED ? 0 : at;
    count_states(l, l->gos[i].class, class, at);
    l->gos[i].class = (u8) class;
    place_go(l, i, ev, at);
    u32 ref = trace_stacks_add(&l->stacks, r, ev->generation, ev->stack);
    if (class == LANE_RUNNING) ref = l->gos[i].thread_i;
    add_span(l, LANES_GOROUTINE, i, since, state, proc_of(l, ev->p), ref);
}

static void add_sample(struct trace_lanes *l, const struct trace_reader *r,
                       const struct trace_event *ev, i64 at) {
    GROW(l->arena, l->samples, l->cap_samples, (size_t)l->n_samples + 1);
    l->samples[l->n_samples++] = (struct lane_sample){
        .time_ns = at,
        .go_i = go_of(l, ev->g),
        .proc_i = proc_of(l, ev->p),
        .thread_i = thread_of(l, ev->m),
        .stack = trace_stacks_add(&l->stacks, r, ev->generation, ev->stack),
    };
}

// Where the open range of an event's kind is told.
static u32 *range_place(struct trace_lanes *l, const struct trace_event *ev,
                        struct lane_range *range) {
    u8 type = ev->type;
    *range = (struct lane_range){.lane_i = U32_NONE, .name = ev->name};
    if (type == TRACE_EV_GCActive || type == TRACE_EV_GCBegin || type == TRACE_EV_GCEnd) {
        range->type = TRACE_EV_GCBegin;
        return &l->open_gc;
    }
    if (type == TRACE_EV_STWBegin || type == TRACE_EV_STWEnd) {
        range->type = TRACE_EV_STWBegin;
        return &l->open_stw;
    }
    bool is_go = type == TRACE_EV_GCMarkAssistActive || type == TRACE_EV_GCMarkAssistBegin ||
                 type == TRACE_EV_GCMarkAssistEnd;
    range->kind = is_go ? LANES_GOROUTINE : LANES_PROC;
    range->type = is_go ? TRACE_EV_GCMarkAssistBegin : TRACE_EV_GCSweepBegin;
    range->lane_i = is_go ? go_of(l, ev->kind == TRACE_RANGE_ACTIVE ? ev->subject : ev->g)
                          : proc_of(l, ev->kind == TRACE_RANGE_ACTIVE ? ev->subject : ev->p);
    if (range->lane_i == U32_NONE) return NULL;
    return is_go ? &l->gos[range->lane_i].range : &l->procs[range->lane_i].range;
}

static void change_range(struct trace_lanes *l, const struct trace_event *ev, i64 at) {
    struct lane_range range;
    u32 *open = range_place(l, ev, &range);
    if (!open) return;
    if (ev->kind == TRACE_RANGE_END) {
        if (*open != U32_NONE) l->ranges[*open].end_ns = at;
        *open = U32_NONE;
        return;
    }
    if (*open != U32_NONE) return; // told again in a new generation
    range.start_ns = ev->kind == TRACE_RANGE_ACTIVE ? 0 : at;
    range.end_ns = -1;
    *open = l->n_ranges++;
    GROW(l->arena, l->ranges, l->cap_ranges, l->n_ranges);
    l->ranges[*open] = range;
}

static void count_metric(struct trace_lanes *l, const struct trace_event *ev, i64 at) {
    if (ev->type == TRACE_EV_HeapAlloc) counter_set(&l->counters[LANES_HEAP], at, ev->args[0]);
    if (ev->type == TRACE_EV_HeapGoal) counter_set(&l->counters[LANES_HEAP_GOAL], at, ev->args[0]);
    if (ev->type == TRACE_EV_ProcsChange) counter_set(&l->counters[LANES_PROCS], at, ev->args[0]);
}

// Broken clocks are told too: time goes on, and stays where arithmetic with it is safe.
static i64 since_begin(const struct trace_lanes *l, i64 time_ns) {
    u64 at = (u64)time_ns - (u64)l->begin_ns;
    if (at > (u64)LANE_MAX_START_NS) return LANE_MAX_START_NS;
    return (i64)at < l->end_ns ? l->end_ns : (i64)at;
}

void trace_lanes_event(struct trace_lanes *l, const struct trace_reader *r,
                       const struct trace_event *ev) {
    if (l->begin_ns == INT64_MIN) l->begin_ns = ev->time_ns;
    i64 at = since_begin(l, ev->time_ns);
    l->end_ns = at;
    l->n_events++;
    switch ((enum trace_kind)ev->kind) {
    case TRACE_TRANSITION:
        if (ev->subject_kind == TRACE_GOROUTINE) change_go(l, r, ev, at);
        if (ev->subject_kind == TRACE_PROC) change_proc(l, ev, at);
        break;
    case TRACE_SAMPLE:
        add_sample(l, r, ev, at);
        break;
    case TRACE_METRIC:
        count_metric(l, ev, at);
        break;
    case TRACE_RANGE_BEGIN:
    case TRACE_RANGE_ACTIVE:
    case TRACE_RANGE_END:
        change_range(l, ev, at);
        break;
    case TRACE_STRUCTURE:
    case TRACE_SYNC:
    case TRACE_LABEL:
    case TRACE_TASK_BEGIN:
    case TRACE_TASK_END:
    case TRACE_REGION_BEGIN:
    case TRACE_REGION_END:
    case TRACE_LOG:
    case TRACE_EXPERIMENTAL:
        break; // stats.h has them
    }
}

void trace_lanes_done(struct trace_lanes *l) {
    l->end_ns++; // what began with the last event is there
    for (u32 i = 0; i < l->n_ranges; i++)
        if (l->ranges[i].end_ns < 0) l->ranges[i].end_ns = l->end_ns;
    // Threads last: their sums are those of the processors they hold.
    for (u32 kind = 0; kind < LANES_KINDS; kind++)
        for (u32 i = 0; i < l->sets[kind].n; i++)
            lane_close(&l->store, &l->sets[kind].lanes[i], l->end_ns);
    for (u32 i = 0; i < LANES_COUNTERS; i++) counter_close(&l->counters[i], l->end_ns);
}
