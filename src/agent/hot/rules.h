// agent/hot/rules.h - how to leave a frame, in one word, remembered per pc.
// Room: the rule word and its cache. Door: agent/hot/unwind.h.
//
// Nearly every row of real programs says: the CFA is sp or fp plus a multiple of 8, the return
// address is next to it, and the caller's frame pointer is still in place or stored in the frame.
// That fits 30 bits. The other 34 bits of a cache entry name the pc exactly: a pc of at most 48
// bits is multiplied by an odd number, which is a bijection; 14 bits of the product choose a bucket
// of two entries, the rest is the tag. An entry is one atomic word, so that readers and writers in
// any thread or handler need no lock and never see a half.
#pragma once

#include "agent/hot/cfi.h"

#include <stdatomic.h>

enum rule_kind {
    RULE_EMPTY,    // not a rule: an unused entry
    RULE_SP,       // CFA = sp + offset
    RULE_FP,       // CFA = fp + offset
    RULE_FP_DEREF, // CFA = word at (fp - offset), caller's fp = word at fp: realigned stacks
    RULE_SIGNAL,   // the kernel's signal frame: registers from the ucontext at sp
    RULE_END,      // the thread's first frame
    RULE_NONE,     // no CFI here: guess
    RULE_FULL,     // anything else: frame_step with all registers
};

enum {
    RULE_CFA_BITS = 15, // offset / 8: frames up to 256 KiB
    RULE_FP_BITS = 12,  // (CFA - address of the saved fp) / 8; 0: fp is the caller's already
    RULE_BITS = 30,
    RULE_CFA_MAX = (1 << RULE_CFA_BITS) - 1,
    RULE_FP_MAX = (1 << RULE_FP_BITS) - 1,
    // 2^14 buckets of 2: 32K pcs in 256 KiB. A busy server has some thousand hot return addresses;
    // at 5,000 about 4 % of them find their bucket full and are looked up again.
    RULE_BUCKET_BITS = 14,
    N_RULE_BUCKETS = 1 << RULE_BUCKET_BITS,
};

static inline u32 rule_make(enum rule_kind kind, u32 cfa_slots, u32 fp_slots) {
    return (u32)kind << (RULE_CFA_BITS + RULE_FP_BITS) | fp_slots << RULE_CFA_BITS | cfa_slots;
}
static inline enum rule_kind rule_kind(u32 rule) {
    return (enum rule_kind)(rule >> (RULE_CFA_BITS + RULE_FP_BITS));
}
// Bytes from the base to the CFA, and from the saved fp up to the CFA.
static inline u64 rule_cfa(u32 rule) {
    return (u64)(rule & RULE_CFA_MAX) * 8;
}
static inline u64 rule_fp(u32 rule) {
    return (u64)(rule >> RULE_CFA_BITS & RULE_FP_MAX) * 8;
}

struct rule_bucket {
    _Atomic u64 entries[2];
};
// In .bss and touched by rules_init, so that no handler waits for a page. Written by anybody.
extern struct rule_bucket rule_buckets[N_RULE_BUCKETS] __attribute__((visibility("hidden")));

void rules_init(void);
// Empties the cache; see unwind_forget.
void rules_forget(void);
// The rule word of a row; RULE_FULL where no word can say it. pc is what the row was made for.
u32 rule_of_row(const struct cfi_bytes *bytes, const struct cfi_row *row, u64 pc);
// Works the rule out, and remembers it if lookup lies in a loaded object. Async-signal-safe.
u32 rule_miss(u64 lookup);

#define RULE_HASH_FACTOR 0x9e3779b97f4a7c15ull // 2^64 / golden ratio: spreads neighbours well

// The rule of a lookup pc. Two pcs have the same (bucket, tag) only when their low 48 bits agree;
// higher ones are no user code on either machine and never get into the cache. With equal tags the
// difference is the rule; 0 is an unused entry, which the few pcs with tag 0 must not take for one.
static inline u32 rule_of(u64 lookup) {
    u64 hash = lookup * (RULE_HASH_FACTOR << 16), tag = hash << RULE_BUCKET_BITS;
    const struct rule_bucket *bucket = &rule_buckets[hash >> (64 - RULE_BUCKET_BITS)];
    u64 diff = atomic_load_explicit(&bucket->entries[0], memory_order_relaxed) ^ tag;
    if (__builtin_expect(diff - 1 < ((u64)1 << RULE_BITS) - 1, 1)) return (u32)diff;
    diff = atomic_load_explicit(&bucket->entries[1], memory_order_relaxed) ^ tag;
    if (diff - 1 < ((u64)1 << RULE_BITS) - 1) return (u32)diff;
    return rule_miss(lookup);
}
