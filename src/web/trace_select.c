// web/trace_select.c - sums over a selection of time and lanes, and the profiles it gives.
// Room: one walk over the spans selected. Door: web/trace_view.h.
#include "web/trace_ask.h"
#include "web/trace_flame.h"

#include "render/render.h"

enum {
    TOP_ROWS = 50,      // goroutines and functions listed
    LATENCIES = 40,     // buckets of the time to run, each twice as long
    MAX_WALK = 8 << 20, // spans looked at one by one: about 50 ms
};

struct selection {
    const struct trace_view *view;
    struct asked_lanes lanes;
    struct asked_time time;
    struct lane_sum total;
    i64 state_ns[LANE_MAX_STATES];
    u32 state_n[LANE_MAX_STATES];
    u32 latencies[LATENCIES];
    i64 *stack_ns; // by stack: of waits, of calls, of time to run
    i64 *stack_n;
    u32 classes; // bits: which spans go into stack_ns
    u64 n_walked;
    bool is_cut;
};

static void walk_span(struct selection *s, const struct lane_at *at) {
    i64 from = at->start_ns > s->time.t0 ? at->start_ns : s->time.t0;
    i64 to = at->end_ns < s->time.t1 ? at->end_ns : s->time.t1;
    enum lane_class class = s->view->lanes.store.states[at->state].class;
    s->state_ns[at->state] += to - from;
    s->state_n[at->state]++;
    if (class == LANE_RUNNABLE) {
        u32 bucket = at->end_ns - at->start_ns > 1
                         ? 63 - (u32)__builtin_clzll((u64)(at->end_ns - at->start_ns))
                         : 0;
        s->latencies[bucket < LATENCIES ? bucket : LATENCIES - 1]++;
    }
    bool is_stack = s->lanes.kind == LANES_GOROUTINE && class != LANE_RUNNING && class != LANE_NONE;
    if (is_stack && s->stack_ns && s->classes >> class & 1) {
        s->stack_ns[at->ref] += to - from;
        s->stack_n[at->ref]++;
    }
}

static void walk_lane(struct selection *s, const struct lane *l) {
    if (!l->n || l->begin_ns >= s->time.t1) return;
    for (u32 i = lane_find(l, s->time.t0); i < l->n; i++) {
        struct lane_at at = lane_span_at(l, i);
        if (at.start_ns >= s->time.t1) break;
        if (++s->n_walked > MAX_WALK) {
            s->is_cut = true;
            return;
        }
        walk_span(s, &at);
    }
}

// A lane or function with its sums.
struct busy_row {
    u32 i;
    i64 key, other;
};

static int most_first(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct busy_row *x = a, *y = b;
    return (x->key < y->key) - (x->key > y->key);
}

