// formats/named.h - stacks of names: what files without addresses hold.
// Room: putting frames together for the formats that know functions by name only. Door:
// formats/formats.h.
#pragma once

#include "profile/profile.h"

// A profile under construction whose locations are frames with a name, and file and line if known.
struct named {
    struct profile_builder b;
    u32 *stack; // the stack being put together
    u32 n_stack;
    size_t cap_stack;
};

void named_init(struct named *n, struct arena *out);
// The location of a frame; equal frames are one location. line 0: unknown.
u32 named_frame(struct named *n, str name, str file, i64 line);
// Puts a location onto the stack being put together, in the order the caller meets frames.
void named_push(struct named *n, u32 location_i);
enum stack_order { LEAF_FIRST, ROOT_FIRST };
// Adds the stack, pushed in the given order, as a sample; the next one starts empty.
void named_sample(struct named *n, const i64 *values, enum stack_order order);
