// agent/hot/futex.c - the hook in front of syscall(), by which Rust's and C++20's waits go.
// Room: telling futexes from everything else (and seccomp, see thread.h), waits from wakes. Door:
// the program calls syscall().
//
// The hook itself is assembly: every other call goes on by a jump with all registers and the stack
// as they were, also one that comes back twice (vfork, clone with a stack of its own).
//
// Who holds a futex nobody knows, but for one use: Rust's std::sync::Mutex waits for the value 2
// ("taken, others wait") and wakes one with the word at 0 or, taken again, 1. Conditions, which
// wake one as well, change their word by counting up: at 2 they are at 3 when they wake.
#include "agent/hot/locks.h"

#include "agent/hot/thread.h"
#include "agent/hot/wait.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>

enum { TAKEN_CONTENDED = 2 };

_Static_assert(offsetof(struct real_locks, call) == 0, "the assembly jumps by the first pointer");

// The program's registers come here as they went to syscall().
long futex_hook(long number, long word, long op, long value, long timeout, long word2, long value3)
    __attribute__((visibility("hidden"), used));
long seccomp_hook(long number, long operation, long flags, long args, long d, long e, long f)
    __attribute__((visibility("hidden"), used));

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
// clang-format off
#if defined(__x86_64__)
__asm__(".text\n"
        ".globl syscall\n"
        ".type syscall, @function\n"
        ".p2align 4\n"
        "syscall:\n"
        "    .cfi_startproc\n"
        "    endbr64\n"
        "    cmpq $" TEXT(__NR_futex) ", %rdi\n"
        "    jne 2f\n"
        "    cmpl $0, wait_uses(%rip)\n"
        "    jne futex_hook\n"
        "1:  jmp *real_locks(%rip)\n"
        "2:  cmpq $" TEXT(__NR_seccomp) ", %rdi\n"
        "    je seccomp_hook\n"
        "    jmp 1b\n"
        "    .cfi_endproc\n"
        ".size syscall, . - syscall\n");
#elif defined(__aarch64__)
__asm__(".text\n"
        ".globl syscall\n"
        ".type syscall, %function\n"
        ".p2align 4\n"
        "syscall:\n"
        "    .cfi_startproc\n"
        "    hint 34\n" // bti c
        "    cmp x0, #" TEXT(__NR_futex) "\n"
        "    b.ne 2f\n"
        "    adrp x16, wait_uses\n"
        "    ldr w16, [x16, :lo12:wait_uses]\n"
        "    cbnz w16, futex_hook\n"
        "1:  adrp x16, real_locks\n"
        "    ldr x16, [x16, :lo12:real_locks]\n"
        "    br x16\n"
        "2:  cmp x0, #" TEXT(__NR_seccomp) "\n"
        "    b.eq seccomp_hook\n"
        "    b 1b\n"
        "    .cfi_endproc\n"
        ".size syscall, . - syscall\n");
#endif
// clang-format on

static bool is_wait(long op) {
    switch (op & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_LOCK_PI:
    case FUTEX_WAIT_REQUEUE_PI:
        return true;
    }
    return false;
}

static bool wakes(long op) {
    switch (op & FUTEX_CMD_MASK) {
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
    case FUTEX_WAKE_OP:
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
    case FUTEX_UNLOCK_PI:
        return true;
    }
    return false;
}

static bool wakes_mutex(long word, long op, long value) {
    return (op & FUTEX_CMD_MASK) == FUTEX_WAKE && value == 1 &&
           __atomic_load_n((const u32 *)word, __ATOMIC_RELAXED) < TAKEN_CONTENDED;
}

static bool has_waited(long result) {
    return result == 0 || errno == ETIMEDOUT || errno == EINTR;
}

static enum wait_kind kind_of(long op, long value) {
    u32 command = (u32)op & FUTEX_CMD_MASK;
    bool is_plain = command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
    return is_plain && (u32)value == TAKEN_CONTENDED ? WAIT_FUTEX_LOCK : WAIT_FUTEX;
}

long futex_hook(long number, long word, long op, long value, long timeout, long word2,
                long value3) {
    struct wait_scope scope;
    bool is_unlock = wakes_mutex(word, op, value);
    u64 delay_ns = is_unlock ? wait_caused((const void *)word) : 0;
    if (!is_wait(op)) {
        if (wakes(op)) wait_wakes((const void *)word, CALLER);
        long n_woken = real_locks.call(number, word, op, value, timeout, word2, value3);
        if (delay_ns) wait_charge(CALLER, delay_ns);
        return n_woken;
    }
    wait_begin(&scope, kind_of(op, value), (const void *)word, CALLER);
    long result = real_locks.call(number, word, op, value, timeout, word2, value3);
    wait_end(&scope, has_waited(result));
    return result;
}

long seccomp_hook(long number, long operation, long flags, long args, long d, long e, long f) {
    if (hot_on_seccomp) hot_on_seccomp((u32)operation, (const void *)args);
    return real_locks.call(number, operation, flags, args, d, e, f);
}
