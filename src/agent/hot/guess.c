// agent/hot/guess.c - finding the caller where no call frame information tells it.
// Room: heuristics, each checked against the code bytes. Door: guess.h. All code and headers are
// copied, never read in place: a stale word of the stack may point into a library that is being
// unloaded right now.
#include "agent/hot/guess.h"

#include "agent/hot/object.h"

#include <elf.h>

enum {
    SCAN_SLOTS = 64,    // words looked at above sp in assembly without CFI: its pushes and locals
    PAIR_BYTES = 4096,  // how far above sp a parked function's frame record is looked for
    MAX_JIT_LINKS = 64, // frame pointer links through JIT code before one leads to a known object
};

// glibc's __start_context, which has a name in no symbol table and no CFI for the byte before it.
// Set once in guess_init.
static u64 fiber_return;

static void fiber_never_run(void) {
}

void guess_init(void) {
    ucontext_t context;
    u64 stack[64] = {0};
    if (getcontext(&context) != 0) return;
    context.uc_stack.ss_sp = stack;
    context.uc_stack.ss_size = sizeof stack;
    context.uc_link = NULL;
    makecontext(&context, fiber_never_run, 0);
    fiber_return = arch_context_return(&context);
}

static bool is_after_call(u64 addr) {
    u8 code[CALL_BYTES_MAX];
    return addr >= 4096 && bounds_copy(code, addr - CALL_BYTES_MAX, sizeof code) &&
           arch_is_call(code);
}

// Whether addr could be what a call in a loaded object pushed.
static bool is_return(u64 addr) {
    struct object object;
    struct cfi_bytes text;
    return object_find(addr - 1, &object) && is_after_call(addr) &&
           object_segment(&object, addr - 1, PF_X, true, &text);
}

static bool is_sigreturn(u64 pc) {
    u8 code[SIGRETURN_BYTES];
    return bounds_copy(code, pc, sizeof code) && arch_is_sigreturn(code);
}

static bool accept(struct frame *frame, u64 pc, u64 sp) {
    frame->pc = pc;
    frame->sp = sp;
    frame->is_exact = false;
    return true;
}

// The record {saved fp, return address} at fp; its fp must lead upwards.
static bool link_load(struct window *w, u64 sp, u64 fp, u64 *saved, u64 *pc) {
    if (fp < sp || fp % 8 != 0) return false;
    if (!window_load(w, fp, saved) || !window_load(w, fp + 8, pc)) return false;
    *pc = arch_strip(*pc);
    return true;
}

// JIT code's return addresses are in no object. A chain of frame pointers whose links all lie
// behind calls, and which leads to a checked return address, vouches for them.
static bool chain_is_sound(struct window *w, u64 fp) {
    u64 sp = fp, saved, pc;
    for (u32 i = 0; i < MAX_JIT_LINKS && link_load(w, sp, fp, &saved, &pc); i++) {
        if (!is_after_call(pc)) return false;
        if (is_return(pc)) return true;
        if (saved <= fp) return false;
        sp = fp = saved;
    }
    return false;
}

static bool by_frame_pointer(struct window *w, struct frame *frame) {
    u64 saved, pc, fp = frame->fp;
    if (!frame->has_fp || !link_load(w, frame->sp, fp, &saved, &pc)) return false;
    if (!is_return(pc) && !chain_is_sound(w, fp)) return false;
    frame->fp = saved;
    return accept(frame, pc, fp + 16);
}

static bool is_fp(const struct window *w, u64 sp, u64 fp) {
    return fp > sp && fp < w->limit && fp % 8 == 0;
}

// Scans for a return address. Assembly that uses rbp as a plain register has pushed it first: when
// the current value cannot be a frame pointer, a word on the way that can be one is taken.
static bool by_scan(struct window *w, struct frame *frame, u32 n_slots) {
    u64 word, fp = frame->is_exact ? 0 : frame->pc; // a wrong pc may be the pushed register
    for (u64 at = frame->sp; at < frame->sp + n_slots * 8; at += 8) {
        if (!window_load(w, at, &word)) return false;
        if (is_return(word)) {
            if (!is_fp(w, at, frame->fp) && is_fp(w, at, fp)) {
                frame->fp = fp;
                frame->has_fp = true;
            }
            return accept(frame, word, at + 8);
        }
        if (is_fp(w, at, word)) fp = word;
    }
    return false;
}

bool guess_is_frame(const struct frame *frame) {
    struct object object;
    return frame->is_exact || object_find(frame->pc - 1, &object) || is_after_call(frame->pc);
}

enum guess guess_caller(struct window *w, struct frame *frame) {
    if (frame->sp % 8 != 0) return GUESS_NONE;
    if (!frame->is_exact && frame->pc == fiber_return) return GUESS_END;
    if (!frame->is_exact && is_sigreturn(frame->pc)) return GUESS_SIGNAL;
    // Interrupted assembly is most often a leaf that pushed nothing, or a call through a wild
    // pointer: the return address is on top.
    if (CALL_PUSHES_RETURN && frame->is_exact && by_scan(w, frame, 1)) return GUESS_CALLER;
    if (by_frame_pointer(w, frame)) return GUESS_CALLER;
    return by_scan(w, frame, SCAN_SLOTS) ? GUESS_CALLER : GUESS_NONE;
}

bool guess_frame_pointer(struct window *w, struct frame *frame) {
    u64 saved, pc;
    for (u64 fp = frame->sp; fp < frame->sp + PAIR_BYTES; fp += 8) {
        if (!link_load(w, frame->sp, fp, &saved, &pc)) return false;
        if (saved <= fp || saved >= w->limit || saved % 8 != 0 || !is_return(pc)) continue;
        frame->fp = fp;
        frame->has_fp = true;
        return true;
    }
    return false;
}
