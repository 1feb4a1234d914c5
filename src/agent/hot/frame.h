// agent/hot/frame.h - one step from a frame to its caller, with all registers.
// Room: applying an unwind row; the light steps with three registers are unwind.c. Door:
// agent/hot/unwind.h.
#pragma once

#include "agent/hot/bounds.h"
#include "agent/hot/cfi.h"

enum row_found {
    ROW_FOUND,
    ROW_NONE,      // the object has no CFI for this pc
    ROW_NO_OBJECT, // pc is in no loaded object
};

// The unwind row of a lookup pc; *bytes is what expressions in the row refer to.
enum row_found row_find(u64 lookup, struct cfi_bytes *bytes, struct cfi_row *ret);

enum step {
    STEP_OK,
    STEP_END,  // the return address is undefined: this was the thread's first frame
    STEP_LOST, // no row, or it needs a register or memory we do not have
};

// Replaces the registers by the caller's as a row says.
enum step frame_apply(const struct cfi_bytes *bytes, const struct cfi_row *row, struct regs *regs,
                      struct window *window);
// Finds the row and applies it. *is_exact: pc is the next instruction of interrupted
// code, not a return address; afterwards it tells the same of the caller.
enum step frame_step(struct regs *regs, struct window *window, bool *is_exact);
