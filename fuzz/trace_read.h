// fuzz/trace_read.h - everything that reads an execution trace, for the targets of its formats.
// Room: events must come in growing time, with stacks that can be walked, and end; what goroutines
// waited for must make a sound profile; sums must refer to what is there.
#pragma once

#include "trace/trace.h"

#include <stdlib.h>

static u64 walk(const struct trace_reader *r, u32 stack) {
    u64 sum = 0;
    u32 n = trace_depth(r, stack);
    for (u32 i = 0; i < n; i++) {
        const struct trace_frame *f = trace_frame(r, stack, i);
        sum += f->pc + str_hash(f->func) + str_hash(f->file);
    }
    return sum;
}

static void read_events(struct arena *arena, str bytes) {
    struct trace_reader *r;
    struct trace_event ev;
    struct err err;
    i64 last_ns = INT64_MIN;
    u64 sum = 0;
    if (!trace_open(arena, bytes, &r, &err)) return;
    while (trace_next(r, &ev)) {
        if (ev.time_ns <= last_ns && last_ns != TRACE_MAX_NS) abort();
        last_ns = ev.time_ns;
        sum +=
            walk(r, ev.stack) + walk(r, ev.subject_stack) + str_hash(ev.name) + str_hash(ev.value);
    }
    if (sum == 1) abort(); // the sum is wanted, so that nothing is optimized away
    trace_close(r);
}

static void make_profile(struct arena *arena, str bytes) {
    struct trace_reader *r;
    struct profile p;
    struct err err;
    if (!trace_open(arena, bytes, &r, &err)) return;
    trace_blocked(arena, r, (enum trace_wait)(bytes.len % 4), NULL, &p);
    if (!profile_check(&p, &err)) abort();
    trace_close(r);
}

static void sum_up(struct arena *arena, str bytes) {
    struct trace_reader *r;
    struct trace_stats s;
    struct err err;
    if (!trace_open(arena, bytes, &r, &err)) return;
    trace_stats_read(arena, r, &s);
    for (u32 i = 0; i < s.n_gos; i++) {
        if (s.gos[i].func_i >= s.n_funcs || trace_spend_unknown(&s, &s.gos[i].spend) < 0) abort();
    }
    for (u32 i = 0; i < s.n_regions; i++) {
        if (s.regions[i].go_i >= s.n_gos || s.regions[i].name_i >= s.n_texts) abort();
    }
    trace_close(r);
}

static void lay_out(struct arena *arena, str bytes) {
    enum { SLICES = 7 };
    struct trace_reader *r;
    struct trace_event ev;
    struct trace_lanes l;
    struct err err;
    if (!trace_open(arena, bytes, &r, &err)) return;
    trace_lanes_init(&l, arena);
    while (trace_next(r, &ev)) trace_lanes_event(&l, r, &ev);
    trace_lanes_done(&l);
    trace_close(r);
    for (u32 kind = 0; kind < LANES_KINDS; kind++) {
        for (u32 i = 0; i < l.sets[kind].n; i++) {
            struct lane_sum sums[SLICES] = {0};
            const struct lane *lane = &l.sets[kind].lanes[i];
            i64 spent = 0;
            lane_fill(&l.store, lane, 0, l.end_ns / SLICES + 1, SLICES, sums);
            for (u32 k = 0; k < SLICES * LANE_CLASSES; k++)
                spent += sums[k / LANE_CLASSES].ns[k % LANE_CLASSES];
            if (spent > l.end_ns) abort();
            if (lane->n && lane_find(lane, l.end_ns) >= lane->n) abort();
        }
    }
}

static void utilize(struct arena *arena, str bytes) {
    struct trace_reader *r;
    struct trace_event ev;
    struct trace_mmu_log log;
    struct trace_mmu m;
    struct mmu_window worst[4];
    struct err err;
    if (!trace_open(arena, bytes, &r, &err)) return;
    trace_mmu_init(&log, arena);
    while (trace_next(r, &ev)) trace_mmu_event(&log, &ev);
    trace_mmu_build(arena, &log, (u32)bytes.len % 32, &m);
    double small = trace_mmu_least(&m, 100), large = trace_mmu_least(&m, INT64_MAX);
    if (!(small >= 0 && small <= 1.001 && large >= 0 && large <= 1.001)) abort();
    if (trace_mmu_worst(arena, &m, 1000, worst, 4) > 4) abort();
    trace_close(r);
}

static void read_records(str bytes) {
    struct reader r;
    struct trace_wire w;
    struct err err;
    u32 version;
    if (!trace_wire_open(bytes, &r, &version, &err)) return;
    while (trace_wire_next(&r, &w, &err)) {
        if (w.data.len > bytes.len || w.frames.len > bytes.len) abort();
    }
}

static void read_trace(struct arena *arena, str bytes) {
    read_events(arena, bytes);
    make_profile(arena, bytes);
    sum_up(arena, bytes);
    utilize(arena, bytes);
    lay_out(arena, bytes);
    read_records(bytes);
}
