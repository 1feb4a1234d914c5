// agent/hot/fibers.c - stacks that the program made itself.
// Room: see fibers.h.
#include "agent/hot/fibers.h"

#include "agent/hot/pages.h"

#include <stdatomic.h>
#include <sys/mman.h>

enum { FIBER_BUSY = 1 }; // in the place of a beginning: it is just being filled

struct table {
    _Atomic u64 los[MAX_FIBERS]; // 0: free
    _Atomic u64 his[MAX_FIBERS];
};

static struct {
    struct table *_Atomic table; // set once, by the first fiber
    _Atomic u32 n_used;          // places ever used
    _Atomic u32 hint;            // where to look for a free one
    _Atomic u32 n, n_lost;
} fibers;

static struct table *table_get(void) {
    struct table *t = atomic_load_explicit(&fibers.table, memory_order_acquire);
    if (t) return t;
    struct table *fresh = map_own(sizeof *fresh);
    if (!fresh || atomic_compare_exchange_strong(&fibers.table, &t, fresh)) return fresh;
    munmap(fresh, sizeof *fresh);
    return t;
}

// Places are taken from the front, so that few are looked at.
static bool place_take(struct table *t, u32 i) {
    u64 none = 0;
    if (atomic_load_explicit(&t->los[i], memory_order_relaxed)) return false;
    if (!atomic_compare_exchange_strong(&t->los[i], &none, FIBER_BUSY)) return false;
    u32 n = atomic_load(&fibers.n_used);
    while (n <= i && !atomic_compare_exchange_weak(&fibers.n_used, &n, i + 1)) {
    }
    return true;
}

u32 fiber_add(u64 lo, size_t size) {
    struct table *t = table_get();
    u32 first = t ? atomic_load(&fibers.hint) : MAX_FIBERS;
    if (!lo || !size || lo + size < lo) return 0;
    for (u32 k = 0; t && k < MAX_FIBERS; k++) {
        u32 i = (first + k) % MAX_FIBERS;
        if (!place_take(t, i)) continue;
        atomic_store(&t->his[i], lo + size);
        atomic_store_explicit(&t->los[i], lo, memory_order_release);
        atomic_store(&fibers.hint, i + 1 < MAX_FIBERS ? i + 1 : 0);
        atomic_fetch_add(&fibers.n, 1);
        return i + 1;
    }
    atomic_fetch_add(&fibers.n_lost, 1);
    return 0;
}

void fiber_remove(u32 id) {
    struct table *t = atomic_load_explicit(&fibers.table, memory_order_acquire);
    u32 i = id - 1;
    if (!t || i >= MAX_FIBERS || atomic_exchange(&t->los[i], 0) <= FIBER_BUSY) return;
    atomic_fetch_sub(&fibers.n, 1);
    if (i < atomic_load(&fibers.hint)) atomic_store(&fibers.hint, i);
}

bool fiber_of(u64 sp, u64 *lo, u64 *hi) {
    const struct table *t = atomic_load_explicit(&fibers.table, memory_order_acquire);
    u32 n = t ? atomic_load_explicit(&fibers.n_used, memory_order_relaxed) : 0;
    for (u32 i = 0; i < n; i++) {
        *lo = atomic_load_explicit(&t->los[i], memory_order_acquire);
        if (*lo <= FIBER_BUSY || sp < *lo) continue;
        *hi = atomic_load_explicit(&t->his[i], memory_order_relaxed);
        if (sp < *hi) return true;
    }
    return false;
}

u64 fiber_end_of(u64 sp) {
    u64 lo, hi;
    return fiber_of(sp, &lo, &hi) ? hi : 0;
}

u32 fibers_count(void) {
    return atomic_load(&fibers.n);
}

u32 fibers_lost(void) {
    return atomic_load(&fibers.n_lost);
}
