// graph/parts.h - the stages of building a graph; private to graph/.
// Room: what trim.c calls in order. Door: graph/graph.h.
#pragma once

#include "graph/graph.h"

// Which nodes exist in a pass: NULL, all of them.
typedef const bool *node_mask;

// Adds flat and cum of every frame: g->nodes has one node a frame.
void graph_add_weights(struct arena *out, struct graph *g);
// Fills g->edges over the nodes of mask. only_inlines: just edges into frames that may be inlined.
// ends: just edges that start or end at one of these; NULL: all.
void graph_add_edges(struct arena *out, struct graph *g, node_mask mask, node_mask ends,
                     bool only_inlines);
// Grows the call tree, g->tree: one node a frame and calling context, parents before children. The
// graph has none of them until graph_settle_tree makes nodes and edges of those that are not gone;
// what a gone one calls hangs below the next node above that stays. g->tree ends with
// graph_end_tree.
void graph_grow_tree(struct arena *out, struct graph *g);
u32 graph_tree_size(const struct graph *g);
struct node graph_tree_node(const struct graph *g, u32 tree_i);
void graph_settle_tree(struct arena *out, struct graph *g, node_mask is_gone);
// Where in the tree frame is below parent (U32_NONE: a root); it must be there.
u32 graph_tree_child(const struct graph *g, u32 parent, u32 frame);
// The node of the graph that stands for a place in the settled tree; U32_NONE: gone.
u32 graph_tree_place(const struct graph *g, u32 tree_i);
void graph_end_tree(struct graph *g);
// Hangs children of listed nodes outside mask below the next node above that stays.
void graph_trim_tree(struct arena *scratch, struct graph *g, node_mask is_listed, node_mask mask);
// Fills in_edges, out_edges and each node's range in them with the edges not removed.
void graph_index_edges(struct arena *out, struct graph *g);
// Fills g->tags of the nodes in mask: labels joined, and "bytes".
void graph_add_tags(struct arena *out, struct graph *g, node_mask mask, str unit);

enum node_order { ORDER_FLAT, ORDER_CUM, ORDER_ENTROPY };
// Sorts g->shown; entropy reads indexed edges.
void graph_sort_nodes(struct graph *g, struct arena *out, enum node_order order);
// Sorts the edges by weight and names, forgets removed ones, and indexes them.
void graph_sort_edges(struct arena *out, struct graph *g);
// Sorts the indexed edges of shown nodes, of those whose name matches re if there is one, by weight
// and names; g->edges stay as they are.
void graph_sort_lists(struct arena *out, struct graph *g, const struct regex *re);
// The printable name of a node, made when first asked for.
str graph_name(struct arena *out, struct graph *g, u32 node_i);

// Whether a comes before b. Equal elements may end in any order, the same one in every run.
typedef bool (*pdq_less)(const void *a, const void *b, void *ctx);
void pdqsort(void *items, size_t n, size_t size, pdq_less cmp, void *ctx);

static inline i64 add_i64(i64 a, i64 b) {
    return (i64)((u64)a + (u64)b); // sums wrap as Go's do
}
