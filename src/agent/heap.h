// agent/heap.h - the heap and allocs collectors: sampled allocations since the start, and those
// still live.
// Room: turning the counters that agent/hot/live.h keeps into rows; switching sampling. Door:
// agent/agent.h. Idea, words and limits of the sampling itself: agent/hot/live.h.
#pragma once

#include "agent/agent.h"

enum { HEAP_RATE_DEFAULT = 512 << 10 }; // Go's MemProfileRate: one sample per 512 KiB on average

// Values of a heap row, in Go's order (allocs shares the rows; only its default sample type
// differs): alloc_objects/count, alloc_space/bytes, inuse_objects/count, inuse_space/bytes.
enum heap_value { HEAP_ALLOC_OBJECTS, HEAP_ALLOC_SPACE, HEAP_INUSE_OBJECTS, HEAP_INUSE_SPACE };

// Reserves the tables and starts sampling at the rate of PPROF_HEAP_RATE (bytes; 0 off, 1 every
// allocation; HEAP_RATE_DEFAULT when unset or unreadable). From the constructor, after stacks_init
// and unwind_init; idempotent. False: sampling cannot work here, heap_status says why.
bool heap_init(void);
// Sets the mean distance between samples in bytes: 0 turns sampling off (blocks already sampled are
// still followed to their free), 1 samples every allocation. Gives the old rate. As in Go, samples
// taken before are unbiased as if drawn at the newest rate that was not 0: set it early.
u64 heap_set_rate(u64 rate_bytes);
u64 heap_rate(void);

// One row per (stack, size) that was ever sampled: four unbiased values, numeric label "bytes" (the
// size, without unit). rows->period is the rate; what was lost is in rows->comments. Never fails:
// where sampling cannot work the rows are none and a comment says why.
// is_raw: values as counted, for the debug=1 text, sorted as Go >= 1.23 sorts them: by bytes in
// use, ascending. is_peak: what was in use when most was; a comment says how much and how long ago.
// by_age: blocks in use are in rows of their own, with the numeric label "age" in seconds, rounded
// down to a power of two.
bool heap_collect(struct arena *out, const struct collect_opts *opts, struct rows *rows,
                  struct err *err);

// Sums over all rows, raw (not unbiased) or unbiased.
struct heap_totals {
    i64 alloc_objects, alloc_bytes, inuse_objects, inuse_bytes;
};
struct heap_totals heap_totals_raw(void);
struct heap_totals heap_totals(void);

// NULL: works. Else the sentence that says why not (or why only in part), valid for the life of the
// process.
const char *heap_status(void);
// In the only thread of a forked child. What the child inherited live stays counted: it is in its
// memory too.
void heap_after_fork_child(void);
