// tests/unit/agent_unwind.c - proves that real stacks are unwound whole: through callbacks of libc,
// signal handlers, alternate stacks, fibers, the PLT and the vDSO, and that no registers, however
// wild, make the unwinder crash.
#include "agent_oracle.h"
#include "unit.h"

#include "agent/hot/arch.h"
#include "agent/hot/bounds.h"
#include "agent/hot/hot.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static struct capture {
    u64 pcs[MAX_FRAMES];
    struct unwound unwound;
} cap;

static bool has_symbol(const u64 *pcs, u32 n, const char *name) {
    for (u32 i = 0; i < n; i++) {
        Dl_info info;
        if (dladdr((void *)pcs[i], &info) && info.dli_sname && !strcmp(info.dli_sname, name))
            return true;
    }
    return false;
}

// The index of the frame whose pc lies in [fn, fn + 512), a bound no function here passes.
static i64 frame_of(const struct capture *c, void (*fn)(void)) {
    for (u32 i = 0; i < c->unwound.n; i++) {
        if (c->pcs[i] - (u64)fn < 512) return i;
    }
    return -1;
}

// Both captures without their innermost frames, which differ.
static void check_same_callers(const struct capture *c, const struct oracle *oracle, u32 skip_ours,
                               u32 skip_theirs) {
    CHECK_EQ(c->unwound.n - skip_ours, oracle->n - skip_theirs);
    for (u32 i = skip_ours; i < c->unwound.n; i++) {
        CHECK_EQ(c->pcs[i], oracle->pcs[i - skip_ours + skip_theirs]);
    }
}

static NOINLINE void capture_here(u32 skip) {
    cap.unwound = unwind_here(cap.pcs, MAX_FRAMES, skip);
    NO_TAIL_CALL;
}

static NOINLINE void dig(u32 depth, void (*fn)(void)) {
    volatile u64 locals[5] = {depth};
    if (depth == 0) {
        fn();
    } else {
        dig(depth - 1, fn);
    }
    locals[0]++;
}

static struct oracle oracle_dug;
static NOINLINE void both(void) {
    oracle_here(&oracle_dug);
    capture_here(0);
    NO_TAIL_CALL;
}

TEST(here_gives_the_frames_libgcc_gives) {
    CHECK(unwind_init());
    dig(20, both);
    CHECK_EQ(cap.unwound.end, UNWIND_COMPLETE);
    // Ours: capture_here, both (after another call), dig ...; theirs: oracle_here, both, dig ...
    check_same_callers(&cap, &oracle_dug, 2, 2);
    CHECK(cap.unwound.n > 25);
}

static NOINLINE void skip_two(void) {
    capture_here(2);
    NO_TAIL_CALL;
}

TEST(here_leaves_out_the_frames_skipped) {
    unwind_init();
    dig(3, skip_two);
    CHECK_EQ(cap.unwound.end, UNWIND_COMPLETE);
    CHECK_EQ(frame_of(&cap, (void (*)(void))dig), 0);
    CHECK_EQ(frame_of(&cap, skip_two), -1);
}

static NOINLINE void capture_none(void) {
    capture_here(0);
    NO_TAIL_CALL;
}

TEST(deep_stacks_keep_the_innermost_frames) {
    unwind_init();
    dig(2000, capture_none);
    CHECK_EQ(cap.unwound.end, UNWIND_TRUNCATED);
    CHECK_EQ(cap.unwound.n, MAX_FRAMES);
    CHECK_EQ(cap.pcs[MAX_FRAMES - 1], STACK_TRUNCATED);
    CHECK_EQ(frame_of(&cap, capture_none), 1);
}

static int compare_captures(const void *a, const void *b) {
    capture_here(0);
    return *(const int *)a - *(const int *)b;
}

TEST(a_callback_of_qsort_reaches_the_first_frame) {
    unwind_init();
    int numbers[] = {3, 1, 2};
    qsort(numbers, 3, sizeof *numbers, compare_captures);
    CHECK_EQ(cap.unwound.end, UNWIND_COMPLETE);
    CHECK(has_symbol(cap.pcs, cap.unwound.n, "qsort") ||
          has_symbol(cap.pcs, cap.unwound.n, "qsort_r"));
}

static void *thread_captures(void *arg) {
    dig(4, capture_none);
    return arg;
}

TEST(a_thread_ends_at_clone) {
    unwind_init();
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, thread_captures, NULL), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(cap.unwound.end, UNWIND_COMPLETE);
    CHECK(has_symbol(cap.pcs, cap.unwound.n, "clone") ||
          has_symbol(cap.pcs, cap.unwound.n, "__clone") || cap.unwound.n >= 8);
}

