// agent/loop.c - the agent thread.
// Room: the thread and its loop; what it serves is endpoint.c's. Door: agent/loop.h.
//
// The thread has a descriptor table of its own (close_range with CLOSE_RANGE_UNSHARE, Linux 5.9): a
// program that closes all descriptors does not touch ours, ours never take a low number it counts
// on, and no exec or fork inherits them. Where the kernel or a sandbox refuses, the table is shared
// and a closed descriptor costs the connection or, at worst, a rebuilt loop. It is woken by
// SIGSTKFLT sent to it alone, which it has blocked and reads from a signalfd: no handler, no
// descriptor in the program's table. Linux never sends that signal itself, and nobody uses it.
#include "agent/loop.h"

#include "agent/hot/hot.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    // libevent and the profile makers need 20 KiB at their deepest, and the program's thread-local
    // memory
    // is taken from it too; pages not touched cost nothing.
    STACK_BYTES = 512 << 10,
    WAKE_SIGNAL = SIGSTKFLT,
    SHARED_FDS_MAX =
        65536, // where close_range is missing: as far as descriptors are closed one by one
};

enum {
    MAX_LATER = 8
}; // one to retry the address, one to drain the CPU profile; none is used twice at once

enum phase { PHASE_OFF, PHASE_STARTING, PHASE_UP, PHASE_STOPPING };

struct call {
    struct call *next;
    loop_job fn;
    void *ctx;
    _Atomic u32 is_done; // futex; pairs with the acquire in wait_for
};

// A job for later; fn NULL: free.
struct later {
    loop_job fn;
    void *ctx;
};

static struct {
    _Atomic u32 phase;            // enum phase; futex of those who wait for the start
    _Atomic(struct call *) calls; // newest first; pushed by any thread, taken by the agent's
    _Atomic pid_t tid;            // set before PHASE_UP
    pid_t pid; // whose thread it is; set before the thread exists, as the next two
    loop_job first;
    void *first_ctx;
    u32 rest_ms;             // how long the thread sleeps before it does anything
    _Atomic u32 is_wanted;   // futex: somebody waits for the thread, so it ends its rest
    pthread_t thread;        // set by who moved the phase to PHASE_STARTING
    struct event_base *base; // the agent thread's, as all below
    struct event *wake;
    bool is_ending;
    bool may_have_private_fds; // set before the thread exists
    bool has_private_fds;
    struct later later[MAX_LATER];
} loop;

static bool is_over; // set by loop_stop_for_good; children inherit it

static void futex_wake(_Atomic u32 *word) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static void futex_wait(_Atomic u32 *word, u32 seen) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

// Before it has touched anything, the thread of a process that may end or exec at once costs a
// stack and a clone; descriptors, libevent's memory and a slot follow once it is known to stay.
static void rest(void) {
    struct timespec time = {.tv_nsec = (long)loop.rest_ms * 1000000};
    if (!loop.rest_ms) return;
    syscall(SYS_futex, &loop.is_wanted, FUTEX_WAIT_PRIVATE, 0, &time, NULL, 0);
}

// Empties this thread's view of the descriptors without touching the program's.
static bool take_private_fds(void) {
    if (syscall(SYS_close_range, 0u, ~0u, CLOSE_RANGE_UNSHARE) == 0) return true;
    if (unshare(CLONE_FILES)) return false;
    for (int fd = 0; fd < SHARED_FDS_MAX; fd++) close(fd);
    return true;
}

// 0, 1 and 2 must exist, or the first socket would become stderr.
static void fill_standard_fds(void) {
    for (int i = 0; i < 3; i++) {
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd > 2) close(fd);
    }
}

static void run_calls(void) {
    struct call *newest = atomic_exchange_explicit(&loop.calls, NULL, memory_order_acquire);
    struct call *oldest = NULL;
    while (newest) { // first come, first served
        struct call *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct call *next = oldest->next; // the caller's stack: gone once is_done is seen
        oldest->fn(oldest->ctx);
        atomic_store_explicit(&oldest->is_done, 1, memory_order_release);
        futex_wake(&oldest->is_done);
        oldest = next;
    }
}

static loop_job on_poke; // set by the constructor

void loop_on_poke(loop_job fn) {
    on_poke = fn;
}

