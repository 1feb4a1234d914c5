// web/trace_lanes.c - progress, the summary, the directory of lanes, their tiles and counters.
// Room: what the timeline needs to draw. Door: web/trace_view.h.
#include "web/trace_ask.h"

#include "render/render.h"

#include <math.h>

enum {
    TILE_CELLS = 512,
    TILE_SPANS = 160, // fewer spans than this in a tile are given one by one
    MAX_LEVEL = 44,   // 2^44 ns are 4.8 hours: more than a lane can hold
    MAX_TILES = 8,    // a lane and answer: a wide screen and its neighbours
    CELL_BYTES = 4,
};

bool trace_ask_progress(struct trace_ask *a) {
    static const str states[] = {S("loading"), S("ready"), S("failed")};
    const struct trace_view *v = a->view;
    int state = atomic_load_explicit(&v->state, memory_order_acquire);
    struct buf *b = a->out;
    buf_byte(b, '{');
    put_text(b, "state", states[state]);
    put_i64(b, "read", (i64)atomic_load_explicit(&v->n_read, memory_order_relaxed));
    put_i64(b, "total", (i64)v->bytes.len);
    put_i64(b, "events", (i64)atomic_load_explicit(&v->n_events, memory_order_relaxed));
    if (state == TRACE_FAILED) put_text(b, "error", str_of(v->err.text));
    buf_byte(b, '}');
    return true;
}

