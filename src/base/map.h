// base/map.h - two hash maps: text to u32 and u64 to u32. Entries are never removed.
// Room: lookup and insertion; values are ids into the caller's own arrays. Door: base/base.h.
// Open addressing with linear probing, at most 3/4 full; memory comes from the arena given at init.
#pragma once

#include "base/types.h"

#include "base/str.h"

struct arena;

struct strmap {
    struct arena *arena;
    struct strmap_slot *slots;
    u32 n, n_slots; // n_slots is a power of two or 0
};

void strmap_init(struct strmap *m, struct arena *arena);
// The value of key, or U32_NONE.
u32 strmap_get(const struct strmap *m, str key);
// The place of key's value; a new key gets value U32_NONE there. key is borrowed for the map's
// life. Valid until the next strmap_at.
u32 *strmap_at(struct strmap *m, str key);

struct idmap {
    struct arena *arena;
    struct idmap_slot *slots;
    u32 n, n_slots;
};

void idmap_init(struct idmap *m, struct arena *arena);
// Makes room for n entries in all, so that the table moves no more until then.
void idmap_reserve(struct idmap *m, u32 n);
u32 idmap_get(const struct idmap *m, u64 key);
u32 *idmap_at(struct idmap *m, u64 key);
// Asks the memory for key's place, for an idmap_at to come.
void idmap_prefetch(const struct idmap *m, u64 key);

// Mixes 64 bits well enough for a power-of-two table.
static inline u64 hash_mix(u64 x) {
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u; // Pelle Evensen's rrmxmx constants are of this family; measured
                              // avalanche is complete
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}
