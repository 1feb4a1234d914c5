// trace/stats.c - where goroutines spent their time, from their transitions.
// Room: transitions, ranges and samples; tasks and regions are stats_user.c, texts stats_text.c.
// Door: trace/stats.h.
#include "trace/stats_maker.h"

struct trace_stats_maker *trace_stats_new(struct arena *out) {
    struct trace_stats_maker *m = NEW(out, struct trace_stats_maker, 1);
    *m = (struct trace_stats_maker){.out = out, .scratch = arena_sub(out)};
    strmap_init(&m->text_ids, &m->scratch);
    idmap_init(&m->go_ids, &m->scratch);
    idmap_init(&m->proc_ids, &m->scratch);
    idmap_init(&m->task_ids, &m->scratch);
    idmap_init(&m->func_by_name, &m->scratch);
    idmap_init(&m->func_by_pc, &m->scratch);
    idmap_init(&m->place_by_func, &m->scratch);
    maker_func(m, &(struct trace_frame){.pc = 0}, false);
    return m;
}

u32 maker_go(const struct trace_stats_maker *m, i64 id) {
    return id == TRACE_NONE ? U32_NONE : idmap_get(&m->go_ids, (u64)id);
}

static u32 go_add(struct trace_stats_maker *m, i64 id, i64 created_ns) {
    u32 i = m->s.n_gos++;
    GROW(m->out, m->s.gos, m->cap_gos, m->s.n_gos);
    GROW(&m->scratch, m->go_work, m->cap_work, m->s.n_gos);
    GROW(&m->scratch, m->proc_of_go, m->cap_held, m->s.n_gos);
    *idmap_at(&m->go_ids, (u64)id) = i; // an id given again is another goroutine
    m->s.gos[i] = (struct trace_go){.id = id,
                                    .created_ns = created_ns,
                                    .started_ns = TRACE_NEVER,
                                    .ended_ns = TRACE_NEVER,
                                    .spend = {.blocked = U32_NONE, .ranges = U32_NONE}};
    m->go_work[i] = (struct go_work){.run = TRACE_NEVER,
                                     .runnable = TRACE_NEVER,
                                     .blocked = TRACE_NEVER,
                                     .syscall = TRACE_NEVER,
                                     .syscall_blocked = TRACE_NEVER,
                                     .place_i = U32_NONE,
                                     .open_ranges = U32_NONE,
                                     .region = U32_NONE};
    m->proc_of_go[i] = 0;
    return i;
}

static u32 proc_index(struct trace_stats_maker *m, i64 id) {
    u32 *at = idmap_at(&m->proc_ids, (u64)id);
    if (*at == U32_NONE) {
        *at = m->n_procs++;
        GROW(&m->scratch, m->proc_work, m->cap_procs, m->n_procs);
        m->proc_work[*at] = (struct proc_work){.go_in_syscall = U32_NONE, .go_in_sweep = U32_NONE};
    }
    return *at;
}

static u32 list_copy(struct trace_stats_maker *m, u32 list) {
    u32 copy = U32_NONE;
    for (u32 i = list; i != U32_NONE; i = m->s.sums[i].next)
        maker_add(m, &copy, m->s.sums[i].text_i, m->s.sums[i].ns, m->s.sums[i].n);
    return copy;
}

// Adds what is under way to *spend, whose lists are its own.
static void add_open(struct trace_stats_maker *m, u32 go_i, i64 now_ns, struct trace_spend *spend) {
    const struct go_work *w = &m->go_work[go_i];
    if (w->run != TRACE_NEVER) ns_add(&spend->run_ns, now_ns - w->run);
    if (w->runnable != TRACE_NEVER) ns_add(&spend->runnable_ns, now_ns - w->runnable);
    if (w->blocked != TRACE_NEVER)
        maker_add(m, &spend->blocked, w->reason_i, now_ns - w->blocked, 1);
    if (w->syscall != TRACE_NEVER) {
        i64 lost_ns = w->syscall_blocked == TRACE_NEVER ? now_ns : w->syscall_blocked;
        ns_add(&spend->syscall_ns, lost_ns - w->syscall);
        ns_add(&spend->syscall_blocked_ns, now_ns - lost_ns);
    }
    for (u32 i = w->open_ranges; i != U32_NONE; i = m->s.sums[i].next) {
        if (m->s.sums[i].n)
            maker_add(m, &spend->ranges, m->s.sums[i].text_i, now_ns - m->s.sums[i].ns, 1);
    }
}

