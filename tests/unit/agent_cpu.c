// tests/unit/agent_cpu.c - the CPU profile: nothing lost, nothing harmed.
// Room: claims about agent/cpu, hot/cpu_timer, hot/cpu_signal, hot/threads. Door: the test runner.
// Each test runs in a forked child, so that each begins with a process no profile has touched.
#include "unit.h"

#include "agent/cpu.h"
#include "agent/hot/hot.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HZ = 1000 };

#define NEED(claim)                                                                                \
    do {                                                                                           \
        if (!(claim)) {                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #claim);                            \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static struct arena arena;
static struct err err;

// Runs body in a child that is set up as the agent does it; gives its wait status.
static int in_child(void (*body)(void)) {
    CHECK(threads_init() && stacks_init());
    cpu_before_fork();
    pid_t pid = fork();
    if (pid == 0) {
        cpu_after_fork_child();
        threads_after_fork_child();
        cpu_drop_after_fork_child();
        alarm(30); // a hang is a failure
        arena_init(&arena);
        body();
        _exit(0);
    }
    cpu_after_fork_parent();
    int status = -1;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    return status;
}

static u64 clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}

static u64 process_ns(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return ((u64)used.ru_utime.tv_sec + (u64)used.ru_stime.tv_sec) * 1000000000u +
           ((u64)used.ru_utime.tv_usec + (u64)used.ru_stime.tv_usec) * 1000u;
}

// Uses arg milliseconds of CPU time.
static void *busy(void *arg) {
    u64 end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + (u64)(uintptr_t)arg * 1000000;
    while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end) {
        for (volatile u32 i = 0; i < 1000; i++) {
        }
    }
    return NULL;
}

static pthread_t busy_thread(u32 ms) {
    pthread_t thread;
    NEED(pthread_create(&thread, NULL, busy, (void *)(uintptr_t)ms) == 0);
    return thread;
}

static u64 rows_ns(void) {
    struct rows rows;
    u64 ns = 0;
    NEED(cpu_collect(&arena, &rows, &err));
    for (u32 i = 0; i < rows.n; i++) {
        NEED(rows.items[i].values[1] == rows.items[i].values[0] * rows.period);
        ns += (u64)rows.items[i].values[1];
    }
    return ns;
}

static void need_within_2_percent(u64 got, u64 want) {
    if (got * 100 < want * 98 || got * 100 > want * 102)
        fprintf(stderr, "profile %.3f s, used %.3f s\n", (double)got / 1e9, (double)want / 1e9);
    NEED(got * 100 >= want * 98 && got * 100 <= want * 102);
}

// The first good one of three: a machine that is not scheduled for a while gives a thread's ticks
// at once.
static int in_child_again(void (*body)(void)) {
    int status = in_child(body);
    for (u32 i = 1; i < 3 && status != 0; i++) status = in_child(body);
    return status;
}

static void drain_until_joined(pthread_t *threads, u32 n) {
    for (u32 i = 0; i < n; i++) {
        while (pthread_tryjoin_np(threads[i], NULL) != 0) {
            cpu_drain();
            usleep(5000);
        }
    }
}

static void one_thread_body(void) {
    pthread_t before = busy_thread(600);
    usleep(20000);
    u64 used = process_ns();
    NEED(cpu_start(HZ, &err));
    drain_until_joined(&before, 1);
    cpu_stop();
    need_within_2_percent(rows_ns(), process_ns() - used);
}

TEST(weights_of_one_thread_match_its_cpu_time) {
    CHECK_EQ(in_child_again(one_thread_body), 0);
}

static void four_threads_body(void) {
    pthread_t threads[4] = {busy_thread(100), busy_thread(250)};
    u64 used = process_ns();
    NEED(cpu_start(HZ, &err));
    threads[2] = busy_thread(200);
    usleep(30000);
    cpu_drain();
    threads[3] = busy_thread(150);
    drain_until_joined(threads, 4);
    cpu_stop();
    used = process_ns() - used;
    pthread_t after = busy_thread(50);
    pthread_join(after, NULL);
    need_within_2_percent(rows_ns(), used);
}

TEST(threads_made_before_during_and_after_are_counted_for_the_profiles_time) {
    CHECK_EQ(in_child_again(four_threads_body), 0);
}

static u32 timers_now(void) {
    u32 n = 0, at = 0;
    for (struct thread_slot *slot; (slot = thread_slot_next(&at));)
        n += atomic_load(&slot->timer_state) != TIMER_NONE;
    return n;
}

