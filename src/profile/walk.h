// profile/walk.h - a stack as it was recorded, registers and bytes, and who finds its callers.
// Room: the words between formats, which read such stacks from files, and symbols, which knows the
// rules of binaries. Door: profile/profile.h.
#pragma once

#include "profile/model.h"

enum walk_machine { WALK_X86_64, WALK_AARCH64 };

enum {
    WALK_REGISTERS = 33, // aarch64: x0 to x30, sp, pc; x86-64 has 17
    WALK_X86_SP = 7,
    WALK_X86_PC = 16,
    WALK_ARM_SP = 31,
    WALK_ARM_PC = 32,
};

// The state of one frame.
struct walk_frame {
    enum walk_machine machine;
    u64 registers[WALK_REGISTERS]; // by the numbers DWARF gives them
    u64 known;                     // bit r: registers[r] has a value
    bool is_exact;                 // pc is where it was; else a call returns to it
};

// The bytes of a stack from its innermost on; those above were not recorded.
struct walk_stack {
    u64 at; // the address of the first
    str bytes;
    u32 pid; // of the process it was recorded in; 0: unknown
};

// Finds callers with what it knows about binaries.
struct stack_walker {
    void *ctx;
    // Turns *frame into its caller. address: where mapping mapping_i of p (U32_NONE: none is known)
    // holds the frame's code: the pc, or one less where a call returns to it. False: the stack
    // ends, or nobody knows how it goes on.
    bool (*step)(void *ctx, const struct profile *p, u32 mapping_i, u64 address,
                 const struct walk_stack *stack, struct walk_frame *frame);
};

static inline unsigned walk_sp(enum walk_machine machine) {
    return machine == WALK_X86_64 ? WALK_X86_SP : WALK_ARM_SP;
}

static inline unsigned walk_pc(enum walk_machine machine) {
    return machine == WALK_X86_64 ? WALK_X86_PC : WALK_ARM_PC;
}

static inline bool walk_knows(const struct walk_frame *frame, unsigned r) {
    return r < WALK_REGISTERS && frame->known >> r & 1;
}
