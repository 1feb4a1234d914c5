// trace/mmu.c - what the collector does, logged; and the utilization it leaves, over time.
// Room: events to log, log to series; windows are mmu_curve.c. Door: trace/mmu.h.
#include "trace/generation.h"

struct mmu_go {
    i32 p; // where it counts
    u8 what;
    bool executes, assists, is_counted;
};

enum {
    MAX_PROCS = 1 << 12,  // more are no machine; Go's own limit was a quarter of it
    MAX_SERIES = 1 << 16, // processors that come and go begin a series each time
};

void trace_mmu_init(struct trace_mmu_log *log, struct arena *out) {
    *log = (struct trace_mmu_log){.arena = out, .go_ids = NEW(out, struct id_table, 1)};
    id_table_init(log->go_ids, out);
}

static struct mmu_go *go_of(struct trace_mmu_log *log, i64 id) {
    u32 i = id_table_get(log->go_ids, (u64)id);
    if (i == U32_NONE && id_table_add(log->go_ids, (u64)id)) {
        i = log->n_gos++;
        GROW(log->arena, log->gos, log->cap_gos, log->n_gos);
        log->gos[i] = (struct mmu_go){0};
    }
    return &log->gos[i];
}

static void put(struct trace_mmu_log *log, const struct trace_event *ev, enum mmu_what what, i64 p,
                i32 delta) {
    if (log->n_procs == 0 || log->n_entries == U32_NONE - 1) return;
    GROW(log->arena, log->entries, log->cap_entries, log->n_entries + 1);
    log->entries[log->n_entries++] = (struct mmu_entry){.time_ns = ev->time_ns,
                                                        .p = p >= 0 && p <= MAX_PROCS ? (i32)p : -1,
                                                        .delta = delta,
                                                        .what = (u8)what,
                                                        .is_early = ev->kind == TRACE_RANGE_ACTIVE};
}

static void procs_change(struct trace_mmu_log *log, const struct trace_event *ev) {
    u64 n = ev->args[0] < MAX_PROCS ? ev->args[0] : MAX_PROCS;
    if (n == 0) return;
    if (log->n_procs == 0) log->begin_ns = ev->time_ns;
    log->n_procs = (u32)n;
    put(log, ev, MMU_LOG_PROCS, (i64)n, 0);
}

static bool executes(u8 state) {
    return state == TRACE_RUNNING || state == TRACE_IN_SYSCALL;
}

static void count(struct trace_mmu_log *log, struct mmu_go *g, const struct trace_event *ev,
                  enum mmu_what what) {
    if (g->is_counted) return;
    g->is_counted = true;
    g->what = (u8)what;
    g->p = ev->p >= 0 && ev->p < MAX_PROCS ? (i32)ev->p : -1;
    put(log, ev, what, g->p, 1);
}

static void uncount(struct trace_mmu_log *log, struct mmu_go *g, const struct trace_event *ev) {
    if (!g->is_counted) return;
    g->is_counted = false;
    put(log, ev, g->what, g->p, -1);
}

// Collecting goroutines count while they execute.
static void go_changes(struct trace_mmu_log *log, const struct trace_event *ev) {
    struct mmu_go *g = go_of(log, ev->subject);
    g->executes = executes(ev->to);
    if (!g->executes)
        uncount(log, g, ev);
    else if (g->assists)
        count(log, g, ev, MMU_LOG_ASSIST);
}

static void assist_changes(struct trace_mmu_log *log, const struct trace_event *ev) {
    if (ev->subject == TRACE_NONE) return;
    struct mmu_go *g = go_of(log, ev->subject);
    g->assists = ev->kind != TRACE_RANGE_END;
    if (!g->assists)
        uncount(log, g, ev);
    else if (g->executes || ev->kind == TRACE_RANGE_BEGIN)
        count(log, g, ev, MMU_LOG_ASSIST);
}