static void put_states(struct buf *b, const struct lane_store *s) {
    put_key(b, "classes");
    buf_byte(b, '[');
    for (u32 i = 0; i < LANE_CLASSES; i++) {
        put_comma(b);
        json_text(b, lane_class_name((enum lane_class)i));
    }
    buf_byte(b, ']');
    put_key(b, "states");
    buf_byte(b, '[');
    for (u32 i = 0; i < s->n_states; i++) {
        put_comma(b);
        buf_byte(b, '{');
        put_text(b, "text", s->states[i].text);
        put_i64(b, "class", s->states[i].class);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

// The background task is nobody's.
static u32 count_tasks(const struct trace_stats *s) {
    u32 n = 0;
    for (u32 i = 0; i < s->n_tasks; i++) n += s->tasks[i].id != 0;
    return n;
}

bool trace_ask_summary(struct trace_ask *a) {
    const struct trace_view *v = a->view;
    struct buf *b = a->out;
    buf_byte(b, '{');
    put_text(b, "name", v->name);
    put_i64(b, "version", v->version);
    put_key(b, "is_go");
    buf_put(b, v->is_go ? S("true") : S("false"));
    put_i64(b, "bytes", (i64)v->bytes.len);
    put_i64(b, "begin", v->lanes.begin_ns);
    put_i64(b, "end", v->lanes.end_ns);
    put_i64(b, "events", (i64)v->lanes.n_events);
    put_i64(b, "goroutines", v->lanes.sets[LANES_GOROUTINE].n);
    put_i64(b, "procs", v->lanes.sets[LANES_PROC].n);
    put_i64(b, "threads", v->lanes.sets[LANES_THREAD].n);
    put_i64(b, "samples", v->lanes.n_samples);
    put_i64(b, "tasks", count_tasks(&v->stats));
    put_i64(b, "regions", v->stats.n_regions);
    put_i64(b, "logs", v->stats.n_logs);
    if (v->is_broken) put_text(b, "broken", str_of(v->err.text));
    put_states(b, &v->lanes.store);
    buf_byte(b, '}');
    return true;
}

// A row of the directory, while it is sorted.
struct row {
    i64 key;
    str name;
    u32 lane_i;
};

static int by_key(const void *a, const void *b, void *ctx) {
    const struct row *x = a, *y = b;
    bool is_down = *(bool *)ctx;
    int order =
        x->name.p && y->name.p ? str_cmp(x->name, y->name) : (x->key > y->key) - (x->key < y->key);
    return is_down ? -order : order;
}

static i64 waited_ns(const struct trace_view *v, u32 go_i) {
    return trace_sums_ns(&v->stats, v->stats.gos[go_i].spend.blocked);
}

static i64 key_of(const struct trace_view *v, enum lanes_kind kind, u32 i, str sort) {
    const struct lane_set *set = &v->lanes.sets[kind];
    const struct lane *l = &set->lanes[i];
    if (str_eq(sort, S("start"))) return l->begin_ns;
    if (str_eq(sort, S("spans"))) return l->n;
    if (kind == LANES_GOROUTINE && v->go_stats[i] != U32_NONE) {
        u32 go_i = v->go_stats[i];
        if (str_eq(sort, S("run"))) return v->stats.gos[go_i].spend.run_ns;
        if (str_eq(sort, S("runnable"))) return v->stats.gos[go_i].spend.runnable_ns;
        if (str_eq(sort, S("wait"))) return waited_ns(v, go_i);
    } else if (str_eq(sort, S("run"))) {
        return lane_total(&v->lanes.store, l, 0, v->lanes.end_ns).ns[LANE_RUNNING];
    }
    return set->ids[i];
}

static void put_row(struct buf *b, const struct trace_view *v, enum lanes_kind kind, u32 i) {
    const struct lane *l = &v->lanes.sets[kind].lanes[i];
    struct lane_sum sum = lane_total(&v->lanes.store, l, 0, v->lanes.end_ns);
    put_comma(b);
    buf_byte(b, '{');
    put_i64(b, "lane", i);
    put_i64(b, "id", v->lanes.sets[kind].ids[i]);
    put_key(b, "name");
    put_lane_name(b, v, kind, i);
    if (kind == LANES_GOROUTINE) put_text(b, "func", go_func(v, i));
    put_i64(b, "start", l->begin_ns);
    put_i64(b, "spans", l->n);
    put_classes(b, &sum);
    buf_byte(b, '}');
}

// Whether a lane was anything but idle or gone in a time.
static bool is_active(const struct trace_view *v, const struct lane *l,
                      const struct asked_time *time) {
    if (l->begin_ns >= time->t1) return false;
    return lane_total(&v->lanes.store, l, time->t0, time->t1).ns[LANE_NONE] < time->t1 - time->t0;
}

// Rows whose name holds the filter ("=f": whose function is f); with time, those active in it.
static u32 pick_rows(const struct trace_ask *a, enum lanes_kind kind, str sort,
                     const struct asked_time *time, struct row *rows) {
    const struct trace_view *v = a->view;
    const struct lane_set *set = &v->lanes.sets[kind];
    str filter = ask_text(a, "filter");
    bool is_exact = str_starts(filter, S("=")), is_named = str_eq(sort, S("name"));
    u32 n = 0;
    for (u32 i = 0; i < set->n; i++) {
        if (!set->lanes[i].n || (time && !is_active(v, &set->lanes[i], time))) continue;
        str name = filter.len || is_named ? lane_name(a->arena, v, kind, i) : (str){0};
        if (is_exact ? kind == LANES_GOROUTINE && !str_eq(go_func(v, i), str_skip(filter, 1))
                     : !str_contains(name, filter))
            continue;
        rows[n++] = (struct row){
            .lane_i = i, .key = key_of(v, kind, i, sort), .name = is_named ? name : (str){0}};
    }
    return n;
}

bool trace_ask_lanes(struct trace_ask *a) {
    enum lanes_kind kind;
    u32 from, to;
    i64 find;
    str sort = ask_text(a, "sort");
    bool is_down = str_starts(sort, S("-"));
    if (!ask_kind(a, &kind) || !ask_i64(a, "find", -1, &find)) return false;
    struct asked_time time;
    bool has_time = ask_text(a, "t1").len > 0;
    if (has_time && !ask_time(a, &time)) return false;
    struct row *rows = NEW(a->arena, struct row, a->view->lanes.sets[kind].n);
    u32 n = pick_rows(a, kind, str_drop_prefix(sort, S("-")), has_time ? &time : NULL, rows);
    if (!ask_page(a, n, &from, &to)) return false;
    sort_stable(a->arena, rows, n, sizeof *rows, by_key, &is_down);
    buf_byte(a->out, '{');
    put_i64(a->out, "total", n);
    for (u32 i = 0; i < n && find >= 0; i++)
        if (rows[i].lane_i == find) put_i64(a->out, "found", i);
    put_key(a->out, "lanes");
    buf_byte(a->out, '[');
    for (u32 i = from; i < to; i++) put_row(a->out, a->view, kind, rows[i].lane_i);
    buf_put(a->out, S("]}"));
    return true;
}

// 0: none, 1: exactly one, then sixteen steps a doubling or less: what a byte can say.
static u8 count_byte(u32 n) {
    if (n < 2) return (u8)n;
    double code = 1 + log2(n) * 8;
    return code > 255 ? 255 : (u8)code;
}

static u8 share_byte(i64 part_ns, i64 whole_ns) {
    if (part_ns <= 0) return 0;
    i64 share = (part_ns * 255 + whole_ns / 2) / whole_ns;
    return share < 1 ? 1 : (u8)share;
}

// Four bytes: classes (what took most, and what took most of running, runnable and in calls),
// shares of both, count.
static void cell_bytes(const struct lane_sum *sum, i64 width_ns, u8 *ret) {
    enum lane_class most = LANE_NONE, busy = LANE_RUNNING;
    for (u32 i = LANE_RUNNING; i < LANE_CLASSES; i++) {
        if (sum->ns[i] > (most == LANE_NONE ? 0 : sum->ns[most])) most = (enum lane_class)i;
        if (i <= LANE_SYSCALL && sum->ns[i] > sum->ns[busy]) busy = (enum lane_class)i;
    }
    ret[0] = (u8)(most | busy << 4);
    ret[1] = most == LANE_NONE ? 0 : share_byte(sum->ns[most], width_ns);
    ret[2] = share_byte(sum->ns[busy], width_ns);
    ret[3] = count_byte(sum->n);
}

static void put_base64(struct buf *b, const u8 *p, size_t len) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        u32 bits = (u32)p[i] << 16;
        if (i + 1 < len) bits |= (u32)p[i + 1] << 8;
        if (i + 2 < len) bits |= p[i + 2];
        for (u32 k = 0; k < 4; k++)
            buf_byte(b, i + k > len ? '=' : digits[bits >> (18 - 6 * k) & 63]);
    }
}

