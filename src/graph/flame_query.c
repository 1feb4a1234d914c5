// graph/flame_query.c - the part of a flame graph that is worth showing.
// Room: descending into sorted stacks; making them is flame_index.c. Door: graph/flame.h.
//
// Best first: the heaviest node known is looked into next, so that a limit of nodes keeps exactly
// the heaviest. Below a middle (a function with callers and callees) a node is several spans, one
// for each way to get there; elsewhere it is one.
#include "graph/flame.h"

// Stacks lo .. hi that are equal before place at, where the node's children stand.
struct span {
    u32 lo, hi, at;
};

struct weight {
    i64 positive, negative;
};

struct item {
    struct flame_node node;
    u32 parent;
    const struct span *spans;
    u32 n_spans;
    bool is_kept;
};

// One child of a node: what a frame weighs below it, over all spans.
struct child {
    u32 frame;
    struct weight w;
    u8 seen;   // 1: called, 2: inlined
    u32 first; // of its parts, + 1
};

// One span of a child, in a list of those of the same frame.
struct part {
    struct span span;
    u32 child, next; // next: + 1
};

struct asker {
    struct arena *scratch;
    const struct flame_index *ix;
    const struct flame_weights *w;
    const struct flame_query *q;
    i64 least;
    struct item *items;
    u32 n_items;
    size_t cap_items;
    u32 *heap; // items not looked into yet, the heaviest on top
    u32 n_heap;
    size_t cap_heap;
    struct child *children; // of the node at hand
    u32 n_children;
    size_t cap_children;
    struct part *parts;
    u32 n_parts;
    size_t cap_parts;
    u32 *child_of; // [frame]: its index in children + 1
};

static i64 size_of(struct weight w) {
    return (i64)((u64)w.positive + (u64)w.negative);
}

static struct weight weigh(const struct flame_weights *w, u32 lo, u32 hi) {
    struct weight sum = {(i64)((u64)w->positive[hi] - (u64)w->positive[lo]), 0};
    if (w->negative) sum.negative = (i64)((u64)w->negative[hi] - (u64)w->negative[lo]);
    return sum;
}

static void add_weight(struct weight *to, struct weight w) {
    to->positive = (i64)((u64)to->positive + (u64)w.positive);
    to->negative = (i64)((u64)to->negative + (u64)w.negative);
}

static u32 key_at(const struct flame_index *ix, u32 stack, u32 at) {
    return ix->keys[ix->at[stack] + at];
}

static bool ends_at(const struct flame_index *ix, u32 stack, u32 at) {
    return ix->at[stack + 1] - ix->at[stack] == at;
}

// The first stack of lo .. hi whose key at a place is not key: stacks are sorted, so it is found in
// steps that double.
static u32 gallop(const struct flame_index *ix, u32 lo, u32 hi, u32 at, u32 key) {
    u32 step = 1, last = lo; // last: has key
    while (hi - last > step && key_at(ix, last + step, at) == key) {
        last += step;
        step *= 2;
    }
    u32 end = hi - last > step ? last + step : hi; // has not, or is hi
    while (end - last > 1) {
        u32 middle = last + (end - last) / 2;
        if (key_at(ix, middle, at) == key)
            last = middle;
        else
            end = middle;
    }
    return end;
}

static struct child *child_at(struct asker *a, u32 frame) {
    if (!a->child_of[frame]) {
        GROW(a->scratch, a->children, a->cap_children, a->n_children + 1);
        a->children[a->n_children] = (struct child){.frame = frame};
        a->child_of[frame] = ++a->n_children;
    }
    return &a->children[a->child_of[frame] - 1];
}

static void add_part(struct asker *a, u32 key, struct span span, struct weight w) {
    struct child *c = child_at(a, key >> 1);
    GROW(a->scratch, a->parts, a->cap_parts, a->n_parts + 1);
    a->parts[a->n_parts] = (struct part){span, c->frame, c->first};
    c->first = ++a->n_parts;
    c->seen |= key & 1 ? 2 : 1;
    add_weight(&c->w, w);
}

// Finds the children of a node, and what is its own.
static struct weight look_into(struct asker *a, const struct span *spans, u32 n) {
    struct weight self = {0};
    for (u32 i = 0; i < a->n_children; i++) a->child_of[a->children[i].frame] = 0;
    a->n_children = a->n_parts = 0;
    for (u32 i = 0; i < n; i++) {
        u32 lo = spans[i].lo, hi = spans[i].hi, at = spans[i].at;
        if (lo < hi && ends_at(a->ix, lo, at)) {
            add_weight(&self, weigh(a->w, lo, lo + 1));
            lo++;
        }
        for (u32 end; lo < hi; lo = end) {
            u32 key = key_at(a->ix, lo, at);
            end = gallop(a->ix, lo, hi, at, key);
            struct weight w = weigh(a->w, lo, end);
            if (size_of(w)) add_part(a, key, (struct span){lo, end, at + 1}, w);
        }
    }
    return self;
}

