// trace/lane.c - the append-only tree of spans: see lane.h.
// Room: growing it, summing it, looking into it. Door: trace/trace.h.
#include "trace/lane.h"

#include <string.h>

// The sums of one child.
struct lane_cell {
    struct lane_node *child;
    i64 start_ns;
    struct lane_sum sum; // n is 0 until the child is full or the lane closed
};

struct lane_node {
    struct lane_node *parent;
    u32 n, cap;
    union {
        struct lane_span spans[0];
        struct lane_cell cells[0];
    };
};

// Most goroutines do little: leaves begin small, and are given on when outgrown.
static const u32 leaf_caps[LANE_LEAVES] = {4, 8, 16, 24, 32, 48, 64, 96, LANE_LEAF};

enum { PLACE_BITS = 12 }; // beside LANE_START_BITS and 8 of the state

static struct lane_span span_pack(i64 start_ns, u8 state, u32 place, u32 ref) {
    u64 start = (u64)(start_ns < 0                   ? 0
                      : start_ns > LANE_MAX_START_NS ? LANE_MAX_START_NS
                                                     : start_ns);
    u64 where = place < LANE_MAX_PLACE ? place : LANE_MAX_PLACE;
    u64 bits = start << (PLACE_BITS + 8) | where << 8 | state;
    return (struct lane_span){.low = (u32)bits, .high = (u32)(bits >> 32), .ref = ref};
}

static u64 span_bits(const struct lane_span *p) {
    return (u64)p->high << 32 | p->low;
}

static i64 span_start(const struct lane_span *p) {
    return (i64)(span_bits(p) >> (PLACE_BITS + 8));
}

static u8 span_state(const struct lane_span *p) {
    return (u8)p->low;
}

void lane_store_init(struct lane_store *s, struct arena *arena) {
    *s = (struct lane_store){.arena = arena};
}

u8 lane_state_of(struct lane_store *s, struct lane_state state) {
    for (u32 i = 0; i < s->n_states; i++) {
        const struct lane_state *known = &s->states[i];
        if (known->class == state.class && known->is_hold == state.is_hold &&
            str_eq(known->text, state.text))
            return (u8)i;
    }
    if (s->n_states == LANE_MAX_STATES) return LANE_MAX_STATES - 1;
    s->states[s->n_states] = state;
    return (u8)s->n_states++;
}

static struct lane_node *leaf_new(struct lane_store *s, u32 size_i) {
    if (s->free[size_i]) {
        struct lane_node *leaf = s->free[size_i];
        s->free[size_i] = leaf->parent;
        leaf->parent = NULL;
        leaf->n = 0;
        return leaf;
    }
    u32 cap = leaf_caps[size_i];
    struct lane_node *leaf = arena_alloc(s->arena, sizeof *leaf + cap * sizeof(struct lane_span),
                                         _Alignof(struct lane_node));
    leaf->cap = cap;
    return leaf;
}

static struct lane_node *inner_new(struct lane_store *s) {
    return arena_alloc(s->arena, sizeof(struct lane_node) + LANE_FAN * sizeof(struct lane_cell),
                       _Alignof(struct lane_node));
}

static void sum_add(struct lane_sum *to, const struct lane_sum *more) {
    for (u32 i = 0; i < LANE_CLASSES; i++) to->ns[i] += more->ns[i];
    if (more->longest_ns > to->longest_ns) to->longest_ns = more->longest_ns;
    to->n += more->n;
}

static struct lane_sum sum_spans(const struct lane_store *s, const struct lane_node *leaf,
                                 i64 end_ns) {
    struct lane_sum sum = {.n = leaf->n};
    for (u32 i = 0; i < leaf->n; i++) {
        i64 start = span_start(&leaf->spans[i]);
        i64 end = i + 1 < leaf->n ? span_start(&leaf->spans[i + 1]) : end_ns;
        const struct lane_state *state = &s->states[span_state(&leaf->spans[i])];
        if (end - start > sum.longest_ns) sum.longest_ns = end - start;
        if (!state->is_hold) {
            sum.ns[state->class] += end - start;
            continue;
        }
        struct lane_sum held = lane_total(s, &s->holders[leaf->spans[i].ref], start, end);
        sum.n += held.n;
        for (u32 k = 0; k < LANE_CLASSES; k++) sum.ns[k] += held.ns[k];
    }
    return sum;
}

static struct lane_sum sum_cells(const struct lane_node *inner) {
    struct lane_sum sum = {0};
    for (u32 i = 0; i < inner->n; i++) sum_add(&sum, &inner->cells[i].sum);
    return sum;
}

