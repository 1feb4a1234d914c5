// agent/hot/rules.c - how to leave a frame, in one word, remembered per pc.
// Room: turning an unwind row into a rule word, and the cache of them. Door: rules.h.
#include "agent/hot/rules.h"

#include "agent/hot/expr.h"
#include "agent/hot/frame.h"
#include "agent/hot/object.h"

#include <sys/mman.h>

struct rule_bucket rule_buckets[N_RULE_BUCKETS] PAGE_ALIGNED;

// Counts the flushes. A rule that was worked out across a flush is not kept: its object may be
// gone. Pairs: rules_forget adds, then empties; rule_keep stores, then looks again.
static _Atomic u32 rule_epoch;

void rules_init(void) {
    // A forked child works its rules out again: fork then copies none of the 64 pages, nor makes
    // the parent's next rule in each of them cost a page fault. Where that fails they are copied.
    (void)madvise(rule_buckets, sizeof rule_buckets, MADV_WIPEONFORK);
    // Writing touches each page; whatever is there already stays.
    for (u32 i = 0; i < N_RULE_BUCKETS; i += 4096 / sizeof(struct rule_bucket)) {
        atomic_fetch_or_explicit(&rule_buckets[i].entries[0], 0, memory_order_relaxed);
    }
}

void rules_forget(void) {
    atomic_fetch_add(&rule_epoch, 1);
    for (u32 i = 0; i < N_RULE_BUCKETS; i++) {
        atomic_store_explicit(&rule_buckets[i].entries[0], 0, memory_order_relaxed);
        atomic_store_explicit(&rule_buckets[i].entries[1], 0, memory_order_relaxed);
    }
    atomic_thread_fence(memory_order_seq_cst);
}

static bool symbolic(const struct cfi_bytes *bytes, i32 at, u64 pc, struct expr_value *ret) {
    struct expr_input in = {.pc = pc};
    return expr_eval(cfi_expr_at(bytes, at), &in, ret);
}

static bool is_symbol(const struct cfi_bytes *bytes, i32 at, enum expr_base base, u64 v) {
    struct expr_value value;
    return symbolic(bytes, at, 0, &value) && value.base == base && value.v == v;
}

// Whether the row describes the frame the kernel builds for a signal handler.
static bool is_kernel_frame(const struct cfi_bytes *bytes, const struct cfi_row *row) {
    // aarch64's vDSO describes only the frame record the kernel leaves; the ucontext knows all.
    if (!CALL_PUSHES_RETURN) return row->is_signal;
    return row->is_signal && row->cfa_is_expr && row->how[REG_FRAME] == CFI_EXPR &&
           row->how[row->ra_reg] == CFI_EXPR &&
           is_symbol(bytes, row->cfa_at, EXPR_MEM_SP, SIGNAL_FRAME_SP) &&
           is_symbol(bytes, row->at[REG_FRAME], EXPR_SP, SIGNAL_FRAME_FP) &&
           is_symbol(bytes, row->at[row->ra_reg], EXPR_SP, SIGNAL_FRAME_PC);
}

// The saved frame pointer's place as slots below the CFA; false: it has no such place.
static bool fp_slots(const struct cfi_row *row, u32 *ret) {
    i32 at = row->at[REG_FRAME];
    *ret = 0;
    if (row->how[REG_FRAME] == CFI_SAME || row->how[REG_FRAME] == CFI_UNDEFINED) return true;
    if (row->how[REG_FRAME] != CFI_OFFSET || at >= 0 || at % 8 != 0 || -at / 8 > RULE_FP_MAX) {
        return false;
    }
    *ret = (u32)(-at / 8);
    return true;
}

// Whether the return address is where a rule word takes it from.
static bool has_usual_return(const struct cfi_row *row, u32 slots) {
    if (row->how[row->ra_reg] != CFI_OFFSET) return false;
    if (CALL_PUSHES_RETURN) return row->at[row->ra_reg] == -8;
    return slots > 0 && row->at[row->ra_reg] == row->at[REG_FRAME] + 8;
}

u32 rule_of_row(const struct cfi_bytes *bytes, const struct cfi_row *row, u64 pc) {
    struct expr_value cfa = {(u64)(i64)row->cfa_at, EXPR_CONST};
    u32 slots;
    if (row->how[row->ra_reg] == CFI_UNDEFINED) return rule_make(RULE_END, 0, 0);
    if (is_kernel_frame(bytes, row)) return rule_make(RULE_SIGNAL, 0, 0);
    u32 full = rule_make(RULE_FULL, 0, 0);
    if (row->is_signal || row->how[REG_STACK] != CFI_SAME) return full;
    if (row->cfa_is_expr) {
        if (!symbolic(bytes, row->cfa_at, pc, &cfa)) return full;
    } else if (row->cfa_reg == REG_STACK || row->cfa_reg == REG_FRAME) {
        cfa.base = row->cfa_reg == REG_STACK ? EXPR_SP : EXPR_FP;
    }
    if (cfa.base == EXPR_MEM_FP && row->how[REG_FRAME] == CFI_EXPR && CALL_PUSHES_RETURN &&
        is_symbol(bytes, row->at[REG_FRAME], EXPR_FP, 0) && has_usual_return(row, 0)) {
        u64 below = 0 - cfa.v;
        if (below % 8 != 0 || below / 8 > RULE_CFA_MAX) return full;
        return rule_make(RULE_FP_DEREF, (u32)(below / 8), 0);
    }
    if (cfa.base != EXPR_SP && cfa.base != EXPR_FP) return full;
    if (!fp_slots(row, &slots) || !has_usual_return(row, slots)) return full;
    if (cfa.v % 8 != 0 || cfa.v / 8 > RULE_CFA_MAX) return full;
    return rule_make(cfa.base == EXPR_SP ? RULE_SP : RULE_FP, (u32)(cfa.v / 8), slots);
}

// Puts a rule first in its bucket and moves the one there to the second place.
static void rule_keep(u64 lookup, u32 rule, u32 epoch) {
    u64 hash = lookup * (RULE_HASH_FACTOR << 16), tag = hash << RULE_BUCKET_BITS;
    struct rule_bucket *bucket = &rule_buckets[hash >> (64 - RULE_BUCKET_BITS)];
    u64 first = atomic_load_explicit(&bucket->entries[0], memory_order_relaxed);
    if (lookup >> 48 != 0 || atomic_load(&rule_epoch) != epoch) return;
    atomic_store_explicit(&bucket->entries[1], first, memory_order_relaxed);
    atomic_store_explicit(&bucket->entries[0], (tag >> RULE_BITS << RULE_BITS) | rule,
                          memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load(&rule_epoch) == epoch) return;
    atomic_store_explicit(&bucket->entries[0], 0, memory_order_relaxed);
    atomic_store_explicit(&bucket->entries[1], 0, memory_order_relaxed);
}

u32 rule_miss(u64 lookup) {
    struct cfi_bytes bytes;
    struct cfi_row row;
    u32 epoch = atomic_load(&rule_epoch), rule = rule_make(RULE_NONE, 0, 0);
    switch (row_find(lookup, &bytes, &row)) {
    case ROW_NO_OBJECT:
        return rule; // JIT code and nonsense come and go without a dlclose
    case ROW_NONE:
        break;
    case ROW_FOUND:
        rule = rule_of_row(&bytes, &row, lookup);
        break;
    }
    rule_keep(lookup, rule, epoch);
    return rule;
}