static bool is_heavier(const struct asker *a, u32 x, u32 y) {
    const struct flame_node *n = &a->items[x].node, *m = &a->items[y].node;
    i64 wn = (i64)((u64)n->total + (u64)n->base), wm = (i64)((u64)m->total + (u64)m->base);
    return wn != wm ? wn > wm : x < y; // ties: first met, the same in every run
}

static void heap_push(struct asker *a, u32 item) {
    GROW(a->scratch, a->heap, a->cap_heap, a->n_heap + 1);
    u32 i = a->n_heap++;
    for (; i && is_heavier(a, item, a->heap[(i - 1) / 2]); i = (i - 1) / 2)
        a->heap[i] = a->heap[(i - 1) / 2];
    a->heap[i] = item;
}

static u32 heap_pop(struct asker *a) {
    u32 top = a->heap[0], item = a->heap[--a->n_heap], i = 0;
    for (;;) {
        u32 kid = 2 * i + 1;
        if (kid >= a->n_heap) break;
        if (kid + 1 < a->n_heap && is_heavier(a, a->heap[kid + 1], a->heap[kid])) kid++;
        if (!is_heavier(a, a->heap[kid], item)) break;
        a->heap[i] = a->heap[kid];
        i = kid;
    }
    a->heap[i] = item;
    return top;
}

static u32 add_item(struct asker *a, struct flame_node node, u32 parent, const struct span *spans,
                    u32 n) {
    GROW(a->scratch, a->items, a->cap_items, a->n_items + 1);
    a->items[a->n_items] = (struct item){node, parent, spans, n, false};
    return a->n_items++;
}

// The spans of the child at hand, in a piece of memory of their own.
static const struct span *take_spans(struct asker *a, const struct child *c, u32 *n) {
    *n = 0;
    for (u32 i = c->first; i; i = a->parts[i - 1].next) (*n)++;
    struct span *spans = NEW(a->scratch, struct span, *n);
    u32 to = *n;
    for (u32 i = c->first; i; i = a->parts[i - 1].next) spans[--to] = a->parts[i - 1].span;
    return spans;
}

static enum flame_inlining inlining_of(u8 seen) {
    return seen == 3   ? FLAME_INLINED_SOMETIMES
           : seen == 2 ? FLAME_INLINED_ALWAYS
                       : FLAME_INLINED_NEVER;
}

// Makes items of an item's heavy children; the light ones are told as its hidden weight.
static void expand(struct asker *a, u32 item_i) {
    const struct item *item = &a->items[item_i];
    struct weight self = look_into(a, item->spans, item->n_spans);
    struct flame_node node = item->node;
    node.self = self.positive;
    node.base_self = self.negative;
    node.hidden = (i64)((u64)node.total - (u64)node.self);
    for (u32 i = 0; i < a->n_children; i++) {
        const struct child *c = &a->children[i];
        if (size_of(c->w) < a->least) {
            node.n_hidden++;
            continue;
        }
        u32 n;
        struct flame_node made = {.depth = node.depth + 1,
                                  .frame = c->frame,
                                  .total = c->w.positive,
                                  .base = c->w.negative,
                                  .inlining = inlining_of(c->seen)};
        const struct span *spans = take_spans(a, c, &n);
        heap_push(a, add_item(a, made, item_i, spans, n));
        node.hidden = (i64)((u64)node.hidden - (u64)made.total);
    }
    a->items[item_i].node = node;
    a->items[item_i].is_kept = true;
}

// What there was no room for is hidden in its parent.
static void hide(struct asker *a, const struct item *item) {
    struct flame_node *parent = &a->items[item->parent].node;
    parent->hidden = (i64)((u64)parent->hidden + (u64)item->node.total);
    parent->n_hidden++;
}

// Where stacks pass a middle: at its outermost frame.
static bool middle_of(const struct asker *a, u32 stack, u32 *ret) {
    const struct flame_index *ix = a->ix;
    u32 n = (u32)(ix->at[stack + 1] - ix->at[stack]);
    for (u32 i = 0; i < n; i++) {
        u32 at = ix->is_up ? n - 1 - i : i; // the outermost: the first from the root
        if (!a->q->is_middle[key_at(ix, stack, at) >> 1]) continue;
        return *ret = at, true;
    }
    return false;
}

// Whether two neighbours are equal up to a place and with it.
static bool are_equal(const struct flame_index *ix, u32 stack, u32 at) {
    const u32 *x = ix->keys + ix->at[stack - 1], *y = ix->keys + ix->at[stack];
    if (ix->at[stack] - ix->at[stack - 1] <= at) return false;
    for (u32 i = at + 1; i-- > 0;)
        if (x[i] != y[i]) return false;
    return true;
}

