// web/trace_tables.c - goroutines by start function, regions and tasks, as tables with histograms.
// Room: the pages of analysis; the sums themselves are trace/stats.h. Door: web/trace_view.h.
// Source: reference/go.md section 5.1.
#include "web/trace_ask.h"

#include "render/render.h"

#include <math.h>

enum {
    A_DECADE = 5,     // buckets of a histogram in a factor of ten, as the official tool has them
    MAX_BUCKETS = 64, // up to 10^12.8 ns: an hour and three quarters; the last takes what is longer
};

struct histogram {
    u32 counts[MAX_BUCKETS];
};

static void histogram_add(struct histogram *h, i64 ns) {
    int bucket = ns > 0 ? (int)floor(log10((double)ns) * A_DECADE) : 0;
    h->counts[bucket < 0 ? 0 : bucket >= MAX_BUCKETS ? MAX_BUCKETS - 1 : bucket]++;
}

// [[bucket, count], ...]: bucket i begins at 10^(i/5) ns.
static void put_histogram(struct buf *b, const struct histogram *h) {
    put_key(b, "histogram");
    buf_byte(b, '[');
    for (u32 i = 0; i < MAX_BUCKETS; i++) {
        if (!h->counts[i]) continue;
        put_comma(b);
        buf_printf(b, "[%u,%u]", i, h->counts[i]);
    }
    buf_byte(b, ']');
}

static void put_spend(struct buf *b, const struct trace_stats *s, const struct trace_spend *spend) {
    put_i64(b, "total", spend->total_ns);
    put_i64(b, "run", spend->run_ns);
    put_i64(b, "runnable", spend->runnable_ns);
    put_i64(b, "syscall", spend->syscall_ns);
    put_i64(b, "syscall_blocked", spend->syscall_blocked_ns);
    put_i64(b, "unknown", trace_spend_unknown(s, spend));
    put_key(b, "blocked");
    buf_byte(b, '{');
    for (u32 i = spend->blocked; i != U32_NONE; i = s->sums[i].next) {
        put_comma(b);
        json_text(b, s->texts[s->sums[i].text_i]);
        buf_byte(b, ':');
        num_i64(b, s->sums[i].ns);
    }
    buf_byte(b, '}');
    put_key(b, "ranges");
    buf_byte(b, '{');
    for (u32 i = spend->ranges; i != U32_NONE; i = s->sums[i].next) {
        put_comma(b);
        json_text(b, s->texts[s->sums[i].text_i]);
        buf_byte(b, ':');
        num_i64(b, s->sums[i].ns);
    }
    buf_byte(b, '}');
}

// What a column is sorted by: a field of the spend, or "blocked:REASON", "range:NAME".
static i64 spend_key(const struct trace_stats *s, const struct trace_spend *spend, str sort) {
    if (str_eq(sort, S("total"))) return spend->total_ns;
    if (str_eq(sort, S("runnable"))) return spend->runnable_ns;
    if (str_eq(sort, S("syscall"))) return spend->syscall_ns;
    if (str_eq(sort, S("syscall_blocked"))) return spend->syscall_blocked_ns;
    if (str_eq(sort, S("unknown"))) return trace_spend_unknown(s, spend);
    if (str_eq(sort, S("blocked"))) return trace_sums_ns(s, spend->blocked);
    if (str_starts(sort, S("blocked:"))) return trace_sums_of(s, spend->blocked, str_skip(sort, 8));
    if (str_starts(sort, S("range:"))) return trace_sums_of(s, spend->ranges, str_skip(sort, 6));
    return spend->run_ns;
}

struct table_row {
    i64 key;
    u32 i;
};

static int by_key(const void *a, const void *b, void *ctx) {
    const struct table_row *x = a, *y = b;
    int order = (x->key > y->key) - (x->key < y->key);
    return *(bool *)ctx ? -order : order;
}

