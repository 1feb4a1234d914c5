// graph/tree.c - the call tree: frames kept apart by calling context.
// Room: growing the tree and taking nodes out of it. Door: graph/graph.h.
// Source: reference/pprof.md section 2.7 (call_tree).
#include "graph/parts.h"

struct tree_index {
    struct arena *arena;
    u32 *slots; // node index + 1
    u32 n_slots;
};

static u32 child_slot(const struct tree_index *t, const struct node *nodes, u32 parent, u32 frame) {
    u32 mask = t->n_slots - 1;
    u32 i = (u32)hash_mix((u64)parent << 32 | frame) & mask;
    while (t->slots[i]) {
        const struct node *n = &nodes[t->slots[i] - 1];
        if (n->parent == parent && n->frame_i == frame) break;
        i = (i + 1) & mask;
    }
    return i;
}

static void index_grow(struct tree_index *t, const struct node *nodes, u32 n) {
    t->n_slots = t->n_slots ? t->n_slots * 2 : 1024;
    t->slots = NEW(t->arena, u32, t->n_slots);
    for (u32 i = 0; i < n; i++)
        t->slots[child_slot(t, nodes, nodes[i].parent, nodes[i].frame_i)] = i + 1;
}

struct grower {
    struct arena *out;
    struct graph *g;
    struct tree_index index;
    bool *is_inline; // [node]: every call of it was inlined
    size_t cap_nodes, cap_inline;
};

static u32 child(struct grower *t, u32 parent, u32 frame) {
    struct graph *g = t->g;
    if (g->n_nodes >= t->index.n_slots / 2) index_grow(&t->index, g->nodes, g->n_nodes);
    u32 slot = child_slot(&t->index, g->nodes, parent, frame);
    if (t->index.slots[slot]) return t->index.slots[slot] - 1;
    GROW(t->out, g->nodes, t->cap_nodes, g->n_nodes + 1);
    GROW(t->out, t->is_inline, t->cap_inline, g->n_nodes + 1);
    g->nodes[g->n_nodes] = (struct node){.frame_i = frame, .parent = parent};
    t->is_inline[g->n_nodes] = true;
    t->index.slots[slot] = g->n_nodes + 1;
    return g->n_nodes++;
}

static void add_path(struct grower *t, const u32 *stack, u32 n, i64 value, i64 div) {
    const struct frames *f = t->g->frames;
    u32 node_i = U32_NONE;
    for (u32 i = n; i-- > 0;) {
        u32 from = f->at[stack[i]], to = f->at[stack[i] + 1];
        for (u32 j = to; j-- > from;) {
            node_i = child(t, node_i, f->ids[j]);
            struct node *x = &t->g->nodes[node_i];
            x->cum = add_i64(x->cum, value);
            x->cum_div = add_i64(x->cum_div, div);
            t->is_inline[node_i] &= j + 1 != to;
        }
    }
    if (node_i == U32_NONE) return;
    struct node *leaf = &t->g->nodes[node_i];
    leaf->flat = add_i64(leaf->flat, value);
    leaf->flat_div = add_i64(leaf->flat_div, div);
}

void graph_add_tree(struct arena *out, struct graph *g) {
    const struct view *v = g->view;
    struct grower t = {.out = out, .g = g, .index = {.arena = out}};
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 n, s = view_sample(v, i);
        i64 value = view_value(v, s), div = view_divisor(v, s);
        if (value == 0 && div == 0) continue;
        const u32 *stack = view_stack(v, i, &n);
        add_path(&t, stack, n, value, div);
    }
    g->edges = NEW(out, struct edge, g->n_nodes);
    g->n_edges = 0;
    for (u32 i = 0; i < g->n_nodes; i++) {
        const struct node *n = &g->nodes[i];
        if (n->parent == U32_NONE) continue;
        g->edges[g->n_edges++] = (struct edge){.src = n->parent,
                                               .dst = i,
                                               .weight = n->cum,
                                               .weight_div = n->cum_div,
                                               .is_inline = t.is_inline[i]};
    }
    g->tree = NEW(out, struct tree_index, 1);
    *g->tree = t.index;
}

u32 graph_tree_child(const struct graph *g, u32 parent, u32 frame) {
    return g->tree->slots[child_slot(g->tree, g->nodes, parent, frame)] - 1;
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
