// graph/flame_trim.c - a flame graph's nodes made fewer.
// Room: dropping the lightest ones of a tree that was asked for. Door: graph/flame.h.
#include "graph/flame.h"

struct ranked {
    u64 size;
    u32 node_i;
};

// The heaviest first; of equal ones the first, which comes before what it calls.
static int rank_order(const void *a, const void *b, void *ctx) {
    const struct ranked *x = a, *y = b;
    (void)ctx;
    if (x->size != y->size) return x->size > y->size ? -1 : 1;
    return x->node_i < y->node_i ? -1 : 1;
}

static bool *choose(struct arena *scratch, const struct flame_tree *t, u32 n) {
    struct ranked *ranks = NEW(scratch, struct ranked, t->n);
    bool *is_kept = NEW(scratch, bool, t->n);
    for (u32 i = 0; i < t->n; i++)
        ranks[i] = (struct ranked){(u64)t->nodes[i].total + (u64)t->nodes[i].base, i};
    sort_stable(scratch, ranks, t->n, sizeof *ranks, rank_order, NULL);
    for (u32 i = 0; i < n; i++) is_kept[ranks[i].node_i] = true;
    return is_kept;
}

void flame_trim(struct arena *scratch, struct flame_tree *tree, u32 max_nodes) {
    if (tree->n <= max_nodes) return;
    bool *is_kept = choose(scratch, tree, max_nodes ? max_nodes : 1);
    u32 *last = NEW(scratch, u32, tree->n), n = 0; // [depth]: the kept node met last, where it went
    u32 gone_depth = U32_NONE;                     // inside a dropped node of this depth
    for (u32 i = 0; i < tree->n; i++) {
        struct flame_node node = tree->nodes[i];
        if (node.depth > gone_depth) continue;
        gone_depth = U32_NONE;
        if (is_kept[i]) {
            last[node.depth] = n;
            tree->nodes[n++] = node;
            continue;
        }
        struct flame_node *parent = &tree->nodes[last[node.depth - 1]];
        parent->hidden = (i64)((u64)parent->hidden + (u64)node.total);
        parent->n_hidden++;
        gone_depth = node.depth;
    }
    tree->n = n;
}
