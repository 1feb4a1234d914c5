// agent/hot/stacks.c - the table behind stack ids: one hash table, one pool of pcs, nothing freed.
// Room: interning and looking up; who counts what per stack is the collectors' matter.
// Door: stack_intern(), stack_pcs(). A slot is one 64-bit word that goes from 0 to its final value
// by one compare-and-swap, so a fork, a signal or a thread stopped anywhere leaves a whole table.
#include "agent/hot/stacks.h"

#include "base/base.h"

#include <stdatomic.h>
#include <sys/mman.h>

enum {
    // Twice the ids, so that a probe ends after two slots on average even when every id is used.
    N_SLOTS = 2 * MAX_STACKS,
    // 32 frames a stack on average; 64 MiB of address space, of which a page is used per 15 stacks.
    N_PCS = 8 << 20,
    // A run this long at half load means a hostile hash, not a crowded one.
    MAX_PROBES = 128,
    N_BITS = 16, // of an entry: the length; MAX_FRAMES is far below
};

struct tables {
    _Atomic u64 slots[N_SLOTS];      // hash tag << 32 | id; 0: free
    _Atomic u64 entries[MAX_STACKS]; // start in pcs << N_BITS | length; 0: not written yet
    u64 pcs[N_PCS];
};

// tables: set once by stacks_init, then read by everybody. n_ids, n_pcs: only ever added to.
static struct {
    struct tables *_Atomic tables;
    _Atomic u32 n_ids;
    _Atomic u64 n_pcs;
    _Atomic u64 n_overflowed;
} stacks = {.n_ids = 1};

static const u64 overflow_pcs[] = {STACK_PC_OVERFLOW};

bool stacks_init(void) {
    if (atomic_load_explicit(&stacks.tables, memory_order_acquire)) return true;
    struct tables *fresh = mmap(NULL, sizeof *fresh, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (fresh == MAP_FAILED) return false;
    struct tables *none = NULL;
    // Release: pairs with the acquire in stack_intern; the loser gives its pages back.
    if (!atomic_compare_exchange_strong(&stacks.tables, &none, fresh)) munmap(fresh, sizeof *fresh);
    return true;
}

static u64 stack_hash(const u64 *pcs, u32 n) {
    u64 h = n;
    for (u32 i = 0; i < n; i++) h = (h ^ pcs[i]) * 0x9e3779b97f4a7c15u + (h >> 29);
    return hash_mix(h);
}

static bool entry_is(const struct tables *t, u32 id, const u64 *pcs, u32 n) {
    u64 entry = atomic_load_explicit(&t->entries[id], memory_order_relaxed);
    if ((entry & ((1u << N_BITS) - 1)) != n) return false;
    const u64 *held = t->pcs + (entry >> N_BITS);
    for (u32 i = 0; i < n; i++)
        if (held[i] != pcs[i]) return false;
    return true;
}

// A new id holding a copy of pcs, not yet findable; STACK_OVERFLOW when ids or room for pcs ran
// out. Counters past their caps stay there: additions of 2^32 lost stacks cannot wrap n_ids in
// practice, because it is looked at before it is added to.
static u32 entry_new(struct tables *t, const u64 *pcs, u32 n) {
    if (atomic_load_explicit(&stacks.n_ids, memory_order_relaxed) >= MAX_STACKS)
        return STACK_OVERFLOW;
    if (atomic_load_explicit(&stacks.n_pcs, memory_order_relaxed) + n > N_PCS)
        return STACK_OVERFLOW;
    u64 at = atomic_fetch_add_explicit(&stacks.n_pcs, n, memory_order_relaxed);
    if (at + n > N_PCS) return STACK_OVERFLOW;
    u32 id = atomic_fetch_add_explicit(&stacks.n_ids, 1, memory_order_relaxed);
    if (id >= MAX_STACKS) return STACK_OVERFLOW;
    for (u32 i = 0; i < n; i++) t->pcs[at + i] = pcs[i];
    atomic_store_explicit(&t->entries[id], at << N_BITS | n, memory_order_release);
    return id;
}

static u32 intern(struct tables *t, const u64 *pcs, u32 n) {
    u64 hash = stack_hash(pcs, n), tag = hash >> 32;
    u32 fresh = STACK_OVERFLOW;
    for (u32 probe = 0; probe < MAX_PROBES;) {
        _Atomic u64 *slot = &t->slots[(hash + probe) % N_SLOTS];
        // Acquire: pairs with the release below, so that the entry's pcs are seen whole.
        u64 word = atomic_load_explicit(slot, memory_order_acquire);
        if (word >> 32 == tag && word && entry_is(t, (u32)word, pcs, n)) return (u32)word;
        if (word) {
            probe++;
            continue;
        }
        if (fresh == STACK_OVERFLOW) fresh = entry_new(t, pcs, n);
        if (fresh == STACK_OVERFLOW) return STACK_OVERFLOW;
        // A lost race leaves the slot taken and is looked at again; if the winner holds the same
        // stack our copy stays behind unused, which costs its words and nothing else.
        if (atomic_compare_exchange_strong_explicit(slot, &word, tag << 32 | fresh,
                                                    memory_order_release, memory_order_relaxed))
            return fresh;
    }
    return STACK_OVERFLOW;
}

u32 stack_intern(const u64 *pcs, u32 n) {
    struct tables *t = atomic_load_explicit(&stacks.tables, memory_order_acquire);
    u32 id = t && n < 1u << N_BITS ? intern(t, pcs, n) : STACK_OVERFLOW;
    if (id == STACK_OVERFLOW)
        atomic_fetch_add_explicit(&stacks.n_overflowed, 1, memory_order_relaxed);
    return id;
}

const u64 *stack_pcs(u32 id, u32 *n) {
    const struct tables *t = atomic_load_explicit(&stacks.tables, memory_order_acquire);
    if (id == STACK_OVERFLOW || !t || id >= MAX_STACKS) {
        *n = countof(overflow_pcs);
        return overflow_pcs;
    }
    u64 entry = atomic_load_explicit(&t->entries[id], memory_order_acquire);
    *n = (u32)(entry & ((1u << N_BITS) - 1));
    return t->pcs + (entry >> N_BITS);
}

u32 stacks_count(void) {
    u32 n = atomic_load_explicit(&stacks.n_ids, memory_order_relaxed);
    return n < MAX_STACKS ? n : MAX_STACKS;
}

u64 stacks_overflowed(void) {
    return atomic_load_explicit(&stacks.n_overflowed, memory_order_relaxed);
}
