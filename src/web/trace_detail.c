// web/trace_detail.c - what lies on the lanes: regions, samples, logs, ranges; one span; arrows.
// Room: what the timeline tells of a place that is looked at. Door: web/trace_view.h.
#include "web/trace_ask.h"

#include "render/render.h"

enum {
    MAX_FLOWS = 500,     // arrows on one screen
    MAX_WOKEN = 50,      // goroutines that one span woke, listed
    MAX_STEPS = 1 << 20, // spans looked at for that list, and for arrows
};

// One list of an answer that may be cut: the rest is counted.
struct cut_list {
    struct buf *b;
    u32 n, n_more;
};

static struct cut_list list_begin(struct buf *b, const char *key) {
    put_key(b, key);
    buf_byte(b, '[');
    return (struct cut_list){.b = b};
}

static bool list_takes(struct cut_list *l) {
    if (l->n == MAX_OVERLAYS) {
        l->n_more++;
        return false;
    }
    l->n++;
    put_comma(l->b);
    return true;
}

static void list_end(struct cut_list *l, const char *more_key) {
    buf_byte(l->b, ']');
    if (l->n_more) put_i64(l->b, more_key, l->n_more);
}

static u32 depth_of(const struct trace_stats *s, u32 region) {
    u32 depth = 0;
    for (u32 i = s->regions[region].outer; i != U32_NONE; i = s->regions[i].outer) depth++;
    return depth;
}

static bool is_during(const struct asked_time *t, i64 start, i64 end) {
    return start < t->t1 && end > t->t0;
}

static void put_region(struct buf *b, const struct trace_view *v, u32 i) {
    const struct trace_region *r = &v->stats.regions[i];
    i64 start = view_time(v, r->begin_ns), end = view_time(v, r->end_ns);
    buf_byte(b, '{');
    put_i64(b, "lane", v->go_lanes[r->go_i]);
    put_text(b, "name", v->stats.texts[r->name_i]);
    put_i64(b, "start", start < 0 ? 0 : start);
    put_i64(b, "end", end < 0 ? v->lanes.end_ns : end);
    put_i64(b, "depth", depth_of(&v->stats, i));
    put_i64(b, "task", (i64)r->task);
    buf_byte(b, '}');
}

static void put_regions(const struct trace_ask *a, const struct asked_lanes *lanes,
                        const struct asked_time *time) {
    const struct trace_view *v = a->view;
    struct cut_list list = list_begin(a->out, "regions");
    for (u32 i = 0; i < v->stats.n_regions && lanes->kind == LANES_GOROUTINE; i++) {
        const struct trace_region *r = &v->stats.regions[i];
        i64 end = r->end_ns == TRACE_NEVER ? v->lanes.end_ns : view_time(v, r->end_ns);
        if (r->is_inherited || !is_lane_asked(lanes, v->go_lanes[r->go_i])) continue;
        if (!is_during(time, view_time(v, r->begin_ns), end) || !list_takes(&list)) continue;
        put_region(a->out, v, i);
    }
    list_end(&list, "more_regions");
}

static const char *range_word(u8 type) {
    return type == TRACE_EV_GCBegin             ? "GC"
           : type == TRACE_EV_STWBegin          ? "stop-the-world"
           : type == TRACE_EV_GCMarkAssistBegin ? "GC mark assist"
                                                : "GC sweep";
}

static void put_ranges(const struct trace_ask *a, const struct asked_lanes *lanes,
                       const struct asked_time *time) {
    const struct trace_lanes *l = &a->view->lanes;
    struct cut_list list = list_begin(a->out, "ranges");
    for (u32 i = 0; i < l->n_ranges; i++) {
        const struct lane_range *r = &l->ranges[i];
        bool is_global = r->lane_i == U32_NONE;
        if (r->start_ns >= time->t1) break;
        if (!is_during(time, r->start_ns, r->end_ns)) continue;
        if (!is_global && (r->kind != lanes->kind || !is_lane_asked(lanes, r->lane_i))) continue;
        if (!list_takes(&list)) continue;
        buf_byte(a->out, '{');
        put_i64(a->out, "lane", is_global ? -1 : (i64)r->lane_i);
        put_text(a->out, "type", str_of(range_word(r->type)));
        put_text(a->out, "name", r->name);
        put_i64(a->out, "start", r->start_ns);
        put_i64(a->out, "end", r->end_ns);
        buf_byte(a->out, '}');
    }
    list_end(&list, "more_ranges");
}

static u32 sample_lane(const struct lane_sample *s, enum lanes_kind kind) {
    return kind == LANES_GOROUTINE ? s->go_i : kind == LANES_PROC ? s->proc_i : s->thread_i;
}

