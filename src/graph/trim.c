// graph/trim.c - choose which nodes and edges of a finished graph are worth showing.
// Room: selection and removal; adding up is build.c, ordering is order.c; nothing here prints.
// Door: graph_build(), at the end. Follows google/pprof's two steps: weights first, then the node
// count, and counts edges again over what is kept. Source: reference/pprof.md section 2.7.
#include "graph/parts.h"

enum { MAX_NODELETS = 4 }; // tags of one node that count as nodes when nodes are selected

struct trimming {
    struct arena *out, *scratch;
    struct graph *g;
    const struct graph_request *req;
    i64 node_cutoff, edge_cutoff;
    bool *mask; // the nodes of the last rebuild; NULL: none happened
};

static bool is_worth(const struct node *n, bool drop_negative) {
    if (n->cum == 0 && n->flat == 0) return false;
    return !drop_negative || !(n->flat < 0 || (n->flat == 0 && n->cum < 0));
}

static void list_nodes(struct arena *out, struct graph *g, bool drop_negative) {
    g->shown = NEW(out, u32, g->n_nodes);
    for (u32 i = 0; i < g->n_nodes; i++) {
        if (is_worth(&g->nodes[i], drop_negative)) g->shown[g->n_shown++] = i;
    }
}

static i64 cutoff(i64 total, double fraction) {
    double x = (double)total * fraction;
    return x >= -9223372036854775808.0 && x < 9223372036854775808.0 ? abs_i64((i64)x) : INT64_MIN;
}

// The nodes of shown[0 .. n) as a mask.
static bool *mask_of(const struct trimming *t, const u32 *shown, u32 n) {
    bool *mask = NEW(t->scratch, bool, t->g->n_nodes);
    for (u32 i = 0; i < n; i++) mask[shown[i]] = true;
    return mask;
}

// Keeps the first n of shown, which are what a rebuild leaves.
static void keep_nodes(struct trimming *t, u32 n) {
    bool *kept = mask_of(t, t->g->shown, n);
    if (t->req->call_tree) {
        graph_trim_tree(t->scratch, t->g, mask_of(t, t->g->shown, t->g->n_shown), kept);
    }
    t->mask = kept;
    t->g->n_shown = n;
}

static void choose_cutoffs(struct trimming *t, i64 total) {
    t->node_cutoff = cutoff(total, t->req->opts->nodefraction);
    t->edge_cutoff = cutoff(total, t->req->opts->edgefraction);
}

// Makes a graph of the tree without its light nodes; those not worth listing stay between others.
static void plant_tree(struct trimming *t) {
    struct graph *g = t->g;
    bool drop_negative = t->req->opts->drop_negative;
    graph_grow_tree(t->out, g);
    u32 n = graph_tree_size(g);
    i64 total = 0;
    for (u32 i = 0; i < n; i++) {
        struct node x = graph_tree_node(g, i);
        if (is_worth(&x, drop_negative)) total = add_i64(total, x.flat);
    }
    choose_cutoffs(t, total);
    AUTO_ARENA struct arena scratch = arena_sub(t->out);
    bool *is_light = NEW(&scratch, bool, n);
    for (u32 i = 0; t->node_cutoff > 0 && i < n; i++) {
        struct node x = graph_tree_node(g, i);
        is_light[i] = is_worth(&x, drop_negative) && abs_i64(x.cum) < t->node_cutoff;
        g->dropped_nodes += is_light[i];
    }
    graph_settle_tree(t->out, g, is_light);
    list_nodes(t->out, g, drop_negative);
}

static void weigh_nodes(struct trimming *t) {
    struct graph *g = t->g;
    graph_add_weights(t->out, g);
    list_nodes(t->out, g, t->req->opts->drop_negative);
    i64 total = 0;
    for (u32 i = 0; i < g->n_shown; i++) total = add_i64(total, g->nodes[g->shown[i]].flat);
    choose_cutoffs(t, total);
}