struct trace_spend maker_snapshot(struct trace_stats_maker *m, u32 go_i, i64 now_ns) {
    struct trace_spend spend = m->s.gos[go_i].spend;
    spend.blocked = list_copy(m, spend.blocked);
    spend.ranges = list_copy(m, spend.ranges);
    if (m->go_work[go_i].is_ended) return spend;
    spend.total_ns = now_ns - m->s.gos[go_i].created_ns;
    add_open(m, go_i, now_ns, &spend);
    return spend;
}

static void finalize(struct trace_stats_maker *m, u32 go_i, i64 now_ns, bool is_cut) {
    struct trace_go *g = &m->s.gos[go_i];
    struct go_work *w = &m->go_work[go_i];
    if (w->is_ended) return;
    if (!is_cut) g->ended_ns = now_ns;
    add_open(m, go_i, now_ns, &g->spend);
    g->spend.total_ns = now_ns - g->created_ns;
    maker_end_regions(m, go_i, now_ns, is_cut);
    w->run = w->runnable = w->blocked = w->syscall = w->syscall_blocked = TRACE_NEVER;
    w->open_ranges = U32_NONE;
    w->is_ended = true;
}

// What a goroutine did since the trace (or its generation) began, told by its first status.
static void add_unseen(struct trace_stats_maker *m, u32 go_i, const struct trace_event *ev) {
    struct trace_spend *spend = &m->s.gos[go_i].spend;
    i64 ns = ev->time_ns - m->sync_ns;
    if (ev->to == TRACE_RUNNING) ns_add(&spend->run_ns, ns);
    if (ev->to == TRACE_RUNNABLE) ns_add(&spend->runnable_ns, ns);
    if (ev->to == TRACE_WAITING) maker_add(m, &spend->blocked, maker_text(m, ev->name), ns, 0);
    if (ev->to != TRACE_IN_SYSCALL) return;
    if (ev->p == TRACE_NONE)
        ns_add(&spend->syscall_blocked_ns, ns);
    else
        ns_add(&spend->syscall_ns, ns);
}

static void leave_syscall(struct trace_stats_maker *m, u32 go_i, i64 now_ns) {
    struct trace_spend *spend = &m->s.gos[go_i].spend;
    struct go_work *w = &m->go_work[go_i];
    if (w->syscall == TRACE_NEVER) return;
    i64 lost_ns = w->syscall_blocked == TRACE_NEVER ? now_ns : w->syscall_blocked;
    ns_add(&spend->syscall_ns, lost_ns - w->syscall);
    ns_add(&spend->syscall_blocked_ns, now_ns - lost_ns);
    if (w->place_i != U32_NONE) {
        ns_add(&m->s.places[w->place_i].syscall_ns, now_ns - w->syscall);
        m->s.places[w->place_i].n_waits++;
    }
    w->syscall = w->syscall_blocked = TRACE_NEVER;
    if (m->proc_of_go[go_i]) m->proc_work[m->proc_of_go[go_i] - 1].go_in_syscall = U32_NONE;
    m->proc_of_go[go_i] = 0;
}

static void leave_wait(struct trace_stats_maker *m, u32 go_i, i64 now_ns) {
    struct go_work *w = &m->go_work[go_i];
    if (w->blocked == TRACE_NEVER) return;
    i64 ns = now_ns - w->blocked;
    maker_add(m, &m->s.gos[go_i].spend.blocked, w->reason_i, ns, 1);
    w->blocked = TRACE_NEVER;
    if (w->place_i == U32_NONE) return;
    struct trace_place *place = &m->s.places[w->place_i];
    ns_add(&place->blocked_ns, ns);
    place->n_waits++;
    maker_add(m, &place->blocked, w->reason_i, ns, 1);
}

static void leave_runnable(struct trace_stats_maker *m, u32 go_i, i64 now_ns) {
    struct go_work *w = &m->go_work[go_i];
    if (w->runnable == TRACE_NEVER) return;
    ns_add(&m->s.gos[go_i].spend.runnable_ns, now_ns - w->runnable);
    if (w->place_i != U32_NONE) {
        ns_add(&m->s.places[w->place_i].runnable_ns, now_ns - w->runnable);
        m->s.places[w->place_i].n_waits++;
    }
    w->runnable = TRACE_NEVER;
}

