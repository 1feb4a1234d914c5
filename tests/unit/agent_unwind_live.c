// tests/unit/agent_unwind_live.c - proves that unwinding survives what live programs do: libraries
// that come and go while threads are sampled, threads blocked in system calls, JIT code, calls
// through wild pointers; and that a handler needs little stack and leaves errno alone.
#include "unit.h"

#include "agent_frames.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static i64 frame_of(const u64 *pcs, u32 n, void (*fn)(void)) {
    for (u32 i = 0; i < n; i++) {
        if (pcs[i] - (u64)fn < 512) return i;
    }
    return -1;
}

// ---- libraries that come and go ----

enum { STORM_MS = 1500, SAMPLE_NS = 250000 };

static struct {
    _Atomic u32 n[4]; // by enum unwind_end
    _Atomic bool is_over;
} storm;

static void on_sample(int signo, siginfo_t *info, void *context) {
    u64 pcs[128];
    (void)signo, (void)info;
    storm.n[unwind_context(context, pcs, 128).end]++;
}

static void arm_timer(timer_t *timer) {
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 3};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    struct itimerspec every = {{0, SAMPLE_NS}, {0, SAMPLE_NS}};
    // The wall clock, so that blocked and busy threads alike are hit at this rate.
    assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, timer), 0);
    assert_int_equal(timer_settime(*timer, 0, &every, NULL), 0);
}

static void *load_and_unload(void *arg) {
    static const char *const names[] = {"libz.so.1", "libbz2.so.1.0", "libexpat.so.1",
                                        "liblzma.so.5", "libstdc++.so.6"};
    timer_t timer;
    arm_timer(&timer);
    for (size_t i = (size_t)arg; !storm.is_over; i++) {
        void *lib = dlopen(names[i % countof(names)], RTLD_NOW | RTLD_LOCAL);
        if (!lib) continue;
        void *fn = dlsym(lib, "crc32");
        u8 bytes[4096] = {0};
        if (fn) ((unsigned long (*)(unsigned long, const u8 *, unsigned))fn)(0, bytes, 4096);
        dlclose(lib);
        unwind_forget();
    }
    timer_delete(timer);
    return NULL;
}

static int compare_deep(const void *a, const void *b) {
    u64 pcs[128];
    if (unwind_here(pcs, 128, 0).end != UNWIND_COMPLETE) storm.n[UNWIND_LOST]++;
    return *(const int *)a - *(const int *)b;
}

static void *sample_itself(void *arg) {
    timer_t timer;
    arm_timer(&timer);
    while (!storm.is_over) {
        int numbers[] = {5, 3, 8, 1, 9, 2};
        char text[64];
        qsort(numbers, countof(numbers), sizeof *numbers, compare_deep);
        snprintf(text, sizeof text, "%f %d", 1.5, numbers[0]);
    }
    timer_delete(timer);
    return arg;
}

TEST(stacks_stay_whole_while_libraries_come_and_go) {
    unwind_init();
    struct sigaction action = {.sa_sigaction = on_sample, .sa_flags = SA_SIGINFO | SA_RESTART};
    CHECK_EQ(sigaction(SIGRTMIN + 3, &action, NULL), 0);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        CHECK_EQ(
            pthread_create(&threads[i], NULL, i < 2 ? load_and_unload : sample_itself, (void *)i),
            0);
    }
    usleep(STORM_MS * 1000);
    storm.is_over = true;
    for (size_t i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    u32 whole = storm.n[UNWIND_COMPLETE] + storm.n[UNWIND_GUESSED];
    u32 all = whole + storm.n[UNWIND_LOST] + storm.n[UNWIND_TRUNCATED];
    print_message("%u samples, %u guessed, %u lost\n", all, storm.n[UNWIND_GUESSED],
                  storm.n[UNWIND_LOST]);
    CHECK(all > 200);
    CHECK((u64)whole * 1000 >= (u64)all * 998);
}

// ---- blocked threads ----

static _Atomic u32 parked_tid;
static int parked_pipe[2];

static NOINLINE void park_plain(void) {
    struct pollfd fd = {.fd = parked_pipe[0], .events = POLLIN};
    parked_tid = (u32)syscall(SYS_gettid);
    poll(&fd, 1, -1);
    NO_TAIL_CALL;
}

