// agent/hot/guess.h - finding the caller where no call frame information tells it.
// Room: hand-written assembly, JIT code, C libraries' bare signal trampolines, and frame pointers
// of parked threads. A guess is accepted only when the word found is a return address: it lies in
// the code of a loaded object and a call instruction ends before it. Door: agent/hot/unwind.h.
#pragma once

#include "agent/hot/bounds.h"

// The light state of a walk: what a rule word needs.
struct frame {
    u64 pc, sp, fp;
    bool is_exact; // pc is interrupted code's next instruction, not a return address
    bool has_fp;   // false: fp was never learnt (parked threads)
};

enum guess {
    GUESS_NONE,
    GUESS_CALLER, // *frame is the caller's now
    GUESS_END,    // a fiber's function returns here: its stack ends
    GUESS_SIGNAL, // pc is a signal trampoline: the kernel's frame is at sp
};

// Learns where the functions of makecontext's fibers return to. From cold code.
void guess_init(void);
// Whether a caller's pc can be one at all: a call ends before it, in whatever memory. Wrong where
// assembly pushes registers and its CFI does not say so; such a pc is no frame.
bool guess_is_frame(const struct frame *frame);
enum guess guess_caller(struct window *w, struct frame *frame);
// Finds the frame pointer of a function that keeps one (CFA = fp + 16) from sp alone: the first
// pair of words above sp that reads like (saved fp, return address).
bool guess_frame_pointer(struct window *w, struct frame *frame);
