// trace/counter.h - a value over time, in slices that widen as the trace grows.
// Room: heap, goroutines by state and the like: least, most, last and mean of each slice. Door:
// trace/trace.h. Memory is bounded: 32768 slices a counter, however long the trace is.
#pragma once

#include "base/base.h"

enum { COUNTER_SLICES = 1 << 15 };

struct counter_slice {
    u64 min, max, last;
    double area; // value times nanoseconds; of a question: the mean
};

struct counter {
    struct counter_slice *slices;
    i64 at_ns;
    u64 value;
    u32 n;     // slices begun
    u32 shift; // a slice has 1 << shift nanoseconds
    bool is_set;
};

void counter_init(struct counter *c, struct arena *arena);
// From time_ns on (never before the last one) the value is another.
void counter_set(struct counter *c, i64 time_ns, u64 value);
// Ends the last slice.
void counter_close(struct counter *c, i64 end_ns);
// Fills n slices of width_ns from t0_ns; false in is_there: nothing is known of it.
void counter_fill(const struct counter *c, i64 t0_ns, i64 width_ns, u32 n,
                  struct counter_slice *ret, bool *is_there);
