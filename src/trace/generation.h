// trace/generation.h - the tables and batches of one generation of a v2 trace.
// Room: what one pass over the batches gathers; events are decoded by reader.c as they are wanted.
// Door: trace/trace.h.
#pragma once

#include "trace/trace.h"

// Ids of the wire to dense indexes. Ids are mostly small and dense; the others go to a hash map.
struct id_table {
    struct arena *arena;
    u32 *dense; // index + 1; 0: none
    u32 n_dense;
    struct idmap sparse;
    u32 n; // entries
};

void id_table_init(struct id_table *t, struct arena *arena);
// The index of id, or U32_NONE.
static inline u32 id_table_get(const struct id_table *t, u64 id) {
    if (id < t->n_dense && t->dense[id]) return t->dense[id] - 1;
    return t->sparse.n ? idmap_get(&t->sparse, id) : U32_NONE;
}
// Gives id the next index; false when it has one.
MUST_USE bool id_table_add(struct id_table *t, u64 id);

struct trace_stack {
    u64 at; // its frames are stack_frames[at .. at + n)
    u32 n;
};

struct trace_table {
    struct arena *arena;
    struct id_table string_ids, stack_ids;
    str *strings;               // [0] is ""
    struct trace_stack *stacks; // [0] is empty
    u32 *stack_frames;          // indexes into frames
    struct trace_frame *frames; // one a pc: the first seen wins, as in the official reader
    u64 (*frame_texts)[2];      // string ids of func and file, until frames are named
    struct idmap frames_by_pc;
    u32 n_frames;
    u64 n_stack_frames;
    size_t cap_strings, cap_stacks, cap_stack_frames, cap_frames, cap_texts;
    bool is_partial; // cut off: what ids refer to may be missing and is then empty
};

void trace_table_init(struct trace_table *t, struct arena *arena);
MUST_USE bool trace_table_string(struct trace_table *t, u64 id, str text);
// Adds an empty stack, to which the next frames belong.
MUST_USE bool trace_table_stack(struct trace_table *t, u64 id);
void trace_table_frame(struct trace_table *t, u64 pc, u64 func_id, u64 file_id, u64 line);
// Names the frames once all strings are known. Fails: a string nobody defined.
MUST_USE bool trace_table_finish(struct trace_table *t, struct err *err);
// False: undefined. Id 0 is "" and the empty stack.
static inline bool trace_table_text(const struct trace_table *t, u64 id, str *ret) {
    u32 i = id_table_get(&t->string_ids, id);
    if (i == U32_NONE && !t->is_partial) return false;
    *ret = i == U32_NONE ? S("") : t->strings[i];
    return true;
}
static inline bool trace_table_stack_index(const struct trace_table *t, u64 id, u32 *ret) {
    u32 i = id_table_get(&t->stack_ids, id);
    if (i == U32_NONE && !t->is_partial) return false;
    *ret = i == U32_NONE ? 0 : i;
    return true;
}

struct trace_sample {
    i64 time_ns;
    i64 m, p, g;
    u64 stack_id;
};

struct trace_batch {
    const u8 *p, *end;
    u64 ts;
    u32 next; // of the same thread; U32_NONE: the last
};

// The batches of one thread, in file order.
struct trace_thread {
    i64 m;
    u32 first, last; // batches
};

struct generation {
    u64 number;
    struct trace_table table;
    struct trace_batch *batches;
    struct trace_thread *threads; // in order of appearance
    struct trace_sample *samples; // by time
    struct idmap thread_by_m;
    u32 n_batches, n_threads, n_samples;
    size_t cap_batches, cap_threads, cap_samples;
    u64 min_ts;
    double unit_ns; // nanoseconds a time unit; 0: not known yet
    bool has_clock;
    u64 clock_ts, clock_mono, clock_s, clock_ns;
};

// Reads the batches of the next generation off r, which then stands at the one after it.
// *ret_is_end: there is none. arena: holds everything of *ret, which comes as the generation before
// or zero.
// Fails: with nothing usable. ret->table.is_partial and *cut say that the generation is cut off.
MUST_USE bool generation_read(struct arena *arena, struct reader *r, u32 version,
                              struct generation *ret, bool *ret_is_end, struct err *cut,
                              struct err *err);
// Time units as nanoseconds, as Go converts them on amd64 (numbers that do not fit, too).
static inline i64 generation_ns(const struct generation *g, u64 units) {
    double ns = (double)units * g->unit_ns;
    return ns < 9223372036854775808.0 ? (i64)ns : INT64_MIN;
}
