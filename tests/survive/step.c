// tests/survive/step.c - preloaded into a program it knows nothing of, proves that each of its
// instructions can be interrupted: the trap flag brings a SIGTRAP after every one, and at each new
// pc our stack must be libunwind's or libgcc's. native.md row 9.
// Where neither has a rule (crt's _init and the like have no CFI), our stack must end as the last
// one they agreed to. Room: the stepping and the comparison. STEP_OUT=FILE STEP_LIMIT=N program;
// FILE gets "steps N pcs N wrong N" and the wrong pcs when the program ends. Built from libpprof's
// own unwinder, hidden.
#include "agent/hot/hot.h"

#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <libunwind.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unwind.h>

enum {
    MAX_PCS = 1 << 17,
    MAX_WRONG = 16,
    TRAP_FLAG = 0x100,
};

struct stack {
    u64 pcs[MAX_FRAMES];
    u32 n;
    u32 interrupted_i; // of libgcc's: the index of the interrupted frame
};

static struct {
    u64 seen[MAX_PCS * 2];
    u32 n_pcs, n_wrong;
    u64 n_steps, limit;
    u64 wrong[MAX_WRONG];
} step;

static sigjmp_buf oracle_failed;

static void on_oracle_fault(int signo) {
    siglongjmp(oracle_failed, signo);
}

static bool seen_before(u64 pc) {
    for (u64 i = pc * 0x9e3779b97f4a7c15u >> 40;; i++) {
        u64 *slot = &step.seen[i % (MAX_PCS * 2)];
        if (*slot == pc || step.n_pcs == MAX_PCS) return true;
        if (*slot) continue;
        *slot = pc;
        step.n_pcs++;
        return false;
    }
}

// As lookup pcs: a return address is one less, the frame a signal interrupted is exact.
static void by_libunwind(ucontext_t *context, struct stack *ret) {
    unw_cursor_t cursor;
    unw_word_t pc;
    ret->n = 0;
    if (unw_init_local2(&cursor, context, UNW_INIT_SIGNAL_FRAME) != 0) return;
    bool is_exact = true;
    do {
        if (unw_get_reg(&cursor, UNW_REG_IP, &pc) != 0 || pc == 0) return;
        ret->pcs[ret->n++] = pc - !is_exact;
        is_exact = unw_is_signal_frame(&cursor) > 0;
    } while (ret->n < MAX_FRAMES && unw_step(&cursor) > 0);
}

static _Unwind_Reason_Code libgcc_frame(struct _Unwind_Context *context, void *arg) {
    struct stack *ret = arg;
    int is_exact = 0;
    u64 pc = _Unwind_GetIPInfo(context, &is_exact);
    if (is_exact && ret->n > 0) {
        ret->pcs[ret->n - 1]++; // the handler's trampoline, to which no call led
        ret->interrupted_i = ret->n;
    }
    if (ret->n < MAX_FRAMES && pc) ret->pcs[ret->n++] = pc - !is_exact;
    return _URC_NO_REASON;
}

static bool is_same(const u64 *pcs, u32 n, const u64 *want, u32 n_want) {
    return n == n_want && memcmp(pcs, want, n * sizeof *pcs) == 0;
}

// An oracle that crashes (libgcc reads code at wild pcs) has no say.
static bool libunwind_agrees(ucontext_t *context, const u64 *pcs, u32 n) {
    static struct stack theirs;
    if (sigsetjmp(oracle_failed, 1)) return false;
    by_libunwind(context, &theirs);
    return is_same(pcs, n, theirs.pcs, theirs.n);
}

static bool libgcc_agrees(const u64 *pcs, u32 n) {
    static struct stack theirs;
    theirs.n = theirs.interrupted_i = 0;
    if (sigsetjmp(oracle_failed, 1)) return false;
    _Unwind_Backtrace(libgcc_frame, &theirs);
    return is_same(pcs, n, theirs.pcs + theirs.interrupted_i, theirs.n - theirs.interrupted_i);
}

// The last stack an oracle agreed to. Code without CFI is called from there, so all but the
// interrupted function and the call in its caller must be the same.
static struct stack agreed;

static bool continues_agreed(const u64 *pcs, u32 n) {
    u32 n_tail = n > 2 ? n - 2 : 0;
    return n_tail && n_tail <= agreed.n &&
           memcmp(pcs + 2, agreed.pcs + agreed.n - n_tail, n_tail * sizeof *pcs) == 0;
}

static void agree(const u64 *pcs, u32 n) {
    memcpy(agreed.pcs, pcs, n * sizeof *pcs);
    agreed.n = n;
}

static void on_trap(int signo, siginfo_t *info, void *arg) {
    static u64 pcs[MAX_FRAMES];
    ucontext_t *context = arg;
    (void)signo, (void)info;
    u64 pc = (u64)context->uc_mcontext.gregs[REG_RIP];
    if (++step.n_steps == step.limit) context->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
    if (seen_before(pc)) return;
    struct unwound got = unwind_context(context, pcs, MAX_FRAMES);
    if (libunwind_agrees(context, pcs, got.n) || libgcc_agrees(pcs, got.n))
        return agree(pcs, got.n);
    if (got.end == UNWIND_GUESSED && continues_agreed(pcs, got.n)) return;
    if (step.n_wrong < MAX_WRONG) step.wrong[step.n_wrong] = pc;
    step.n_wrong++;
}

__attribute__((constructor(65535))) static void step_begin(void) {
    const char *limit = getenv("STEP_LIMIT");
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    if (!limit || !getenv("STEP_OUT") || !unwind_init()) return;
    step.limit = strtoull(limit, NULL, 10);
    signal(SIGSEGV, on_oracle_fault);
    sigaction(SIGTRAP, &action, NULL);
    __asm__ volatile("pushfq; orq %0, (%%rsp); popfq" ::"i"(TRAP_FLAG) : "memory", "cc");
}

__attribute__((destructor)) static void step_end(void) {
    const char *path = getenv("STEP_OUT");
    __asm__ volatile("pushfq; andq %0, (%%rsp); popfq" ::"i"(~TRAP_FLAG) : "memory", "cc");
    FILE *out = path ? fopen(path, "w") : NULL;
    if (!out) return;
    fprintf(out, "steps %llu pcs %u wrong %u\n", (unsigned long long)step.n_steps, step.n_pcs,
            step.n_wrong);
    for (u32 i = 0; i < step.n_wrong && i < MAX_WRONG; i++) {
        Dl_info at = {0};
        dladdr((void *)step.wrong[i], &at);
        fprintf(out, "%s + %#llx, near %s\n", at.dli_fname ? at.dli_fname : "?",
                (unsigned long long)(step.wrong[i] - (u64)at.dli_fbase),
                at.dli_sname ? at.dli_sname : "?");
    }
    fclose(out);
}