// Hangs a child that starts at a time behind full ones; inner is NULL where a root is missing.
static void push(struct lane_store *s, struct lane *l, struct lane_node *inner,
                 struct lane_node *child, i64 start_ns, struct lane_sum before) {
    struct lane_node *root = l->root;
    if (!inner) {
        inner = l->root = inner_new(s);
        inner->cells[inner->n++] = (struct lane_cell){.child = root, .start_ns = l->begin_ns};
        root->parent = inner;
        l->depth++;
    }
    inner->cells[inner->n - 1].sum = before;
    if (inner->n == LANE_FAN) {
        struct lane_node *next = inner_new(s);
        push(s, l, inner->parent, next, start_ns, sum_cells(inner));
        inner = next;
    }
    inner->cells[inner->n++] = (struct lane_cell){.child = child, .start_ns = start_ns};
    child->parent = inner;
}

// A small leaf gets room: only the first leaf of a lane is ever small.
static void grow(struct lane_store *s, struct lane *l) {
    u32 size_i = 0;
    while (leaf_caps[size_i] != l->tail->cap) size_i++;
    struct lane_node *leaf = leaf_new(s, size_i + 1);
    memcpy(leaf->spans, l->tail->spans, l->tail->n * sizeof *leaf->spans);
    leaf->n = l->tail->n;
    l->tail->parent = s->free[size_i];
    s->free[size_i] = l->tail;
    l->root = l->tail = leaf;
}

void lane_append(struct lane_store *s, struct lane *l, i64 start_ns, u8 state, u32 place, u32 ref) {
    if (!l->root) {
        l->root = l->tail = leaf_new(s, 0);
        l->begin_ns = start_ns;
    } else if (l->tail->n == l->tail->cap && l->tail->cap < LANE_LEAF) {
        grow(s, l);
    } else if (l->tail->n == LANE_LEAF) {
        struct lane_node *leaf = leaf_new(s, LANE_LEAVES - 1);
        push(s, l, l->tail->parent, leaf, start_ns, sum_spans(s, l->tail, start_ns));
        l->tail = leaf;
    }
    l->tail->spans[l->tail->n++] = span_pack(start_ns, state, place, ref);
    l->n++;
}

void lane_close(const struct lane_store *s, struct lane *l, i64 end_ns) {
    l->end_ns = end_ns;
    if (!l->depth) return;
    struct lane_sum sum = sum_spans(s, l->tail, end_ns);
    for (struct lane_node *inner = l->tail->parent; inner; inner = inner->parent) {
        inner->cells[inner->n - 1].sum = sum;
        sum = sum_cells(inner);
    }
}

// A question: slices of width_ns from t0_ns, of which only [lo_ns, hi_ns) is wanted.
struct fill {
    const struct lane_store *store;
    struct lane_sum *sums;
    i64 t0_ns, width_ns, lo_ns, hi_ns;
};

static void fill_lane(const struct fill *f, const struct lane *l);

static void fill_span(const struct fill *f, const struct lane_span *span, i64 start, i64 end) {
    const struct lane_state *state = &f->store->states[span_state(span)];
    i64 from = start > f->lo_ns ? start : f->lo_ns, to = end < f->hi_ns ? end : f->hi_ns;
    if (from >= to) return;
    if (state->is_hold) {
        struct fill held = *f;
        held.lo_ns = from;
        held.hi_ns = to;
        fill_lane(&held, &f->store->holders[span->ref]);
        return;
    }
    i64 at = from;
    for (u64 i = (u64)(from - f->t0_ns) / (u64)f->width_ns; at < to; i++) {
        i64 slice_end = f->t0_ns + (i64)(i + 1) * f->width_ns;
        i64 till = to < slice_end ? to : slice_end;
        struct lane_sum *sum = &f->sums[i];
        sum->ns[state->class] += till - at;
        sum->n++;
        if (end - start > sum->longest_ns) sum->longest_ns = end - start;
        at = till;
    }
}

// The last span, or cell, that starts no later than a time; the first where all start later.
static u32 leaf_find(const struct lane_node *leaf, i64 time_ns) {
    u32 lo = 0, hi = leaf->n;
    while (lo + 1 < hi) {
        u32 i = (lo + hi) / 2;
        if (span_start(&leaf->spans[i]) > time_ns)
            hi = i;
        else
            lo = i;
    }
    return lo;
}

