// agent/hot/arch.h - the machine we are built for, and a full set of its registers.
// Room: the choice of the arch_*.h file and what all machines share. Door: agent/hot/unwind.h.
#pragma once

#if defined(__x86_64__)
#include "agent/hot/arch_x86_64.h"
#elif defined(__aarch64__)
#include "agent/hot/arch_aarch64.h"
#else
#error "libpprof knows x86-64 and aarch64"
#endif

// Registers by DWARF number; a bit of known says that the value is this frame's.
struct regs {
    u64 r[N_REGS];
    u64 known;
};

static inline bool regs_know(const struct regs *regs, u32 i) {
    return i < N_REGS && (regs->known >> i & 1);
}
