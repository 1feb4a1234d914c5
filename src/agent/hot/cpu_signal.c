// agent/hot/cpu_signal.c - the profiling signal: its handler, and sigaction and signal in front of
// libc's, so that a program's own handler on the same signal still gets its signals.
// Room: dispositions and forwarding. Samples are cpu_timer.c. Door: agent/hot/cpu_signal.h.
#include "agent/hot/cpu_signal.h"

#include "agent/hot/resolve.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    N_CHAINED = 64, // dispositions a handler may still be reading while the program sets new ones
    N_RT_SPARED = 3 // real-time signals at both ends left to those who take the first or the last
};

typedef int (*sigaction_fn)(int, const struct sigaction *, struct sigaction *);

static struct {
    struct sigaction
        items[N_CHAINED]; // items[0]: SIG_DFL; others written before they are published
    _Atomic u32 n;        // items ever used
    const struct sigaction *_Atomic chained; // what the program believes installed; NULL: items[0]
    sigaction_fn _Atomic real;               // libc's sigaction, set on first use
    _Atomic int pid;                         // whose handler it is: not a child's after vfork
} guard;

static void on_signal(int signo, siginfo_t *info, void *context);

static int sigaction_real(int signo, const struct sigaction *act, struct sigaction *old) {
    sigaction_fn real = atomic_load_explicit(&guard.real, memory_order_acquire);
    if (!real) {
        real = (sigaction_fn)(uintptr_t)hot_resolve("sigaction", NULL);
        atomic_store_explicit(&guard.real, real, memory_order_release);
    }
    return real(signo, act, old);
}

static const struct sigaction *chained_now(void) {
    const struct sigaction *now = atomic_load_explicit(&guard.chained, memory_order_acquire);
    return now ? now : &guard.items[0];
}

// SA_SIGINFO and plain handlers share a place in struct sigaction.
static bool is_handler(const struct sigaction *act) {
    return act->sa_handler != SIG_DFL && act->sa_handler != SIG_IGN;
}

static void chain_set(const struct sigaction *act) {
    u32 n = atomic_fetch_add(&guard.n, 1);
    struct sigaction *item = &guard.items[1 + n % (N_CHAINED - 1)];
    *item = *act;
    atomic_store_explicit(&guard.chained, item, memory_order_release);
}

// SA_ONSTACK always: threads with small stacks have an alternate one for handlers. All signals
// blocked: a handler that does not return (longjmp) would keep a ring taken for ever.
static int install(int signo) {
    struct sigaction ours = {.sa_sigaction = on_signal,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    const struct sigaction *theirs = chained_now();
    if (is_handler(theirs) && !(theirs->sa_flags & SA_RESTART)) ours.sa_flags &= ~SA_RESTART;
    sigfillset(&ours.sa_mask);
    return sigaction_real(signo, &ours, NULL);
}

// The default action of SIGPROF and of real-time signals is to end the process.
static void die_of(int signo) {
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t only;
    sigaction_real(signo, &plain, NULL);
    sigemptyset(&only);
    sigaddset(&only, signo);
    syscall(SYS_tgkill, getpid(), gettid(), signo);
    pthread_sigmask(SIG_UNBLOCK, &only, NULL);
}

// Gives the program its signal as the kernel would have: with its mask, its flags, its arguments.
static void forward(int signo, siginfo_t *info, void *context) {
    struct sigaction act = *chained_now();
    if (act.sa_handler == SIG_IGN) return;
    if (act.sa_handler == SIG_DFL) {
        die_of(signo);
        return;
    }
    if (act.sa_flags & (int)SA_RESETHAND) chain_set(&guard.items[0]);
    sigset_t mask;
    sigorset(&mask, &((ucontext_t *)context)->uc_sigmask, &act.sa_mask);
    if (!(act.sa_flags & SA_NODEFER)) sigaddset(&mask, signo);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    if (act.sa_flags & SA_SIGINFO) {
        act.sa_sigaction(signo, info, context);
    } else {
        act.sa_handler(signo);
    }
}

static void on_signal(int signo, siginfo_t *info, void *context) {
    int kept = errno; // a sample can land between a failing call and the program's look at errno
    bool is_ours = info->si_code == SI_TIMER &&
                   cpu_signal_take(info->si_value.sival_ptr, 1 + (u32)info->si_overrun, context);
    errno = kept;
    if (!is_ours) forward(signo, info, context);
}

// SIGPROF unless the program has a handler on it; else a real-time signal nobody uses.
static int signal_choose(void) {
    struct sigaction now;
    if (sigaction_real(SIGPROF, NULL, &now) == 0 && !is_handler(&now)) {
        if (now.sa_handler == SIG_IGN) chain_set(&now);
        return SIGPROF;
    }
    for (int signo = SIGRTMAX - N_RT_SPARED; signo >= SIGRTMIN + N_RT_SPARED; signo--) {
        if (sigaction_real(signo, NULL, &now) == 0 && now.sa_handler == SIG_DFL) return signo;
    }
    return 0;
}

bool cpu_signal_install(void) {
    if (atomic_load(&cpu_hot.signo)) return true;
    int signo = signal_choose();
    if (!signo) {
        errno = EBUSY;
        return false;
    }
    if (install(signo) != 0) return false;
    atomic_store(&guard.pid, getpid());
    atomic_store(&cpu_hot.signo, signo); // from here on the guard below keeps it
    return true;
}

int cpu_signal_number(void) {
    int signo = atomic_load(&cpu_hot.signo);
    return signo ? signo : SIGPROF;
}

bool cpu_signal_check(void) {
    struct sigaction now;
    int signo = atomic_load(&cpu_hot.signo);
    if (!signo || sigaction_real(signo, NULL, &now) != 0) return true;
    if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_signal) return true;
    chain_set(&now); // set past our guard: a system call, or a libc function without hook
    install(signo);
    return false;
}