static void put_samples(const struct trace_ask *a, const struct asked_lanes *lanes,
                        const struct asked_time *time) {
    const struct trace_lanes *l = &a->view->lanes;
    struct cut_list list = list_begin(a->out, "samples");
    for (u32 i = 0; i < l->n_samples && l->samples[i].time_ns < time->t1; i++) {
        u32 lane_i = sample_lane(&l->samples[i], lanes->kind);
        if (l->samples[i].time_ns < time->t0 || !is_lane_asked(lanes, lane_i)) continue;
        if (!list_takes(&list)) continue;
        u32 stack = l->samples[i].stack;
        bool has_frame = trace_stacks_depth(&l->stacks, stack) > 0;
        buf_byte(a->out, '{');
        put_i64(a->out, "lane", lane_i);
        put_i64(a->out, "time", l->samples[i].time_ns);
        put_text(a->out, "func",
                 has_frame ? trace_stacks_frame(&l->stacks, stack, 0)->func : S(""));
        buf_byte(a->out, '}');
    }
    list_end(&list, "more_samples");
}

static void put_logs(const struct trace_ask *a, const struct asked_lanes *lanes,
                     const struct asked_time *time) {
    const struct trace_view *v = a->view;
    struct cut_list list = list_begin(a->out, "logs");
    for (u32 i = 0; i < v->stats.n_logs && lanes->kind == LANES_GOROUTINE; i++) {
        const struct trace_log *log = &v->stats.logs[i];
        i64 at = view_time(v, log->time_ns);
        if (at < time->t0 || at >= time->t1) continue;
        u32 lane_i = trace_lanes_find(&v->lanes, LANES_GOROUTINE, log->g);
        if (!is_lane_asked(lanes, lane_i) || !list_takes(&list)) continue;
        buf_byte(a->out, '{');
        put_i64(a->out, "lane", lane_i);
        put_i64(a->out, "time", at);
        put_text(a->out, "category", v->stats.texts[log->category_i]);
        put_text(a->out, "message", v->stats.texts[log->message_i]);
        buf_byte(a->out, '}');
    }
    list_end(&list, "more_logs");
}

bool trace_ask_overlay(struct trace_ask *a) {
    struct asked_lanes lanes;
    struct asked_time time;
    if (!ask_lanes(a, &lanes) || !ask_time(a, &time)) return false;
    buf_byte(a->out, '{');
    put_ranges(a, &lanes, &time);
    put_regions(a, &lanes, &time);
    put_samples(a, &lanes, &time);
    put_logs(a, &lanes, &time);
    buf_byte(a->out, '}');
    return true;
}

static bool is_wake(const struct trace_view *v, const struct lane_at *at) {
    const struct lane_state *state = &v->lanes.store.states[at->state];
    return state->class == LANE_RUNNABLE &&
           (str_eq(state->text, S("unblocked")) || str_eq(state->text, S("created")));
}

// Who was on the processor when a goroutine was woken or created there; U32_NONE: nobody known.
static u32 waker_of(const struct trace_view *v, const struct lane_at *at) {
    const struct lane_set *procs = &v->lanes.sets[LANES_PROC];
    if (!is_wake(v, at) || at->place >= procs->n || !procs->lanes[at->place].n) return U32_NONE;
    const struct lane *l = &procs->lanes[at->place];
    u32 i = lane_find(l, at->start_ns);
    return lane_span_at(l, i).ref;
}

static void put_link(struct buf *b, const struct trace_view *v, const char *key,
                     enum lanes_kind kind, u32 lane_i) {
    static const str kinds[] = {S("goroutine"), S("proc"), S("thread")};
    if (lane_i >= v->lanes.sets[kind].n) return;
    put_key(b, key);
    buf_byte(b, '{');
    put_text(b, "kind", kinds[kind]);
    put_i64(b, "lane", lane_i);
    put_key(b, "name");
    put_lane_name(b, v, kind, lane_i);
    buf_byte(b, '}');
}

// Goroutines woken on a processor in a time: their lanes are looked through.
static void put_woken(const struct trace_ask *a, u32 proc_i, i64 from, i64 to) {
    const struct lane_set *set = &a->view->lanes.sets[LANES_GOROUTINE];
    u32 n = 0, steps = 0;
    put_key(a->out, "woke");
    buf_byte(a->out, '[');
    for (u32 i = 0; i < set->n && n < MAX_WOKEN && steps < MAX_STEPS; i++) {
        const struct lane *l = &set->lanes[i];
        if (!l->n || l->begin_ns >= to) continue;
        for (u32 k = lane_find(l, from); k < l->n && n < MAX_WOKEN; k++, steps++) {
            struct lane_at at = lane_span_at(l, k);
            if (at.start_ns >= to) break;
            if (at.start_ns < from || at.place != proc_i || !is_wake(a->view, &at)) continue;
            put_comma(a->out);
            buf_byte(a->out, '{');
            put_i64(a->out, "time", at.start_ns);
            put_link(a->out, a->view, "to", LANES_GOROUTINE, i);
            buf_byte(a->out, '}');
            n++;
        }
    }
    buf_byte(a->out, ']');
}