// Sorts the rows as asked ("-run": most first) and gives the page wanted.
static bool sort_page(const struct trace_ask *a, struct table_row *rows, u32 n, u32 *from,
                      u32 *to) {
    bool is_down = str_starts(ask_text(a, "sort"), S("-"));
    if (!ask_page(a, n, from, to)) return false;
    sort_stable(a->arena, rows, n, sizeof *rows, by_key, &is_down);
    buf_byte(a->out, '{');
    put_i64(a->out, "total", n);
    put_key(a->out, "rows");
    buf_byte(a->out, '[');
    return true;
}

static str sort_word(const struct trace_ask *a) {
    return str_drop_prefix(ask_text(a, "sort"), S("-"));
}

static void put_go_lane(struct buf *b, const struct trace_view *v, u32 go_i) {
    u32 lane_i = v->go_lanes[go_i];
    if (lane_i == U32_NONE) return;
    put_i64(b, "lane", lane_i);
    put_key(b, "name");
    put_lane_name(b, v, LANES_GOROUTINE, lane_i);
}

bool trace_ask_goroutines(struct trace_ask *a) {
    const struct trace_stats *s = &a->view->stats;
    str func = ask_text(a, "func"), sort = sort_word(a);
    bool is_all = !func.len && !ask_text(a, "nameless").len;
    struct table_row *rows = NEW(a->arena, struct table_row, s->n_gos);
    u32 n = 0, from, to;
    for (u32 i = 0; i < s->n_gos; i++) {
        const struct trace_go *g = &s->gos[i];
        if (!is_all && !str_eq(s->texts[s->funcs[g->func_i].name_i], func)) continue;
        i64 key = str_eq(sort, S("id"))      ? g->id
                  : str_eq(sort, S("start")) ? g->created_ns
                                             : spend_key(s, &g->spend, sort);
        rows[n++] = (struct table_row){.key = key, .i = i};
    }
    if (!sort_page(a, rows, n, &from, &to)) return false;
    for (u32 k = from; k < to; k++) {
        const struct trace_go *g = &s->gos[rows[k].i];
        put_comma(a->out);
        buf_byte(a->out, '{');
        put_i64(a->out, "id", g->id);
        put_go_lane(a->out, a->view, rows[k].i);
        put_i64(a->out, "start", view_time(a->view, g->created_ns));
        put_i64(a->out, "end", view_time(a->view, g->ended_ns));
        put_i64(a->out, "samples", (i64)g->n_samples);
        put_spend(a->out, s, &g->spend);
        buf_byte(a->out, '}');
    }
    buf_put(a->out, S("]}"));
    return true;
}

// Goroutines, regions or tasks of one name.
struct group {
    u32 name_i, func_i, n, n_complete;
    i64 total_ns, run_ns, runnable_ns, blocked_ns, syscall_ns, max_ns, samples;
    struct histogram histogram;
};

struct groups {
    struct arena *arena;
    struct group *items;
    struct idmap by_key;
    u32 n;
    size_t cap;
};

static struct group *group_of(struct groups *g, u32 name_i, u32 func_i) {
    u32 *at = idmap_at(&g->by_key, (u64)name_i << 32 | func_i);
    if (*at == U32_NONE) {
        *at = g->n++;
        GROW(g->arena, g->items, g->cap, g->n);
        g->items[*at] = (struct group){.name_i = name_i, .func_i = func_i};
    }
    return &g->items[*at];
}

static void group_spend(struct group *g, const struct trace_stats *s,
                        const struct trace_spend *spend) {
    g->n++;
    g->total_ns += spend->total_ns;
    g->run_ns += spend->run_ns;
    g->runnable_ns += spend->runnable_ns;
    g->blocked_ns += trace_sums_ns(s, spend->blocked);
    g->syscall_ns += spend->syscall_ns + spend->syscall_blocked_ns;
}

