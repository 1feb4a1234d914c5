// agent/hot/values.h - the values of a custom profile, each with the stack and labels of its
// adding. Room: a table of 64-bit values, lock-free: a fork or a thread stopped anywhere leaves it
// whole. What a custom profile is called and how it is written is agent/custom.h's. Door:
// agent/hot/hot.h.
//
// Values stand in levels of growing size, as live blocks do (live.c): each may stand in two lines
// of a level, so that there is nothing to move and the next level opens when both are full.
#pragma once

#include "base/types.h"

#include <stdatomic.h>

// Slots of the levels: 64 KiB, 1 MiB and 16 MiB of memory, taken when they are needed. Some 800,000
// values find room.
enum { VALUE_LEVELS = 3 };

struct value_slot {
    _Atomic u64 value;
    _Atomic u64
        state; // how often it was filled << 32 | label id << 19 | stack id + 1; see values.c
};

struct values {
    struct value_slot *_Atomic levels[VALUE_LEVELS];
    _Atomic u64 n, n_lost; // values held; values that found no room
};

// Adds value under the stack and labels. False: it is there already, or found no room (counted).
// Two threads that add the same value at the same time may both succeed; it then counts twice.
bool values_add(struct values *v, u64 value, u32 stack_id, u32 label_id);
// False: it is not there.
bool values_remove(struct values *v, u64 value);
// Calls take for each value.
void values_each(const struct values *v, void (*take)(void *ctx, u32 stack_id, u32 label_id),
                 void *ctx);