void loop_poke(void) {
    pid_t tid = atomic_load(&loop.tid);
    if (tid && loop_is_running()) syscall(SYS_tgkill, getpid(), tid, WAKE_SIGNAL);
}

static void on_wake(evutil_socket_t fd, short what, void *ctx) {
    struct signalfd_siginfo info;
    (void)what, (void)ctx;
    while (read(fd, &info, sizeof info) > 0) continue;
    run_calls();
    if (on_poke) on_poke(NULL);
}

// libevent.a's own stderr, under ld's --wrap=stderr: nothing is ever written to it (ignore_log
// below).
__attribute__((visibility("hidden"))) FILE *__wrap_stderr;

static void ignore_log(int severity, const char *text) {
    (void)severity, (void)text; // a library does not write to the program's stderr
}

static bool make_base(void) {
    sigset_t wake;
    sigemptyset(&wake);
    sigaddset(&wake, WAKE_SIGNAL);
    event_set_log_callback(ignore_log);
    loop.base = event_base_new();
    if (!loop.base) return false;
    int fd = signalfd(-1, &wake, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) return false;
    loop.wake = event_new(loop.base, fd, EV_READ | EV_PERSIST, on_wake, NULL);
    return loop.wake && event_add(loop.wake, NULL) == 0;
}

static void drop_base(void) {
    if (loop.wake) {
        close(event_get_fd(loop.wake));
        event_free(loop.wake);
    }
    if (loop.base) event_base_free(loop.base);
    loop.wake = NULL;
    loop.base = NULL;
}

static void *loop_main(void *arg) {
    (void)arg;
    rest();
    thread_hide();
    prctl(PR_SET_NAME, "pprof-agent");
    loop.has_private_fds = loop.may_have_private_fds && take_private_fds();
    if (loop.has_private_fds) fill_standard_fds();
    bool is_made = make_base();
    atomic_store(&loop.tid, (pid_t)syscall(SYS_gettid));
    atomic_store_explicit(&loop.phase, PHASE_UP, memory_order_release);
    futex_wake(&loop.phase);
    if (is_made && loop.first) loop.first(loop.first_ctx);
    run_calls(); // those pushed before the signalfd could see them
    if (on_poke) on_poke(NULL);
    while (!loop.is_ending) {
        if (is_made) event_base_loop(loop.base, EVLOOP_NO_EXIT_ON_EMPTY);
        if (loop.is_ending) break;
        sleep(1); // only without descriptors of its own: calls are still answered, once a second
        run_calls();
    }
    drop_base();
    return NULL;
}

