// render/trace_top.c - where the time of a trace went, as tables for a terminal.
// Room: layout only; the sums are trace/stats.h and trace/groups.h. Door: render/trace.h.
#include "render/trace.h"

enum { CELL = 10, MAX_REASONS = 5 }; // more reasons are added up as "other"

// One table: the columns that its rows share.
struct table {
    struct buf *b;
    const struct trace_stats *s;
    u32 reasons[MAX_REASONS]; // texts
    u32 n_reasons;
    bool has_more; // reasons than columns
};

static void put_ns(struct buf *b, i64 ns) {
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    struct buf text = buf_new(&scratch, 64);
    if (ns)
        units_label(&text, ns, S("nanoseconds"), S("auto"));
    else
        buf_byte(&text, '-');
    buf_pad(b, buf_str(&text), CELL);
}

static void put_count(struct buf *b, u64 n) {
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    struct buf text = buf_new(&scratch, 32);
    num_u64(&text, n);
    buf_pad(b, buf_str(&text), CELL);
}

static void put_title(struct buf *b, str title, u32 n, u32 n_shown) {
    buf_byte(b, '\n');
    buf_put(b, title);
    if (n_shown < n) buf_printf(b, " (%u of %u)", n_shown, n);
    buf_byte(b, '\n');
}

static str text_of(const struct table *t, u32 i) {
    return t->s->texts[i];
}

static str func_of(const struct table *t, u32 func_i) {
    str name = text_of(t, t->s->funcs[func_i].name_i);
    return name.len ? name : S("(unknown)");
}

// The heads of blocked_cells.
static void put_reasons(const struct table *t) {
    for (u32 i = 0; i < t->n_reasons; i++) {
        str reason = text_of(t, t->reasons[i]);
        if (reason.len == 0) reason = S("blocked");
        int wide = (int)reason.len + 2;
        buf_pad(t->b, reason, wide > CELL ? wide : CELL);
    }
    if (t->has_more) buf_pad(t->b, S("other"), CELL);
}

static i64 blocked_on(const struct table *t, u32 list, u32 text_i) {
    for (u32 i = list; i != U32_NONE; i = t->s->sums[i].next) {
        if (t->s->sums[i].text_i == text_i) return t->s->sums[i].ns;
    }
    return 0;
}

static void put_blocked(const struct table *t, u32 list) {
    i64 left = trace_sums_ns(t->s, list);
    for (u32 i = 0; i < t->n_reasons; i++) {
        i64 ns = blocked_on(t, list, t->reasons[i]);
        int wide = (int)text_of(t, t->reasons[i]).len + 2;
        if (wide > CELL) buf_fill(t->b, ' ', (size_t)(wide - CELL));
        put_ns(t->b, ns);
        left -= ns;
    }
    if (t->has_more) put_ns(t->b, left);
}

static void put_spend(const struct table *t, const struct trace_spend *spend) {
    put_ns(t->b, spend->run_ns);
    put_ns(t->b, spend->runnable_ns);
    put_ns(t->b, spend->syscall_ns + spend->syscall_blocked_ns);
    put_blocked(t, spend->blocked);
}

static void put_spend_head(const struct table *t) {
    buf_pad(t->b, S("running"), CELL);
    buf_pad(t->b, S("runnable"), CELL);
    buf_pad(t->b, S("syscall"), CELL);
    put_reasons(t);
}

static void put_groups(const struct table *t, const struct trace_groups *g, u32 limit) {
    u32 n = g->n_gos < limit ? g->n_gos : limit;
    put_title(t->b, S("Goroutines by the function they start in"), g->n_gos, n);
    buf_pad(t->b, S("count"), CELL);
    put_spend_head(t);
    buf_put(t->b, S("  function\n"));
    for (u32 i = 0; i < n; i++) {
        put_count(t->b, g->gos[i].n_gos);
        put_spend(t, &g->gos[i].spend);
        buf_put(t->b, S("  "));
        buf_put(t->b, func_of(t, g->gos[i].func_i));
        buf_byte(t->b, '\n');
    }
}

static int by_running(const void *a, const void *b, void *ctx) {
    const struct trace_go *gos = ctx;
    const struct trace_go *x = &gos[*(const u32 *)a], *y = &gos[*(const u32 *)b];
    return (x->spend.run_ns < y->spend.run_ns) - (x->spend.run_ns > y->spend.run_ns);
}

static void put_gos(const struct table *t, u32 limit) {
    AUTO_ARENA struct arena scratch = arena_sub(t->b->arena);
    u32 *order = NEW(&scratch, u32, t->s->n_gos);
    u32 n = t->s->n_gos < limit ? t->s->n_gos : limit;
    for (u32 i = 0; i < t->s->n_gos; i++) order[i] = i;
    sort_stable(&scratch, order, t->s->n_gos, sizeof *order, by_running, t->s->gos);
    put_title(t->b, S("Goroutines (threads, of a native program)"), t->s->n_gos, n);
    buf_pad(t->b, S("id"), CELL);
    buf_pad(t->b, S("total"), CELL);
    put_spend_head(t);
    buf_put(t->b, S("  function\n"));
    for (u32 i = 0; i < n; i++) {
        const struct trace_go *g = &t->s->gos[order[i]];
        put_count(t->b, (u64)g->id);
        put_ns(t->b, g->spend.total_ns);
        put_spend(t, &g->spend);
        buf_put(t->b, S("  "));
        buf_put(t->b, func_of(t, g->func_i));
        buf_byte(t->b, '\n');
    }
}

