// graph/build.c - one pass over the stacks: weights of frames, weights of calls.
// Room: adding up; what is kept is decided by trim.c. Door: graph/graph.h.
// Source: reference/pprof.md section 2.7.
#include "graph/parts.h"

// What a pass touches for every frame of every stack, in 16 bytes so that four share a cache line.
struct weight {
    i64 cum;
    u32 seen; // the last sample that counted it, + 1
    u32 unused;
};

static void add_stack(const struct frames *f, const u32 *stack, u32 n, u32 stamp, i64 value,
                      struct weight *w) {
    for (u32 i = 0; i < n; i++) {
        for (u32 j = f->at[stack[i]]; j < f->at[stack[i] + 1]; j++) {
            struct weight *x = &w[f->ids[j]];
            if (x->seen == stamp) continue;
            x->seen = stamp;
            x->cum = add_i64(x->cum, value);
        }
    }
}

// The innermost frame of a stack: the first one of the first location that has any.
static u32 leaf_frame(const struct frames *f, const u32 *stack, u32 n) {
    for (u32 i = 0; i < n; i++) {
        if (f->at[stack[i]] != f->at[stack[i] + 1]) return f->ids[f->at[stack[i]]];
    }
    return U32_NONE;
}

static void add_divisors(struct graph *g, struct weight *w) {
    const struct view *v = g->view;
    for (u32 i = 0; i < g->n_nodes; i++) w[i] = (struct weight){0};
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 n, s = view_sample(v, i);
        i64 div = view_divisor(v, s);
        if (div == 0) continue;
        const u32 *stack = view_stack(v, i, &n);
        add_stack(g->frames, stack, n, i + 1, div, w);
        u32 leaf = leaf_frame(g->frames, stack, n);
        if (leaf != U32_NONE) g->nodes[leaf].flat_div = add_i64(g->nodes[leaf].flat_div, div);
    }
    for (u32 i = 0; i < g->n_nodes; i++) g->nodes[i].cum_div = w[i].cum;
}

void graph_add_weights(struct arena *out, struct graph *g) {
    const struct view *v = g->view;
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct weight *w = NEW(&scratch, struct weight, g->frames->n);
    g->n_nodes = g->frames->n;
    g->nodes = NEW(out, struct node, g->n_nodes);
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 n, s = view_sample(v, i);
        i64 value = view_value(v, s);
        if (value == 0) continue;
        const u32 *stack = view_stack(v, i, &n);
        add_stack(g->frames, stack, n, i + 1, value, w);
        u32 leaf = leaf_frame(g->frames, stack, n);
        if (leaf != U32_NONE) g->nodes[leaf].flat = add_i64(g->nodes[leaf].flat, value);
    }
    for (u32 i = 0; i < g->n_nodes; i++) {
        g->nodes[i].frame_i = i;
        g->nodes[i].parent = U32_NONE;
        g->nodes[i].cum = w[i].cum;
    }
    if (v->is_mean) add_divisors(g, w);
}

// One call in the open-addressing table; seen is the last sample that counted it, + 1 (0: free
// slot).
struct call {
    u32 src, dst;
    u32 seen;
    bool is_residual, is_inline;
    i64 weight, weight_div;
};

// A call of the stack at hand, on its way into the table.
struct step {
    u32 src, dst;
    bool is_residual, is_inline;
};

struct calls {
    struct arena arena; // of slots; ended whenever the table grows
    struct call *slots;
    u32 n, n_slots;
    struct arena *scratch;
    node_mask ends;
    struct step *steps;
    size_t cap_steps;
    u32 n_steps;
};

static u32 first_slot(u32 n_slots, u32 src, u32 dst) {
    return (u32)hash_mix((u64)src << 32 | dst) & (n_slots - 1);
}

static u32 call_slot(const struct call *slots, u32 n_slots, u32 src, u32 dst) {
    u32 i = first_slot(n_slots, src, dst);
    while (slots[i].seen && (slots[i].src != src || slots[i].dst != dst))
        i = (i + 1) & (n_slots - 1);
    return i;
}

static void calls_grow(struct calls *c) {
    u32 n_slots = c->n_slots ? c->n_slots * 2 : 1024;
    struct arena arena = arena_sub(&c->arena);
    struct call *slots = NEW(&arena, struct call, n_slots);
    for (u32 i = 0; i < c->n_slots; i++) {
        if (!c->slots[i].seen) continue;
        slots[call_slot(slots, n_slots, c->slots[i].src, c->slots[i].dst)] = c->slots[i];
    }
    arena_done(&c->arena);
    c->arena = arena;
    c->slots = slots;
    c->n_slots = n_slots;
}

struct sample_weight {
    u32 stamp;
    i64 value, div;
};

