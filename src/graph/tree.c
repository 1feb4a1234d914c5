// graph/tree.c - the call tree: frames kept apart by calling context.
// Room: growing the tree and taking nodes out of it. Door: graph/graph.h.
// Source: reference/pprof.md section 2.7 (call_tree).
#include "graph/parts.h"

// A million stacks make tens of millions of contexts, nearly all of which are too light to be
// shown. So the whole tree is grown in small nodes, which move no more once made, and only what
// trimming leaves becomes nodes and edges of the graph (-dot -call_tree over the million samples of
// bench took 5.6 GB when all did).
enum {
    CHUNK_BITS = 15,
    CHUNK_NODES = 1 << CHUNK_BITS,
    // A place (below 2^30: more contexts would take 24 GB): the node in the graph, or IS_GONE,
    // HAS_INLINE and the node above that stayed.
    IS_GONE = 1 << 31,
    HAS_INLINE = 1 << 30,
    NO_PLACE = HAS_INLINE - 1,
};

struct grown {
    u32 parent;                      // U32_NONE: a root
    u32 frame_i : 31, is_inline : 1; // every call of it was inlined
    i64 flat, cum;
};

struct divisors {
    i64 flat, cum;
};

struct tree_index {
    struct arena arena, slots_arena; // slots' own ends whenever they grow
    struct grown **chunks;           // parents before children
    struct divisors **divisors;      // beside chunks; of means only
    size_t cap_chunks, cap_divisors;
    u32 n;
    u32 *slots; // grown index + 1
    u32 n_slots;
    u32 *places; // [grown], once settled
};

static inline struct grown *grown_at(const struct tree_index *t, u32 i) {
    return &t->chunks[i >> CHUNK_BITS][i & (CHUNK_NODES - 1)];
}

static inline struct divisors *divisors_at(const struct tree_index *t, u32 i) {
    return &t->divisors[i >> CHUNK_BITS][i & (CHUNK_NODES - 1)];
}

static u32 child_slot(const struct tree_index *t, u32 parent, u32 frame) {
    u32 mask = t->n_slots - 1;
    u32 i = (u32)hash_mix((u64)parent << 32 | frame) & mask;
    while (t->slots[i]) {
        const struct grown *n = grown_at(t, t->slots[i] - 1);
        if (n->parent == parent && n->frame_i == frame) break;
        i = (i + 1) & mask;
    }
    return i;
}

static void slots_grow(struct tree_index *t) {
    t->n_slots = t->n_slots ? t->n_slots * 2 : 1024;
    arena_done(&t->slots_arena);
    t->slots_arena = arena_sub(&t->arena);
    t->slots = NEW(&t->slots_arena, u32, t->n_slots);
    for (u32 i = 0; i < t->n; i++) {
        const struct grown *n = grown_at(t, i);
        t->slots[child_slot(t, n->parent, n->frame_i)] = i + 1;
    }
}

static void chunk_add(struct tree_index *t, bool is_mean) {
    u32 i = t->n >> CHUNK_BITS;
    GROW(&t->arena, t->chunks, t->cap_chunks, i + 1);
    t->chunks[i] = NEW(&t->arena, struct grown, CHUNK_NODES);
    if (!is_mean) return;
    GROW(&t->arena, t->divisors, t->cap_divisors, i + 1);
    t->divisors[i] = NEW(&t->arena, struct divisors, CHUNK_NODES);
}

static u32 child(struct tree_index *t, u32 parent, u32 frame, bool is_mean) {
    if (t->n >= t->n_slots / 8 * 5) slots_grow(t);
    u32 slot = child_slot(t, parent, frame);
    if (t->slots[slot]) return t->slots[slot] - 1;
    if (t->n % CHUNK_NODES == 0) chunk_add(t, is_mean);
    *grown_at(t, t->n) = (struct grown){.parent = parent, .frame_i = frame, .is_inline = true};
    t->slots[slot] = t->n + 1;
    return t->n++;
}

struct path_weight {
    i64 value, div;
    bool is_mean;
};

static void add_path(struct tree_index *t, const struct frames *f, const u32 *stack, u32 n,
                     const struct path_weight *w) {
    u32 at = U32_NONE;
    for (u32 i = n; i-- > 0;) {
        u32 from = f->at[stack[i]], to = f->at[stack[i] + 1];
        for (u32 j = to; j-- > from;) {
            at = child(t, at, f->ids[j], w->is_mean);
            struct grown *x = grown_at(t, at);
            x->cum = add_i64(x->cum, w->value);
            x->is_inline &= j + 1 != to;
            if (w->is_mean) divisors_at(t, at)->cum = add_i64(divisors_at(t, at)->cum, w->div);
        }
    }
    if (at == U32_NONE) return;
    grown_at(t, at)->flat = add_i64(grown_at(t, at)->flat, w->value);
    if (w->is_mean) divisors_at(t, at)->flat = add_i64(divisors_at(t, at)->flat, w->div);
}