static void drop_light_nodes(struct trimming *t) {
    struct graph *g = t->g;
    if (t->node_cutoff <= 0) return;
    u32 *order = NEW(t->scratch, u32, g->n_shown);
    u32 n = 0, light = g->n_shown;
    for (u32 i = 0; i < g->n_shown; i++) {
        bool is_heavy = abs_i64(g->nodes[g->shown[i]].cum) >= t->node_cutoff;
        order[is_heavy ? n++ : --light] = g->shown[i];
    }
    if (n == g->n_shown) return;
    g->dropped_nodes = g->n_shown - n;
    for (u32 i = 0; i < g->n_shown; i++) g->shown[i] = order[i];
    keep_nodes(t, n);
}

// Edges over the nodes kept so far, sorted and indexed; in a tree they are there already.
static void count_edges(struct trimming *t) {
    if (!t->req->call_tree) graph_add_edges(t->out, t->g, t->mask, NULL, false);
    graph_sort_edges(t->out, t->g);
}

static void sort_nodes(struct trimming *t) {
    enum node_order order = t->req->is_visual                ? ORDER_ENTROPY
                            : t->req->opts->sort == SORT_CUM ? ORDER_CUM
                                                             : ORDER_FLAT;
    if (order == ORDER_ENTROPY) count_edges(t);
    graph_sort_nodes(t->g, t->out, order);
}

static u32 count_tags(const struct graph *g, u32 node_i) {
    u32 n = 0;
    for (u32 i = 0; g->tags && i < g->n_tags[node_i]; i++) n += g->tags[node_i][i].flat != 0;
    return n < MAX_NODELETS ? n : MAX_NODELETS;
}

static void drop_light_tags(struct trimming *t) {
    struct graph *g = t->g;
    for (u32 i = 0; g->tags && i < g->n_nodes; i++) {
        u32 n = 0;
        for (u32 j = 0; j < g->n_tags[i]; j++) {
            const struct tag *tag = &g->tags[i][j];
            bool is_light =
                abs_i64(tag->flat) < t->node_cutoff && abs_i64(tag->cum) < t->node_cutoff;
            if (!is_light) g->tags[i][n++] = *tag;
        }
        g->n_tags[i] = n;
    }
}

static u32 top_count(const struct trimming *t) {
    const struct graph *g = t->g;
    i64 most = t->req->opts->nodecount;
    i64 count = 0;
    for (u32 i = 0; t->req->is_visual && i < g->n_shown; i++) {
        count += count_tags(g, g->shown[i]) + 1;
        if (count >= most) return i + 1;
    }
    return most < g->n_shown ? (u32)most : g->n_shown;
}

// Edges into shown nodes below the cutoff go; those into nodes of weight zero are never looked at.
static u32 drop_light_edges(struct trimming *t) {
    struct graph *g = t->g;
    bool *is_shown = mask_of(t, g->shown, g->n_shown);
    u32 n = 0;
    for (u32 i = 0; i < g->n_edges; i++) {
        struct edge *e = &g->edges[i];
        if (e->is_removed || !is_shown[e->dst] || abs_i64(e->weight) >= t->edge_cutoff) continue;
        e->is_removed = true;
        n++;
    }
    graph_index_edges(t->out, g);
    return n;
}

// Gives whether nodes went, so that edges have to be counted again.
static bool keep_top(struct trimming *t) {
    u32 n = top_count(t);
    // A tree is not counted again, so light edges are gone before nodes are taken out of it.
    if (t->req->call_tree && t->req->is_visual) drop_light_edges(t);
    if (n == t->g->n_shown) return false;
    keep_nodes(t, n);
    return true;
}

struct search {
    u32 *queue;
    u32 *seen; // [node]: the search that met it
    u32 stamp;
};