static void put_states(struct buf *b, const struct selection *s) {
    put_key(b, "states");
    buf_byte(b, '[');
    for (u32 i = 0; i < s->view->lanes.store.n_states; i++) {
        if (!s->state_n[i] || s->view->lanes.store.states[i].is_hold) continue;
        put_comma(b);
        buf_byte(b, '{');
        put_i64(b, "state", i);
        put_i64(b, "ns", s->state_ns[i]);
        put_i64(b, "n", s->state_n[i]);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
    put_key(b, "latencies");
    buf_byte(b, '[');
    for (u32 i = 0; i < LATENCIES; i++) {
        put_comma(b);
        num_u64(b, s->latencies[i]);
    }
    buf_byte(b, ']');
}

// Adds up all lanes selected; the ones that ran most are written.
static void put_lanes(const struct trace_ask *a, struct selection *s) {
    struct busy_row *rows = NEW(a->arena, struct busy_row, s->lanes.set->n);
    u32 n = 0;
    for (u32 i = 0; i < s->lanes.set->n; i++) {
        const struct lane *l = &s->lanes.set->lanes[i];
        if (!is_lane_asked(&s->lanes, i) || !l->n) continue;
        struct lane_sum sum = lane_total(&s->view->lanes.store, l, s->time.t0, s->time.t1);
        if (!sum.n) continue;
        for (u32 k = 0; k < LANE_CLASSES; k++) s->total.ns[k] += sum.ns[k];
        s->total.n += sum.n;
        if (sum.ns[LANE_NONE] == s->time.t1 - s->time.t0) continue;
        rows[n++] =
            (struct busy_row){.i = i, .key = sum.ns[LANE_RUNNING], .other = sum.ns[LANE_RUNNABLE]};
        if (!s->is_cut) walk_lane(s, l);
    }
    sort_stable(a->arena, rows, n, sizeof *rows, most_first, NULL);
    put_i64(a->out, "lanes", n);
    put_key(a->out, "top");
    buf_byte(a->out, '[');
    for (u32 i = 0; i < n && i < TOP_ROWS; i++) {
        put_comma(a->out);
        buf_byte(a->out, '{');
        put_i64(a->out, "lane", rows[i].i);
        put_key(a->out, "name");
        put_lane_name(a->out, s->view, s->lanes.kind, rows[i].i);
        put_i64(a->out, "run", rows[i].key);
        put_i64(a->out, "runnable", rows[i].other);
        buf_byte(a->out, '}');
    }
    buf_byte(a->out, ']');
}

// CPU samples of the selection by stack.
static i64 *sample_weights(const struct trace_ask *a, const struct selection *s) {
    const struct trace_lanes *l = &s->view->lanes;
    i64 *weights = NEW(a->arena, i64, l->stacks.n);
    for (u32 i = 0; i < l->n_samples && l->samples[i].time_ns < s->time.t1; i++) {
        const struct lane_sample *sample = &l->samples[i];
        u32 lane_i = s->lanes.kind == LANES_GOROUTINE ? sample->go_i
                     : s->lanes.kind == LANES_PROC    ? sample->proc_i
                                                      : sample->thread_i;
        if (sample->time_ns < s->time.t0) continue;
        if (s->lanes.is_asked && !is_lane_asked(&s->lanes, lane_i)) continue;
        weights[sample->stack]++;
    }
    return weights;
}

static bool begin(const struct trace_ask *a, struct selection *s) {
    *s = (struct selection){.view = a->view};
    if (!ask_lanes(a, &s->lanes) || !ask_time(a, &s->time)) return false;
    ask_group(a, &s->lanes);
    return true;
}

enum { WAITS = 1 << LANE_SYNC | 1 << LANE_NET | 1 << LANE_SLEEP | 1 << LANE_WAIT };

// Which spans' stacks a word asks for; 0: the samples'.
static u32 classes_of(str word) {
    if (str_eq(word, S("wait"))) return WAITS;
    if (str_eq(word, S("sync"))) return 1 << LANE_SYNC;
    if (str_eq(word, S("net"))) return 1 << LANE_NET;
    if (str_eq(word, S("syscall"))) return 1 << LANE_SYSCALL;
    if (str_eq(word, S("sched"))) return 1 << LANE_RUNNABLE;
    return 0;
}

static void add_stacks(const struct trace_ask *a, struct selection *s, u32 classes) {
    s->classes = classes;
    s->stack_ns = NEW(a->arena, i64, s->view->lanes.stacks.n);
    s->stack_n = NEW(a->arena, i64, s->view->lanes.stacks.n);
}

bool trace_ask_select(struct trace_ask *a) {
    struct selection s;
    if (!begin(a, &s)) return false;
    u32 classes = classes_of(ask_text(a, "flame"));
    if (classes) add_stacks(a, &s, classes);
    struct buf *b = a->out;
    buf_byte(b, '{');
    put_i64(b, "t0", s.time.t0);
    put_i64(b, "t1", s.time.t1);
    put_lanes(a, &s);
    put_i64(b, "spans", s.total.n);
    if (s.is_cut) put_i64(b, "walked", MAX_WALK);
    put_classes(b, &s.total);
    put_states(b, &s);
    put_text(b, "unit", classes ? S("nanoseconds") : S("count"));
    put_flame(a, "flame", classes ? s.stack_ns : sample_weights(a, &s));
    buf_byte(b, '}');
    return true;
}

// Over the whole time the four profiles are the official ones, from the events themselves.
static bool blocked_profile(struct trace_ask *a, const struct asked_lanes *lanes,
                            enum trace_wait wait, struct profile *ret) {
    struct trace_reader *r;
    struct idmap only;
    idmap_init(&only, a->arena);
    for (u32 i = 0; i < lanes->n; i++) *idmap_at(&only, (u64)lanes->set->ids[lanes->items[i]]) = 0;
    if (!trace_open(a->arena, a->view->bytes, &r, a->err)) return false;
    trace_blocked(a->arena, r, wait, lanes->is_asked ? &only : NULL, ret);
    trace_close(r);
    return true;
}

bool trace_profile(struct trace_ask *a, struct profile *ret) {
    static const str waits[] = {S("net"), S("sync"), S("syscall"), S("sched")};
    struct selection s;
    str type = ask_text(a, "type");
    if (!begin(a, &s)) return false;
    bool is_whole = (!s.lanes.is_asked || s.lanes.kind == LANES_GOROUTINE) && s.time.t0 == 0 &&
                    s.time.t1 == a->view->lanes.end_ns;
    for (u32 i = 0; i < countof(waits) && is_whole; i++)
        if (str_eq(type, waits[i])) return blocked_profile(a, &s.lanes, (enum trace_wait)i, ret);
    u32 classes = classes_of(type);
    if (!classes && !str_eq(type, S("cpu")))
        return err_set(a->err, ERR_USAGE, 0,
                       "type is none of cpu, net, sync, syscall, sched, wait");
    if (!classes) {
        i64 *weights = sample_weights(a, &s);
        flame_profile(a->arena, a->view, weights, weights, S("samples"), S("count"), ret);
        return true;
    }
    add_stacks(a, &s, classes);
    for (u32 i = 0; i < s.lanes.set->n; i++)
        if (is_lane_asked(&s.lanes, i)) walk_lane(&s, &s.lanes.set->lanes[i]);
    flame_profile(a->arena, a->view, s.stack_ns, s.stack_n, S("delay"), S("nanoseconds"), ret);
    return true;
}