static int create_thread(void) {
    pthread_attr_t attr;
    sigset_t all, old;
    if (pthread_attr_init(&attr)) return ENOMEM;
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    sigfillset(&all); // not glibc's own two: setuid must reach this thread as well
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int failed = thread_create_own(&loop.thread, &attr, loop_main, NULL);
    if (failed == EINVAL) { // more thread-local memory than that: the program's own size fits it
        pthread_attr_setstacksize(&attr, 8 << 20);
        failed = thread_create_own(&loop.thread, &attr, loop_main, NULL);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return failed;
}

// Puts a call where the agent thread finds it, and waits for its end.
static bool push_and_wait(struct call *call) {
    call->next = atomic_load(&loop.calls);
    while (!atomic_compare_exchange_weak(&loop.calls, &call->next, call)) continue;
    if (syscall(SYS_tgkill, getpid(), atomic_load(&loop.tid), WAKE_SIGNAL) && loop.pid != getpid())
        return false;   // a child made by a bare clone, which no fork handler saw
    hot_thread.depth++; // it is no wait of the program's
    while (!atomic_load_explicit(&call->is_done, memory_order_acquire))
        futex_wait(&call->is_done, 0);
    hot_thread.depth--;
    return true;
}

// True: this call has made the thread. False with *failed 0: it exists already.
static bool start_thread(u32 rest_ms, loop_job first, void *ctx, int *failed) {
    u32 seen = PHASE_OFF;
    *failed = is_over ? EPERM : 0;
    if (is_over) return false;
    while (!atomic_compare_exchange_strong(&loop.phase, &seen, PHASE_STARTING)) {
        if (seen != PHASE_STOPPING) return false;
        futex_wait(&loop.phase, PHASE_STOPPING);
        seen = PHASE_OFF;
    }
    loop.pid = getpid();
    loop.first = first;
    loop.first_ctx = ctx;
    loop.rest_ms = rest_ms;
    atomic_store(&loop.is_wanted, 0);
    // Not where an allocator in front of our hooks serves that thread too: it may keep descriptors,
    // as tcmalloc's libunwind does, which mean other files there (agent/hot/own.h).
    loop.may_have_private_fds = real_settle();
    hot_thread.depth++; // what pthread_create allocates is not the program's
    *failed = create_thread();
    hot_thread.depth--;
    if (!*failed) return true;
    atomic_store(&loop.phase, PHASE_OFF);
    futex_wake(&loop.phase);
    return false;
}

bool loop_start_after(u32 rest_ms, loop_job first, void *ctx, struct err *err) {
    int failed;
    if (start_thread(rest_ms, first, ctx, &failed)) return true;
    if (failed) return err_set(err, ERR_SYSTEM, 0, "no agent thread: %s", strerror(failed));
    return !first || loop_call(first, ctx, err);
}

bool loop_start(loop_job first, void *ctx, struct err *err) {
    return loop_start_after(0, first, ctx, err);
}

bool loop_is_running(void) {
    return atomic_load(&loop.phase) == PHASE_UP;
}

// The phase once nothing is starting any more.
static u32 wait_for_start(void) {
    u32 phase;
    if (atomic_load(&loop.phase) == PHASE_STARTING) {
        atomic_store(&loop.is_wanted, 1);
        futex_wake(&loop.is_wanted);
    }
    while ((phase = atomic_load_explicit(&loop.phase, memory_order_acquire)) == PHASE_STARTING)
        futex_wait(&loop.phase, PHASE_STARTING);
    return phase;
}

bool loop_call(loop_job fn, void *ctx, struct err *err) {
    struct call call = {.fn = fn, .ctx = ctx};
    u32 phase = PHASE_STOPPING;
    while (phase == PHASE_STOPPING) {
        if (!loop_start(NULL, NULL, err)) return false;
        phase = wait_for_start();
    }
    if (phase != PHASE_UP) return err_set(err, ERR_SYSTEM, 0, "no agent thread");
    if (atomic_load(&loop.tid) == (pid_t)syscall(SYS_gettid)) {
        fn(ctx);
        return true;
    }
    if (push_and_wait(&call)) return true;
    loop_after_fork_child();
    return loop_call(fn, ctx, err);
}

struct ending {
    loop_job last;
    void *ctx;
};

static void end_now(void *ctx) {
    struct ending *ending = ctx;
    ending->last(ending->ctx);
    loop.is_ending = true;
    if (loop.base) event_base_loopbreak(loop.base);
}

bool loop_stop(loop_job last, void *ctx) {
    struct ending ending = {last, ctx};
    struct call call = {.fn = end_now, .ctx = &ending};
    u32 up = PHASE_UP;
    if (loop.pid != getpid() || hot_thread.is_hidden || wait_for_start() != PHASE_UP) return false;
    if (!atomic_compare_exchange_strong(&loop.phase, &up, PHASE_STOPPING)) return false;
    push_and_wait(&call);
    pthread_join(loop.thread, NULL);
    loop.is_ending = false;
    memset(loop.later, 0, sizeof loop.later);
    atomic_store(&loop.phase, PHASE_OFF);
    futex_wake(&loop.phase);
    return true;
}

void loop_stop_for_good(loop_job last, void *ctx) {
    loop_stop(last, ctx);
    is_over = true;
}

struct event_base *loop_base(void) {
    return loop.base;
}

static void on_later(evutil_socket_t fd, short what, void *ctx) {
    struct later *later = ctx;
    struct later copy = *later;
    (void)fd, (void)what;
    later->fn = NULL;
    copy.fn(copy.ctx);
}

bool loop_later(u32 ms, loop_job fn, void *ctx) {
    struct timeval in = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    for (u32 i = 0; i < countof(loop.later); i++) {
        struct later *later = &loop.later[i];
        if (later->fn) continue;
        *later = (struct later){fn, ctx};
        if (event_base_once(loop.base, -1, EV_TIMEOUT, on_later, later, &in) == 0) return true;
        later->fn = NULL;
        return false;
    }
    return false;
}

bool loop_has_private_fds(void) {
    return loop.has_private_fds;
}

void loop_after_fork_child(void) {
    memset(&loop, 0, sizeof loop);
}
