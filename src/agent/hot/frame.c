// agent/hot/frame.c - one step from a frame to its caller, with all registers.
// Room: row_find joins objects and CFI; frame_step evaluates every register's rule. This is the
// slow and complete way: rules.c turns most rows into one word. Door: frame.h.
#include "agent/hot/frame.h"

#include "agent/hot/expr.h"
#include "agent/hot/object.h"

enum row_found row_find(u64 lookup, struct cfi_bytes *bytes, struct cfi_row *ret) {
    struct object object;
    u64 fde;
    if (!object_find(lookup, &object)) return ROW_NO_OBJECT;
    if (!object.hdr || !object_cfi_segment(&object, bytes)) return ROW_NONE;
    u64 skip = object.hdr - bytes->addr;
    struct cfi_bytes hdr = {bytes->p + skip, bytes->len - skip, object.hdr};
    if (!cfi_find(&hdr, lookup, &fde)) return ROW_NONE;
    if (fde - bytes->addr >= bytes->len) {
        // Old linkers put .eh_frame into the writable segment when it needs relocations.
        if (!object_segment(&object, fde, 0, false, bytes)) return ROW_NONE;
    }
    return cfi_row_at(bytes, fde, lookup, ret) ? ROW_FOUND : ROW_NONE;
}

struct step_input {
    const struct cfi_bytes *bytes;
    const struct cfi_row *row;
    const struct regs *old;
    struct window *window;
    u64 cfa;
};

static bool eval(const struct step_input *in, i32 at, const u64 *first, u64 *ret) {
    struct expr_input input = {
        .regs = in->old, .window = in->window, .pc = in->old->r[REG_PC], .first = first};
    struct expr_value value;
    if (!expr_eval(cfi_expr_at(in->bytes, at), &input, &value)) return false;
    *ret = value.v;
    return true;
}

// The caller's value of register i; false: unknown.
static bool reg_value(const struct step_input *in, u32 i, u64 *ret) {
    i32 at = in->row->at[i];
    switch ((enum cfi_how)in->row->how[i]) {
    case CFI_SAME:
        *ret = in->old->r[i];
        return regs_know(in->old, i);
    case CFI_UNDEFINED:
        return false;
    case CFI_OFFSET:
        return window_load(in->window, in->cfa + (u64)(i64)at, ret);
    case CFI_VAL_OFFSET:
        *ret = in->cfa + (u64)(i64)at;
        return true;
    case CFI_REGISTER:
        if (at < 0 || !regs_know(in->old, (u32)at)) return false;
        *ret = in->old->r[at];
        return true;
    case CFI_EXPR:
        return eval(in, at, &in->cfa, ret) && window_load(in->window, *ret, ret);
    case CFI_VAL_EXPR:
        return eval(in, at, &in->cfa, ret);
    }
    return false;
}

// The return address. Where calls push it, "same value" means that the CIE forgot it.
static bool return_value(const struct step_input *in, u64 *ret) {
    u32 ra = in->row->ra_reg;
    if (CALL_PUSHES_RETURN && in->row->how[ra] == CFI_SAME) return false;
    if (!reg_value(in, ra, ret)) return false;
    *ret = arch_strip(*ret);
    return true;
}

enum step frame_apply(const struct cfi_bytes *bytes, const struct cfi_row *row, struct regs *regs,
                      struct window *window) {
    struct step_input in = {.bytes = bytes, .row = row, .old = regs, .window = window};
    struct regs next;
    if (row->how[row->ra_reg] == CFI_UNDEFINED) return STEP_END;
    if (row->cfa_is_expr) {
        if (!eval(&in, row->cfa_at, NULL, &in.cfa)) return STEP_LOST;
    } else {
        if (!regs_know(regs, row->cfa_reg)) return STEP_LOST;
        in.cfa = regs->r[row->cfa_reg] + (u64)(i64)row->cfa_at;
    }
    next.known = 0;
    for (u32 i = 0; i < N_REGS; i++) next.known |= (u64)reg_value(&in, i, &next.r[i]) << i;
    if (row->how[REG_STACK] == CFI_SAME) {
        next.r[REG_STACK] = in.cfa;
        next.known |= (u64)1 << REG_STACK;
    }
    if (!return_value(&in, &next.r[REG_PC]) || !regs_know(&next, REG_STACK)) return STEP_LOST;
    next.known |= (u64)1 << REG_PC;
    // What a call may overwrite is gone; an interruption keeps everything.
    if (!row->is_signal) next.known &= CALLEE_SAVED_REGS;
    *regs = next;
    return STEP_OK;
}

enum step frame_step(struct regs *regs, struct window *window, bool *is_exact) {
    struct cfi_bytes bytes;
    struct cfi_row row;
    if (row_find(regs->r[REG_PC] - !*is_exact, &bytes, &row) != ROW_FOUND) return STEP_LOST;
    enum step step = frame_apply(&bytes, &row, regs, window);
    if (step == STEP_OK) *is_exact = row.is_signal;
    return step;
}
