// agent/hot/waiters.c - who waits for a lock now, and since when.
// Room: see waiters.h. Door: waiter_enter(), waiters_charge().
#include "agent/hot/waiters.h"

#include <stdatomic.h>
#include <string.h>

// lock: 0 free, BUSY being written, else an address; since_ns is valid with an address.
struct place {
    _Atomic u64 lock;
    _Atomic u64 since_ns;
};
#define BUSY ((u64)1)

static struct {
    struct place places[N_WAITERS];
    _Atomic u32 n_by_hash[N_WAITERS]; // waiters whose lock has this hash
    _Atomic u64 n_lost;
} waiters PAGE_ALIGNED;

static u32 hash_of(u64 lock) {
    return (u32)(lock * 0x9e3779b97f4a7c15u >> 52);
}
_Static_assert(N_WAITERS == 1 << 12, "hash_of gives 12 bits");

u32 waiter_enter(const void *lock, u64 now_ns) {
    u64 address = (u64)(uintptr_t)lock;
    u32 hash = hash_of(address);
    for (u32 i = 0; i < WAITER_PROBES; i++) {
        u32 at = (hash + i) % N_WAITERS;
        struct place *place = &waiters.places[at];
        u64 none = 0;
        if (atomic_load_explicit(&place->lock, memory_order_relaxed)) continue;
        if (!atomic_compare_exchange_strong(&place->lock, &none, BUSY)) continue;
        atomic_store_explicit(&place->since_ns, now_ns, memory_order_relaxed);
        // Pairs with the acquire in waiters_charge.
        atomic_store_explicit(&place->lock, address, memory_order_release);
        atomic_fetch_add(&waiters.n_by_hash[hash], 1);
        return at + 1;
    }
    atomic_fetch_add_explicit(&waiters.n_lost, 1, memory_order_relaxed);
    return 0;
}

void waiter_leave(u32 place) {
    if (!place) return;
    u64 lock = atomic_load_explicit(&waiters.places[place - 1].lock, memory_order_relaxed);
    atomic_fetch_sub(&waiters.n_by_hash[hash_of(lock)], 1);
    atomic_store_explicit(&waiters.places[place - 1].lock, 0, memory_order_release);
}

// Restarts the place's clock, and gives what it showed. The place may by now be another waiter's,
// who began a moment ago: its clock is then put back by that moment.
static u64 place_charge(struct place *place, u64 now_ns) {
    u64 since = atomic_exchange_explicit(&place->since_ns, now_ns, memory_order_relaxed);
    return since < now_ns ? now_ns - since : 0;
}

u64 waiters_charge(const void *lock, u64 now_ns) {
    u64 address = (u64)(uintptr_t)lock, sum = 0;
    u32 hash = hash_of(address);
    u32 n = atomic_load_explicit(&waiters.n_by_hash[hash], memory_order_relaxed);
    for (u32 i = 0; n && i < WAITER_PROBES; i++) {
        struct place *place = &waiters.places[(hash + i) % N_WAITERS];
        u64 held = atomic_load_explicit(&place->lock, memory_order_acquire);
        if (held <= BUSY || hash_of(held) != hash) continue;
        n--; // another lock's waiter with the same hash is among the n as well
        if (held == address) sum += place_charge(place, now_ns);
    }
    return sum;
}

u64 waiters_lost(void) {
    return atomic_load_explicit(&waiters.n_lost, memory_order_relaxed);
}

void waiters_after_fork_child(void) {
    bool is_used = false;
    // Looked at first: a page that nobody wrote to need not be copied.
    for (u32 i = 0; i < N_WAITERS && !is_used; i++) is_used = waiters.n_by_hash[i] != 0;
    if (is_used) memset(&waiters, 0, sizeof waiters);
}
