// trace/groups.h - the sums of a trace, added up by what goroutines, tasks and regions have in
// common. Room: rows for tables; the sums themselves are stats.h. Door: trace/trace.h. Rows come
// largest first; lists of sums are in *stats, which grows for them.
#pragma once

#include "trace/stats.h"

// Goroutines that start in one function.
struct trace_go_group {
    u32 func_i, n_gos;
    u64 n_samples;
    struct trace_spend spend;
};

// Tasks, or regions, of one name (and place).
struct trace_span_group {
    u32 name_i, func_i;
    u64 n, n_whole;                  // whole: begin and end are in the trace
    i64 total_ns, least_ns, most_ns; // of those
    struct trace_spend spend;        // of regions
};

struct trace_groups {
    struct trace_go_group *gos;               // by time running
    struct trace_span_group *tasks, *regions; // by total time
    u32 n_gos, n_tasks, n_regions;
};

void trace_groups_build(struct arena *out, struct trace_stats *stats, struct trace_groups *ret);
// Every reason to block, as texts, those that took most time first.
u32 trace_reasons(struct arena *out, const struct trace_stats *stats, u32 **ret);
