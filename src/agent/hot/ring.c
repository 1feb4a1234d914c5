// agent/hot/ring.c - where signal handlers leave CPU samples until the agent folds them.
// Room: the buffers and their lock bytes; what a sample means is cpu_signal.c's and cpu.c's.
// Door: agent/hot/ring.h.
#include "agent/hot/ring.h"

#include "agent/hot/unwind.h"

#include <sched.h>
#include <string.h>
#include <sys/mman.h>

enum { RECORD_MAX = sizeof(struct ring_record) + MAX_FRAMES * sizeof(u64) };

static struct ring rings[N_RINGS]; // bytes: set once by rings_init; used: under is_taken

bool rings_init(void) {
    if (rings[0].bytes) return true;
    char *all = mmap(NULL, (size_t)N_RINGS * RING_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) return false;
    // A forked child has no use for the parent's samples. Where that fails they are copied in vain.
    (void)madvise(all, (size_t)N_RINGS * RING_BYTES, MADV_WIPEONFORK);
    for (u32 i = 0; i < N_RINGS; i++) rings[i].bytes = all + (size_t)i * RING_BYTES;
    return true;
}

// False at once when somebody else has it. Pairs with ring_release.
static bool ring_take(struct ring *ring) {
    return atomic_exchange_explicit(&ring->is_taken, 1, memory_order_acquire) == 0;
}

static void ring_release(struct ring *ring) {
    atomic_store_explicit(&ring->is_taken, 0, memory_order_release);
}

struct ring_record *ring_reserve(struct ring **ret) {
    u32 cpu = (u32)sched_getcpu(); // the vDSO's; -1 on a kernel without it is as good as any number
    for (u32 i = 0; i < RING_TRIES; i++) {
        struct ring *ring = &rings[(cpu + i) % N_RINGS];
        if (!ring->bytes || !ring_take(ring)) continue;
        if (RING_BYTES - ring->used >= RECORD_MAX) {
            *ret = ring;
            return (struct ring_record *)(void *)(ring->bytes + ring->used);
        }
        ring_release(ring);
    }
    return NULL;
}

void ring_commit(struct ring *ring, struct ring_record *record, u32 n) {
    record->n = n;
    record->n_bytes = (u32)(sizeof *record + n * sizeof(u64));
    ring->used += record->n_bytes;
    ring_release(ring);
}

void ring_cancel(struct ring *ring) {
    ring_release(ring);
}

static void ring_each(const char *bytes, u32 used, void (*take)(void *, const struct ring_record *),
                      void *ctx) {
    for (u32 at = 0; at < used;) {
        const struct ring_record *record = (const struct ring_record *)(const void *)(bytes + at);
        at += record->n_bytes;
        take(ctx, record);
    }
}

u32 rings_drain(char *scratch, void (*take)(void *ctx, const struct ring_record *), void *ctx) {
    u32 n_busy = 0;
    for (u32 i = 0; i < N_RINGS; i++) {
        struct ring *ring = &rings[i];
        if (!ring->bytes) continue;
        if (!ring_take(ring)) {
            n_busy++;
            continue;
        }
        // Copied, so that a writer finds the buffer taken for 10 us, not for the time of folding.
        u32 used = ring->used;
        memcpy(scratch, ring->bytes, used);
        ring->used = 0;
        ring_release(ring);
        ring_each(scratch, used, take, ctx);
    }
    return n_busy;
}

void rings_reset(void) {
    if (!rings[0].bytes) return; // a forked child: reading costs nothing, writing copies a page
    for (u32 i = 0; i < N_RINGS; i++) {
        rings[i].used = 0;
        ring_release(&rings[i]);
    }
}
