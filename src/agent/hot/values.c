// agent/hot/values.c - the values of a custom profile.
// Room: see values.h.
#include "agent/hot/values.h"

#include "base/base.h"

#include "agent/hot/labels.h"
#include "agent/hot/pages.h"
#include "agent/hot/stacks.h"

#include <sys/mman.h>

enum {
    LINE_SLOTS = 4, // one cache line
    STACK_BITS = 19,
    LABEL_BITS = 13,
    STATE_BUSY = (1 << STACK_BITS) - 1, // in the place of a stack: it is just being filled
};
_Static_assert((u32)MAX_STACKS < (u32)STATE_BUSY, "a state must hold a stack");
_Static_assert((u32)MAX_KEPT_LABELS <= (u32)1 << LABEL_BITS, "a state must hold labels");

static const u32 level_slots[VALUE_LEVELS] = {1 << 12, 1 << 16, 1 << 20};

static u32 state_stack(u64 state) {
    return (u32)state & STATE_BUSY;
}

static struct value_slot *level_get(struct values *v, u32 level) {
    struct value_slot *slots = atomic_load_explicit(&v->levels[level], memory_order_acquire);
    if (slots) return slots;
    size_t bytes = level_slots[level] * sizeof *slots;
    struct value_slot *fresh = map_own(bytes);
    if (!fresh) return NULL;
    if (atomic_compare_exchange_strong(&v->levels[level], &slots, fresh)) return fresh;
    munmap(fresh, bytes);
    return slots;
}

// The i-th of the 2 * LINE_SLOTS places in which a value with this hash may stand.
static struct value_slot *place(struct value_slot *slots, u32 level, u64 hash, u32 i) {
    u32 n_lines = level_slots[level] / LINE_SLOTS;
    u32 line = (u32)(i % 2 ? hash >> 32 : hash) & (n_lines - 1);
    return &slots[line * LINE_SLOTS + i / 2];
}

static struct value_slot *value_find(struct values *v, u64 value, u64 *ret_state) {
    u64 hash = hash_mix(value);
    for (u32 level = 0; level < VALUE_LEVELS; level++) {
        struct value_slot *slots = atomic_load_explicit(&v->levels[level], memory_order_acquire);
        for (u32 i = 0; slots && i < 2 * LINE_SLOTS; i++) {
            struct value_slot *slot = place(slots, level, hash, i);
            u64 state = atomic_load_explicit(&slot->state, memory_order_acquire);
            u32 stack = state_stack(state);
            if (!stack || stack == STATE_BUSY || atomic_load(&slot->value) != value) continue;
            *ret_state = state;
            return slot;
        }
    }
    return NULL;
}

static bool slot_fill(struct value_slot *slot, u64 value, u64 what) {
    u64 state = atomic_load_explicit(&slot->state, memory_order_relaxed);
    u64 count = (state >> 32) + 1;
    if (state_stack(state)) return false;
    if (!atomic_compare_exchange_strong(&slot->state, &state, count << 32 | STATE_BUSY))
        return false;
    atomic_store(&slot->value, value);
    atomic_store_explicit(&slot->state, count << 32 | what, memory_order_release);
    return true;
}

bool values_add(struct values *v, u64 value, u32 stack_id, u32 label_id) {
    u64 hash = hash_mix(value), state, what = (u64)label_id << STACK_BITS | (stack_id + 1);
    if (value_find(v, value, &state)) return false;
    for (u32 level = 0; level < VALUE_LEVELS; level++) {
        struct value_slot *slots = level_get(v, level);
        for (u32 i = 0; slots && i < 2 * LINE_SLOTS; i++) {
            if (!slot_fill(place(slots, level, hash, i), value, what)) continue;
            atomic_fetch_add(&v->n, 1);
            return true;
        }
    }
    atomic_fetch_add(&v->n_lost, 1);
    return false;
}

bool values_remove(struct values *v, u64 value) {
    u64 state;
    struct value_slot *slot = value_find(v, value, &state);
    // The count in the state tells a slot that was emptied and filled again from this one.
    if (!slot || !atomic_compare_exchange_strong(&slot->state, &state, state >> 32 << 32))
        return false;
    atomic_fetch_sub(&v->n, 1);
    return true;
}

void values_each(const struct values *v, void (*take)(void *ctx, u32 stack_id, u32 label_id),
                 void *ctx) {
    for (u32 level = 0; level < VALUE_LEVELS; level++) {
        const struct value_slot *slots = atomic_load(&v->levels[level]);
        for (u32 i = 0; slots && i < level_slots[level]; i++) {
            u64 state = atomic_load_explicit(&slots[i].state, memory_order_acquire);
            u32 stack = state_stack(state);
            if (!stack || stack == STATE_BUSY) continue;
            take(ctx, stack - 1, (u32)state >> STACK_BITS);
        }
    }
}