// Every span by itself: start, end, state, ref, where each.
static void put_spans(struct buf *b, const struct lane *l, u32 from, u32 to) {
    put_key(b, "spans");
    buf_byte(b, '[');
    for (u32 i = from; i < to; i++) {
        struct lane_at at = lane_span_at(l, i);
        put_comma(b);
        buf_printf(b, "%lld,%lld,%u,%lld,%d", (long long)at.start_ns, (long long)at.end_ns,
                   at.state, at.ref == U32_NONE ? -1LL : (long long)at.ref,
                   at.place == LANE_MAX_PLACE ? -1 : at.place);
    }
    buf_byte(b, ']');
}

// The names of the goroutines that spans of processors refer to: {"lane": name, ...}.
static void put_ref_names(const struct trace_ask *a, const u8 *is_named) {
    const struct trace_view *v = a->view;
    put_key(a->out, "names");
    buf_byte(a->out, '{');
    for (u32 i = 0; i < v->lanes.sets[LANES_GOROUTINE].n; i++) {
        if (!is_named[i]) continue;
        put_comma(a->out);
        buf_printf(a->out, "\"%u\":", i);
        put_lane_name(a->out, v, LANES_GOROUTINE, i);
    }
    buf_byte(a->out, '}');
}

static void mark_refs(const struct lane *l, u32 from, u32 to, u8 *is_named) {
    for (u32 i = from; i < to; i++) {
        u32 ref = lane_span_at(l, i).ref;
        if (ref != U32_NONE) is_named[ref] = 1;
    }
}

static bool is_thread_kind(const struct asked_lanes *asked) {
    return asked->kind == LANES_THREAD;
}