static i64 place_ns(const struct trace_place *p) {
    return p->blocked_ns + p->runnable_ns + p->syscall_ns;
}

static int by_waiting(const void *a, const void *b, void *ctx) {
    const struct trace_place *places = ctx;
    i64 x = place_ns(&places[*(const u32 *)a]), y = place_ns(&places[*(const u32 *)b]);
    return (x < y) - (x > y);
}

static void put_places(const struct table *t, u32 limit) {
    AUTO_ARENA struct arena scratch = arena_sub(t->b->arena);
    u32 *order = NEW(&scratch, u32, t->s->n_places);
    u32 n = t->s->n_places < limit ? t->s->n_places : limit;
    for (u32 i = 0; i < t->s->n_places; i++) order[i] = i;
    sort_stable(&scratch, order, t->s->n_places, sizeof *order, by_waiting, t->s->places);
    put_title(t->b, S("Functions in which goroutines wait"), t->s->n_places, n);
    buf_pad(t->b, S("waits"), CELL);
    buf_pad(t->b, S("samples"), CELL);
    buf_pad(t->b, S("runnable"), CELL);
    buf_pad(t->b, S("syscall"), CELL);
    put_reasons(t);
    buf_put(t->b, S("  function\n"));
    for (u32 i = 0; i < n; i++) {
        const struct trace_place *p = &t->s->places[order[i]];
        put_count(t->b, p->n_waits);
        put_count(t->b, p->n_samples);
        put_ns(t->b, p->runnable_ns);
        put_ns(t->b, p->syscall_ns);
        put_blocked(t, p->blocked);
        buf_put(t->b, S("  "));
        buf_put(t->b, func_of(t, p->func_i));
        buf_byte(t->b, '\n');
    }
}

static void put_span_times(struct buf *b, const struct trace_span_group *g) {
    put_count(b, g->n);
    put_ns(b, g->total_ns);
    put_ns(b, g->n_whole ? g->total_ns / (i64)g->n_whole : 0);
    put_ns(b, g->least_ns);
    put_ns(b, g->most_ns);
}

static void put_span_head(struct buf *b) {
    static const str heads[] = {S("count"), S("total"), S("mean"), S("least"), S("most")};
    for (size_t i = 0; i < countof(heads); i++) buf_pad(b, heads[i], CELL);
}

static void put_spans(const struct table *t, const struct trace_groups *g, u32 limit) {
    u32 n = g->n_tasks < limit ? g->n_tasks : limit;
    if (n) {
        put_title(t->b, S("Tasks"), g->n_tasks, n);
        put_span_head(t->b);
        buf_put(t->b, S("  task\n"));
    }
    for (u32 i = 0; i < n; i++) {
        put_span_times(t->b, &g->tasks[i]);
        buf_put(t->b, S("  "));
        buf_put(t->b, text_of(t, g->tasks[i].name_i));
        buf_byte(t->b, '\n');
    }
    n = g->n_regions < limit ? g->n_regions : limit;
    if (n) {
        put_title(t->b, S("Regions"), g->n_regions, n);
        put_span_head(t->b);
        put_spend_head(t);
        buf_put(t->b, S("  region, in a goroutine of\n"));
    }
    for (u32 i = 0; i < n; i++) {
        put_span_times(t->b, &g->regions[i]);
        put_spend(t, &g->regions[i].spend);
        buf_put(t->b, S("  "));
        buf_put(t->b, text_of(t, g->regions[i].name_i));
        buf_put(t->b, S(", "));
        buf_put(t->b, func_of(t, g->regions[i].func_i));
        buf_byte(t->b, '\n');
    }
}

void render_trace_top(struct buf *b, const struct trace_stats *s, const struct trace_groups *g,
                      u32 limit) {
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    struct table t = {.b = b, .s = s};
    u32 *reasons, n = trace_reasons(&scratch, s, &reasons);
    t.n_reasons = n < MAX_REASONS ? n : MAX_REASONS;
    t.has_more = n > MAX_REASONS;
    for (u32 i = 0; i < t.n_reasons; i++) t.reasons[i] = reasons[i];
    struct buf span = buf_new(&scratch, 64);
    units_label(&span, s->end_ns - s->begin_ns, S("nanoseconds"), S("auto"));
    buf_printf(b, "Duration: " S_FMT ", Events: %llu, Goroutines: %u\n", S_ARG(buf_str(&span)),
               (unsigned long long)s->n_events, s->n_gos);
    put_groups(&t, g, limit);
    put_gos(&t, limit);
    put_places(&t, limit);
    put_spans(&t, g, limit);
}