static const struct span *middle_spans(struct asker *a, u32 *ret_n, u32 *ret_frame) {
    struct span *spans = NULL;
    size_t cap = 0;
    u32 n = 0, at, frame = U32_NONE;
    bool is_one = true;
    for (u32 i = 0; i < a->ix->n_stacks; i++) {
        if (!size_of(weigh(a->w, i, i + 1)) || !middle_of(a, i, &at)) continue;
        u32 here = key_at(a->ix, i, at) >> 1;
        is_one &= frame == U32_NONE || frame == here;
        frame = here;
        struct span *last = n ? &spans[n - 1] : NULL;
        if (last && last->hi == i && last->at == at + 1 && are_equal(a->ix, i, at)) {
            last->hi++;
            continue;
        }
        GROW(a->scratch, spans, cap, n + 1);
        spans[n++] = (struct span){i, i + 1, at + 1};
    }
    *ret_n = n;
    *ret_frame = is_one ? frame : U32_NONE;
    return spans;
}

// Down the path; what is not there leaves nothing.
static void follow_path(struct asker *a, const struct span **spans, u32 *n, u32 *frame) {
    for (u32 i = 0; i < a->q->n_path; i++) {
        u32 wanted = a->q->path[i];
        look_into(a, *spans, *n);
        u32 c = wanted < a->ix->n_frames ? a->child_of[wanted] : 0;
        *spans = c ? take_spans(a, &a->children[c - 1], n) : NULL;
        if (!c) *n = 0;
        *frame = wanted;
    }
}

static void add_first(struct asker *a) {
    struct span *whole = NEW(a->scratch, struct span, 1);
    const struct span *spans = whole;
    u32 n = 1, frame = U32_NONE;
    *whole = (struct span){0, a->ix->n_stacks, 0};
    if (a->q->is_middle) spans = middle_spans(a, &n, &frame);
    follow_path(a, &spans, &n, &frame);
    struct weight w = {0};
    for (u32 i = 0; i < n; i++) add_weight(&w, weigh(a->w, spans[i].lo, spans[i].hi));
    struct flame_node node = {.frame = frame, .total = w.positive, .base = w.negative};
    heap_push(a, add_item(a, node, U32_NONE, spans, n));
    a->least = a->q->least;
    if (a->q->share && size_of(w) / a->q->share > a->least) a->least = size_of(w) / a->q->share;
}

static int item_order(const void *x, const void *y, void *ctx) {
    return is_heavier(ctx, *(const u32 *)x, *(const u32 *)y) ? -1 : 1;
}

// Items in pre-order. Each item's parent came before it, so siblings linked in order of weight, the
// lightest first, end with the heaviest in front.
static void put_nodes(struct asker *a, struct arena *out, struct flame_tree *ret) {
    u32 *order = NEW(a->scratch, u32, a->n_items), *first = NEW(a->scratch, u32, a->n_items);
    u32 *next = NEW(a->scratch, u32, a->n_items); // both + 1
    for (u32 i = 0; i < a->n_items; i++) order[i] = i;
    sort_stable(a->scratch, order, a->n_items, sizeof *order, item_order, a);
    for (u32 i = a->n_items; i-- > 0;) {
        u32 parent = a->items[order[i]].parent;
        if (parent == U32_NONE || !a->items[order[i]].is_kept) continue;
        next[order[i]] = first[parent];
        first[parent] = order[i] + 1;
    }
    ret->nodes = NEW(out, struct flame_node, a->n_items);
    ret->n = 0;
    for (u32 at = 0;;) {
        ret->nodes[ret->n++] = a->items[at].node;
        if (first[at]) {
            at = first[at] - 1;
            continue;
        }
        while (!next[at] && a->items[at].parent != U32_NONE) at = a->items[at].parent;
        if (!next[at]) return;
        at = next[at] - 1;
    }
}

void flame_ask(struct arena *out, const struct flame_index *index,
               const struct flame_weights *weights, const struct flame_query *query,
               struct flame_tree *ret) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct asker a = {.scratch = &scratch, .ix = index, .w = weights, .q = query};
    a.child_of = NEW(&scratch, u32, index->n_frames);
    add_first(&a);
    for (u32 n = 0; a.n_heap && n < query->max_nodes; n++) expand(&a, heap_pop(&a));
    for (u32 i = 0; i < a.n_heap; i++) hide(&a, &a.items[a.heap[i]]);
    put_nodes(&a, out, ret);
}

void flame_sum(struct arena *scratch, const struct flame_index *down,
               const struct flame_weights *weights, const bool *is_chosen, struct flame_sum *ret,
               struct flame_sum *per_frame) {
    u32 *seen = per_frame ? NEW(scratch, u32, down->n_frames) : NULL; // last stack, + 1
    *ret = (struct flame_sum){0};
    for (u32 i = 0; i < down->n_stacks; i++) {
        i64 w = size_of(weigh(weights, i, i + 1));
        bool is_in = false;
        if (!w) continue;
        for (u64 k = down->at[i]; k < down->at[i + 1]; k++) {
            u32 frame = down->keys[k] >> 1;
            if (!is_chosen[frame]) continue;
            bool is_leaf = k + 1 == down->at[i + 1];
            is_in = true;
            if (is_leaf) ret->self += w;
            if (!per_frame) continue;
            if (is_leaf) per_frame[frame].self += w;
            if (seen[frame] != i + 1) per_frame[frame].cum += w;
            seen[frame] = i + 1;
        }
        if (is_in) ret->cum += w;
    }
}
