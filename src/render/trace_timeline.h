// render/trace_timeline.h - a trace as slices, instants, arrows and counters on tracks.
// Room: what other viewers can show, in their common terms; each form is one table of functions
// (trace_chrome.c, trace_perfetto.c). Private to render/. Door: timeline_read().
#pragma once

#include "trace/trace.h"

enum timeline_kind {
    TIMELINE_PROC,    // by processor: what ran there, calls inside
    TIMELINE_GO,      // by goroutine: its states
    TIMELINE_REGIONS, // by goroutine: its regions and mark assists
    TIMELINE_TASK,
    TIMELINE_GC,   // one
    TIMELINE_STOP, // one: the stopped world
    TIMELINE_KINDS,
};

enum timeline_counter {
    TIMELINE_RUNNING,
    TIMELINE_RUNNABLE,
    TIMELINE_WAITING,
    TIMELINE_IN_SYSCALL,
    TIMELINE_HEAP,
    TIMELINE_GOAL,
    TIMELINE_PROCS,
    TIMELINE_COUNTERS,
};

struct timeline_track {
    enum timeline_kind kind;
    i64 id;
};

// What a slice or an instant shows. flow: an arrow from an instant to a slice; 0: none. stack: of
// the stacks given to timeline_read; 0: none.
struct timeline_mark {
    str name;
    u64 flow;
    u32 stack;
};

// Times are nanoseconds since the trace began and never fall. Texts live for the call.
struct timeline_form {
    void (*name)(void *to, struct timeline_track track, str name); // before all else of a track
    void (*begin)(void *to, struct timeline_track track, i64 time_ns, struct timeline_mark mark);
    // stack: where it ended, as far as that is told
    void (*end)(void *to, struct timeline_track track, i64 time_ns, u32 stack);
    void (*instant)(void *to, struct timeline_track track, i64 time_ns, struct timeline_mark mark);
    void (*count)(void *to, enum timeline_counter counter, i64 time_ns, u64 value);
};

str timeline_counter_name(enum timeline_counter counter);
// All events left of r; slices still open at the end are ended there. stacks: initialized; what
// marks refer to is added.
void timeline_read(struct arena *scratch, struct trace_reader *r, const struct timeline_form *form,
                   void *to, struct trace_stacks *stacks);