// Mark workers are told by their labels, at each start; idle ones only take what nobody wants.
static void label_changes(struct trace_mmu_log *log, const struct trace_event *ev) {
    if (!str_starts(ev->name, S("GC ")) || str_eq(ev->name, S("GC (idle)"))) return;
    bool is_dedicated = str_eq(ev->name, S("GC (dedicated)"));
    if (ev->g == TRACE_NONE) return;
    count(log, go_of(log, ev->g), ev, is_dedicated ? MMU_LOG_DEDICATED : MMU_LOG_MARK);
}

static void range_changes(struct trace_mmu_log *log, const struct trace_event *ev) {
    // Later generations tell again what is known.
    if (ev->kind == TRACE_RANGE_ACTIVE && log->n_syncs > 1) return;
    i32 delta = ev->kind == TRACE_RANGE_END ? -1 : 1;
    switch (ev->type) {
    case TRACE_EV_STWBegin:
    case TRACE_EV_STWEnd:
        if (str_contains(ev->name, S("GC"))) put(log, ev, MMU_LOG_STW, 0, delta);
        break;
    case TRACE_EV_GCSweepBegin:
    case TRACE_EV_GCSweepActive:
    case TRACE_EV_GCSweepEnd:
        put(log, ev, MMU_LOG_SWEEP, ev->subject, delta);
        break;
    case TRACE_EV_GCMarkAssistBegin:
    case TRACE_EV_GCMarkAssistActive:
    case TRACE_EV_GCMarkAssistEnd:
        assist_changes(log, ev);
        break;
    default:
        break;
    }
}

void trace_mmu_event(struct trace_mmu_log *log, const struct trace_event *ev) {
    if (ev->time_ns > log->end_ns) log->end_ns = ev->time_ns;
    switch ((enum trace_kind)ev->kind) {
    case TRACE_SYNC:
        log->n_syncs++;
        break;
    case TRACE_METRIC:
        if (ev->type == TRACE_EV_ProcsChange) procs_change(log, ev);
        break;
    case TRACE_TRANSITION:
        if (ev->subject_kind == TRACE_GOROUTINE) go_changes(log, ev);
        break;
    case TRACE_LABEL:
        label_changes(log, ev);
        break;
    case TRACE_RANGE_BEGIN:
    case TRACE_RANGE_ACTIVE:
    case TRACE_RANGE_END:
        range_changes(log, ev);
        break;
    case TRACE_STRUCTURE:
    case TRACE_SAMPLE:
    case TRACE_TASK_BEGIN:
    case TRACE_TASK_END:
    case TRACE_REGION_BEGIN:
    case TRACE_REGION_END:
    case TRACE_LOG:
    case TRACE_EXPERIMENTAL:
        break;
    }
}

struct mmu_proc {
    i32 n_busy; // what collects there
    u32 series_i;
};

struct mmu_build {
    struct arena *out;
    struct trace_mmu *m;
    struct mmu_proc *procs;
    u32 n_procs, n_busy, n_stopped; // busy: processors where something collects
    size_t cap_procs;
    bool is_per_proc;
};

// Of several at one time the least counts.
static void add_step(struct mmu_build *b, u32 series_i, i64 time_ns, double util) {
    struct mmu_series *s = &b->m->series[series_i];
    if (s->n) {
        struct mmu_step *last = &s->steps[s->n - 1];
        if (last->util == util) return;
        if (last->time_ns == time_ns) {
            if (util < last->util) last->util = util;
            return;
        }
    }
    GROW(b->out, s->steps, s->cap, s->n + 1);
    s->steps[s->n++] = (struct mmu_step){.time_ns = time_ns, .util = util};
}

static void set_procs(struct mmu_build *b, i64 time_ns, u32 n) {
    while (b->n_procs > n) {
        b->n_procs--;
        b->n_busy -= b->procs[b->n_procs].n_busy > 0;
        if (b->is_per_proc) add_step(b, b->procs[b->n_procs].series_i, time_ns, 0);
    }
    while (b->n_procs < n && b->m->n_series < MAX_SERIES) {
        u32 series_i = 0;
        if (b->is_per_proc || b->m->n_series == 0) {
            series_i = b->m->n_series++;
            GROW(b->out, b->m->series, b->m->cap, b->m->n_series);
            b->m->series[series_i] = (struct mmu_series){0};
            add_step(b, series_i, time_ns, 1);
        }
        GROW(b->out, b->procs, b->cap_procs, b->n_procs + 1);
        b->procs[b->n_procs++] = (struct mmu_proc){.series_i = series_i};
    }
}