static struct oracle oracle_signal;
static volatile sig_atomic_t n_signals;
static void on_signal(int signo, siginfo_t *info, void *context) {
    (void)signo, (void)info;
    cap.unwound = unwind_context(context, cap.pcs, MAX_FRAMES);
    oracle_here(&oracle_signal);
    n_signals++;
}

static void install(int signo, int flags) {
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags};
    CHECK_EQ(sigaction(signo, &action, NULL), 0);
}

static NOINLINE void raise_usr1(void) {
    raise(SIGUSR1);
    NO_TAIL_CALL;
}

TEST(a_handler_sees_the_interrupted_stack) {
    unwind_init();
    install(SIGUSR1, 0);
    dig(6, raise_usr1);
    CHECK_EQ(cap.unwound.end, UNWIND_COMPLETE);
    // Theirs begins with oracle_here, on_signal and __restore_rt.
    check_same_callers(&cap, &oracle_signal, 0, 3);
    CHECK(frame_of(&cap, raise_usr1) > 0);
}

static struct oracle oracle_in_handler;
static void on_signal_here(int signo) {
    (void)signo;
    oracle_here(&oracle_in_handler);
    capture_here(0);
    NO_TAIL_CALL;
}

TEST(here_inside_a_handler_passes_the_signal_frame) {
    unwind_init();
    signal(SIGUSR2, on_signal_here);
    raise(SIGUSR2);
    CHECK_EQ(cap.unwound.end, UNWIND_COMPLETE);
    check_same_callers(&cap, &oracle_in_handler, 2, 2);
}

static void install_altstack(void) {
    static u8 *stack;
    if (!stack)
        stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t alt = {.ss_sp = stack, .ss_size = 65536};
    CHECK_EQ(sigaltstack(&alt, NULL), 0);
}

TEST(here_on_an_alternate_stack_returns_to_the_threads_own) {
    unwind_init();
    install_altstack();
    struct sigaction action = {.sa_handler = on_signal_here, .sa_flags = SA_ONSTACK};
    CHECK_EQ(sigaction(SIGUSR2, &action, NULL), 0);
    dig(5, raise_usr1);
    raise(SIGUSR2);
    CHECK_EQ(cap.unwound.end, UNWIND_COMPLETE);
    check_same_callers(&cap, &oracle_in_handler, 2, 2);
}

static ucontext_t fiber, back;
static void fiber_main(void) {
    dig(10, capture_none);
    NO_TAIL_CALL;
}

TEST(a_fiber_is_unwound_to_its_start) {
    unwind_init();
    u8 *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    getcontext(&fiber);
    fiber.uc_stack.ss_sp = stack;
    fiber.uc_stack.ss_size = 65536;
    fiber.uc_link = &back;
    makecontext(&fiber, fiber_main, 0);
    swapcontext(&back, &fiber);
    munmap(stack, 65536);
    CHECK_EQ(cap.unwound.end, UNWIND_COMPLETE);
    CHECK(frame_of(&cap, fiber_main) >= 11);
}

static void register_set(ucontext_t *context, u32 i, u64 value) {
#if defined(__x86_64__)
    context->uc_mcontext.gregs[i] = (greg_t)value;
#else
    if (i < 31) context->uc_mcontext.regs[i] = value;
    if (i == REG_STACK) context->uc_mcontext.sp = value;
    if (i == REG_PC) context->uc_mcontext.pc = value;
#endif
}

// In a child that a filter refuses process_vm_readv, as containers of old kernels do.
static bool copies_without_vm_readv(u64 addr) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {countof(code), code};
    u64 word;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
        return false;
    unwind_init();
    return bounds_copy(&word, addr, sizeof word);
}

// Such a word, argc on the stack perhaps, was taken for a return address and read: the kernel,
// asked whether it may read a set of signals at NULL, finds no set to read. Seen on aarch64 in
// qemu.
TEST(the_first_page_is_never_read) {
    pid_t pid = fork();
    int status;
    if (pid == 0) _exit(copies_without_vm_readv(1));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

TEST(wild_registers_end_a_walk_without_a_crash) {
    unwind_init();
    ucontext_t context = {0};
    u64 seed = 88172645463325252u, here = (u64)__builtin_frame_address(0);
    for (u32 i = 0; i < 200000; i++) {
        for (u32 r = 0; r < N_REGS; r++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            // Pure noise, a place on the stack, or a place in libc's code.
            u64 value = seed;
            if (seed % 3 == 1) value = here + (seed >> 40) % 4096 - 512;
            if (seed % 3 == 2) value = (u64)&memcpy + (seed >> 40) % 65536;
            register_set(&context, r, value);
        }
        struct unwound got = unwind_context(&context, cap.pcs, 64);
        CHECK(got.n <= 64);
    }
}