static void put_func(struct buf *b, const struct trace_stats *s, u32 func_i) {
    put_text(b, "func", s->texts[s->funcs[func_i].name_i]);
    put_text(b, "file", s->texts[s->funcs[func_i].file_i]);
    put_i64(b, "line", (i64)s->funcs[func_i].line);
}

static void put_group(struct buf *b, const struct trace_stats *s, const struct group *g) {
    put_comma(b);
    buf_byte(b, '{');
    put_text(b, "name", s->texts[g->name_i]);
    put_func(b, s, g->func_i);
    put_i64(b, "n", g->n);
    put_i64(b, "complete", g->n_complete);
    put_i64(b, "total", g->total_ns);
    put_i64(b, "run", g->run_ns);
    put_i64(b, "runnable", g->runnable_ns);
    put_i64(b, "blocked", g->blocked_ns);
    put_i64(b, "syscall", g->syscall_ns);
    put_i64(b, "max", g->max_ns);
    put_i64(b, "samples", g->samples);
    put_histogram(b, &g->histogram);
    buf_byte(b, '}');
}

static i64 group_key(const struct group *g, str sort) {
    if (str_eq(sort, S("n"))) return g->n;
    if (str_eq(sort, S("total"))) return g->total_ns;
    if (str_eq(sort, S("runnable"))) return g->runnable_ns;
    if (str_eq(sort, S("blocked"))) return g->blocked_ns;
    if (str_eq(sort, S("syscall"))) return g->syscall_ns;
    if (str_eq(sort, S("max"))) return g->max_ns;
    return g->run_ns;
}

static bool put_groups(const struct trace_ask *a, const struct groups *g) {
    struct table_row *rows = NEW(a->arena, struct table_row, g->n);
    u32 from, to;
    for (u32 i = 0; i < g->n; i++)
        rows[i] = (struct table_row){.key = group_key(&g->items[i], sort_word(a)), .i = i};
    if (!sort_page(a, rows, g->n, &from, &to)) return false;
    for (u32 k = from; k < to; k++) put_group(a->out, &a->view->stats, &g->items[rows[k].i]);
    buf_put(a->out, S("]}"));
    return true;
}

bool trace_ask_groups(struct trace_ask *a) {
    const struct trace_stats *s = &a->view->stats;
    struct groups groups = {.arena = a->arena};
    idmap_init(&groups.by_key, a->arena);
    for (u32 i = 0; i < s->n_gos; i++) {
        const struct trace_go *go = &s->gos[i];
        struct group *g = group_of(&groups, s->funcs[go->func_i].name_i, go->func_i);
        group_spend(g, s, &go->spend);
        if (go->spend.run_ns > g->max_ns) g->max_ns = go->spend.run_ns;
        g->n_complete += go->ended_ns != TRACE_NEVER;
        g->samples += (i64)go->n_samples;
        histogram_add(&g->histogram, go->spend.run_ns);
    }
    return put_groups(a, &groups);
}

static i64 length_ns(i64 begin_ns, i64 end_ns) {
    return begin_ns == TRACE_NEVER || end_ns == TRACE_NEVER ? -1 : end_ns - begin_ns;
}

bool trace_ask_regions(struct trace_ask *a) {
    const struct trace_stats *s = &a->view->stats;
    struct groups groups = {.arena = a->arena};
    idmap_init(&groups.by_key, a->arena);
    for (u32 i = 0; i < s->n_regions; i++) {
        const struct trace_region *r = &s->regions[i];
        i64 ns = length_ns(r->begin_ns, r->end_ns);
        if (r->is_inherited) continue;
        struct group *g = group_of(&groups, r->name_i, r->func_i);
        group_spend(g, s, &r->spend);
        if (ns > g->max_ns) g->max_ns = ns;
        g->n_complete += ns >= 0;
        if (ns >= 0) histogram_add(&g->histogram, ns);
    }
    return put_groups(a, &groups);
}