static void put_span_regions(const struct trace_ask *a, u32 lane_i, i64 at) {
    const struct trace_view *v = a->view;
    put_key(a->out, "regions");
    buf_byte(a->out, '[');
    for (u32 i = 0; i < v->stats.n_regions; i++) {
        const struct trace_region *r = &v->stats.regions[i];
        i64 end = r->end_ns == TRACE_NEVER ? v->lanes.end_ns : view_time(v, r->end_ns);
        if (r->is_inherited || v->go_lanes[r->go_i] != lane_i) continue;
        if (view_time(v, r->begin_ns) > at || end <= at) continue;
        put_comma(a->out);
        put_region(a->out, v, i);
    }
    buf_byte(a->out, ']');
}

static void put_go_span(const struct trace_ask *a, const struct lane *l, u32 lane_i, u32 i,
                        const struct lane_at *at) {
    const struct trace_view *v = a->view;
    enum lane_class class = v->lanes.store.states[at->state].class;
    bool is_running = class == LANE_RUNNING;
    put_link(a->out, v, "proc", LANES_PROC, at->place);
    if (is_running) put_link(a->out, v, "thread", LANES_THREAD, at->ref);
    put_key(a->out, "stack");
    put_stack(a->out, v, is_running ? 0 : at->ref);
    struct lane_at before = i ? lane_span_at(l, i - 1) : *at;
    const struct lane_at *woken = is_running ? &before : at;
    u32 waker = waker_of(v, woken);
    if (waker != U32_NONE) {
        put_link(a->out, v, "woken_by", LANES_GOROUTINE, waker);
        put_i64(a->out, "woken_at", woken->start_ns);
        put_text(a->out, "woken_how", v->lanes.store.states[woken->state].text);
        put_key(a->out, "woken_stack");
        put_stack(a->out, v, woken->ref);
    }
    put_span_regions(a, lane_i, at->start_ns);
    if (is_running) put_woken(a, at->place, at->start_ns, at->end_ns);
}

bool trace_ask_span(struct trace_ask *a) {
    struct asked_lanes lanes;
    i64 time;
    if (!ask_lanes(a, &lanes) || !ask_i64(a, "t", 0, &time)) return false;
    if (lanes.n != 1 || !lanes.set->lanes[lanes.items[0]].n)
        return err_set(a->err, ERR_USAGE, 0, "lanes names one lane that has spans");
    u32 lane_i = lanes.items[0];
    const struct lane *l = &lanes.set->lanes[lane_i];
    u32 i = lane_find(l, time);
    struct lane_at at = lane_span_at(l, i);
    const struct lane_state *state = &a->view->lanes.store.states[at.state];
    struct buf *b = a->out;
    buf_byte(b, '{');
    put_link(b, a->view, "lane", lanes.kind, lane_i);
    put_text(b, "state", state->text);
    put_text(b, "class", lane_class_name(state->class));
    put_i64(b, "start", at.start_ns);
    put_i64(b, "end", at.end_ns);
    put_i64(b, "index", i);
    put_i64(b, "spans", l->n);
    if (i) put_i64(b, "prev", lane_span_at(l, i - 1).start_ns);
    if (i + 1 < l->n) put_i64(b, "next", at.end_ns);
    if (lanes.kind == LANES_GOROUTINE) {
        put_go_span(a, l, lane_i, i, &at);
    } else {
        put_link(b, a->view, state->is_hold ? "proc" : "goroutine",
                 state->is_hold ? LANES_PROC : LANES_GOROUTINE, at.ref);
        if (lanes.kind == LANES_PROC) put_link(b, a->view, "thread", LANES_THREAD, at.place);
    }
    buf_byte(b, '}');
    return true;
}

bool trace_ask_flows(struct trace_ask *a) {
    struct asked_lanes lanes;
    struct asked_time time;
    u32 n = 0, steps = 0;
    if (!ask_lanes(a, &lanes) || !ask_time(a, &time)) return false;
    bool is_go = lanes.kind == LANES_GOROUTINE;
    buf_byte(a->out, '{');
    put_key(a->out, "flows");
    buf_byte(a->out, '[');
    for (u32 k = 0; k < lanes.n && is_go; k++) {
        const struct lane *l = &lanes.set->lanes[lanes.items[k]];
        for (u32 i = l->n ? lane_find(l, time.t0) : 0; i < l->n && steps < MAX_STEPS; i++) {
            steps++;
            struct lane_at at = lane_span_at(l, i);
            if (at.start_ns >= time.t1) break;
            u32 from = waker_of(a->view, &at);
            if (from == U32_NONE || at.start_ns < time.t0) continue;
            if (n++ >= MAX_FLOWS) continue;
            put_comma(a->out);
            buf_printf(a->out, "[%u,%u,%lld,%lld]", from, lanes.items[k], (long long)at.start_ns,
                       (long long)at.end_ns);
        }
    }
    buf_byte(a->out, ']');
    if (n > MAX_FLOWS) put_i64(a->out, "more", n - MAX_FLOWS);
    if (steps == MAX_STEPS) put_i64(a->out, "is_least", 1); // and more that were not counted
    buf_byte(a->out, '}');
    return true;
}
