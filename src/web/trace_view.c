// web/trace_view.c - loading a trace to be shown, and finding the call that answers.
// Room: see trace_view.h. Door: web/web.h.
#include "web/trace_view.h"

#include "web/trace_ask.h"

enum { PROGRESS_EVENTS = 1 << 14 }; // events between two looks at where the reader is

void trace_view_init(struct trace_view *v, str name, str bytes) {
    *v = (struct trace_view){.name = name, .bytes = bytes};
}

void trace_view_done(struct trace_view *v) {
    arena_done(&v->arena);
}

static void fail(struct trace_view *v) {
    atomic_store_explicit(&v->state, TRACE_FAILED, memory_order_release);
}

// A Go program always has goroutines of its runtime.
static bool has_runtime(const struct trace_stats *s) {
    for (u32 i = 0; i < s->n_gos; i++) {
        str func = s->texts[s->funcs[s->gos[i].func_i].name_i];
        if (str_starts(func, S("runtime."))) return true;
    }
    return false;
}

// Which row of the sums belongs to which lane. Where an id came back, the last row does.
static void join(struct trace_view *v) {
    const struct lane_set *set = &v->lanes.sets[LANES_GOROUTINE];
    v->go_stats = NEW(&v->arena, u32, set->n);
    v->go_lanes = NEW(&v->arena, u32, v->stats.n_gos);
    for (u32 i = 0; i < set->n; i++) v->go_stats[i] = U32_NONE;
    for (u32 i = 0; i < v->stats.n_gos; i++) {
        u32 lane_i = trace_lanes_find(&v->lanes, LANES_GOROUTINE, v->stats.gos[i].id);
        v->go_lanes[i] = lane_i;
        if (lane_i != U32_NONE) v->go_stats[lane_i] = i;
    }
}

static void read_all(struct trace_view *v, struct trace_reader *r) {
    struct trace_stats_maker *maker = trace_stats_new(&v->arena);
    struct trace_event ev;
    trace_lanes_init(&v->lanes, &v->arena);
    trace_mmu_init(&v->mmu, &v->arena);
    for (u64 n = 0; trace_next(r, &ev); n++) {
        trace_lanes_event(&v->lanes, r, &ev);
        trace_stats_event(maker, r, &ev);
        trace_mmu_event(&v->mmu, &ev);
        if (n % PROGRESS_EVENTS) continue;
        atomic_store_explicit(&v->n_events, n, memory_order_relaxed);
        atomic_store_explicit(&v->n_read, trace_at(r), memory_order_relaxed);
    }
    trace_lanes_done(&v->lanes);
    trace_stats_done(maker, &v->stats);
}

void trace_view_load(struct trace_view *v) {
    struct trace_reader *r;
    if (!trace_open(&v->arena, v->bytes, &r, &v->err)) {
        fail(v);
        return;
    }
    v->version = trace_version(r);
    read_all(v, r);
    const struct err *broken = trace_broken(r);
    v->is_broken = broken != NULL;
    if (broken) v->err = *broken;
    trace_close(r);
    join(v);
    v->is_go = has_runtime(&v->stats);
    // Pairs with the acquire in trace_answer.
    atomic_store_explicit(&v->state, v->lanes.n_events ? TRACE_READY : TRACE_FAILED,
                          memory_order_release);
}

const struct trace_route trace_routes[] = {
    {"progress", trace_ask_progress, true}, {"summary", trace_ask_summary, false},
    {"lanes", trace_ask_lanes, false},      {"tiles", trace_ask_tiles, false},
    {"overlay", trace_ask_overlay, false},  {"counters", trace_ask_counters, false},
    {"span", trace_ask_span, false},        {"flows", trace_ask_flows, false},
    {"select", trace_ask_select, false},    {"search", trace_ask_search, false},
    {"events", trace_ask_events, false},    {"goroutines", trace_ask_goroutines, false},
    {"groups", trace_ask_groups, false},    {"tasks", trace_ask_tasks, false},
    {"task", trace_ask_task, false},        {"regions", trace_ask_regions, false},
    {"region", trace_ask_region, false},    {"mmu", trace_ask_mmu, false},
};
const size_t n_trace_routes = countof(trace_routes);

bool trace_answer(struct trace_ask *a, str name) {
    int state = atomic_load_explicit(&a->view->state, memory_order_acquire);
    for (size_t i = 0; i < n_trace_routes; i++) {
        if (!str_eq(str_of(trace_routes[i].name), name)) continue;
        if (trace_routes[i].is_early || state == TRACE_READY) return trace_routes[i].call(a);
        if (state == TRACE_LOADING)
            return err_set(a->err, ERR_BUSY, 0, "the trace is still being read");
        *a->err = a->view->err;
        return false;
    }
    return err_set(a->err, ERR_NOT_FOUND, 0, "/api/trace/ has no call " S_FMT, S_ARG(name));
}
