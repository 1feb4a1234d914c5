// trace/counter.c - a value over time: see counter.h.
// Room: widening slices and questions. Door: trace/trace.h.
#include "trace/counter.h"

enum { FIRST_SHIFT = 10 }; // 34 ms of trace until slices widen for the first time

void counter_init(struct counter *c, struct arena *arena) {
    *c = (struct counter){.shift = FIRST_SHIFT,
                          .slices = NEW(arena, struct counter_slice, COUNTER_SLICES)};
}

static void slice_add(struct counter_slice *to, const struct counter_slice *more) {
    if (more->min < to->min) to->min = more->min;
    if (more->max > to->max) to->max = more->max;
    to->last = more->last;
    to->area += more->area;
}

static void widen(struct counter *c) {
    for (u32 i = 0; i < c->n; i += 2) {
        struct counter_slice both = c->slices[i];
        if (i + 1 < c->n) slice_add(&both, &c->slices[i + 1]);
        c->slices[i / 2] = both;
    }
    c->n = (c->n + 1) / 2;
    c->shift++;
}

// The value holds until time_ns: its area goes to the slices passed, new ones begin with it.
static void advance(struct counter *c, i64 time_ns) {
    while (time_ns >> c->shift >= COUNTER_SLICES) widen(c);
    u32 to = (u32)(time_ns >> c->shift);
    if (c->is_set) {
        for (u32 i = (u32)(c->at_ns >> c->shift); i <= to; i++) {
            i64 end = (i64)(i + 1) << c->shift;
            if (end > time_ns) end = time_ns;
            if (i >= c->n) c->slices[i] = (struct counter_slice){c->value, c->value, c->value, 0};
            c->slices[i].area += (double)c->value * (double)(end - c->at_ns);
            c->at_ns = end;
        }
    } else {
        for (u32 i = c->n; i <= to; i++) c->slices[i] = (struct counter_slice){.min = UINT64_MAX};
    }
    c->at_ns = time_ns;
    if (to >= c->n) c->n = to + 1;
}

void counter_set(struct counter *c, i64 time_ns, u64 value) {
    if (time_ns < c->at_ns) time_ns = c->at_ns;
    advance(c, time_ns);
    struct counter_slice *slice = &c->slices[c->n - 1];
    if (value < slice->min) slice->min = value;
    if (value > slice->max) slice->max = value;
    slice->last = value;
    c->value = value;
    c->is_set = true;
}

void counter_close(struct counter *c, i64 end_ns) {
    if (c->is_set && end_ns > c->at_ns) advance(c, end_ns);
}

void counter_fill(const struct counter *c, i64 t0_ns, i64 width_ns, u32 n,
                  struct counter_slice *ret, bool *is_there) {
    for (u32 k = 0; k < n; k++) {
        i64 from = t0_ns + k * width_ns, to = from + width_ns;
        u32 first = from < 0 ? 0 : (u32)(from >> c->shift);
        u32 last = to <= 0 ? 0 : (u32)((to - 1) >> c->shift);
        struct counter_slice sum = {.min = UINT64_MAX};
        u32 n_slices = 0;
        for (u32 i = first; to > 0 && i <= last && i < c->n; i++) {
            if (c->slices[i].min == UINT64_MAX) continue;
            slice_add(&sum, &c->slices[i]);
            n_slices++;
        }
        is_there[k] = n_slices > 0;
        if (n_slices) sum.area /= (double)((i64)n_slices << c->shift);
        ret[k] = sum;
    }
}