// Whether edge_i's source reaches its destination without it, walking callers.
static bool is_redundant(const struct graph *g, u32 edge_i, struct search *s) {
    const struct edge *e = &g->edges[edge_i];
    u32 head = 0, tail = 0;
    s->stamp++;
    s->queue[tail++] = e->dst;
    s->seen[e->dst] = s->stamp;
    while (head < tail) {
        const struct node *n = &g->nodes[s->queue[head++]];
        for (u32 i = 0; i < n->n_in; i++) {
            u32 in_i = g->in_edges[n->in_at + i];
            const struct edge *in = &g->edges[in_i];
            if (in_i == edge_i || in->is_removed || s->seen[in->src] == s->stamp) continue;
            if (in->src == e->src) return true;
            s->seen[in->src] = s->stamp;
            s->queue[tail++] = in->src;
        }
    }
    return false;
}

static void drop_redundant_edges(struct trimming *t) {
    struct graph *g = t->g;
    struct search s = {.queue = NEW(t->scratch, u32, g->n_nodes),
                       .seen = NEW(t->scratch, u32, g->n_nodes)};
    for (u32 i = g->n_shown; i-- > 0;) {
        const struct node *n = &g->nodes[g->shown[i]];
        for (u32 j = n->n_in; j-- > 0;) {
            u32 edge_i = g->in_edges[n->in_at + j];
            if (!g->edges[edge_i].is_residual) break;
            if (is_redundant(g, edge_i, &s)) g->edges[edge_i].is_removed = true;
        }
    }
    graph_index_edges(t->out, g);
}

// The nodes whose edges alone are wanted; NULL: all, also where light edges have to be counted.
static bool *wanted_ends(struct trimming *t) {
    struct graph *g = t->g;
    if (!t->req->re || t->edge_cutoff > 0) return NULL;
    bool *ends = NEW(t->scratch, bool, g->n_nodes);
    for (u32 i = 0; i < g->n_shown; i++)
        ends[g->shown[i]] = regex_match(t->req->re, graph_name(t->out, g, g->shown[i]));
    return ends;
}

static void settle_edges(struct trimming *t, bool was_rebuilt) {
    struct graph *g = t->g;
    if (!t->req->is_visual && (t->req->needs_edges || g->frames->has_inlines)) {
        bool only_inlines = !t->req->needs_edges;
        if (!t->req->call_tree) graph_add_edges(t->out, g, t->mask, wanted_ends(t), only_inlines);
    }
    u32 dropped = drop_light_edges(t);
    if (!t->req->is_visual && t->req->needs_edges) graph_sort_lists(t->out, g, t->req->re);
    // Without a rebuild the edges went while nodes were being selected, which nobody counts (Q5).
    bool went_before = t->req->opts->nodecount > 0 && !was_rebuilt;
    g->dropped_edges = went_before ? 0 : dropped;
    if (t->req->is_visual) drop_redundant_edges(t);
}

// Tags of the first n nodes shown.
static void add_tags(struct trimming *t, u32 n) {
    graph_add_tags(t->out, t->g, mask_of(t, t->g->shown, n), t->req->unit);
}

// How many nodes may be left when they are sorted: each counts at least once.
static u32 most_shown(const struct trimming *t) {
    i64 most = t->req->opts->nodecount;
    return most > 0 && most < t->g->n_shown ? (u32)most : t->g->n_shown;
}

void graph_build(struct arena *out, const struct view *v, const struct frames *frames,
                 const struct graph_request *req, struct graph *ret) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    *ret = (struct graph){.view = v, .frames = frames};
    struct trimming t = {.out = out, .scratch = &scratch, .g = ret, .req = req};
    if (req->call_tree) {
        plant_tree(&t);
    } else {
        weigh_nodes(&t);
        drop_light_nodes(&t);
    }
    ret->names = NEW(out, str, ret->n_nodes);
    ret->orig_count = ret->n_shown;
    if (req->call_tree) { // places in it are needed, and sorting them away is not
        if (req->is_visual) add_tags(&t, ret->n_shown);
        graph_end_tree(ret);
        sort_nodes(&t);
    } else {
        sort_nodes(&t);
        if (req->is_visual) add_tags(&t, most_shown(&t));
    }
    drop_light_tags(&t);
    bool was_rebuilt = req->opts->nodecount > 0 && keep_top(&t);
    if (was_rebuilt) sort_nodes(&t);
    settle_edges(&t, was_rebuilt);
}