void graph_grow_tree(struct arena *out, struct graph *g) {
    const struct view *v = g->view;
    struct tree_index *t = g->tree = NEW(out, struct tree_index, 1);
    t->arena = arena_sub(out);
    t->slots_arena = arena_sub(out);
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 n, s = view_sample(v, i);
        struct path_weight w = {view_value(v, s), view_divisor(v, s), v->is_mean};
        if (w.value == 0 && w.div == 0) continue;
        const u32 *stack = view_stack(v, i, &n);
        add_path(t, g->frames, stack, n, &w);
    }
}

u32 graph_tree_size(const struct graph *g) {
    return g->tree->n;
}

struct node graph_tree_node(const struct graph *g, u32 i) {
    const struct grown *x = grown_at(g->tree, i);
    struct node n = {.frame_i = x->frame_i, .parent = x->parent, .flat = x->flat, .cum = x->cum};
    if (!g->view->is_mean) return n;
    n.flat_div = divisors_at(g->tree, i)->flat;
    n.cum_div = divisors_at(g->tree, i)->cum;
    return n;
}

// What is above a node is settled when the node is reached. Gives its caller in the graph, or
// NO_PLACE; *is_residual tells that some in between are gone.
static u32 settled_caller(const struct tree_index *t, const struct grown *n, bool *is_residual,
                          bool *is_inline) {
    *is_residual = false;
    *is_inline = n->is_inline;
    if (n->parent == U32_NONE) return NO_PLACE;
    u32 above = t->places[n->parent];
    if (!(above & (u32)IS_GONE)) return above;
    *is_residual = true;
    *is_inline &= (above & HAS_INLINE) != 0;
    return above & NO_PLACE;
}

static void settle(struct graph *g, u32 i, bool is_gone) {
    struct tree_index *t = g->tree;
    bool is_residual, is_inline;
    u32 caller = settled_caller(t, grown_at(t, i), &is_residual, &is_inline);
    if (is_gone) {
        t->places[i] = (u32)IS_GONE | (is_inline ? HAS_INLINE : 0) | caller;
        return;
    }
    u32 node_i = t->places[i] = g->n_nodes++;
    struct node *n = &g->nodes[node_i];
    *n = graph_tree_node(g, i);
    n->parent = caller == NO_PLACE ? U32_NONE : caller;
    if (caller == NO_PLACE) return;
    g->edges[g->n_edges++] = (struct edge){.src = caller,
                                           .dst = node_i,
                                           .weight = n->cum,
                                           .weight_div = n->cum_div,
                                           .is_residual = is_residual,
                                           .is_inline = is_inline};
}

void graph_settle_tree(struct arena *out, struct graph *g, node_mask is_gone) {
    struct tree_index *t = g->tree;
    size_t n_kept = 0;
    for (u32 i = 0; i < t->n; i++) n_kept += !is_gone || !is_gone[i];
    t->places = NEW(&t->arena, u32, t->n);
    g->nodes = NEW(out, struct node, n_kept);
    g->edges = NEW(out, struct edge, n_kept);
    for (u32 i = 0; i < t->n; i++) settle(g, i, is_gone && is_gone[i]);
}

u32 graph_tree_child(const struct graph *g, u32 parent, u32 frame) {
    return g->tree->slots[child_slot(g->tree, parent, frame)] - 1;
}

u32 graph_tree_place(const struct graph *g, u32 i) {
    u32 place = g->tree->places[i];
    return place & (u32)IS_GONE ? U32_NONE : place;
}

void graph_end_tree(struct graph *g) {
    if (!g->tree) return;
    arena_done(&g->tree->slots_arena);
    arena_done(&g->tree->arena);
    g->tree = NULL;
}

// Every node but roots has one edge, and callers come before what they call: what is above a node
// is settled when the node is reached.
void graph_trim_tree(struct arena *scratch, struct graph *g, node_mask is_listed, node_mask mask) {
    u32 *edge_of = NEW(scratch, u32, g->n_nodes); // edge index + 1; 0 at roots
    for (u32 i = 0; i < g->n_edges; i++) {
        if (!g->edges[i].is_removed) edge_of[g->edges[i].dst] = i + 1;
    }
    for (u32 i = 0; i < g->n_nodes; i++) {
        if (!edge_of[i]) continue;
        struct edge *e = &g->edges[edge_of[i] - 1];
        u32 above = e->src;
        if (!is_listed[above] || mask[above]) continue; // it stays
        if (!edge_of[above]) {
            e->is_removed = true; // its caller was a root: now it is one
            edge_of[i] = 0;
            continue;
        }
        const struct edge *up = &g->edges[edge_of[above] - 1];
        e->src = up->src;
        e->is_residual = true;
        e->is_inline = e->is_inline && up->is_inline;
    }
    for (u32 i = 0; i < g->n_edges; i++) {
        struct edge *e = &g->edges[i];
        if (is_listed[e->dst] && !mask[e->dst]) e->is_removed = true;
    }
}
