// agent/hot/arch_x86_64.h - what the unwinder must know about x86-64.
// Room: register numbers of the x86-64 psABI (figure 3.36), register capture, system calls, call
// instructions. Deciding is done elsewhere. Door: agent/hot/arch.h.
#pragma once

#if defined(__x86_64__) // empty elsewhere, so that the header compiles alone on any machine

#include "base/types.h"

#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>

enum {
    REG_BX = 3,
    REG_FRAME = 6, // rbp
    REG_STACK = 7, // rsp
    REG_PC = 16,   // the return address column
    N_REGS = 17,
};

// A call pushes the return address: it lies below the CFA whatever the function saves.
#define CALL_PUSHES_RETURN 1

// What a function must hand back unchanged: rbx, rbp, rsp, r12 to r15 and the return address.
#define CALLEE_SAVED_REGS ((u64)(1u << 3 | 1u << 6 | 1u << 7 | 0xfu << 12 | 1u << 16))

// sp in __restore_rt points at the ucontext: gregs start at 40 (glibc's sys/ucontext.h).
enum {
    SIGNAL_FRAME_CONTEXT = 0,
    SIGNAL_FRAME_FP = 120,
    SIGNAL_FRAME_SP = 160,
    SIGNAL_FRAME_PC = 168,
};

static inline u64 arch_strip(u64 pc) {
    return pc;
}

static inline u64 arch_thread_pointer(void) {
    u64 tp;
    __asm__("movq %%fs:0, %0" : "=r"(tp)); // the TCB's first word is its own address
    return tp;
}

// A system call that leaves errno alone: the kernel's own result, -errno on failure.
static inline long arch_syscall(long nr, long a, long b, long c, long d, long e, long f) {
    long ret;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
}

// Stores the callee-saved registers, sp and pc of this very point of the calling function.
static inline __attribute__((always_inline)) void arch_capture(u64 r[N_REGS]) {
    __asm__ volatile("movq %%rbx, 24(%0)\n\t"
                     "movq %%rbp, 48(%0)\n\t"
                     "movq %%rsp, 56(%0)\n\t"
                     "movq %%r12, 96(%0)\n\t"
                     "movq %%r13, 104(%0)\n\t"
                     "movq %%r14, 112(%0)\n\t"
                     "movq %%r15, 120(%0)\n\t"
                     "leaq 0(%%rip), %%rcx\n\t"
                     "movq %%rcx, 128(%0)"
                     :
                     : "a"(r)
                     : "rcx", "memory");
}

static inline void arch_from_context(const ucontext_t *context, u64 r[N_REGS]) {
    static const u8 greg_of[N_REGS] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                       REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                       REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    for (u32 i = 0; i < N_REGS; i++) r[i] = (u64)context->uc_mcontext.gregs[greg_of[i]];
}

// Where the function of a context made by makecontext returns to.
static inline u64 arch_context_return(const ucontext_t *context) {
    return *(const u64 *)context->uc_mcontext.gregs[REG_RSP];
}

enum { CALL_BYTES_MAX = 7 }; // the longest call: ff /2 with SIB and a 32-bit displacement

// Whether the bytes before a return address end with a call instruction. code[CALL_BYTES_MAX - 1]
// is the last byte before the address.
static inline bool arch_is_call(const u8 code[CALL_BYTES_MAX]) {
    const u8 *end = code + CALL_BYTES_MAX;
    if (end[-5] == 0xe8) return true;
    // ff /2: mod and r/m decide the length; r/m 4 adds a SIB byte, mod 0 r/m 5 is rip-relative.
    for (u32 len = 2; len <= CALL_BYTES_MAX; len++) {
        if (end[-(int)len] != 0xff || (end[1 - (int)len] & 0x38) != 0x10) continue;
        u8 mod = end[1 - (int)len] >> 6, rm = end[1 - (int)len] & 7;
        u32 want = 2 + (mod != 3 && rm == 4) + (mod == 1 ? 1 : 0) + (mod == 2 ? 4 : 0);
        if (mod == 0 && rm == 5) want = 6;
        if (mod == 0 && rm == 4 && len > 2 && (end[2 - (int)len] & 7) == 5) want = 7; // no base
        if (want == len) return true;
    }
    return false;
}

// mov $15, %rax; syscall: the return trampoline of C libraries that gave it no CFI.
enum { SIGRETURN_BYTES = 9 };
static inline bool arch_is_sigreturn(const u8 code[SIGRETURN_BYTES]) {
    return memcmp(code, "\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05", SIGRETURN_BYTES) == 0;
}

#endif
