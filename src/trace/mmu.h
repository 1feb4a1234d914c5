// trace/mmu.h - minimum mutator utilization: how much of any span of time the collector leaves.
//
// The mutator is the program itself. Events are fed once; what matters to the collector is kept as
// a short log, from which the utilization over time is made for any choice of what counts, and from
// that the least share of every window of some length.
// A mark worker counts from its label to its next stop. The official tool counts it once more at
// every start after its first, so that its curve sinks with the length of the trace.
// Lifetimes: the log lives in the arena given. Times are those of the events.
// Source: reference/go.md section 5.1; the rules of the official tool.
#pragma once

#include "base/base.h"

struct trace_event;

enum {
    MMU_PER_PROC = 1, // each processor on its own: dedicated workers, who take all of one, apart
    MMU_STW = 2,
    MMU_BACKGROUND = 4, // mark workers
    MMU_ASSIST = 8,
    MMU_SWEEP = 16,
};

enum mmu_what {
    MMU_LOG_PROCS,
    MMU_LOG_STW,
    MMU_LOG_MARK,
    MMU_LOG_DEDICATED,
    MMU_LOG_ASSIST,
    MMU_LOG_SWEEP
};

struct mmu_entry {
    i64 time_ns;
    i32 p;         // processor; of MMU_LOG_PROCS their number
    i32 delta;     // 1: begins, -1: ends
    u8 what;       // enum mmu_what
    bool is_early; // was going on since the trace began
};

struct trace_mmu_log {
    struct arena *arena;
    struct mmu_entry *entries;
    struct id_table *go_ids;
    struct mmu_go *gos;   // by index
    i64 begin_ns, end_ns; // begin: when the number of processors is known
    u32 n_entries, n_gos, n_syncs, n_procs;
    size_t cap_entries, cap_gos;
};

void trace_mmu_init(struct trace_mmu_log *log, struct arena *out);
void trace_mmu_event(struct trace_mmu_log *log, const struct trace_event *ev);

// Utilization from a time on, in 0 .. 1.
struct mmu_step {
    i64 time_ns;
    double util;
    double before_ns; // the program's own time from the begin of the series to here
};
struct mmu_series {
    struct mmu_step *steps; // the last is the end
    u32 n;
    size_t cap;
};
struct trace_mmu {
    struct mmu_series *series; // one, or one a processor
    u32 n_series;
    size_t cap;
};

// flags: MMU_*. ret->n_series is 0 where the trace does not tell the number of processors.
void trace_mmu_build(struct arena *out, const struct trace_mmu_log *log, u32 flags,
                     struct trace_mmu *ret);
// The least utilization of any window of that length; windows longer than a series are cut to it.
double trace_mmu_least(const struct trace_mmu *m, i64 window_ns);

enum { MMU_POINTS = 100 };
struct mmu_point {
    i64 window_ns;
    double least, p999, p99, p95; // of a thousand windows, p999: what all but one have at least
};
// Windows of 100 lengths, evenly on a logarithmic scale, over six decades at most.
void trace_mmu_curve(struct arena *out, const struct trace_mmu *m,
                     struct mmu_point ret[MMU_POINTS]);

struct mmu_window {
    i64 start_ns;
    double util;
    u32 series_i;
};
// The worst windows of that length, at most n, that do not overlap. Gives their number.
u32 trace_mmu_worst(struct arena *out, const struct trace_mmu *m, i64 window_ns,
                    struct mmu_window *ret, u32 n);
