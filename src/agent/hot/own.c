// agent/hot/own.c - memory for libpprof's own threads, apart from the program's allocator.
// Room: see own.h. A stretch of address space is cut into blocks of a power of two, which go to a
// list of their size when freed and never change it. Any thread may free; only the agent thread
// takes, so that a list needs no more than compare-and-swap.
#include "agent/hot/own.h"

#include "agent/hot/live.h"

#include <stdatomic.h>
#include <sys/mman.h>

enum {
    OWN_BYTES = 64 << 20, // address space; libevent and libc use some hundred KiB of it
    UNIT = BLOCK_ALIGN,   // the smallest block, so that free knows each by its alignment
    N_UNITS = OWN_BYTES / UNIT,
    N_CLASSES = 13,          // 1 KiB to 4 MiB
    GIVE_BACK_BYTES = 65536, // larger blocks give their pages back when freed
};

struct own_block {
    struct own_block *next;
};

static struct {
    _Atomic uintptr_t base; // 0 until the first block is asked for
    u32 n_used;             // units cut off so far; the agent thread's
    _Atomic(struct own_block *) free[N_CLASSES];
    u8 class_of[N_UNITS]; // of the block that begins in a unit; written before it is handed out
} own PAGE_ALIGNED;

static bool own_reserve(void) {
    if (atomic_load_explicit(&own.base, memory_order_relaxed)) return true;
    void *at = mmap(NULL, OWN_BYTES, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) return false;
    atomic_store_explicit(&own.base, (uintptr_t)at, memory_order_release);
    return true;
}

// A new block; the filter is told once and for good that its address is to be looked at.
static void *own_cut(u32 class) {
    u32 n_units = 1u << class;
    if (N_UNITS - own.n_used < n_units) return NULL;
    void *block = (void *)(own.base + (uintptr_t)own.n_used * UNIT);
    own.class_of[own.n_used] = (u8) class;
    own.n_used += n_units;
    live_filter_add(block);
    return block;
}

static struct own_block *own_take(u32 class) {
    struct own_block *block = atomic_load_explicit(&own.free[class], memory_order_acquire);
    // Nobody else takes, so the head cannot leave and come back under our eyes.
    while (block &&
           !atomic_compare_exchange_weak_explicit(&own.free[class], &block, block->next,
                                                  memory_order_acquire, memory_order_acquire)) {
        continue;
    }
    return block;
}

void *own_alloc(size_t n, size_t align) {
    u32 class = 0;
    if (align > UNIT || !own_reserve()) return NULL;
    while (class < N_CLASSES && (size_t)UNIT << class < n) class ++;
    if (class == N_CLASSES) return NULL;
    void *block = own_take(class);
    return block ? block : own_cut(class);
}

bool own_owns(const void *p) {
    uintptr_t base = atomic_load_explicit(&own.base, memory_order_acquire);
    return base && (uintptr_t)p - base < OWN_BYTES;
}

size_t own_room(const void *p) {
    return (size_t)UNIT << own.class_of[((uintptr_t)p - own.base) / UNIT];
}

void own_free(void *p) {
    u32 class = own.class_of[((uintptr_t)p - own.base) / UNIT];
    size_t room = (size_t)UNIT << class;
    struct own_block *block = p;
    if (room > GIVE_BACK_BYTES) madvise(p, room, MADV_DONTNEED);
    block->next = atomic_load_explicit(&own.free[class], memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&own.free[class], &block->next, block,
                                                  memory_order_release, memory_order_relaxed)) {
        continue;
    }
}
