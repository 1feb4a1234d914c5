// agent/hot/ring.h - where signal handlers leave CPU samples until the agent folds them.
// Room: reserving a record, filling it in place, taking all records out. Door: agent/hot/hot.h.
//
// There are N_RINGS byte buffers, chosen by CPU. A writer takes a buffer's lock byte without ever
// waiting, unwinds straight into the buffer (a handler has no stack to spare) and gives it back;
// the reader takes the same byte, copies everything out and starts the buffer over from its
// beginning, so that a quiet program touches few pages. Records are in no order across buffers.
#pragma once

#include "base/types.h"

#include "agent/hot/thread.h"

enum {
    N_RINGS = 16,         // 16 CPUs write without meeting; more share
    RING_BYTES = 1 << 18, // 63 records of the greatest depth, some 1300 of depth 20: at 250 signals
                          // a second and CPU the agent may be 250 ms late at worst, 5 s as a rule
    RING_TRIES = 3,       // buffers a writer looks at before it gives the sample up
};

struct ring_record {
    u32 n_bytes; // of the whole record, a multiple of 8
    u32 tid;
    u32 weight;   // periods of CPU time this sample stands for
    u32 n;        // pcs
    u64 time_ns;  // CLOCK_MONOTONIC
    u32 label_id; // labels.h
    u32 pad;      // to 8 bytes
    u64 pcs[];
};

struct ring {
    _Atomic u8 is_taken; // try-lock; pairs acquire with release in ring_commit and ring_drain
    u32 used;            // bytes of finished records
    char *bytes;
};

// Reserves the buffers (address space; pages come when touched). Idempotent, from cold code.
bool rings_init(void);
// Room for a record with MAX_FRAMES pcs, or NULL after RING_TRIES buffers were taken or full.
// Async-signal-safe. *ret holds the buffer until ring_commit or ring_cancel.
struct ring_record *ring_reserve(struct ring **ret);
// Keeps the record with its n pcs and gives the buffer back.
void ring_commit(struct ring *ring, struct ring_record *record, u32 n);
void ring_cancel(struct ring *ring);
// Calls take for each record of every buffer; gives the number of buffers a writer held (their
// records come next time). One reader at a time. Records are copied to scratch (RING_BYTES) first.
u32 rings_drain(char *scratch, void (*take)(void *ctx, const struct ring_record *), void *ctx);
// Forgets all records and opens all locks: in a forked child, whose writers do not exist, and for
// writers that never come back (a thread cancelled asynchronously inside the handler).
void rings_reset(void);
