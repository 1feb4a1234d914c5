// trace/stats.h - sums over a trace: where goroutines, regions and tasks spent their time.
//
// Events are fed in order, one after the other, so that one pass may serve others too; the tables
// come at the end. Times of one goroutine (struct trace_spend) do not overlap, except total and
// ranges. Texts and frames are kept once and referred to by index; lists of sums are chained.
// Lifetimes: everything is in the arena given to trace_stats_new; nothing points into the trace.
// Source: reference/go.md section 5.1, and the rules of the official tool's summary.
#pragma once

#include "base/base.h"

struct trace_reader;
struct trace_event;

#define TRACE_NEVER INT64_MIN

// Adds times, which are not negative; what broken clocks add up to ends at the largest.
static inline void ns_add(i64 *to, i64 ns) {
    if (__builtin_add_overflow(*to, ns, to)) *to = INT64_MAX;
}

// Time by a text (a reason to block, the name of a range).
struct trace_sum {
    u32 text_i, next; // next: of sums; U32_NONE: the last
    i64 ns;
    u64 n; // how often
};

struct trace_spend {
    i64 total_ns; // between creation (or the begin of the trace) and end
    i64 run_ns, runnable_ns;
    i64 syscall_ns;         // in calls, holding a processor
    i64 syscall_blocked_ns; // in calls whose processor went to others
    u32 blocked;            // list of sums by reason
    u32 ranges;             // list of sums by name: "GC mark assist", "stop-the-world (...)" ...
};

struct trace_go {
    i64 id;
    u32 func_i;               // of funcs: its outermost frame; 0: nobody knows
    i64 created_ns;           // or when the trace told of it
    i64 started_ns, ended_ns; // TRACE_NEVER
    struct trace_spend spend;
    u64 n_samples; // of CPU time
};

// A function and, of the places where regions begin, its line.
struct trace_func {
    u64 pc, line;
    u32 name_i, file_i; // of texts
};

struct trace_region {
    u64 task;
    u32 go_i, name_i;
    u32 func_i;               // of funcs: the outermost frame where it begins; 0: not known
    i64 begin_ns, end_ns;     // TRACE_NEVER: outside of the trace
    u32 outer;                // the region around it, of the same goroutine; U32_NONE
    bool is_inherited;        // made up: the goroutine was created inside a region of its task
    struct trace_spend spend; // of the goroutine, while in it
};

struct trace_task {
    u64 id, parent; // parent: TRACE_NO_TASK
    u32 name_i;
    i64 begin_ns, end_ns; // TRACE_NEVER: outside of the trace
    i64 begin_g, end_g;   // TRACE_NONE
    u32 n_regions, n_logs;
};

struct trace_log {
    i64 time_ns, g;
    u32 task_i, category_i, message_i;
};

// Waits and CPU samples by the function where they began: the innermost not of the Go runtime.
struct trace_place {
    u32 func_i;
    u64 n_samples, n_waits;
    i64 runnable_ns, syscall_ns, blocked_ns; // blocked_ns: the sum over all reasons
    u32 blocked;                             // list of sums by reason
};

struct trace_stats {
    i64 begin_ns, end_ns;
    u64 n_events;
    str *texts;               // [0] is ""
    struct trace_func *funcs; // [0] is nameless; one a name for goroutines and places
    struct trace_sum *sums;
    struct trace_go *gos;         // in order of appearance
    struct trace_region *regions; // in order of their begin, those without one where they end
    struct trace_task *tasks;     // in order of appearance; the background task (0) among them
    struct trace_log *logs;
    struct trace_place *places;
    u32 n_texts, n_funcs, n_sums, n_gos, n_regions, n_tasks, n_logs, n_places;
    size_t cap_sums; // for groups.h, which adds some
};

struct trace_stats_maker;

struct trace_stats_maker *trace_stats_new(struct arena *out);
void trace_stats_event(struct trace_stats_maker *m, const struct trace_reader *r,
                       const struct trace_event *ev);
// Ends what is still open and gives the tables.
void trace_stats_done(struct trace_stats_maker *m, struct trace_stats *ret);
// All events left of r.
void trace_stats_read(struct arena *out, struct trace_reader *r, struct trace_stats *ret);

// What the five times of a spend do not explain; not negative.
i64 trace_spend_unknown(const struct trace_stats *s, const struct trace_spend *spend);
// The sum over a list.
i64 trace_sums_ns(const struct trace_stats *s, u32 list);
// The sum of one text in a list; 0: not there.
i64 trace_sums_of(const struct trace_stats *s, u32 list, str text);
// Whether a goroutine that starts there is the runtime's own: regions of it do not count.
bool trace_is_system(str func_name);
// "stop-the-world (kind)", "GC incremental sweep" ...: the official name of the range of an event.
str trace_range_name(struct arena *out, const struct trace_event *ev);
