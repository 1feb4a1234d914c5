// graph/flame_sort.c - many stacks in the order of their frames.
// Room: one sort. Door: graph/flame_parts.h.
//
// Most significant frames first, two at a time: their keys are copied beside the stack's number, so
// that a pass touches each stack's own memory once. What all stacks of a run begin with is skipped
// at once: real stacks share dozens of frames.
#include "graph/flame_parts.h"

#include <string.h>

enum {
    FEW = 24, // shorter runs are sorted by insertion, comparing whole stacks
    DIGITS = 256,
};

struct entry {
    u64 key; // two frames, each + 1; 0: the stack has ended
    u32 stack;
};

// Entries that are equal up to a depth.
struct run {
    u32 from, to, depth;
};

struct sorter {
    struct arena *scratch;
    const u64 *at;
    const u32 *keys;
    struct entry *entries, *other;
    struct run *runs; // still to be sorted
    size_t n_runs, cap_runs;
};

static u32 depth_of(const struct sorter *s, u32 stack) {
    return (u32)(s->at[stack + 1] - s->at[stack]);
}

static u64 key_at(const struct sorter *s, u32 stack, u32 depth) {
    u32 n = depth_of(s, stack);
    const u32 *keys = s->keys + s->at[stack];
    u64 first = depth < n ? (u64)keys[depth] + 1 : 0;
    u64 second = depth + 1 < n ? (u64)keys[depth + 1] + 1 : 0;
    return first << 32 | second;
}

static int compare(const struct sorter *s, u32 a, u32 b, u32 depth) {
    u32 n_a = depth_of(s, a), n_b = depth_of(s, b), n = n_a < n_b ? n_a : n_b;
    const u32 *x = s->keys + s->at[a], *y = s->keys + s->at[b];
    for (u32 i = depth; i < n; i++)
        if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
    return n_a < n_b ? -1 : n_a > n_b;
}

static void sort_few(struct sorter *s, const struct run *r) {
    for (u32 i = r->from + 1; i < r->to; i++) {
        struct entry x = s->entries[i];
        u32 to = i;
        for (; to > r->from && compare(s, x.stack, s->entries[to - 1].stack, r->depth) < 0; to--)
            s->entries[to] = s->entries[to - 1];
        s->entries[to] = x;
    }
}

// One pass of a radix sort over a byte of the keys; false: all have the same there.
static bool sort_byte(struct entry *from, struct entry *to, u32 n, u32 shift) {
    u32 count[DIGITS] = {0}, sum = 0;
    for (u32 i = 0; i < n; i++) count[from[i].key >> shift & (DIGITS - 1)]++;
    if (count[from[0].key >> shift & (DIGITS - 1)] == n) return false;
    for (u32 i = 0; i < DIGITS; i++) {
        u32 here = count[i];
        count[i] = sum;
        sum += here;
    }
    for (u32 i = 0; i < n; i++) to[count[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
    return true;
}

static void sort_keys(struct sorter *s, const struct run *r) {
    struct entry *from = s->entries + r->from, *to = s->other + r->from;
    u32 n = r->to - r->from;
    u64 differs = 0;
    for (u32 i = 1; i < n; i++) differs |= from[i].key ^ from[0].key;
    for (u32 shift = 0; shift < 64; shift += 8) {
        if (!(differs >> shift & (DIGITS - 1)) || !sort_byte(from, to, n, shift)) continue;
        struct entry *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != s->entries + r->from) memcpy(to, from, n * sizeof *to);
}

static void add_run(struct sorter *s, u32 from, u32 to, u32 depth) {
    GROW(s->scratch, s->runs, s->cap_runs, s->n_runs + 1);
    s->runs[s->n_runs++] = (struct run){from, to, depth};
}

// How many frames from depth on all stacks of the run have in common.
static u32 common_depth(const struct sorter *s, const struct run *r) {
    u32 first = s->entries[r->from].stack, common = depth_of(s, first);
    const u32 *x = s->keys + s->at[first];
    for (u32 i = r->from + 1; i < r->to && common > r->depth; i++) {
        u32 stack = s->entries[i].stack, n = depth_of(s, stack), k = r->depth;
        const u32 *y = s->keys + s->at[stack];
        if (n < common) common = n;
        while (k < common && x[k] == y[k]) k++;
        common = k;
    }
    return common;
}

static void sort_run(struct sorter *s, struct run r) {
    if (r.to - r.from <= FEW) return sort_few(s, &r);
    r.depth = common_depth(s, &r);
    for (u32 i = r.from; i < r.to; i++) s->entries[i].key = key_at(s, s->entries[i].stack, r.depth);
    sort_keys(s, &r);
    for (u32 from = r.from, to; from < r.to; from = to) {
        u64 key = s->entries[from].key;
        for (to = from + 1; to < r.to && s->entries[to].key == key; to++) {
        }
        bool has_ended = (u32)key == 0;
        if (to - from > 1 && !has_ended) add_run(s, from, to, r.depth + 2);
    }
}

void flame_sort(struct arena *scratch, const u64 *at, const u32 *keys, u32 *order, u32 n) {
    struct sorter s = {.scratch = scratch, .at = at, .keys = keys};
    s.entries = NEW(scratch, struct entry, n);
    s.other = NEW(scratch, struct entry, n);
    for (u32 i = 0; i < n; i++) s.entries[i].stack = i;
    if (n > 1) add_run(&s, 0, n, 0);
    while (s.n_runs) sort_run(&s, s.runs[--s.n_runs]);
    for (u32 i = 0; i < n; i++) order[i] = s.entries[i].stack;
}
