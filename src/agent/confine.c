// agent/confine.c - what happens when the program confines itself with seccomp.
// Room: hooks of prctl and of the seccomp call, and the question whether a filter lets libpprof
// live. What stops then is control.c's. Doors: agent/confine.h, agent/hot/confine.h.
//
// A filter kills the program for a call it does not list, whoever makes it. So the filter is run
// here, on each call libpprof makes (calls.def), before the kernel gets it. One that would kill for
// any of them makes libpprof step back for good; one that only fails them does no harm.
// Source: Linux's Documentation/userspace-api/seccomp_filter.rst, net/core/filter.c.
#include "agent/confine.h"

#include "agent/control.h"
#include "agent/hot/hot.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#else
#define OWN_ARCH AUDIT_ARCH_X86_64
#endif

// The kernel refuses filters that jump backwards, so each instruction runs once at most.
struct machine {
    u32 a, x, memory[BPF_MEMWORDS];
};

static u32 alu(u32 code, u32 a, u32 b) {
    switch (BPF_OP(code)) {
    case BPF_ADD:
        return a + b;
    case BPF_SUB:
        return a - b;
    case BPF_MUL:
        return a * b;
    case BPF_DIV:
        return b ? a / b : 0;
    case BPF_OR:
        return a | b;
    case BPF_AND:
        return a & b;
    case BPF_XOR:
        return a ^ b;
    case BPF_LSH:
        return b < 32 ? a << b : 0;
    case BPF_RSH:
        return b < 32 ? a >> b : 0;
    case BPF_NEG:
        return -a;
    }
    return 0;
}

static bool is_taken(u32 code, u32 a, u32 b) {
    switch (BPF_OP(code)) {
    case BPF_JEQ:
        return a == b;
    case BPF_JGT:
        return a > b;
    case BPF_JGE:
        return a >= b;
    case BPF_JSET:
        return (a & b) != 0;
    }
    return true; // BPF_JA
}

static u32 loaded(const struct machine *m, const struct sock_filter *op,
                  const struct seccomp_data *data) {
    u32 word = 0;
    switch (BPF_MODE(op->code)) {
    case BPF_IMM:
        return op->k;
    case BPF_LEN:
        return sizeof *data;
    case BPF_MEM:
        return op->k < BPF_MEMWORDS ? m->memory[op->k] : 0;
    case BPF_ABS:
        if (op->k <= sizeof *data - sizeof word)
            memcpy(&word, (const char *)data + op->k, sizeof word);
        return word;
    }
    return 0;
}

static void stored(struct machine *m, const struct sock_filter *op, u32 value) {
    if (op->k < BPF_MEMWORDS) m->memory[op->k] = value;
}

u32 confine_verdict(const struct sock_fprog *filter, const struct seccomp_data *data) {
    struct machine m = {0};
    for (u64 at = 0; at < filter->len; at++) { // 64 bits: a wild jump ends it
        const struct sock_filter *op = &filter->filter[at];
        u32 operand = BPF_SRC(op->code) == BPF_X ? m.x : op->k;
        switch (BPF_CLASS(op->code)) {
        case BPF_LD:
            m.a = loaded(&m, op, data);
            break;
        case BPF_LDX:
            m.x = loaded(&m, op, data);
            break;
        case BPF_ST:
            stored(&m, op, m.a);
            break;
        case BPF_STX:
            stored(&m, op, m.x);
            break;
        case BPF_ALU:
            m.a = alu(op->code, m.a, operand);
            break;
        case BPF_JMP:
            at += BPF_OP(op->code) == BPF_JA         ? op->k
                  : is_taken(op->code, m.a, operand) ? op->jt
                                                     : op->jf;
            break;
        case BPF_RET:
            return BPF_RVAL(op->code) == BPF_A ? m.a : op->k;
        case BPF_MISC:
            if (BPF_MISCOP(op->code) == BPF_TAX)
                m.x = m.a;
            else
                m.a = m.x;
            break;
        }
    }
    return SECCOMP_RET_KILL_PROCESS;
}

static bool is_harmless(u32 verdict) {
    u32 action = verdict & SECCOMP_RET_ACTION_FULL;
    return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG || action == SECCOMP_RET_ERRNO;
}

const char *confine_forbids(const struct sock_fprog *filter) {
    static const struct {
        int nr;
        const char *name;
    } calls[] = {
#define CALL(name) {SYS_##name, #name},
#include "agent/calls.def"
#undef CALL
    };
    for (u32 i = 0; i < countof(calls); i++) {
        struct seccomp_data data = {.nr = calls[i].nr, .arch = OWN_ARCH};
        if (!is_harmless(confine_verdict(filter, &data))) return calls[i].name;
    }
    return NULL;
}

// Before the kernel gets the filter; NULL: strict mode, which leaves four calls.
static void confine_begins(const struct sock_fprog *filter) {
    const char *call = filter ? confine_forbids(filter) : "all but read and write";
    if (call) control_confined(call);
}

void confine_seccomp(u32 operation, const void *args) {
    if (operation == SECCOMP_SET_MODE_STRICT) confine_begins(NULL);
    if (operation == SECCOMP_SET_MODE_FILTER && args) confine_begins(args);
}

__attribute__((constructor)) static void hook_syscall(void) {
    hot_on_seccomp = confine_seccomp;
}

typedef int (*prctl_fn)(int, unsigned long, unsigned long, unsigned long, unsigned long);

// All of prctl's calls have at most four more arguments, each a long.
__attribute__((visibility("default"))) int prctl(int option, ...) {
    static _Atomic(prctl_fn) known;
    prctl_fn real = atomic_load(&known);
    unsigned long args[4];
    va_list list;
    va_start(list, option);
    for (u32 i = 0; i < countof(args); i++) args[i] = va_arg(list, unsigned long);
    va_end(list);
    if (!real) {
        real = (prctl_fn)(uintptr_t)hot_resolve("prctl", NULL);
        atomic_store(&known, real);
    }
    if (option == PR_SET_SECCOMP)
        confine_seccomp(args[0] == SECCOMP_MODE_FILTER ? SECCOMP_SET_MODE_FILTER
                                                       : SECCOMP_SET_MODE_STRICT,
                        (const void *)args[1]);
    return real(option, args[0], args[1], args[2], args[3]);
}
