// agent/hot/signals.h - signals that libpprof has a handler on, and the guard that lets the program
// keep handlers of its own on the same ones.
// Room: dispositions and forwarding; what a signal means is its taker's. Door: agent/hot/hot.h.
//
// The handler, once installed, stays: a late signal must never find the default action. sigaction
// and signal are hooked, so that the program sees and sets the disposition it believes installed.
#pragma once

#include "base/types.h"

#include <signal.h>
#include <ucontext.h>

enum guard_of { GUARD_CPU, GUARD_FILES, N_GUARDS };

// In the handler, errno kept. is_theirs: the program has a handler on it. True: the signal was ours
// alone; false: the program gets it too, as the kernel would have given it.
typedef bool (*signal_taker)(const siginfo_t *info, void *context, bool is_theirs);

// Installs the handler on signo and keeps what was there as the program's. Once a guard. False with
// errno: the kernel refused.
bool signal_guard(enum guard_of of, int signo, signal_taker take);
// Whether the kernel still has our handler; false: it was replaced, and is now back and chained.
bool signal_guard_check(enum guard_of of);
// The disposition of a signal without a guard.
bool signal_disposition(int signo, struct sigaction *ret);
static inline bool signal_is_handled(const struct sigaction *act) {
    return act->sa_handler != SIG_DFL && act->sa_handler != SIG_IGN;
}
void signal_after_fork_child(void); // the handlers are the child's from here on
