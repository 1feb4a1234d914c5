// agent/hot/arch_aarch64.h - what the unwinder must know about aarch64.
// Room: register numbers of the AArch64 DWARF ABI, register capture, system calls, call
// instructions. Untested on hardware. Door: agent/hot/arch.h.
#pragma once

#if defined(__aarch64__) // empty elsewhere, so that the header compiles alone on any machine

#include "base/types.h"

#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>

enum {
    REG_FRAME = 29, // x29
    REG_LINK = 30,  // x30
    REG_STACK = 31, // sp
    REG_PC = 32,    // our own column; the ABI's return column is x30
    N_REGS = 33,
};

// The return address comes in x30; a function that calls others saves it in its frame record
// {x29, x30}, just above the saved frame pointer.
#define CALL_PUSHES_RETURN 0

// What a function must hand back unchanged: x19 to x29, sp; x30 and pc are followed as well.
#define CALLEE_SAVED_REGS (0x3ffull << 19 | 1ull << 29 | 1ull << 30 | 1ull << 31 | 1ull << 32)

// sp in __kernel_rt_sigreturn points at {siginfo (128 bytes), ucontext}; uc_mcontext.regs start at
// 128 + 176 + 8 (the kernel's arch/arm64/include/uapi/asm/sigcontext.h and ucontext.h).
enum {
    SIGNAL_FRAME_CONTEXT = 128,
    SIGNAL_FRAME_X0 = SIGNAL_FRAME_CONTEXT + 176 + 8,
    SIGNAL_FRAME_FP = SIGNAL_FRAME_X0 + 29 * 8,
    SIGNAL_FRAME_SP = SIGNAL_FRAME_X0 + 31 * 8,
    SIGNAL_FRAME_PC = SIGNAL_FRAME_X0 + 32 * 8,
};

// Removes the pointer authentication code; hint 7 is xpaclri, a no-op on older cores.
static inline u64 arch_strip(u64 pc) {
    register u64 x30 __asm__("x30") = pc;
    __asm__("hint 7" : "+r"(x30));
    return x30;
}

static inline u64 arch_thread_pointer(void) {
    u64 tp;
    __asm__("mrs %0, tpidr_el0" : "=r"(tp));
    return tp;
}

// A system call that leaves errno alone: the kernel's own result, -errno on failure.
static inline long arch_syscall(long nr, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}

// Stores the callee-saved registers, lr, sp and pc of this very point of the calling function.
static inline __attribute__((always_inline)) void arch_capture(u64 r[N_REGS]) {
    __asm__ volatile("stp x19, x20, [%0, #152]\n\t"
                     "stp x21, x22, [%0, #168]\n\t"
                     "stp x23, x24, [%0, #184]\n\t"
                     "stp x25, x26, [%0, #200]\n\t"
                     "stp x27, x28, [%0, #216]\n\t"
                     "stp x29, x30, [%0, #232]\n\t"
                     "mov x9, sp\n\t"
                     "adr x10, .\n\t"
                     "stp x9, x10, [%0, #248]"
                     :
                     : "r"(r)
                     : "x9", "x10", "memory");
}

static inline void arch_from_context(const ucontext_t *context, u64 r[N_REGS]) {
    for (u32 i = 0; i < 31; i++) r[i] = context->uc_mcontext.regs[i];
    r[REG_STACK] = context->uc_mcontext.sp;
    r[REG_PC] = context->uc_mcontext.pc;
}

// Where the function of a context made by makecontext returns to.
static inline u64 arch_context_return(const ucontext_t *context) {
    return context->uc_mcontext.regs[30];
}

enum { CALL_BYTES_MAX = 4 };

// Whether the word before a return address is bl or blr (also the authenticated forms of blr).
static inline bool arch_is_call(const u8 code[CALL_BYTES_MAX]) {
    u32 word;
    memcpy(&word, code, sizeof word);
    return (word & 0xfc000000) == 0x94000000 || (word & 0xfefff000) == 0xd63f0000;
}

// mov x8, #139; svc #0
enum { SIGRETURN_BYTES = 8 };
static inline bool arch_is_sigreturn(const u8 code[SIGRETURN_BYTES]) {
    return memcmp(code, "\x68\x11\x80\xd2\x01\x00\x00\xd4", SIGRETURN_BYTES) == 0;
}

#endif