static u32 inner_find(const struct lane_node *inner, i64 time_ns) {
    u32 lo = 0, hi = inner->n;
    while (lo + 1 < hi) {
        u32 i = (lo + hi) / 2;
        if (inner->cells[i].start_ns > time_ns)
            hi = i;
        else
            lo = i;
    }
    return lo;
}

static void fill_leaf(const struct fill *f, const struct lane_node *leaf, i64 end_ns) {
    u32 i = leaf_find(leaf, f->lo_ns);
    i64 start = span_start(&leaf->spans[i]);
    for (; i < leaf->n && start < f->hi_ns; i++) {
        i64 end = i + 1 < leaf->n ? span_start(&leaf->spans[i + 1]) : end_ns;
        fill_span(f, &leaf->spans[i], start, end);
        start = end;
    }
}

// Whether all of a child goes to one slice, and which.
static bool is_in_slice(const struct fill *f, i64 start, i64 end, u64 *slice) {
    if (start < f->lo_ns || end > f->hi_ns) return false;
    *slice = (u64)(start - f->t0_ns) / (u64)f->width_ns;
    return end <= f->t0_ns + (i64)(*slice + 1) * f->width_ns;
}

static void fill_node(const struct fill *f, const struct lane_node *node, u32 depth, i64 end_ns) {
    if (depth == 0) {
        fill_leaf(f, node, end_ns);
        return;
    }
    u32 i = inner_find(node, f->lo_ns);
    for (; i < node->n && node->cells[i].start_ns < f->hi_ns; i++) {
        const struct lane_cell *cell = &node->cells[i];
        i64 end = i + 1 < node->n ? node->cells[i + 1].start_ns : end_ns;
        u64 slice;
        if (cell->sum.n && is_in_slice(f, cell->start_ns, end, &slice))
            sum_add(&f->sums[slice], &cell->sum);
        else
            fill_node(f, cell->child, depth - 1, end);
    }
}

static void fill_lane(const struct fill *f, const struct lane *l) {
    // An open lane ends with what is asked for: the last span goes on.
    i64 end = l->end_ns ? l->end_ns : f->hi_ns;
    if (l->root) fill_node(f, l->root, l->depth, end);
}

void lane_fill(const struct lane_store *s, const struct lane *l, i64 t0_ns, i64 width_ns, u32 n,
               struct lane_sum *sums) {
    struct fill f = {.store = s,
                     .sums = sums,
                     .t0_ns = t0_ns,
                     .width_ns = width_ns,
                     .lo_ns = t0_ns,
                     .hi_ns = t0_ns + width_ns * n};
    fill_lane(&f, l);
}

struct lane_sum lane_total(const struct lane_store *s, const struct lane *l, i64 t0_ns, i64 t1_ns) {
    struct lane_sum sum = {0};
    if (t1_ns > t0_ns) lane_fill(s, l, t0_ns, t1_ns - t0_ns, 1, &sum);
    return sum;
}

// The leaf with span *i, which becomes the index in it; *end_ns: where the leaf ends.
static const struct lane_node *leaf_of(const struct lane *l, u32 *i, i64 *end_ns) {
    const struct lane_node *node = l->root;
    *end_ns = l->end_ns;
    for (u32 depth = l->depth; depth > 0; depth--) {
        u64 below = LANE_LEAF;
        for (u32 k = 1; k < depth; k++) below *= LANE_FAN;
        u32 cell = (u32)(*i / below);
        if (cell + 1 < node->n) *end_ns = node->cells[cell + 1].start_ns;
        *i = (u32)(*i % below);
        node = node->cells[cell].child;
    }
    return node;
}

struct lane_at lane_span_at(const struct lane *l, u32 i) {
    i64 end_ns;
    const struct lane_node *leaf = leaf_of(l, &i, &end_ns);
    const struct lane_span *span = &leaf->spans[i];
    return (struct lane_at){
        .start_ns = span_start(span),
        .end_ns = i + 1 < leaf->n ? span_start(span + 1) : end_ns,
        .ref = span->ref,
        .place = (u16)(span_bits(span) >> 8 & LANE_MAX_PLACE),
        .state = span_state(span),
    };
}

u32 lane_find(const struct lane *l, i64 time_ns) {
    const struct lane_node *node = l->root;
    u64 index = 0;
    for (u32 depth = l->depth; depth > 0; depth--) {
        u32 cell = inner_find(node, time_ns);
        index = (index + cell) * (depth > 1 ? LANE_FAN : LANE_LEAF);
        node = node->cells[cell].child;
    }
    return (u32)(index + leaf_find(node, time_ns));
}
