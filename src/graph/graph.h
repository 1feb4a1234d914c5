// graph/graph.h - the face of graph: who calls whom, at what weight, and what of it is worth
// showing.
//
// The idea: one pass over the view's stacks adds weights into arrays indexed by frame id; edges
// live in one open-addressing table keyed by (caller, callee) with the last sample that touched
// them, so that recursion counts once. Trimming selects nodes by weight, then by rank, and counts
// edges again over the kept nodes only, as google/pprof does by rebuilding.
//
// Words: flat is a node's own weight, cum includes what it calls; a residual edge skips nodes that
// were not kept; a tag is a label value seen at a node. In a call tree a node is a frame in one
// calling context. Lifetimes: a graph lives in the arena it was made in and borrows view and
// frames. Nothing fails. Will not: format, print. Source: reference/pprof.md section 2.7.
#pragma once

#include "base/base.h"

#include "graph/flame.h"
#include "graph/opts.h"
#include "view/view.h"

struct node {
    u32 frame_i;
    u32 parent; // call tree: the caller's node, U32_NONE at a root; else U32_NONE
    i64 flat, flat_div, cum, cum_div;
    u32 in_at, n_in;   // in_edges[in_at ..]: edge indexes by weight and name
    u32 out_at, n_out; // out_edges[out_at ..]
};

struct edge {
    u32 src, dst; // node indexes
    i64 weight, weight_div;
    bool is_residual, is_inline, is_removed;
};

// A label value at a node. Label tags are all string labels of a sample joined; numeric tags hang
// under the label tag of their sample (empty: none).
struct tag {
    str name;
    str unit;  // numeric tags: unit of value
    i64 value; // numeric tags
    i64 flat, flat_div, cum, cum_div;
    str under; // numeric tags: the label tag's name
    bool is_numeric;
};

struct graph {
    const struct view *view;
    const struct frames *frames;
    struct node *nodes;
    u32 n_nodes;
    u32 *shown; // node indexes in the order they are shown
    u32 n_shown;
    struct edge *edges;
    u32 n_edges;
    u32 *in_edges, *out_edges;
    str *names;        // [node index]: printable name, filled for shown nodes and their neighbours
    struct tag **tags; // [node index]: tags of shown nodes, if asked for; NULL: none
    u32 *n_tags;
    u32 orig_count, dropped_nodes, dropped_edges; // what trimming did
    struct tree_index *tree;                      // call trees, while they are built; NULL else
};

struct graph_request {
    const struct graph_opts *opts;
    bool is_visual;         // order by entropy, count tags, remove redundant edges (dot)
    bool call_tree;         // keep calling contexts apart
    bool needs_edges;       // false: only whether a node was inlined is wanted of edges (text)
    const struct regex *re; // only edges of nodes matching it are wanted in order; NULL: all
    str unit;               // how numeric tags are written (visual)
};

// Builds the graph of a view, trimmed and sorted as opts say (fractions and counts of 0:
// untrimmed). Values are raw sums: see node_flat and friends for means.
void graph_build(struct arena *out, const struct view *v, const struct frames *frames,
                 const struct graph_request *req, struct graph *ret);

// "net/http.(*conn).serve" gives "http.(*conn).serve": reference/pprof.md section 2.8.
str name_shorten(struct arena *out, str name);

static inline i64 node_flat(const struct node *n) {
    return mean_of(n->flat, n->flat_div);
}
static inline i64 node_cum(const struct node *n) {
    return mean_of(n->cum, n->cum_div);
}
static inline i64 edge_weight(const struct edge *e) {
    return mean_of(e->weight, e->weight_div);
}
static inline i64 abs_i64(i64 x) {
    return x < 0 ? (i64)(0 - (u64)x) : x;
}