bool trace_ask_tasks(struct trace_ask *a) {
    const struct trace_stats *s = &a->view->stats;
    struct groups groups = {.arena = a->arena};
    idmap_init(&groups.by_key, a->arena);
    for (u32 i = 0; i < s->n_tasks; i++) {
        const struct trace_task *t = &s->tasks[i];
        i64 ns = length_ns(t->begin_ns, t->end_ns);
        if (t->id == 0) continue; // the background task
        struct group *g = group_of(&groups, t->name_i, 0);
        g->n++;
        g->total_ns += ns > 0 ? ns : 0;
        if (ns > g->max_ns) g->max_ns = ns;
        g->n_complete += ns >= 0;
        if (ns >= 0) histogram_add(&g->histogram, ns);
    }
    return put_groups(a, &groups);
}

// The least and most length of rows, and whether only ended ones are wanted.
struct bounds {
    i64 min_ns, max_ns;
    bool is_bound;
};

static bool ask_bounds(const struct trace_ask *a, struct bounds *ret) {
    ret->is_bound = ask_text(a, "min").len || ask_text(a, "max").len;
    return ask_i64(a, "min", 0, &ret->min_ns) && ask_i64(a, "max", INT64_MAX, &ret->max_ns);
}

static bool is_within(const struct bounds *b, i64 ns) {
    return !b->is_bound || (ns >= b->min_ns && ns < b->max_ns);
}

bool trace_ask_region(struct trace_ask *a) {
    const struct trace_stats *s = &a->view->stats;
    str name = ask_text(a, "name"), func = ask_text(a, "func"), sort = sort_word(a);
    struct table_row *rows = NEW(a->arena, struct table_row, s->n_regions);
    struct bounds bounds;
    u32 n = 0, from, to;
    if (!ask_bounds(a, &bounds)) return false;
    for (u32 i = 0; i < s->n_regions; i++) {
        const struct trace_region *r = &s->regions[i];
        i64 ns = length_ns(r->begin_ns, r->end_ns);
        if (r->is_inherited || !str_eq(s->texts[r->name_i], name)) continue;
        if (func.len && !str_eq(s->texts[s->funcs[r->func_i].name_i], func)) continue;
        if (!is_within(&bounds, ns)) continue;
        i64 key = str_eq(sort, S("start")) ? r->begin_ns : spend_key(s, &r->spend, sort);
        rows[n++] = (struct table_row){.key = key, .i = i};
    }
    if (!sort_page(a, rows, n, &from, &to)) return false;
    for (u32 k = from; k < to; k++) {
        const struct trace_region *r = &s->regions[rows[k].i];
        put_comma(a->out);
        buf_byte(a->out, '{');
        put_go_lane(a->out, a->view, r->go_i);
        put_i64(a->out, "task", (i64)r->task);
        put_i64(a->out, "start", view_time(a->view, r->begin_ns));
        put_i64(a->out, "end", view_time(a->view, r->end_ns));
        put_spend(a->out, s, &r->spend);
        buf_byte(a->out, '}');
    }
    buf_put(a->out, S("]}"));
    return true;
}

static void put_task_regions(const struct trace_ask *a, u64 id) {
    const struct trace_stats *s = &a->view->stats;
    put_key(a->out, "regions");
    buf_byte(a->out, '[');
    for (u32 i = 0; i < s->n_regions; i++) {
        const struct trace_region *r = &s->regions[i];
        if (r->task != id || r->is_inherited) continue;
        put_comma(a->out);
        buf_byte(a->out, '{');
        put_text(a->out, "name", s->texts[r->name_i]);
        put_i64(a->out, "lane", a->view->go_lanes[r->go_i]);
        put_i64(a->out, "start", view_time(a->view, r->begin_ns));
        put_i64(a->out, "end", view_time(a->view, r->end_ns));
        buf_byte(a->out, '}');
    }
    buf_byte(a->out, ']');
    put_key(a->out, "logs");
    buf_byte(a->out, '[');
    for (u32 i = 0; i < s->n_logs; i++) {
        const struct trace_log *l = &s->logs[i];
        if (s->tasks[l->task_i].id != id) continue;
        put_comma(a->out);
        buf_byte(a->out, '{');
        put_i64(a->out, "time", view_time(a->view, l->time_ns));
        put_text(a->out, "category", s->texts[l->category_i]);
        put_text(a->out, "message", s->texts[l->message_i]);
        buf_byte(a->out, '}');
    }
    buf_byte(a->out, ']');
}

