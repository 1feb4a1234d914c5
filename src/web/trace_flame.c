// web/trace_flame.c - stacks with weights as a tree and as a profile: see trace_flame.h.
// Room: one sort of the stacks, root first: a node is a run of them. Door: web/trace_view.h.
#include "web/trace_flame.h"

#include "render/render.h"

enum { LEAST_SHARE = 2000 };

struct weighed {
    u32 stack, n;
    i64 weight;
};

struct flame {
    const struct trace_stacks *stacks;
    u32 *name_of; // by frame
    struct weighed *items;
    u32 n;
    i64 least;
    struct arena *arena;
    struct buf *b;
};

// A run of items that share their frames down to a depth.
struct run {
    u32 from, to;
    i64 total;
};

static u32 name_at(const struct flame *f, const struct weighed *w, u32 depth) {
    const struct trace_stacks *s = f->stacks;
    return f->name_of[s->items[s->starts[w->stack] + (w->n - 1 - depth)]];
}

static int root_first(const void *a, const void *b, void *ctx) {
    const struct flame *f = ctx;
    const struct weighed *x = a, *y = b;
    for (u32 depth = 0; depth < x->n && depth < y->n; depth++) {
        u32 p = name_at(f, x, depth), q = name_at(f, y, depth);
        if (p != q) return p < q ? -1 : 1;
    }
    return (x->n > y->n) - (x->n < y->n);
}

static int heaviest_first(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct run *x = a, *y = b;
    return (x->total < y->total) - (x->total > y->total);
}

// The children of a run: those of its items that go on below depth, by name.
static u32 split(const struct flame *f, const struct run *r, u32 depth, struct run *children) {
    u32 n = 0, last = U32_NONE;
    for (u32 i = r->from; i < r->to; i++) {
        if (f->items[i].n <= depth) continue;
        u32 name = name_at(f, &f->items[i], depth);
        if (name != last) children[n++] = (struct run){.from = i};
        last = name;
        children[n - 1].to = i + 1;
        children[n - 1].total += f->items[i].weight;
    }
    return n;
}

static void put_run(const struct flame *f, const struct run *r, u32 depth) {
    i64 self = 0;
    for (u32 i = r->from; i < r->to; i++)
        if (f->items[i].n == depth) self += f->items[i].weight;
    if (depth) {
        put_comma(f->b);
        buf_printf(f->b, "%u,%u,%lld,%lld", depth - 1, name_at(f, &f->items[r->from], depth - 1),
                   (long long)r->total, (long long)self);
    }
    struct run *children = NEW(f->arena, struct run, r->to - r->from);
    u32 n = split(f, r, depth, children);
    sort_stable(f->arena, children, n, sizeof *children, heaviest_first, NULL);
    for (u32 i = 0; i < n; i++)
        if (children[i].total >= f->least) put_run(f, &children[i], depth + 1);
}

// Numbers of function names by frame; the names are written.
static void put_names(struct flame *f) {
    struct strmap by_name;
    strmap_init(&by_name, f->arena);
    f->name_of = NEW(f->arena, u32, f->stacks->n_frames + 1);
    put_key(f->b, "names");
    buf_byte(f->b, '[');
    for (u32 i = 0; i < f->stacks->n_frames; i++) {
        str func = f->stacks->frames[i].func;
        u32 *at = strmap_at(&by_name, func);
        if (*at == U32_NONE) {
            *at = by_name.n - 1;
            put_comma(f->b);
            json_text(f->b, func);
        }
        f->name_of[i] = *at;
    }
    buf_byte(f->b, ']');
}

void put_flame(const struct trace_ask *a, const char *key, const i64 *weights) {
    struct flame f = {.stacks = &a->view->lanes.stacks, .arena = a->arena, .b = a->out};
    struct run all = {0};
    f.items = NEW(a->arena, struct weighed, f.stacks->n);
    for (u32 i = 0; i < f.stacks->n; i++) {
        u32 depth = trace_stacks_depth(f.stacks, i);
        if (weights[i] <= 0 || !depth) continue;
        f.items[f.n++] = (struct weighed){.stack = i, .n = depth, .weight = weights[i]};
        all.total += weights[i];
    }
    all.to = f.n;
    f.least = all.total / LEAST_SHARE;
    put_key(a->out, key);
    buf_byte(a->out, '{');
    put_i64(a->out, "total", all.total);
    put_names(&f);
    sort_stable(a->arena, f.items, f.n, sizeof *f.items, root_first, &f);
    put_key(a->out, "nodes");
    buf_byte(a->out, '[');
    if (f.n) put_run(&f, &all, 0);
    buf_put(a->out, S("]}"));
}

static u32 build_location(struct profile_builder *b, const struct trace_frame *frame) {
    u32 name = builder_str(b, frame->func);
    struct function function = {
        .name = name, .system_name = name, .filename = builder_str(b, frame->file)};
    struct line line = {.function_i = builder_function(b, &function), .line = (i64)frame->line};
    return builder_location(b, frame->pc, U32_NONE, &line, 1);
}

void flame_profile(struct arena *out, const struct trace_view *v, const i64 *weights,
                   const i64 *counts, str type, str unit, struct profile *ret) {
    const struct trace_stacks *s = &v->lanes.stacks;
    struct profile_builder b;
    u32 stack[TRACE_MAX_FRAMES];
    builder_init(&b, out);
    builder_sample_type(&b, counts == weights ? S("samples") : S("contentions"), S("count"));
    if (counts != weights) builder_sample_type(&b, type, unit);
    b.p.period_type = (struct value_type){.type = builder_str(&b, S("trace")),
                                          .unit = builder_str(&b, S("count"))};
    b.p.period = 1;
    for (u32 i = 0; i < s->n; i++) {
        if (!counts[i]) continue;
        u32 n = trace_stacks_depth(s, i);
        for (u32 k = 0; k < n; k++) stack[k] = build_location(&b, trace_stacks_frame(s, i, k));
        builder_sample(&b, (i64[]){counts[i], weights[i]}, stack, n, NULL, 0);
    }
    *ret = builder_done(&b);
}