static void leave(struct trace_stats_maker *m, u32 go_i, const struct trace_event *ev) {
    struct go_work *w = &m->go_work[go_i];
    switch (ev->from) {
    case TRACE_RUNNING:
        if (w->run != TRACE_NEVER) ns_add(&m->s.gos[go_i].spend.run_ns, ev->time_ns - w->run);
        w->run = TRACE_NEVER;
        break;
    case TRACE_WAITING:
        leave_wait(m, go_i, ev->time_ns);
        break;
    case TRACE_RUNNABLE:
        leave_runnable(m, go_i, ev->time_ns);
        break;
    case TRACE_IN_SYSCALL:
        leave_syscall(m, go_i, ev->time_ns);
        break;
    default:
        break;
    }
}

static void enter(struct trace_stats_maker *m, u32 go_i, const struct trace_event *ev) {
    struct trace_go *g = &m->s.gos[go_i];
    struct go_work *w = &m->go_work[go_i];
    if (ev->to == TRACE_RUNNING) {
        w->run = ev->time_ns;
        if (g->started_ns == TRACE_NEVER) g->started_ns = ev->time_ns;
    } else if (ev->to == TRACE_RUNNABLE) {
        w->runnable = ev->time_ns;
    } else if (ev->to == TRACE_WAITING && !str_eq(ev->name, S("forever"))) {
        w->blocked = ev->time_ns;
        w->reason_i = maker_text(m, ev->name);
    } else if (ev->to == TRACE_IN_SYSCALL) {
        w->syscall = ev->time_ns;
        if (ev->p == TRACE_NONE) return;
        u32 proc_i = proc_index(m, ev->p);
        m->proc_work[proc_i].go_in_syscall = go_i;
        m->proc_of_go[go_i] = proc_i + 1;
    } else { // waiting forever is the end
        finalize(m, go_i, ev->time_ns, false);
    }
}

// A goroutine is named by its outermost frame, which all its stacks share.
static void name_go(struct trace_stats_maker *m, const struct trace_reader *r, u32 go_i,
                    const struct trace_event *ev) {
    u32 stack = ev->type == TRACE_EV_GoStatusStack ? ev->stack : ev->subject_stack;
    u32 n = trace_depth(r, stack);
    if (m->s.gos[go_i].func_i || n == 0) return;
    m->s.gos[go_i].func_i = maker_func(m, trace_frame(r, stack, n - 1), false);
}

static void go_changes(struct trace_stats_maker *m, const struct trace_reader *r,
                       const struct trace_event *ev) {
    if (ev->from == ev->to) return;
    u32 go_i = maker_go(m, ev->subject);
    if (ev->from == TRACE_UNDETERMINED) {
        go_i = go_add(m, ev->subject, m->sync_ns);
        add_unseen(m, go_i, ev);
    } else if (ev->from == TRACE_NOT_EXIST) {
        go_i = go_add(m, ev->subject, ev->time_ns);
        u32 creator = maker_go(m, ev->g);
        if (creator != U32_NONE) maker_inherit(m, creator, go_i, ev->time_ns);
    } else if (go_i == U32_NONE) {
        go_i = go_add(m, ev->subject, ev->time_ns); // only a broken trace gets here
    } else {
        leave(m, go_i, ev);
    }
    name_go(m, r, go_i, ev);
    m->go_work[go_i].place_i = maker_place(m, r, ev, ev->stack);
    enter(m, go_i, ev);
}

// A processor that becomes idle while its goroutine is in a call: the call blocks.
static void proc_changes(struct trace_stats_maker *m, const struct trace_event *ev) {
    if (ev->from == ev->to || ev->to != TRACE_IDLE) return;
    u32 proc_i = proc_index(m, ev->subject);
    struct proc_work *p = &m->proc_work[proc_i];
    if (p->go_in_syscall == U32_NONE) return;
    struct go_work *w = &m->go_work[p->go_in_syscall];
    if (w->syscall != TRACE_NEVER) w->syscall_blocked = ev->time_ns;
    m->proc_of_go[p->go_in_syscall] = 0;
    p->go_in_syscall = U32_NONE;
}

static u32 range_text(struct trace_stats_maker *m, const struct trace_event *ev) {
    AUTO_ARENA struct arena scratch = arena_sub(&m->scratch);
    return maker_text(m, trace_range_name(&scratch, ev));
}

