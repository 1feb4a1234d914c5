// trace/stats_maker.h - what the making of sums remembers between events.
// Room: the records of stats.c, stats_user.c and stats_text.c. Door: trace/stats.h.
#pragma once

#include "trace/trace.h"

// Per goroutine, beside its struct trace_go. Times are TRACE_NEVER while it is not so.
struct go_work {
    i64 run, runnable, blocked, syscall, syscall_blocked;
    u32 reason_i;
    u32 place_i;     // where the wait began; U32_NONE: not known
    u32 open_ranges; // list of sums whose ns is when the range began
    u32 region;      // innermost open one; U32_NONE
    bool is_ended;
};

struct proc_work {
    u32 go_in_syscall; // index of the goroutine; U32_NONE
    u32 go_in_sweep;
};

struct trace_stats_maker {
    struct arena *out;
    struct arena scratch;
    struct trace_stats s;
    struct go_work *go_work;     // as s.gos
    struct proc_work *proc_work; // in order of appearance
    u32 *proc_of_go;             // in a call: index + 1
    struct strmap text_ids;
    struct idmap go_ids, proc_ids, task_ids, func_by_name, place_by_func, func_by_pc;
    u32 *place_of_stack; // of the current generation: index + 1
    u32 n_procs, generation, n_stacks;
    i64 sync_ns;
    bool has_begun;
    size_t cap_texts, cap_funcs, cap_gos, cap_work, cap_regions, cap_tasks, cap_logs, cap_places,
        cap_procs;
    size_t cap_held;
};

// stats_text.c
u32 maker_text(struct trace_stats_maker *m, str text);
// A function by its name; by_pc: by its place too, as regions are told apart.
u32 maker_func(struct trace_stats_maker *m, const struct trace_frame *f, bool by_pc);
// The place of a stack of the current generation; U32_NONE: an empty stack.
u32 maker_place(struct trace_stats_maker *m, const struct trace_reader *r,
                const struct trace_event *ev, u32 stack);
// Adds to the sum of a text in a list.
void maker_add(struct trace_stats_maker *m, u32 *list, u32 text_i, i64 ns, u64 n);
struct trace_sum *maker_find(struct trace_stats_maker *m, u32 list, u32 text_i);

// stats.c
u32 maker_go(const struct trace_stats_maker *m, i64 id);
// The times of a goroutine as of now, with lists of their own.
struct trace_spend maker_snapshot(struct trace_stats_maker *m, u32 go_i, i64 now_ns);

// stats_user.c
void maker_user(struct trace_stats_maker *m, const struct trace_reader *r,
                const struct trace_event *ev);
// A goroutine created by one in a region of a task takes part in that task.
void maker_inherit(struct trace_stats_maker *m, u32 creator, u32 go_i, i64 now_ns);
// Closes the regions of a goroutine that ends. is_cut: the trace ends, not the goroutine.
void maker_end_regions(struct trace_stats_maker *m, u32 go_i, i64 now_ns, bool is_cut);
