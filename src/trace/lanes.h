// trace/lanes.h - all lanes of a trace: goroutines, processors, threads; what lies across them.
// Room: one pass over the events builds what a timeline shows. Door: trace/trace.h.
//
// Events are fed in order. Times are nanoseconds since the first event. What is kept: at most 24
// bytes an event (lane.h), counters of fixed size, and a record for each sample and range.
// Lifetimes: everything is in the arena given; texts point into the bytes of the trace.
#pragma once

#include "trace/counter.h"
#include "trace/lane.h"
#include "trace/stacks.h"

struct trace_event;
struct id_table;

enum lanes_kind { LANES_GOROUTINE, LANES_PROC, LANES_THREAD, LANES_KINDS };

// Lanes of one kind, in order of appearance.
struct lane_set {
    i64 *ids;
    struct lane *lanes;
    struct id_table *by_id;
    u32 n;
    size_t cap_ids, cap_lanes;
};

// A CPU sample. Indexes into the sets; U32_NONE: none.
struct lane_sample {
    i64 time_ns;
    u32 go_i, proc_i, thread_i, stack;
};

// A collection, a stopped world, a sweep: a time with a name, on a lane or all of them.
struct lane_range {
    i64 start_ns, end_ns; // end_ns < 0: still open
    u32 lane_i;           // of set kind; of global ones U32_NONE
    u8 kind;              // enum lanes_kind
    u8 type;              // the event that begins it: TRACE_EV_GCBegin ...
    str name;             // of a stopped world: why
};

enum lanes_counter {
    LANES_RUNNING, // goroutines by state
    LANES_RUNNABLE,
    LANES_SYSCALL,
    LANES_WAITING,
    LANES_PROCS, // GOMAXPROCS
    LANES_HEAP,
    LANES_HEAP_GOAL,
    LANES_COUNTERS,
};

// What a state of goroutines means is states[] (the reason is its text).
struct trace_lanes {
    struct arena *arena;
    struct lane_store store;
    struct trace_stacks stacks;
    struct lane_set sets[LANES_KINDS];
    struct counter counters[LANES_COUNTERS];
    struct lane_sample *samples; // by time
    struct lane_range *ranges;   // by start
    i64 begin_ns, end_ns;        // begin_ns: of the trace, in its own clock; end_ns: since then
    u64 n_events;
    u32 n_samples, n_ranges;
    size_t cap_samples, cap_ranges;
    // While events come:
    struct lanes_go *gos;         // by goroutine
    struct lanes_proc *procs;     // by processor
    struct lanes_thread *threads; // by thread
    size_t cap_gos, cap_procs, cap_threads;
    struct idmap reasons;   // their texts, by address, to states
    u64 n_in[LANE_CLASSES]; // goroutines in each class
    u32 open_gc, open_stw;  // ranges
};

void trace_lanes_init(struct trace_lanes *l, struct arena *arena);
void trace_lanes_event(struct trace_lanes *l, const struct trace_reader *r,
                       const struct trace_event *ev);
// Ends what is open.
void trace_lanes_done(struct trace_lanes *l);
// The index of the lane with that id; U32_NONE: there is none.
u32 trace_lanes_find(const struct trace_lanes *l, enum lanes_kind kind, i64 id);

// "running", "runnable", "in syscall" ...
str lane_class_name(enum lane_class class);
// The class of waiting for that reason.
enum lane_class lane_class_of_reason(str reason);