// Between vfork and exec a child resets signals in our memory, and they are not ours.
static bool is_guarded(int signo) {
    return signo != 0 && signo == atomic_load(&cpu_hot.signo) &&
           getpid() == atomic_load(&guard.pid);
}

__attribute__((visibility("default"))) int sigaction(int signo, const struct sigaction *act,
                                                     struct sigaction *old) {
    if (!is_guarded(signo)) return sigaction_real(signo, act, old);
    struct sigaction before = *chained_now();
    if (act) {
        chain_set(act);
        install(signo); // SA_RESTART as the program wants it
    }
    if (old) *old = before;
    return 0;
}

// libc's signal family reaches the kernel past sigaction, so each has its hook; flags as theirs.
static __sighandler_t signal_with(int signo, __sighandler_t handler, int flags) {
    struct sigaction act = {.sa_handler = handler, .sa_flags = flags}, old;
    sigemptyset(&act.sa_mask);
    if (!(flags & SA_NODEFER)) sigaddset(&act.sa_mask, signo);
    if (handler == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    return sigaction(signo, &act, &old) == 0 ? old.sa_handler : SIG_ERR;
}

__attribute__((visibility("default"))) __sighandler_t signal(int signo, __sighandler_t handler) {
    // siginterrupt() sets a flag inside libc that we cannot see: only our own signal is taken over.
    if (is_guarded(signo)) return signal_with(signo, handler, SA_RESTART);
    typedef __sighandler_t (*signal_fn)(int, __sighandler_t);
    static signal_fn _Atomic real;
    if (!atomic_load(&real)) atomic_store(&real, (signal_fn)(uintptr_t)hot_resolve("signal", NULL));
    return atomic_load(&real)(signo, handler);
}

__sighandler_t __sysv_signal(int signo,
                             __sighandler_t handler); // signal() of strict ISO C programs
__attribute__((visibility("default"))) __sighandler_t __sysv_signal(int signo,
                                                                    __sighandler_t handler) {
    return signal_with(signo, handler, (int)SA_RESETHAND | SA_NODEFER);
}

void cpu_signal_after_fork_child(void) {
    if (atomic_load(&cpu_hot.signo)) atomic_store(&guard.pid, getpid());
}

void cpu_before_fork(void) {
    sigset_t ours, before;
    if (hot_thread.unblock_after_fork) return; // called by hand and by fork's own handlers
    sigemptyset(&ours);
    sigaddset(&ours, cpu_signal_number());
    pthread_sigmask(SIG_BLOCK, &ours, &before);
    hot_thread.unblock_after_fork = !sigismember(&before, cpu_signal_number());
}

void cpu_after_fork_parent(void) {
    if (!hot_thread.unblock_after_fork) return;
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, cpu_signal_number());
    pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
    hot_thread.unblock_after_fork = false;
}