// Sweeps belong to processors; what runs there meanwhile is charged, if it begins and ends them.
static u32 range_owner(struct trace_stats_maker *m, const struct trace_event *ev) {
    if (ev->subject_kind == TRACE_GOROUTINE) return maker_go(m, ev->subject);
    if (ev->subject_kind != TRACE_PROC) return U32_NONE;
    u32 go_i = maker_go(m, ev->g);
    u32 proc_i = proc_index(m, ev->subject);
    struct proc_work *p = &m->proc_work[proc_i];
    if (ev->kind != TRACE_RANGE_END) {
        if (go_i != U32_NONE) p->go_in_sweep = go_i;
        return go_i;
    }
    u32 began = p->go_in_sweep;
    p->go_in_sweep = U32_NONE;
    return began == go_i ? go_i : U32_NONE;
}

// Open ranges are a list of sums: ns is when one began, n whether it is open.
static void range_changes(struct trace_stats_maker *m, const struct trace_event *ev) {
    u32 go_i = range_owner(m, ev);
    if (go_i == U32_NONE || m->go_work[go_i].is_ended) return;
    u32 text_i = range_text(m, ev);
    struct go_work *w = &m->go_work[go_i];
    struct trace_sum *open = maker_find(m, w->open_ranges, text_i);
    bool was_open = open && open->n;
    i64 began_ns = was_open ? open->ns : 0;
    i64 now_ns = ev->kind == TRACE_RANGE_ACTIVE ? m->sync_ns : ev->time_ns;
    if (was_open) {
        open->n = 0;
        maker_add(m, &m->s.gos[go_i].spend.ranges, text_i, now_ns - began_ns,
                  ev->kind == TRACE_RANGE_END);
    }
    if (ev->kind == TRACE_RANGE_END) return;
    if (!open) {
        maker_add(m, &w->open_ranges, text_i, 0, 0);
        open = maker_find(m, w->open_ranges, text_i);
    }
    open->ns = now_ns;
    open->n = 1;
}

static void sample(struct trace_stats_maker *m, const struct trace_reader *r,
                   const struct trace_event *ev) {
    u32 go_i = maker_go(m, ev->g);
    if (go_i != U32_NONE) m->s.gos[go_i].n_samples++;
    u32 place_i = maker_place(m, r, ev, ev->stack);
    if (place_i != U32_NONE) m->s.places[place_i].n_samples++;
}

void trace_stats_event(struct trace_stats_maker *m, const struct trace_reader *r,
                       const struct trace_event *ev) {
    // A v1 trace begins at -1; from 0 on, differences of times fit whatever the clock says.
    i64 sync_ns = ev->time_ns < 0 ? 0 : ev->time_ns;
    if (!m->has_begun) m->s.begin_ns = m->sync_ns = sync_ns;
    m->has_begun = true;
    m->s.end_ns = ev->time_ns;
    m->s.n_events++;
    switch ((enum trace_kind)ev->kind) {
    case TRACE_SYNC:
        m->sync_ns = sync_ns;
        break;
    case TRACE_TRANSITION:
        if (ev->subject_kind == TRACE_GOROUTINE)
            go_changes(m, r, ev);
        else
            proc_changes(m, ev);
        break;
    case TRACE_RANGE_BEGIN:
    case TRACE_RANGE_ACTIVE:
    case TRACE_RANGE_END:
        range_changes(m, ev);
        break;
    case TRACE_SAMPLE:
        sample(m, r, ev);
        break;
    case TRACE_TASK_BEGIN:
    case TRACE_TASK_END:
    case TRACE_REGION_BEGIN:
    case TRACE_REGION_END:
    case TRACE_LOG:
        maker_user(m, r, ev);
        break;
    case TRACE_STRUCTURE:
    case TRACE_METRIC:
    case TRACE_LABEL:
    case TRACE_EXPERIMENTAL:
        break;
    }
}

void trace_stats_done(struct trace_stats_maker *m, struct trace_stats *ret) {
    for (u32 i = 0; i < m->s.n_gos; i++) finalize(m, i, m->s.end_ns, true);
    *ret = m->s;
    arena_done(&m->scratch);
}

void trace_stats_read(struct arena *out, struct trace_reader *r, struct trace_stats *ret) {
    struct trace_stats_maker *m = trace_stats_new(out);
    struct trace_event ev;
    while (trace_next(r, &ev)) trace_stats_event(m, r, &ev);
    trace_stats_done(m, ret);
}