// Frame pointers on purpose: rbp of a parked thread is not known.
KEEP_FRAME_POINTER static NOINLINE void park_with_fp(void) {
    park_plain();
    NO_TAIL_CALL;
}
KEEP_FRAME_POINTER static NOINLINE void park_alloca(u32 n) {
    volatile u8 *bytes = __builtin_alloca(n);
    bytes[0] = 1;
    park_with_fp();
    bytes[n - 1] = 2;
}

// arg: any pointer asks for functions that keep frame pointers.
static void *parked_thread(void *arg) {
    if (arg) {
        park_alloca(1000);
    } else {
        park_plain();
    }
    return arg;
}

// Reads pc and sp of a blocked thread; false: it runs.
static bool parked_place(u32 tid, u64 *pc, u64 *sp) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/self/task/%u/syscall", tid);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    bool has_line = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    return has_line && sscanf(line, "%*d %*x %*x %*x %*x %*x %*x 0x%lx 0x%lx", sp, pc) == 2;
}

static struct unwound unwind_parked_thread(void *arg, u64 *pcs, u32 cap) {
    pthread_t thread;
    pthread_attr_t attr;
    void *lo;
    size_t size;
    u64 pc = 0, sp = 0;
    parked_tid = 0;
    assert_int_equal(pipe(parked_pipe), 0);
    assert_int_equal(pthread_create(&thread, NULL, parked_thread, arg), 0);
    for (u32 i = 0; i < 1000 && (!parked_tid || !parked_place(parked_tid, &pc, &sp)); i++) {
        usleep(1000);
    }
    assert_int_equal(pthread_getattr_np(thread, &attr), 0);
    pthread_attr_getstack(&attr, &lo, &size);
    pthread_attr_destroy(&attr);
    struct unwound got = unwind_parked(pc, sp, (u64)lo, (u64)lo + size, pcs, cap);
    assert_int_equal(write(parked_pipe[1], "x", 1), 1);
    pthread_join(thread, NULL);
    close(parked_pipe[0]);
    close(parked_pipe[1]);
    return got;
}

TEST(a_blocked_thread_is_unwound_from_pc_and_sp) {
    u64 pcs[64];
    unwind_init();
    struct unwound got = unwind_parked_thread(NULL, pcs, 64);
    CHECK_EQ(got.end, UNWIND_COMPLETE);
    i64 plain = frame_of(pcs, got.n, park_plain);
    CHECK(plain > 0);
    CHECK_EQ(frame_of(pcs, got.n, (void (*)(void))parked_thread), plain + 1);
}

TEST(a_blocked_thread_with_frame_pointers_is_unwound_by_its_records) {
    u64 pcs[64];
    unwind_init();
    struct unwound got = unwind_parked_thread(pcs, pcs, 64);
    CHECK(got.end == UNWIND_COMPLETE || got.end == UNWIND_GUESSED);
    i64 plain = frame_of(pcs, got.n, park_plain);
    CHECK(plain > 0);
    CHECK_EQ(frame_of(pcs, got.n, park_with_fp), plain + 1);
    CHECK_EQ(frame_of(pcs, got.n, (void (*)(void))park_alloca), plain + 2);
    CHECK_EQ(frame_of(pcs, got.n, (void (*)(void))parked_thread), plain + 3);
}

TEST(a_parked_stack_outside_of_its_bounds_is_not_read) {
    u64 pcs[64];
    unwind_init();
    struct unwound got = unwind_parked((u64)&poll, 0x1000, 0x10000, 0x20000, pcs, 64);
    CHECK_EQ(got.end, UNWIND_LOST);
    CHECK_EQ(got.n, 1);
    // The bounds name memory that was unmapped meanwhile.
    void *gone = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(gone, 65536);
    got = unwind_parked((u64)&poll, (u64)gone + 4096, (u64)gone, (u64)gone + 65536, pcs, 64);
    CHECK_EQ(got.end, UNWIND_LOST);
}

// ---- code without CFI ----

