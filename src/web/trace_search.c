// web/trace_search.c - finding a text anywhere in a trace, and listing what happened in a time.
// Room: names, reasons, stacks, regions, tasks, logs. Door: web/trace_view.h.
#include "web/trace_ask.h"

#include "render/render.h"

#include <ctype.h>

enum {
    DENSITY = 256,      // slices of the overview that say where hits are
    MAX_NAMED = 50,     // lanes found by name
    MAX_EVENTS = 20000, // of a list: more are counted
};

struct hit {
    i64 time_ns, end_ns;
    str text;
    const char *kind;
    u32 lane_i;
    str func; // of its stack, what matched
};

struct hunt {
    const struct trace_view *view;
    str text; // in lower case
    struct arena *arena;
    struct hit *hits; // the earliest ones from a time on: at most twice as many as wanted
    u32 n, cap;
    i64 from_ns;
    u64 total;
    u64 density[DENSITY];
};

static bool is_match(str s, str lower) {
    for (size_t i = 0; i + lower.len <= s.len; i++) {
        size_t k = 0;
        while (k < lower.len && tolower((u8)s.p[i + k]) == (u8)lower.p[k]) k++;
        if (k == lower.len) return true;
    }
    return false;
}

static int by_time(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct hit *x = a, *y = b;
    return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

static void trim(struct hunt *h) {
    sort_stable(h->arena, h->hits, h->n, sizeof *h->hits, by_time, NULL);
    if (h->n > h->cap / 2) h->n = h->cap / 2;
}

static void add_hit(struct hunt *h, struct hit hit) {
    i64 end = h->view->lanes.end_ns, at = hit.time_ns < 0 ? 0 : hit.time_ns;
    h->total++;
    h->density[(u64)((double)at / (double)(end + 1) * DENSITY) % DENSITY]++;
    if (hit.time_ns < h->from_ns) return;
    if (h->n == h->cap) trim(h);
    h->hits[h->n++] = hit;
}

static void hunt_user(struct hunt *h) {
    const struct trace_view *v = h->view;
    const struct trace_stats *s = &v->stats;
    for (u32 i = 0; i < s->n_regions; i++) {
        const struct trace_region *r = &s->regions[i];
        if (r->is_inherited || r->begin_ns == TRACE_NEVER ||
            !is_match(s->texts[r->name_i], h->text))
            continue;
        add_hit(h, (struct hit){view_time(v, r->begin_ns), view_time(v, r->end_ns),
                                s->texts[r->name_i], "region", v->go_lanes[r->go_i], S("")});
    }
    for (u32 i = 0; i < s->n_tasks; i++) {
        const struct trace_task *t = &s->tasks[i];
        if (t->begin_ns == TRACE_NEVER || !is_match(s->texts[t->name_i], h->text)) continue;
        u32 lane_i = trace_lanes_find(&v->lanes, LANES_GOROUTINE, t->begin_g);
        add_hit(h, (struct hit){view_time(v, t->begin_ns), view_time(v, t->end_ns),
                                s->texts[t->name_i], "task", lane_i, S("")});
    }
    for (u32 i = 0; i < s->n_logs; i++) {
        const struct trace_log *l = &s->logs[i];
        bool is_one =
            is_match(s->texts[l->message_i], h->text) || is_match(s->texts[l->category_i], h->text);
        u32 lane_i = trace_lanes_find(&v->lanes, LANES_GOROUTINE, l->g);
        i64 at = view_time(v, l->time_ns);
        if (is_one) add_hit(h, (struct hit){at, at, s->texts[l->message_i], "log", lane_i, S("")});
    }
}

// By stack: the innermost of its functions that match; empty: none does.
static const str *matching_stacks(struct hunt *h, u32 *n) {
    const struct trace_stacks *s = &h->view->lanes.stacks;
    bool *frames = NEW(h->arena, bool, s->n_frames + 1);
    str *stacks = NEW(h->arena, str, s->n);
    *n = 0;
    for (u32 i = 0; i < s->n_frames; i++) frames[i] = is_match(s->frames[i].func, h->text);
    for (u32 i = 0; i < s->n; i++) {
        for (u32 k = s->starts[i]; k < s->starts[i + 1] && !stacks[i].len; k++)
            if (frames[s->items[k]]) stacks[i] = s->frames[s->items[k]].func;
        *n += stacks[i].len > 0;
    }
    return stacks;
}

static void hunt_spans(struct hunt *h, const str *stacks, const u8 *states) {
    const struct lane_set *set = &h->view->lanes.sets[LANES_GOROUTINE];
    for (u32 i = 0; i < set->n; i++) {
        for (u32 k = 0; k < set->lanes[i].n; k++) {
            struct lane_at at = lane_span_at(&set->lanes[i], k);
            const struct lane_state *state = &h->view->lanes.store.states[at.state];
            str func = state->class != LANE_RUNNING ? stacks[at.ref] : S("");
            if (!states[at.state] && !func.len) continue;
            add_hit(h, (struct hit){at.start_ns, at.end_ns, state->text, "span", i, func});
        }
    }
}

static void hunt_stacks(struct hunt *h) {
    const struct trace_lanes *l = &h->view->lanes;
    u8 states[LANE_MAX_STATES] = {0};
    u32 n_states = 0, n_stacks;
    const str *stacks = matching_stacks(h, &n_stacks);
    for (u32 i = 0; i < l->store.n_states; i++) {
        enum lane_class class = l->store.states[i].class;
        bool is_reason = class >= LANE_SYNC || class == LANE_SYSCALL;
        states[i] = is_reason && is_match(l->store.states[i].text, h->text);
        n_states += states[i];
    }
    if (n_states || n_stacks) hunt_spans(h, stacks, states);
    for (u32 i = 0; i < l->n_samples && n_stacks; i++) {
        const struct lane_sample *s = &l->samples[i];
        str func = stacks[s->stack];
        if (!func.len) continue;
        add_hit(h, (struct hit){s->time_ns, s->time_ns, S("CPU sample"), "sample", s->go_i, func});
    }
}

static void put_named(const struct trace_ask *a, const struct hunt *h) {
    static const char *const kinds[] = {"goroutine", "proc", "thread"};
    u32 n = 0;
    put_key(a->out, "lanes");
    buf_byte(a->out, '[');
    for (u32 kind = 0; kind < LANES_KINDS; kind++) {
        for (u32 i = 0; i < a->view->lanes.sets[kind].n && n < MAX_NAMED; i++) {
            str name = lane_name(a->arena, a->view, (enum lanes_kind)kind, i);
            if (!is_match(name, h->text)) continue;
            put_comma(a->out);
            buf_byte(a->out, '{');
            put_text(a->out, "kind", str_of(kinds[kind]));
            put_i64(a->out, "lane", i);
            put_i64(a->out, "start", a->view->lanes.sets[kind].lanes[i].begin_ns);
            put_text(a->out, "name", name);
            buf_byte(a->out, '}');
            n++;
        }
    }
    buf_byte(a->out, ']');
}

static void put_hits(const struct trace_ask *a, const struct hit *hits, u32 from, u32 to) {
    buf_byte(a->out, '[');
    for (u32 i = from; i < to; i++) {
        put_comma(a->out);
        buf_byte(a->out, '{');
        put_text(a->out, "kind", str_of(hits[i].kind));
        put_i64(a->out, "time", hits[i].time_ns);
        put_i64(a->out, "end", hits[i].end_ns);
        put_text(a->out, "text", hits[i].text);
        if (hits[i].func.len) put_text(a->out, "func", hits[i].func);
        if (hits[i].lane_i != U32_NONE) {
            put_i64(a->out, "lane", hits[i].lane_i);
            put_key(a->out, "name");
            put_lane_name(a->out, a->view, LANES_GOROUTINE, hits[i].lane_i);
        }
        buf_byte(a->out, '}');
    }
    buf_byte(a->out, ']');
}

bool trace_ask_search(struct trace_ask *a) {
    struct hunt h = {.view = a->view, .arena = a->arena};
    str q = ask_text(a, "q");
    u32 from, to;
    if (!q.len) return err_set(a->err, ERR_USAGE, 0, "q is what to search for");
    if (!ask_i64(a, "from", 0, &h.from_ns) || !ask_page(a, MAX_ROWS, &from, &to)) return false;
    char *lower = str_z(a->arena, q);
    for (size_t i = 0; i < q.len; i++) lower[i] = (char)tolower((u8)q.p[i]);
    h.text = (str){lower, q.len};
    h.cap = 2 * (to + 1);
    h.hits = NEW(a->arena, struct hit, h.cap);
    hunt_user(&h);
    hunt_stacks(&h);
    trim(&h);
    if (to > h.n) to = h.n;
    buf_byte(a->out, '{');
    put_i64(a->out, "total", (i64)h.total);
    put_named(a, &h);
    put_key(a->out, "density");
    buf_byte(a->out, '[');
    for (u32 i = 0; i < DENSITY; i++) {
        put_comma(a->out);
        num_u64(a->out, h.density[i]);
    }
    buf_byte(a->out, ']');
    put_key(a->out, "hits");
    put_hits(a, h.hits, from < to ? from : to, to);
    buf_byte(a->out, '}');
    return true;
}

// Spans that begin in the time, on goroutines asked for; as many as a list may have.
static u32 list_spans(const struct trace_ask *a, const struct asked_lanes *lanes,
                      const struct asked_time *time, struct hit *list, u64 *total) {
    const struct lane_set *set = lanes->set;
    u32 n = 0;
    for (u32 i = 0; i < set->n; i++) {
        const struct lane *l = &set->lanes[i];
        if (!is_lane_asked(lanes, i) || !l->n || l->begin_ns >= time->t1) continue;
        for (u32 k = lane_find(l, time->t0); k < l->n && n < MAX_EVENTS; k++) {
            struct lane_at at = lane_span_at(l, k);
            if (at.start_ns >= time->t1) break;
            if (at.start_ns < time->t0) continue;
            list[n++] =
                (struct hit){at.start_ns, at.end_ns, a->view->lanes.store.states[at.state].text,
                             "span",      i,         S("")};
        }
    }
    *total = n;
    return n;
}

bool trace_ask_events(struct trace_ask *a) {
    struct asked_lanes lanes;
    struct asked_time time;
    u32 from, to;
    u64 total;
    if (!ask_lanes(a, &lanes) || !ask_time(a, &time)) return false;
    if (lanes.kind != LANES_GOROUTINE)
        return err_set(a->err, ERR_USAGE, 0, "events are listed by goroutine");
    struct hit *list = NEW(a->arena, struct hit, MAX_EVENTS);
    u32 n = list_spans(a, &lanes, &time, list, &total);
    if (!ask_page(a, n, &from, &to)) return false;
    sort_stable(a->arena, list, n, sizeof *list, by_time, NULL);
    buf_byte(a->out, '{');
    put_i64(a->out, "total", (i64)total);
    if (n == MAX_EVENTS) put_i64(a->out, "cut", MAX_EVENTS);
    put_key(a->out, "events");
    put_hits(a, list, from, to);
    buf_byte(a->out, '}');
    return true;
}
