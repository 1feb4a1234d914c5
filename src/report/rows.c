// report/rows.c - the rows of top, tree and peek.
// Room: picking values and names out of a graph. Door: report/report.h.
// Source: reference/pprof.md sections 2.14, 2.15.
#include "report/report.h"

str inlining_text(enum inlining inlining) {
    switch (inlining) {
    case INLINED_NEVER:
        return S("");
    case INLINED_ALWAYS:
        return S("inline");
    case INLINED_SOMETIMES:
        return S("partial-inline");
    }
    return S("");
}

static enum inlining node_inlining(const struct graph *g, const struct node *n) {
    bool is_inline = false, is_call = false;
    for (u32 i = 0; i < n->n_in; i++) {
        if (g->edges[g->in_edges[n->in_at + i]].is_inline) {
            is_inline = true;
        } else {
            is_call = true;
        }
    }
    if (!is_inline) return INLINED_NEVER;
    return is_call ? INLINED_SOMETIMES : INLINED_ALWAYS;
}

void report_top(struct arena *out, const struct graph *g, struct top *ret) {
    ret->n = g->n_shown;
    ret->rows = NEW(out, struct top_row, g->n_shown);
    for (u32 i = 0; i < g->n_shown; i++) {
        const struct node *n = &g->nodes[g->shown[i]];
        ret->rows[i] = (struct top_row){.name = g->names[g->shown[i]],
                                        .inlining = node_inlining(g, n),
                                        .flat = node_flat(n),
                                        .cum = node_cum(n)};
    }
}

// The edges of one side; is_in: those that end at the node, named by their other end.
static const struct tree_edge *tree_edges(struct arena *out, const struct graph *g, const u32 *list,
                                          u32 n, bool is_in) {
    struct tree_edge *edges = NEW(out, struct tree_edge, n);
    for (u32 i = 0; i < n; i++) {
        const struct edge *e = &g->edges[list[i]];
        edges[i] = (struct tree_edge){.name = g->names[is_in ? e->src : e->dst],
                                      .weight = e->weight,
                                      .is_inline = e->is_inline};
    }
    return edges;
}

bool report_tree(struct arena *out, const struct graph *g, const struct regex *re, str pattern,
                 struct tree *ret, struct err *err) {
    ret->n = 0;
    ret->rows = NEW(out, struct tree_row, g->n_shown);
    for (u32 i = 0; i < g->n_shown; i++) {
        u32 node_i = g->shown[i];
        const struct node *n = &g->nodes[node_i];
        if (re && !regex_match(re, g->names[node_i])) continue;
        ret->rows[ret->n++] = (struct tree_row){
            .name = g->names[node_i],
            .flat = node_flat(n),
            .cum = node_cum(n),
            .in = tree_edges(out, g, g->in_edges + n->in_at, n->n_in, true),
            .calls = tree_edges(out, g, g->out_edges + n->out_at, n->n_out, false),
            .n_in = n->n_in,
            .n_calls = n->n_out};
    }
    if (re && ret->n == 0) {
        return err_set(err, ERR_NOT_FOUND, 0, "no matches found for regexp: " S_FMT,
                       S_ARG(pattern));
    }
    return true;
}