static void put_task(const struct trace_ask *a, const struct trace_task *t, bool is_whole) {
    const struct trace_stats *s = &a->view->stats;
    u32 lane_i = trace_lanes_find(&a->view->lanes, LANES_GOROUTINE, t->begin_g);
    put_comma(a->out);
    buf_byte(a->out, '{');
    put_i64(a->out, "id", (i64)t->id);
    put_i64(a->out, "parent", t->parent == TRACE_NO_TASK ? -1 : (i64)t->parent);
    put_text(a->out, "type", s->texts[t->name_i]);
    put_i64(a->out, "start", view_time(a->view, t->begin_ns));
    put_i64(a->out, "end", view_time(a->view, t->end_ns));
    put_i64(a->out, "length", length_ns(t->begin_ns, t->end_ns));
    put_i64(a->out, "n_regions", t->n_regions);
    put_i64(a->out, "n_logs", t->n_logs);
    if (lane_i != U32_NONE) {
        put_i64(a->out, "lane", lane_i);
        put_key(a->out, "name");
        put_lane_name(a->out, a->view, LANES_GOROUTINE, lane_i);
    }
    if (is_whole) put_task_regions(a, t->id);
    buf_byte(a->out, '}');
}

static bool is_during(const struct trace_ask *a, const struct trace_task *t,
                      const struct asked_time *time) {
    i64 end = t->end_ns == TRACE_NEVER ? a->view->lanes.end_ns : view_time(a->view, t->end_ns);
    return view_time(a->view, t->begin_ns) < time->t1 && end >= time->t0;
}

static bool ask_ids(const struct trace_ask *a, struct idmap *ret) {
    str list = ask_text(a, "ids"), word;
    idmap_init(ret, a->arena);
    while (list.len && ret->n < MAX_LANES_ASKED) {
        u64 id;
        str_cut(list, ',', &word, &list);
        if (!num_parse_u64(word, 10, &id))
            return err_set(a->err, ERR_USAGE, 0, "ids holds no number: " S_FMT, S_ARG(word));
        *idmap_at(ret, id) = 0;
    }
    return true;
}

// Tasks of a name, or those whose ids are listed, with their regions and logs.
bool trace_ask_task(struct trace_ask *a) {
    const struct trace_stats *s = &a->view->stats;
    str name = ask_text(a, "name"), sort = sort_word(a);
    struct idmap ids;
    struct bounds bounds;
    struct asked_time time;
    struct table_row *rows = NEW(a->arena, struct table_row, s->n_tasks);
    u32 n = 0, from, to;
    if (!ask_bounds(a, &bounds) || !ask_ids(a, &ids) || !ask_time(a, &time)) return false;
    for (u32 i = 0; i < s->n_tasks; i++) {
        const struct trace_task *t = &s->tasks[i];
        i64 ns = length_ns(t->begin_ns, t->end_ns);
        bool is_wanted = ids.n ? idmap_get(&ids, t->id) != U32_NONE
                               : !name.len || str_eq(s->texts[t->name_i], name);
        if (!t->id || !is_wanted || !is_within(&bounds, ns) || !is_during(a, t, &time)) continue;
        rows[n++] = (struct table_row){.key = str_eq(sort, S("length")) ? ns : t->begin_ns, .i = i};
    }
    if (!sort_page(a, rows, n, &from, &to)) return false;
    for (u32 k = from; k < to; k++) put_task(a, &s->tasks[rows[k].i], ids.n > 0);
    buf_put(a->out, S("]}"));
    return true;
}