static void put_tile(const struct trace_ask *a, const struct asked_lanes *asked, u32 lane_i,
                     i64 index, u32 level, struct lane_sum *sums, u8 *is_named) {
    const struct lane *l = &asked->set->lanes[lane_i];
    i64 width = (i64)1 << level, t0 = index * TILE_CELLS * width, t1 = t0 + TILE_CELLS * width;
    put_comma(a->out);
    buf_byte(a->out, '{');
    put_i64(a->out, "lane", lane_i);
    put_i64(a->out, "index", index);
    // A thread's own spans only say which processor it holds: cells say what it did there.
    if (l->n && !is_thread_kind(asked)) {
        u32 from = lane_find(l, t0), to = lane_find(l, t1) + 1;
        if (to - from <= TILE_SPANS) {
            put_spans(a->out, l, from, to);
            if (asked->kind == LANES_PROC) mark_refs(l, from, to, is_named);
            buf_byte(a->out, '}');
            return;
        }
    }
    u8 cells[TILE_CELLS * CELL_BYTES];
    for (u32 i = 0; i < TILE_CELLS; i++) sums[i] = (struct lane_sum){0};
    lane_fill(&a->view->lanes.store, l, t0, width, TILE_CELLS, sums);
    for (u32 i = 0; i < TILE_CELLS; i++) cell_bytes(&sums[i], width, cells + i * CELL_BYTES);
    put_key(a->out, "cells");
    buf_byte(a->out, '"');
    put_base64(a->out, cells, sizeof cells);
    buf_put(a->out, S("\"}"));
}

bool trace_ask_tiles(struct trace_ask *a) {
    struct asked_lanes asked;
    i64 level, index, n;
    if (!ask_lanes(a, &asked) || !ask_i64(a, "level", 0, &level) ||
        !ask_i64(a, "index", 0, &index) || !ask_i64(a, "n", 1, &n))
        return false;
    i64 end = a->view->lanes.end_ns;
    if (level < 0 || level > MAX_LEVEL) return err_set(a->err, ERR_USAGE, 0, "level is 0 to 44");
    i64 last = end >> level >> 9;
    if (index < 0) index = 0;
    if (n > MAX_TILES) n = MAX_TILES;
    struct lane_sum *sums = NEW(a->arena, struct lane_sum, TILE_CELLS);
    u8 *is_named = NEW(a->arena, u8, a->view->lanes.sets[LANES_GOROUTINE].n + 1);
    buf_byte(a->out, '{');
    put_i64(a->out, "level", level);
    put_key(a->out, "tiles");
    buf_byte(a->out, '[');
    for (u32 i = 0; i < asked.n; i++)
        for (i64 k = index; k < index + n && k <= last; k++)
            put_tile(a, &asked, asked.items[i], k, (u32)level, sums, is_named);
    buf_byte(a->out, ']');
    if (asked.kind == LANES_PROC) put_ref_names(a, is_named);
    buf_byte(a->out, '}');
    return true;
}

static void put_counter(struct buf *b, const char *name, const struct counter_slice *slices,
                        const bool *is_there, u32 n) {
    put_key(b, name);
    buf_byte(b, '[');
    for (u32 i = 0; i < n; i++) {
        put_comma(b);
        if (!is_there[i]) {
            buf_put(b, S("null"));
            continue;
        }
        buf_printf(b, "[%llu,%llu,%llu,", (unsigned long long)slices[i].min,
                   (unsigned long long)slices[i].max, (unsigned long long)slices[i].last);
        num_fixed(b, slices[i].area, 2);
        buf_byte(b, ']');
    }
    buf_byte(b, ']');
}

bool trace_ask_counters(struct trace_ask *a) {
    static const char *const names[] = {"running", "runnable", "syscall", "waiting",
                                        "procs",   "heap",     "goal"};
    struct asked_time time;
    i64 n;
    if (!ask_time(a, &time) || !ask_i64(a, "n", 512, &n)) return false;
    if (n < 1 || n > MAX_SLICES) return err_set(a->err, ERR_USAGE, 0, "n is 1 to %d", MAX_SLICES);
    i64 width = (time.t1 - time.t0 + n - 1) / n;
    struct counter_slice *slices = NEW(a->arena, struct counter_slice, n);
    bool *is_there = NEW(a->arena, bool, n);
    buf_byte(a->out, '{');
    put_i64(a->out, "t0", time.t0);
    put_i64(a->out, "width", width);
    put_i64(a->out, "exact", (i64)1 << a->view->lanes.counters[0].shift);
    for (u32 i = 0; i < LANES_COUNTERS; i++) {
        const struct counter *c = &a->view->lanes.counters[i];
        if (!c->is_set) continue;
        counter_fill(c, time.t0, width, (u32)n, slices, is_there);
        put_counter(a->out, names[i], slices, is_there, (u32)n);
    }
    buf_byte(a->out, '}');
    return true;
}