static bool counts(u32 flags, u8 what) {
    switch ((enum mmu_what)what) {
    case MMU_LOG_PROCS:
        return true;
    case MMU_LOG_STW:
        return flags & MMU_STW;
    case MMU_LOG_MARK:
        return flags & MMU_BACKGROUND;
    case MMU_LOG_DEDICATED:
        return flags & MMU_BACKGROUND && !(flags & MMU_PER_PROC);
    case MMU_LOG_ASSIST:
        return flags & MMU_ASSIST;
    case MMU_LOG_SWEEP:
        return flags & MMU_SWEEP;
    }
    return false;
}

// What was going on since the begin and is told only now: a processor less for all of the past.
static void charge_past(struct mmu_build *b) {
    struct mmu_series *s = &b->m->series[0];
    for (u32 i = 0; i < s->n; i++) {
        double util = s->steps[i].util - 1.0 / b->n_procs;
        s->steps[i].util = util < 0 ? 0 : util;
    }
}

static void tell_proc(struct mmu_build *b, u32 proc_i, i64 time_ns) {
    const struct mmu_proc *p = &b->procs[proc_i];
    if (b->is_per_proc) add_step(b, p->series_i, time_ns, b->n_stopped || p->n_busy > 0 ? 0 : 1);
}

static void tell_all(struct mmu_build *b, i64 time_ns) {
    for (u32 i = 0; b->is_per_proc && i < b->n_procs; i++) tell_proc(b, i, time_ns);
}

static void apply(struct mmu_build *b, const struct mmu_entry *e) {
    if (e->what == MMU_LOG_PROCS) {
        set_procs(b, e->time_ns, (u32)e->p);
        tell_all(b, e->time_ns);
    } else if (e->what == MMU_LOG_STW) {
        bool was_stopped = b->n_stopped > 0;
        if (e->delta > 0 || was_stopped) b->n_stopped += (u32)e->delta;
        if (was_stopped != (b->n_stopped > 0)) tell_all(b, e->time_ns);
    } else if (e->p >= 0 && (u32)e->p < b->n_procs) {
        struct mmu_proc *p = &b->procs[e->p];
        if (e->is_early && !b->is_per_proc) charge_past(b);
        b->n_busy -= p->n_busy > 0;
        p->n_busy += e->delta;
        b->n_busy += p->n_busy > 0;
        tell_proc(b, (u32)e->p, e->time_ns);
    }
    if (b->is_per_proc || b->n_procs == 0) return;
    u32 n_busy = b->n_stopped ? b->n_procs : b->n_busy;
    add_step(b, 0, e->time_ns, 1 - (double)n_busy / b->n_procs);
}

static void integrate(struct mmu_series *s) {
    for (u32 i = 1; i < s->n; i++) {
        const struct mmu_step *last = &s->steps[i - 1];
        s->steps[i].before_ns =
            last->before_ns + last->util * (double)(s->steps[i].time_ns - last->time_ns);
    }
}

void trace_mmu_build(struct arena *out, const struct trace_mmu_log *log, u32 flags,
                     struct trace_mmu *ret) {
    *ret = (struct trace_mmu){0};
    struct mmu_build b = {.out = out, .m = ret, .is_per_proc = flags & MMU_PER_PROC};
    for (u32 i = 0; i < log->n_entries; i++) {
        if (counts(flags, log->entries[i].what)) apply(&b, &log->entries[i]);
    }
    for (u32 i = 0; i < b.n_procs; i++) {
        struct mmu_series *s = &ret->series[b.procs[i].series_i];
        if (s->n && s->steps[s->n - 1].time_ns < log->end_ns) {
            GROW(out, s->steps, s->cap, s->n + 1);
            s->steps[s->n++] = (struct mmu_step){.time_ns = log->end_ns};
        }
    }
    for (u32 i = 0; i < ret->n_series; i++) integrate(&ret->series[i]);
}