#if defined(__x86_64__)
static u64 jit_pcs[64];
static struct unwound jit_got;
static NOINLINE void capture_under_jit(void) {
    jit_got = unwind_here(jit_pcs, 64, 0);
    NO_TAIL_CALL;
}

static u8 *jit_page(const char *code, size_t len) {
    u8 *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED);
    memcpy(page, code, len);
    return page;
}

static NOINLINE void call_jit(u8 *code) {
    ((void (*)(void (*)(void)))(void *)code)(capture_under_jit);
    NO_TAIL_CALL;
}

TEST(jit_frames_with_frame_pointers_are_passed) {
    unwind_init();
    // Twice: push %rbp; mov %rsp,%rbp; then call the next one, or *%rdi; pop %rbp; ret
    u8 *page =
        jit_page("\x55\x48\x89\xe5\xe8\x02\0\0\0\x5d\xc3\x55\x48\x89\xe5\xff\xd7\x5d\xc3", 19);
    call_jit(page);
    munmap(page, 4096);
    CHECK_EQ(jit_got.end, UNWIND_GUESSED);
    CHECK_EQ(frame_of(jit_pcs, jit_got.n, capture_under_jit), 0);
    CHECK_EQ(jit_pcs[1], (u64)page + 16);
    CHECK_EQ(jit_pcs[2], (u64)page + 8);
    CHECK_EQ(frame_of(jit_pcs, jit_got.n, (void (*)(void))call_jit), 3);
}

static sigjmp_buf after_fault;
static void on_fault(int signo, siginfo_t *info, void *context) {
    (void)info;
    jit_got = unwind_context(context, jit_pcs, 64);
    siglongjmp(after_fault, signo);
}

static NOINLINE void call_wild(void (*volatile fn)(void)) {
    fn();
    NO_TAIL_CALL;
}

TEST(a_call_through_a_wild_pointer_shows_the_caller) {
    unwind_init();
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, old;
    CHECK_EQ(sigaction(SIGSEGV, &action, &old), 0);
    static const u64 wild[] = {0, 1, 0x1234, (u64)1 << 40};
    for (u32 i = 0; i < countof(wild); i++) {
        if (sigsetjmp(after_fault, 1) == 0) call_wild((void (*)(void))wild[i]);
        CHECK_EQ(jit_pcs[0], wild[i]);
        CHECK_EQ(frame_of(jit_pcs, jit_got.n, (void (*)(void))call_wild), 1);
        CHECK_EQ(jit_got.end, UNWIND_GUESSED);
    }
    sigaction(SIGSEGV, &old, NULL);
}
#endif

// ---- what a handler costs its host ----

enum { ALT_BYTES = 65536 };
static bool does_unwind;
static u64 alt_pcs[MAX_FRAMES];
static void on_alt(int signo, siginfo_t *info, void *context) {
    (void)signo, (void)info;
    if (does_unwind) unwind_context(context, alt_pcs, MAX_FRAMES);
}

// How much of the alternate stack one signal uses.
static size_t alt_used(u8 *stack, bool unwinds) {
    does_unwind = unwinds;
    memset(stack, 0xa5, ALT_BYTES);
    unwind_forget(); // every rule is worked out anew
    raise(SIGUSR1);
    size_t i = 0;
    while (i < ALT_BYTES && stack[i] == 0xa5) i++;
    return ALT_BYTES - i;
}

TEST(a_handler_needs_little_stack_and_keeps_errno) {
    unwind_init();
    u8 *stack = malloc(ALT_BYTES);
    CHECK(stack);
    stack_t alt = {.ss_sp = stack, .ss_size = ALT_BYTES}, none = {.ss_flags = SS_DISABLE};
    CHECK_EQ(sigaltstack(&alt, NULL), 0);
    struct sigaction action = {.sa_sigaction = on_alt, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    errno = 4711;
    alt_used(stack, true); // binds symbols
    CHECK_EQ(errno, 4711);
    size_t without = alt_used(stack, false), with = alt_used(stack, true);
    CHECK_EQ(sigaltstack(&none, NULL), 0);
    print_message("%zu bytes of stack\n", with - without);
    CHECK(with - without < 1536);
    free(stack);
}
