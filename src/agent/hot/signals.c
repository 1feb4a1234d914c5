// agent/hot/signals.c - signals with a handler of ours: sigaction and signal in front of libc's, so
// that a program's own handler on the same signal still gets its signals.
// Room: dispositions and forwarding. Door: agent/hot/signals.h.
#include "agent/hot/signals.h"

#include "agent/hot/resolve.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { N_CHAINED = 64 }; // dispositions a handler may still be reading while new ones are set

typedef int (*sigaction_fn)(int, const struct sigaction *, struct sigaction *);

struct guard {
    _Atomic int signo; // 0: none. Set last
    signal_taker take;
    struct sigaction
        items[N_CHAINED]; // items[0]: SIG_DFL; others written before they are published
    _Atomic u32 n;        // items ever used
    const struct sigaction *_Atomic chained; // what the program believes installed; NULL: items[0]
};

static struct {
    struct guard guards[N_GUARDS];
    sigaction_fn _Atomic real; // libc's sigaction, set on first use
    _Atomic int pid;           // whose handlers they are: not a child's after vfork
} all;

static void on_signal(int signo, siginfo_t *info, void *context);

static int sigaction_real(int signo, const struct sigaction *act, struct sigaction *old) {
    sigaction_fn real = atomic_load_explicit(&all.real, memory_order_acquire);
    if (!real) {
        real = (sigaction_fn)(uintptr_t)hot_resolve("sigaction", NULL);
        atomic_store_explicit(&all.real, real, memory_order_release);
    }
    return real(signo, act, old);
}

bool signal_disposition(int signo, struct sigaction *ret) {
    return sigaction_real(signo, NULL, ret) == 0;
}

static struct guard *guard_of_signal(int signo) {
    for (u32 i = 0; i < N_GUARDS; i++)
        if (signo && signo == atomic_load(&all.guards[i].signo)) return &all.guards[i];
    return NULL;
}

static const struct sigaction *chained_now(struct guard *g) {
    const struct sigaction *now = atomic_load_explicit(&g->chained, memory_order_acquire);
    return now ? now : &g->items[0];
}

static void chain_set(struct guard *g, const struct sigaction *act) {
    u32 n = atomic_fetch_add(&g->n, 1);
    struct sigaction *item = &g->items[1 + n % (N_CHAINED - 1)];
    *item = *act;
    atomic_store_explicit(&g->chained, item, memory_order_release);
}

// SA_ONSTACK always: threads with small stacks have an alternate one for handlers. All signals
// blocked: a handler that does not return (longjmp) would keep a ring taken for ever.
static int install(struct guard *g, int signo) {
    struct sigaction ours = {.sa_sigaction = on_signal,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    const struct sigaction *theirs = chained_now(g);
    if (signal_is_handled(theirs) && !(theirs->sa_flags & SA_RESTART)) ours.sa_flags &= ~SA_RESTART;
    sigfillset(&ours.sa_mask);
    return sigaction_real(signo, &ours, NULL);
}

// The default action of SIGPROF, SIGUSR1, SIGUSR2 and real-time signals is to end the process.
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
static void forward(struct guard *g, int signo, siginfo_t *info, void *context) {
    struct sigaction act = *chained_now(g);
    if (act.sa_handler == SIG_IGN) return;
    if (act.sa_handler == SIG_DFL) {
        die_of(signo);
        return;
    }
    if (act.sa_flags & (int)SA_RESETHAND) chain_set(g, &g->items[0]);
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
    struct guard *g = guard_of_signal(signo);
    bool is_ours = g && g->take(info, context, signal_is_handled(chained_now(g)));
    errno = kept;
    if (g && !is_ours) forward(g, signo, info, context);
}

bool signal_guard(enum guard_of of, int signo, signal_taker take) {
    struct guard *g = &all.guards[of];
    struct sigaction now;
    if (sigaction_real(signo, NULL, &now) != 0) return false;
    if (now.sa_handler != SIG_DFL) chain_set(g, &now);
    g->take = take;
    atomic_store(&all.pid, getpid());
    atomic_store(&g->signo, signo); // from here on the hooks below keep it
    if (install(g, signo) == 0) return true;
    atomic_store(&g->signo, 0);
    return false;
}

bool signal_guard_check(enum guard_of of) {
    struct guard *g = &all.guards[of];
    struct sigaction now;
    int signo = atomic_load(&g->signo);
    if (!signo || sigaction_real(signo, NULL, &now) != 0) return true;
    if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_signal) return true;
    chain_set(g, &now); // set past our hooks: a system call, or a libc function without hook
    install(g, signo);
    return false;
}

// Between vfork and exec a child resets signals in our memory, and they are not ours.
static struct guard *guarded(int signo) {
    struct guard *g = guard_of_signal(signo);
    return g && getpid() == atomic_load(&all.pid) ? g : NULL;
}

__attribute__((visibility("default"))) int sigaction(int signo, const struct sigaction *act,
                                                     struct sigaction *old) {
    struct guard *g = guarded(signo);
    if (!g) return sigaction_real(signo, act, old);
    struct sigaction before = *chained_now(g);
    if (act) {
        chain_set(g, act);
        install(g, signo); // SA_RESTART as the program wants it
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
    // siginterrupt() sets a flag inside libc that we cannot see: only our own signals are taken
    // over.
    if (guarded(signo)) return signal_with(signo, handler, SA_RESTART);
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

void signal_after_fork_child(void) {
    if (atomic_load(&all.pid)) atomic_store(&all.pid, getpid());
}
