// trace/lane.h - one lane of a timeline: spans one after the other, summed at every zoom.
// Room: the append-only tree of spans and its questions; what the spans mean is lanes.c. Door:
// trace/trace.h.
//
// A lane is a tree of fan-out 32. Its leaves hold 128 spans of 12 bytes, each lasting until the
// next one starts; every inner cell holds the time by class of all below it, their number and the
// longest. So a pixel of any width is summed by walking two edges of the tree, and nothing merged
// ever has to pose as one span.
#pragma once

#include "base/base.h"

// What time is spent on: the colours of a timeline, and the columns of its sums.
enum lane_class {
    LANE_NONE, // not there: not yet or no longer, idle, unknown
    LANE_RUNNING,
    LANE_RUNNABLE,
    LANE_SYSCALL,
    LANE_SYNC, // channels, locks, select
    LANE_NET,
    LANE_SLEEP,
    LANE_WAIT, // any other reason
    LANE_CLASSES,
};

enum {
    LANE_FAN = 32,         // cells of an inner node: 3 KiB, which most lanes need one of
    LANE_LEAF = 128,       // spans of a leaf: 0.8 bytes of sums a span
    LANE_MAX_STATES = 256, // classes with their reasons; what comes after shares the last one
    LANE_LEAVES = 9,       // sizes of leaves
    LANE_MAX_PLACE = 4095, // twelve bits; no place, or one past them
};

// Of a span: its start (ns since the trace began: 4.8 hours; what comes later is told to lie
// there), 12 bits of place, 8 of state.
enum { LANE_START_BITS = 44 };
#define LANE_MAX_START_NS (((i64)1 << LANE_START_BITS) - 1)

struct lane_span {
    u32 low, high;
    u32 ref; // of goroutines a stack, or the thread where it runs; of the others whom they run
};

struct lane_state {
    str text; // the reason, or what is going on
    enum lane_class class;
    bool is_hold; // a thread's: it holds processor ref, whose lane tells what it does
};

// Time by class, and how many spans share it.
struct lane_sum {
    i64 ns[LANE_CLASSES];
    i64 longest_ns;
    u32 n;
};

struct lane_node; // a leaf or an inner node
struct lane {
    struct lane_node *root, *tail; // tail: the leaf that grows
    i64 begin_ns, end_ns;          // end_ns: of the trace, once closed
    u32 n;                         // spans
    u8 depth;                      // inner levels above the leaves
};

// What all lanes of a trace share.
struct lane_store {
    struct arena *arena;
    struct lane_state states[LANE_MAX_STATES];
    u32 n_states;
    struct lane_node *free[LANE_LEAVES]; // leaves that were outgrown, by size
    const struct lane *holders;          // lanes of processors, for states that hold one
};

// A span as it is asked for.
struct lane_at {
    i64 start_ns, end_ns;
    u32 ref;
    u16 place;
    u8 state;
};

void lane_store_init(struct lane_store *s, struct arena *arena);
// The number of a state; texts are borrowed.
u8 lane_state_of(struct lane_store *s, struct lane_state state);

// Adds a span. start_ns: not before the last one's.
void lane_append(struct lane_store *s, struct lane *l, i64 start_ns, u8 state, u32 place, u32 ref);
// Sums what is still open: the last span ends at end_ns.
void lane_close(const struct lane_store *s, struct lane *l, i64 end_ns);

// Adds to sums[i] what the lane did in the n slices of width_ns from t0_ns on. A span counts in
// every slice it touches.
void lane_fill(const struct lane_store *s, const struct lane *l, i64 t0_ns, i64 width_ns, u32 n,
               struct lane_sum *sums);
// The same for one slice.
struct lane_sum lane_total(const struct lane_store *s, const struct lane *l, i64 t0_ns, i64 t1_ns);

// Span i of n.
struct lane_at lane_span_at(const struct lane *l, u32 i);
// The index of the span at a time; before the first one: 0. The lane is not empty.
u32 lane_find(const struct lane *l, i64 time_ns);
