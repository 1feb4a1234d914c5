// base/map.c - open addressing for text and for 64-bit keys.
// Room: see map.h. Door: base/base.h.
#include "base/map.h"

#include "base/arena.h"

struct strmap_slot {
    str key;
    u64 hash;
    u32 value;
    bool is_used;
};

struct idmap_slot {
    u64 key;
    u32 value;
    bool is_used;
};

enum { FIRST_SLOTS = 16 };

// Doubling at 3/4: linear probing stays below three probes on average.
static bool is_crowded(u32 n, u32 n_slots) {
    return (u64)(n + 1) * 4 > (u64)n_slots * 3;
}

void strmap_init(struct strmap *m, struct arena *arena) {
    *m = (struct strmap){.arena = arena};
}

static struct strmap_slot *strmap_slot(const struct strmap *m, u64 hash, str key) {
    u32 mask = m->n_slots - 1;
    for (u32 i = (u32)hash & mask;; i = (i + 1) & mask) {
        struct strmap_slot *slot = &m->slots[i];
        if (!slot->is_used || (slot->hash == hash && str_eq(slot->key, key))) return slot;
    }
}

static void strmap_rehash(struct strmap *m) {
    struct strmap bigger = {
        .arena = m->arena, .n = m->n, .n_slots = m->n_slots ? m->n_slots * 2 : FIRST_SLOTS};
    bigger.slots = NEW(m->arena, struct strmap_slot, bigger.n_slots);
    for (u32 i = 0; i < m->n_slots; i++) {
        if (m->slots[i].is_used)
            *strmap_slot(&bigger, m->slots[i].hash, m->slots[i].key) = m->slots[i];
    }
    *m = bigger;
}

u32 strmap_get(const struct strmap *m, str key) {
    if (m->n_slots == 0) return U32_NONE;
    struct strmap_slot *slot = strmap_slot(m, str_hash(key), key);
    return slot->is_used ? slot->value : U32_NONE;
}

u32 *strmap_at(struct strmap *m, str key) {
    if (is_crowded(m->n, m->n_slots)) strmap_rehash(m);
    u64 hash = str_hash(key);
    struct strmap_slot *slot = strmap_slot(m, hash, key);
    if (!slot->is_used) {
        *slot = (struct strmap_slot){.key = key, .hash = hash, .value = U32_NONE, .is_used = true};
        m->n++;
    }
    return &slot->value;
}

void idmap_init(struct idmap *m, struct arena *arena) {
    *m = (struct idmap){.arena = arena};
}

static struct idmap_slot *idmap_slot(const struct idmap *m, u64 key) {
    u32 mask = m->n_slots - 1;
    for (u32 i = (u32)hash_mix(key) & mask;; i = (i + 1) & mask) {
        struct idmap_slot *slot = &m->slots[i];
        if (!slot->is_used || slot->key == key) return slot;
    }
}

static void idmap_rehash(struct idmap *m, u32 n_slots) {
    struct idmap bigger = {.arena = m->arena, .n = m->n, .n_slots = n_slots};
    bigger.slots = NEW(m->arena, struct idmap_slot, bigger.n_slots);
    for (u32 i = 0; i < m->n_slots; i++) {
        if (m->slots[i].is_used) *idmap_slot(&bigger, m->slots[i].key) = m->slots[i];
    }
    *m = bigger;
}

void idmap_reserve(struct idmap *m, u32 n) {
    u32 n_slots = m->n_slots ? m->n_slots : FIRST_SLOTS;
    while (is_crowded(n, n_slots) && n_slots < 1U << 31) n_slots *= 2;
    if (n_slots > m->n_slots) idmap_rehash(m, n_slots);
}

u32 idmap_get(const struct idmap *m, u64 key) {
    if (m->n_slots == 0) return U32_NONE;
    struct idmap_slot *slot = idmap_slot(m, key);
    return slot->is_used ? slot->value : U32_NONE;
}

void idmap_prefetch(const struct idmap *m, u64 key) {
    if (m->n_slots) __builtin_prefetch(&m->slots[(u32)hash_mix(key) & (m->n_slots - 1)], 1);
}

u32 *idmap_at(struct idmap *m, u64 key) {
    if (is_crowded(m->n, m->n_slots)) idmap_rehash(m, m->n_slots ? m->n_slots * 2 : FIRST_SLOTS);
    struct idmap_slot *slot = idmap_slot(m, key);
    if (!slot->is_used) {
        *slot = (struct idmap_slot){.key = key, .value = U32_NONE, .is_used = true};
        m->n++;
    }
    return &slot->value;
}
