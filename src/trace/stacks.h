// trace/stacks.h - stacks kept once for a whole trace, across its generations.
// Room: a reader's stacks are numbers of one generation; here equal ones get one number for good.
// Door: trace/trace.h. Lifetimes: all in the arena given; texts point into the bytes of the trace.
#pragma once

#include "base/base.h"

struct trace_reader;
struct trace_frame;

struct trace_stacks {
    struct arena *arena;
    struct trace_frame *frames; // one a pc: the first seen wins
    u32 *items;                 // indexes into frames
    u32 *starts;                // stack i is items[starts[i] .. starts[i + 1]), leaf first
    u32 n_frames, n;            // stack 0 is empty
    size_t cap_frames, cap_items, cap_starts, cap_known;
    struct idmap frame_by_pc;
    struct strmap stack_by_frames;
    u32 *known; // by the generation's index: number + 1
    u32 n_known, generation;
};

void trace_stacks_init(struct trace_stacks *s, struct arena *arena);
// The number of a stack of the reader's current generation; 0 for U32_NONE and for empty ones.
u32 trace_stacks_add(struct trace_stacks *s, const struct trace_reader *r, u32 generation,
                     u32 stack);
u32 trace_stacks_depth(const struct trace_stacks *s, u32 stack);
// Frame i of it, leaf first.
const struct trace_frame *trace_stacks_frame(const struct trace_stacks *s, u32 stack, u32 i);
