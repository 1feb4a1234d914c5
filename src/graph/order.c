// graph/order.c - in which order nodes, edges are shown.
// Room: comparisons and scores. Door: graph/graph.h.
// Source: reference/pprof.md section 2.7 (sort orders). Where google/pprof leaves ties to a hash
// map, the order here falls to sign, then name, then object and line.
#include "graph/parts.h"

#include <math.h>
#include <stdio.h>

str graph_name(struct arena *out, struct graph *g, u32 node_i) {
    str *name = &g->names[node_i];
    if (!name->len) *name = frame_name(out, &g->frames->items[g->nodes[node_i].frame_i]);
    return *name;
}

// One node while it is being sorted.
struct ranked {
    u32 node_i;
    i64 score, flat, cum;
    str name;
    const struct frame *frame;
};

static int order_i64(i64 a, i64 b) {
    return a < b ? -1 : a > b;
}

// Larger magnitude first. The magnitude of INT64_MIN stays negative, as in Go.
static int order_weight(i64 a, i64 b) {
    return order_i64(abs_i64(b), abs_i64(a));
}

static int order_digits(i64 a, i64 b) {
    char x[24], y[24];
    snprintf(x, sizeof x, "%lld", (long long)a);
    snprintf(y, sizeof y, "%lld", (long long)b);
    return str_cmp(str_of(x), str_of(y));
}

// Frames of one printable name, in the order google/pprof means to give them: that of all fields as
// text.
static int order_hidden(const struct frame *a, const struct frame *b) {
    int order = str_cmp(a->name, b->name);
    if (order == 0) order = str_cmp(a->file, b->file);
    if (order == 0) order = order_digits(a->start_line, b->start_line);
    return order ? order : str_cmp(a->object, b->object);
}

// 0 for one frame in two calling contexts of equal weight: nothing tells those apart.
static int ranked_order(const struct ranked *x, const struct ranked *y, enum node_order by) {
    int order = order_weight(x->score, y->score);
    if (order == 0) order = str_cmp(x->name, y->name);
    if (order == 0 && x->frame != y->frame) order = order_hidden(x->frame, y->frame);
    if (order == 0 && by != ORDER_FLAT) order = order_weight(x->flat, y->flat);
    if (order == 0 && by == ORDER_FLAT) order = order_weight(x->cum, y->cum);
    return order;
}

static bool ranked_less(const void *a, const void *b, void *by) {
    return ranked_order(a, b, *(const enum node_order *)by) < 0;
}

// A float as Go on amd64 makes an integer of it: what does not fit (NaN too) is the least one.
static i64 truncated(double x) {
    return x >= -9223372036854775808.0 && x < 9223372036854775808.0 ? (i64)x : INT64_MIN;
}

static double term(i64 weight, i64 total) {
    double fraction = (double)abs_i64(weight) / (double)total;
    // Go's Log2: exact for powers of two, else through the natural logarithm.
    int exponent;
    double mantissa = frexp(fraction, &exponent);
    double log_2 = mantissa == 0.5 ? exponent - 1 : log(mantissa) * (1 / M_LN2) + exponent;
    return -fraction * log_2;
}

static double edge_entropy(const struct graph *g, const u32 *list, u32 n, i64 self) {
    i64 total = self;
    for (u32 i = 0; i < n; i++) {
        i64 weight = g->edges[list[i]].weight;
        if (weight > 0) total = add_i64(total, weight);
    }
    if (total == 0) return 0;
    double score = 0;
    for (u32 i = 0; i < n; i++) score += term(g->edges[list[i]].weight, total);
    if (self > 0) score += term(self, total);
    return score;
}

static i64 entropy_score(const struct graph *g, const struct node *n) {
    double score = 0;
    score += n->n_in == 0 ? 1 : edge_entropy(g, g->in_edges + n->in_at, n->n_in, 0);
    score += n->n_out == 0 ? 1 : edge_entropy(g, g->out_edges + n->out_at, n->n_out, n->flat);
    return add_i64(truncated(score * (double)n->cum), n->flat);
}

static i64 node_score(const struct graph *g, const struct node *n, enum node_order order) {
    switch (order) {
    case ORDER_FLAT:
        return n->flat;
    case ORDER_CUM:
        return n->cum;
    case ORDER_ENTROPY:
        return entropy_score(g, n);
    }
    return 0;
}

void graph_sort_nodes(struct graph *g, struct arena *out, enum node_order order) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct ranked *list = NEW(&scratch, struct ranked, g->n_shown);
    for (u32 i = 0; i < g->n_shown; i++) {
        const struct node *n = &g->nodes[g->shown[i]];
        list[i] = (struct ranked){.node_i = g->shown[i],
                                  .score = node_score(g, n, order),
                                  .flat = n->flat,
                                  .cum = n->cum,
                                  .name = graph_name(out, g, g->shown[i]),
                                  .frame = &g->frames->items[n->frame_i]};
    }
    pdqsort(list, g->n_shown, sizeof *list, ranked_less, &order);
    for (u32 i = 0; i < g->n_shown; i++) g->shown[i] = list[i].node_i;
}

static int edge_order(const void *a, const void *b, void *ctx) {
    const struct graph *g = ctx;
    const struct edge *x = a, *y = b;
    int order = order_weight(x->weight, y->weight);
    if (order == 0) order = order_i64(y->weight, x->weight);
    if (order == 0) order = str_cmp(g->names[x->src], g->names[y->src]);
    if (order == 0) order = str_cmp(g->names[x->dst], g->names[y->dst]);
    if (order == 0) order = order_i64(x->src, y->src);
    return order ? order : order_i64(x->dst, y->dst);
}

static int list_order(const void *a, const void *b, void *ctx) {
    const struct graph *g = ctx;
    const u32 *x = a, *y = b;
    return edge_order(&g->edges[*x], &g->edges[*y], ctx);
}

static void sort_list(struct arena *out, struct graph *g, u32 *list, u32 n) {
    for (u32 i = 0; i < n; i++) {
        graph_name(out, g, g->edges[list[i]].src);
        graph_name(out, g, g->edges[list[i]].dst);
    }
    if (n > 1) sort_stable(out, list, n, sizeof *list, list_order, g);
}

void graph_sort_lists(struct arena *out, struct graph *g, const struct regex *re) {
    for (u32 i = 0; i < g->n_shown; i++) {
        const struct node *n = &g->nodes[g->shown[i]];
        if (re && !regex_match(re, graph_name(out, g, g->shown[i]))) continue;
        sort_list(out, g, g->in_edges + n->in_at, n->n_in);
        sort_list(out, g, g->out_edges + n->out_at, n->n_out);
    }
}

void graph_sort_edges(struct arena *out, struct graph *g) {
    u32 n = 0;
    for (u32 i = 0; i < g->n_edges; i++) {
        if (g->edges[i].is_removed) continue;
        graph_name(out, g, g->edges[i].src);
        graph_name(out, g, g->edges[i].dst);
        g->edges[n++] = g->edges[i];
    }
    g->n_edges = n;
    sort_stable(out, g->edges, n, sizeof *g->edges, edge_order, g);
    graph_index_edges(out, g);
}
