// agent/hot/cpu_signal.c - which signal the CPU profile uses, and its way around fork.
// Room: the choice. Handlers are signals.c, samples are cpu_timer.c. Door: agent/hot/cpu_signal.h.
#include "agent/hot/cpu_signal.h"

#include "agent/hot/signals.h"

#include <errno.h>
#include <signal.h>

enum { N_RT_SPARED = 3 }; // real-time signals at both ends left to those who take the first or last

static bool take(const siginfo_t *info, void *context, bool is_theirs) {
    (void)is_theirs;
    return info->si_code == SI_TIMER &&
           cpu_signal_take(info->si_value.sival_ptr, 1 + (u32)info->si_overrun, context);
}

// SIGPROF unless the program has a handler on it; else a real-time signal nobody uses.
static int signal_choose(void) {
    struct sigaction now;
    if (signal_disposition(SIGPROF, &now) && !signal_is_handled(&now)) return SIGPROF;
    for (int signo = SIGRTMAX - N_RT_SPARED; signo >= SIGRTMIN + N_RT_SPARED; signo--)
        if (signal_disposition(signo, &now) && now.sa_handler == SIG_DFL) return signo;
    return 0;
}

bool cpu_signal_install(void) {
    if (atomic_load(&cpu_hot.signo)) return true;
    int signo = signal_choose();
    if (!signo) {
        errno = EBUSY;
        return false;
    }
    if (!signal_guard(GUARD_CPU, signo, take)) return false;
    atomic_store(&cpu_hot.signo, signo);
    return true;
}

int cpu_signal_number(void) {
    int signo = atomic_load(&cpu_hot.signo);
    return signo ? signo : SIGPROF;
}

bool cpu_signal_check(void) {
    return signal_guard_check(GUARD_CPU);
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