static void add_call(struct calls *c, const struct step *step, const struct sample_weight *s) {
    struct call *e = &c->slots[call_slot(c->slots, c->n_slots, step->src, step->dst)];
    if (!e->seen) {
        c->n++;
        *e = (struct call){.src = step->src, .dst = step->dst, .is_inline = true};
    }
    if (e->seen == s->stamp) return;
    e->seen = s->stamp;
    e->weight = add_i64(e->weight, s->value);
    e->weight_div = add_i64(e->weight_div, s->div);
    e->is_residual |= step->is_residual;
    e->is_inline &= step->is_inline;
}

// The calls of one stack, root first.
static void collect_steps(struct calls *c, const struct frames *f, node_mask mask,
                          bool only_inlines, const u32 *stack, u32 n) {
    u32 parent = U32_NONE;
    bool is_residual = false;
    c->n_steps = 0;
    for (u32 i = n; i-- > 0;) {
        u32 from = f->at[stack[i]], to = f->at[stack[i] + 1];
        GROW(c->scratch, c->steps, c->cap_steps, c->n_steps + (to - from));
        for (u32 j = to; j-- > from;) {
            u32 frame = f->ids[j];
            if (mask && !mask[frame]) {
                is_residual = true;
                continue;
            }
            bool counts = parent != U32_NONE && parent != frame;
            counts = counts && (!c->ends || c->ends[parent] || c->ends[frame]);
            if (counts && (!only_inlines || f->may_inline[frame])) {
                c->steps[c->n_steps++] = (struct step){parent, frame, is_residual, j + 1 != to};
            }
            parent = frame;
            is_residual = false;
        }
    }
}

// The table is larger than the caches: all slots of a stack are asked for before the first is
// needed
// (-peek over the million samples of bench: 2.4 s to 2.0 s).
static void add_calls(struct calls *c, const struct sample_weight *s) {
    while (c->n + c->n_steps >= c->n_slots / 8 * 5) calls_grow(c);
    for (u32 i = 0; i < c->n_steps; i++) {
        __builtin_prefetch(&c->slots[first_slot(c->n_slots, c->steps[i].src, c->steps[i].dst)], 1);
    }
    for (u32 i = 0; i < c->n_steps; i++) add_call(c, &c->steps[i], s);
}

static int call_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct edge *x = a, *y = b;
    if (x->src != y->src) return x->src < y->src ? -1 : 1;
    return x->dst < y->dst ? -1 : x->dst > y->dst;
}

void graph_add_edges(struct arena *out, struct graph *g, node_mask mask, node_mask ends,
                     bool only_inlines) {
    const struct view *v = g->view;
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct calls calls = {.arena = arena_sub(out), .scratch = &scratch, .ends = ends};
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 n, s = view_sample(v, i);
        struct sample_weight w = {
            .stamp = i + 1, .value = view_value(v, s), .div = view_divisor(v, s)};
        if (w.value == 0 && w.div == 0) continue;
        const u32 *stack = view_stack(v, i, &n);
        collect_steps(&calls, g->frames, mask, only_inlines, stack, n);
        add_calls(&calls, &w);
    }
    g->edges = NEW(out, struct edge, calls.n);
    g->n_edges = 0;
    for (u32 i = 0; i < calls.n_slots; i++) {
        const struct call *c = &calls.slots[i];
        if (!c->seen) continue;
        g->edges[g->n_edges++] = (struct edge){.src = c->src,
                                               .dst = c->dst,
                                               .weight = c->weight,
                                               .weight_div = c->weight_div,
                                               .is_residual = c->is_residual,
                                               .is_inline = c->is_inline};
    }
    arena_done(&calls.arena);
    sort_stable(out, g->edges, g->n_edges, sizeof *g->edges, call_order, NULL);
}

// Fills one side: range(node) in list of the edges that end (or start) at it.
static u32 *index_side(struct arena *out, struct graph *g, bool is_in) {
    u32 *at = NEW(out, u32, (size_t)g->n_nodes + 1);
    u32 *list = NEW(out, u32, g->n_edges);
    for (u32 i = 0; i < g->n_edges; i++) {
        const struct edge *e = &g->edges[i];
        if (!e->is_removed) at[(is_in ? e->dst : e->src) + 1]++;
    }
    for (u32 i = 0; i < g->n_nodes; i++) {
        at[i + 1] += at[i];
        struct node *n = &g->nodes[i];
        *(is_in ? &n->in_at : &n->out_at) = at[i];
        *(is_in ? &n->n_in : &n->n_out) = 0;
    }
    for (u32 i = 0; i < g->n_edges; i++) {
        const struct edge *e = &g->edges[i];
        if (e->is_removed) continue;
        struct node *n = &g->nodes[is_in ? e->dst : e->src];
        u32 *count = is_in ? &n->n_in : &n->n_out;
        list[(is_in ? n->in_at : n->out_at) + (*count)++] = i;
    }
    return list;
}

void graph_index_edges(struct arena *out, struct graph *g) {
    g->in_edges = index_side(out, g, true);
    g->out_edges = index_side(out, g, false);
}