// Each thread ends long before its first expiry; only what its clock says tells of it.
static void short_threads_body(void) {
    NEED(cpu_start(HZ, &err));
    u64 used = process_ns();
    for (u32 i = 0; i < 1000; i++) {
        pthread_t thread = busy_thread(i % 4 == 0);
        pthread_join(thread, NULL);
        if (i % 50 == 0) cpu_drain();
    }
    NEED(timers_now() == 1); // the main thread's
    used = process_ns() - used;
    cpu_stop();
    NEED(timers_now() == 0);
    u64 got = rows_ns();
    // What the kernel charges to a thread for its end, after our last look, is not seen: 10 us
    // each.
    NEED(got * 100 >= used * 85 && got * 100 <= used * 103);
}

TEST(short_threads_leave_weight_and_no_timers) {
    CHECK_EQ(in_child(short_threads_body), 0);
}

static void second_start_body(void) {
    NEED(!cpu_collect(&arena, &(struct rows){0}, &err) && err.code == ERR_NOT_FOUND);
    NEED(cpu_start(0, &err));
    NEED(!cpu_start(HZ, &err) && err.code == ERR_BUSY);
    NEED(strcmp(err.text, "cpu profiling already in use") == 0);
    cpu_stop();
    cpu_stop();
    NEED(!cpu_start(CPU_HZ_MAX + 1, &err) && err.code == ERR_USAGE);
    NEED(cpu_start(HZ, &err));
    cpu_stop();
    struct rows rows;
    NEED(cpu_collect(&arena, &rows, &err));
    NEED(rows.period == 1000000 && rows.duration_nanos > 0 && rows.time_nanos > 0);
}

TEST(one_profile_runs_at_a_time) {
    CHECK_EQ(in_child(second_start_body), 0);
}

static bool has_comment(const char *part) {
    struct rows rows;
    NEED(cpu_collect(&arena, &rows, &err));
    for (u32 i = 0; i < rows.n_comments; i++)
        if (str_contains(rows.comments[i], str_of(part))) return true;
    return false;
}

static void no_timers_body(void) {
    struct rlimit none = {0, 0};
    NEED(setrlimit(RLIMIT_SIGPENDING, &none) == 0);
    NEED(cpu_start(HZ, &err));
    pthread_t thread = busy_thread(20);
    pthread_join(thread, NULL);
    cpu_stop();
    NEED(atomic_load(&cpu_hot.lost.no_timer) == 2);
    NEED(has_comment("2 threads without timers") && cpu_status(&arena).len);
}

TEST(refused_timers_are_told) {
    CHECK_EQ(in_child(no_timers_body), 0);
}

static void no_memory_body(void) {
    struct rlimit was, none;
    NEED(cpu_start(HZ, &err)); // rings and tables are there from now on
    cpu_stop();
    NEED(getrlimit(RLIMIT_AS, &was) == 0);
    none = (struct rlimit){.rlim_cur = 1, .rlim_max = was.rlim_max};
    NEED(setrlimit(RLIMIT_AS, &none) == 0);
    NEED(!cpu_start(HZ, &err) && err.code == ERR_SYSTEM && !cpu_is_running());
    NEED(setrlimit(RLIMIT_AS, &was) == 0);
    NEED(cpu_start(HZ, &err));
    NEED(setrlimit(RLIMIT_AS, &none) == 0);
    for (u32 i = 0; i < 30; i++) { // 300 ms, so that the sweep needs memory, too
        busy((void *)10);
        cpu_drain();
    }
    cpu_stop();
    NEED(setrlimit(RLIMIT_AS, &was) == 0);
    NEED(timers_now() == 0);
    NEED(has_comment("times memory was short") || rows_ns() >= 290 * 1000000u);
}

TEST(without_memory_the_program_runs_on) {
    CHECK_EQ(in_child(no_memory_body), 0);
}

static void *busy_labelled(void *arg) {
    label_set_drop(labels_swap(label_set_new(NULL, (const char *const[]){"job", "index"}, 1)));
    return busy(arg);
}

static void labels_body(void) {
    pthread_t thread;
    NEED(cpu_start(HZ, &err));
    NEED(pthread_create(&thread, NULL, busy_labelled, (void *)100) == 0);
    pthread_join(thread, NULL);
    cpu_stop();
    struct rows rows;
    i64 labelled = 0;
    NEED(cpu_collect(&arena, &rows, &err));
    for (u32 i = 0; i < rows.n; i++) {
        if (!rows.items[i].n_labels) continue;
        NEED(str_eq(rows.items[i].labels[0].key, S("job")));
        NEED(str_eq(rows.items[i].labels[0].text, S("index")));
        labelled += rows.items[i].values[0];
    }
    NEED(labelled >= 80 && labelled <= 110);
}

