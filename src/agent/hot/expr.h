// agent/hot/expr.h - DWARF expressions, with real registers or with symbols.
// Room: the stack machine. With registers an expression gives a number. Without, it gives a
// symbolic value (sp + 8, memory at fp - 8), which is what lets a pc's rule be remembered: the
// PLT's expression depends on the pc only, and becomes sp + 8 or sp + 16. Source: DWARF 5
// section 2.5. Door: expr_eval.
#pragma once

#include "agent/hot/bounds.h"
#include "agent/hot/cfi.h"

enum expr_base {
    EXPR_CONST,  // v
    EXPR_SP,     // sp + v
    EXPR_FP,     // frame pointer + v
    EXPR_MEM_SP, // the word at sp + v
    EXPR_MEM_FP, // the word at frame pointer + v
};

struct expr_value {
    u64 v;
    enum expr_base base;
};

struct expr_input {
    const struct regs *regs; // NULL: symbolic
    struct window *window;   // memory, with regs
    u64 pc;                  // the value of the pc register
    const u64 *first; // pushed before the first operation (register rules: the CFA); NULL: none
};

// False: an unknown operation, an unknown register, unreadable memory, a symbolic value this file
// has no form for, or more than 256 steps.
bool expr_eval(struct cfi_cursor code, const struct expr_input *in, struct expr_value *ret);