TEST(samples_carry_their_threads_labels) {
    CHECK_EQ(in_child(labels_body), 0);
}

static void *blocked_then_busy(void *arg) {
    sigset_t all;
    pthread_sigmask(SIG_SETMASK, NULL, &all);
    NEED(!sigismember(&all, cpu_signal_number()) && sigismember(&all, SIGUSR1));
    return busy(arg);
}

static void blocked_body(void) {
    sigset_t all;
    pthread_t thread;
    sigfillset(&all);
    NEED(cpu_start(HZ, &err));
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    u64 used = process_ns();
    NEED(pthread_create(&thread, NULL, blocked_then_busy, (void *)200) == 0);
    pthread_join(thread, NULL);
    used = process_ns() - used;
    cpu_stop();
    need_within_2_percent(rows_ns(), used);
}

TEST(threads_made_with_all_signals_blocked_are_sampled) {
    CHECK_EQ(in_child_again(blocked_body), 0);
}

static volatile sig_atomic_t n_theirs;

static void their_handler(int signo) {
    NEED(signo == SIGPROF);
    n_theirs++;
}

// The program sets its handler while we sample: both get theirs.
static void their_handler_later_body(void) {
    struct sigaction act = {.sa_handler = their_handler}, old;
    NEED(cpu_start(HZ, &err));
    NEED(cpu_hot.signo == SIGPROF);
    NEED(sigaction(SIGPROF, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
    NEED(sigaction(SIGPROF, &act, NULL) == 0);
    NEED(signal(SIGPROF, their_handler) == their_handler);
    for (u32 i = 0; i < 10; i++) {
        busy((void *)10);
        raise(SIGPROF);
    }
    cpu_stop();
    NEED(n_theirs == 10);
    NEED(rows_ns() >= 90 * 1000000u);
    NEED(sigaction(SIGPROF, NULL, &old) == 0 && old.sa_handler == their_handler);
    NEED(signal(SIGPROF, SIG_IGN) == their_handler);
    raise(SIGPROF);
    NEED(n_theirs == 10);
}

TEST(a_handler_set_during_a_profile_gets_its_signals) {
    CHECK_EQ(in_child(their_handler_later_body), 0);
}

// The program owns SIGPROF, with setitimer: we take another signal and leave it alone.
static void their_handler_first_body(void) {
    struct sigaction act = {.sa_handler = their_handler, .sa_flags = SA_RESTART};
    struct itimerval every = {{0, 10000}, {0, 10000}};
    NEED(sigaction(SIGPROF, &act, NULL) == 0);
    NEED(setitimer(ITIMER_PROF, &every, NULL) == 0);
    NEED(cpu_start(HZ, &err));
    NEED(cpu_hot.signo >= SIGRTMIN);
    busy((void *)200);
    cpu_stop();
    u64 got = rows_ns();
    NEED(got >= 190 * 1000000u && got <= 215 * 1000000u);
    NEED(n_theirs >= 8);
}

TEST(a_program_that_owns_sigprof_keeps_it) {
    CHECK_EQ(in_child(their_handler_first_body), 0);
}

// A program (or another profiler) that sets its handler past our hooks.
static void bypass_body(void) {
    int (*real)(int, const struct sigaction *, struct sigaction *) =
        (int (*)(int, const struct sigaction *, struct sigaction *))hot_resolve("sigaction", NULL);
    struct sigaction act = {.sa_handler = their_handler, .sa_flags = SA_RESTART};
    NEED(cpu_start(HZ, &err));
    NEED(real(SIGPROF, &act, NULL) == 0);
    usleep(300000); // nothing uses CPU time, so their handler gets none of our signals
    cpu_drain();    // finds it
    NEED(cpu_signal_check());
    int before = n_theirs;
    busy((void *)100);
    raise(SIGPROF);
    NEED(n_theirs == before + 1);
    cpu_stop();
    NEED(rows_ns() >= 95 * 1000000u);
}

TEST(a_handler_set_past_our_hooks_is_found_and_chained) {
    CHECK_EQ(in_child(bypass_body), 0);
}

// A thread that was cancelled inside the handler holds its ring for ever.
static void stuck_ring_body(void) {
    struct ring *held[N_RINGS];
    NEED(cpu_start(HZ, &err));
    cpu_stop();
    for (u32 i = 0; i < RING_TRIES; i++) NEED(ring_reserve(&held[i]));
    NEED(cpu_start(HZ, &err));
    busy((void *)100);
    cpu_stop();
    NEED(rows_ns() >= 95 * 1000000u);
}

TEST(a_ring_nobody_gives_back_is_taken_back) {
    CHECK_EQ(in_child(stuck_ring_body), 0);
}

static void die_body(void) {
    NEED(cpu_start(HZ, &err));
    busy((void *)20);
    raise(SIGPROF); // a stranger's: the program has no handler, so the default action it is
}

TEST(a_strangers_sigprof_still_ends_a_program_without_handler) {
    int status = in_child(die_body);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF);
}

static void exec_body(void) {
    NEED(cpu_start(CPU_HZ_MAX, &err)); // a signal at every tick
    pthread_t others[2] = {busy_thread(2000), busy_thread(2000)};
    (void)others;
    busy((void *)10);
    execl("/bin/sh", "sh", "-c", "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; exit 7", NULL);
}

// ITIMER_PROF lives on across exec and kills the new program: "Profiling timer expired".
TEST(exec_while_sampled_harms_nobody) {
    for (u32 i = 0; i < 5; i++) {
        int status = in_child(exec_body);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    }
}

static void fork_body(void) {
    NEED(cpu_start(HZ, &err));
    pthread_t other = busy_thread(300);
    busy((void *)20);
    cpu_before_fork();
    pid_t pid = fork();
    if (pid == 0) {
        cpu_after_fork_child();
        threads_after_fork_child();
        cpu_drop_after_fork_child();
        NEED(!cpu_is_running() && hot_thread.tid == (u32)getpid());
        NEED(!cpu_collect(&arena, &(struct rows){0}, &err));
        sigset_t mask;
        pthread_sigmask(SIG_SETMASK, NULL, &mask);
        NEED(!sigismember(&mask, SIGPROF));
        NEED(cpu_start(HZ, &err)); // and may have its own
        u64 used = process_ns();
        busy((void *)200);
        used = process_ns() - used;
        cpu_stop();
        need_within_2_percent(rows_ns(), used);
        _exit(0);
    }
    cpu_after_fork_parent();
    int status;
    NEED(waitpid(pid, &status, 0) == pid && status == 0);
    drain_until_joined(&other, 1);
    cpu_stop();
    NEED(rows_ns() >= 300 * 1000000u);
}

TEST(a_forked_child_starts_fresh_and_its_parent_goes_on) {
    CHECK_EQ(in_child_again(fork_body), 0);
}

static _Atomic bool is_raw_over;

static int raw_busy(void *arg) {
    (void)arg;
    busy((void *)500);
    is_raw_over = true;
    syscall(SYS_exit, 0);
    return 0;
}

// A thread as Go's runtime or a language without libc makes it: no pthread, its creator's TLS.
static void raw_clone_body(void) {
    enum { STACK = 1 << 16 };
    static char stack[STACK] __attribute__((aligned(16)));
    NEED(cpu_start(HZ, &err));
    NEED(clone(raw_busy, stack + STACK,
               CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
               NULL) > 0);
    while (!is_raw_over) {
        usleep(20000);
        cpu_drain();
    }
    for (u32 i = 0; i < 80 && timers_now() > 1; i++) { // its end is seen a second later at most
        usleep(20000);
        cpu_drain();
    }
    NEED(timers_now() == 1);
    cpu_stop();
    // Found by the sweep, 250 ms after it began at the latest; on a loaded machine it then had less
    // than that of CPU time.
    u64 got = rows_ns();
    NEED(got >= 200 * 1000000u && got <= 520 * 1000000u);
}

TEST(threads_made_by_clone_alone_are_found_and_forgotten) {
    CHECK_EQ(in_child(raw_clone_body), 0);
}

// Fork of a large process takes longer than a period: a signal must not make the kernel start over.
static void large_fork_body(void) {
    enum { BYTES = 256 << 20 };
    char *large = malloc(BYTES);
    NEED(large);
    memset(large, 1, BYTES);
    NEED(cpu_start(CPU_HZ_MAX, &err));
    for (u32 i = 0; i < 5; i++) {
        cpu_before_fork();
        pid_t pid = fork();
        if (pid == 0) _exit(7);
        cpu_after_fork_parent();
        int status;
        NEED(pid > 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
    }
    cpu_stop();
    free(large);
}

TEST(a_large_process_forks_while_sampled) {
    CHECK_EQ(in_child(large_fork_body), 0);
}

static void *hidden_busy(void *arg) {
    thread_hide();
    return busy(arg);
}

static void hidden_body(void) {
    pthread_t thread;
    NEED(cpu_start(HZ, &err));
    NEED(thread_create_real(&thread, NULL, hidden_busy, (void *)200) == 0);
    pthread_join(thread, NULL);
    cpu_stop();
    NEED(rows_ns() < 20 * 1000000u);
}

TEST(the_agents_threads_are_not_sampled) {
    CHECK_EQ(in_child(hidden_body), 0);
}
