// agent/hot/cpu_signal.h - CPU timers of threads, and what is done when they expire.
// Room: everything about the profiling signal but its handler, which is signals.h's. Folding is
// agent/cpu.c. Door: agent/hot/hot.h.
//
// Words: our signal is cpu_hot.signo, SIGPROF unless the program had a handler on it first. A
// signal is ours when a POSIX timer sent it (SI_TIMER) with the address of a thread slot or of a
// capture cell as its value; all others are the program's and go to the handler it believes
// installed.
#pragma once

#include "base/types.h"

#include "agent/hot/thread.h"
#include "agent/hot/unwind.h"

#include <time.h>

// What the handler could not do, since the profile began.
struct cpu_lost {
    _Atomic u64 dropped;   // weight of samples without room in the rings
    _Atomic u64 truncated; // samples deeper than MAX_FRAMES
    _Atomic u64 partial;   // samples whose stack did not reach the thread's first frame
    _Atomic u64 guessed;   // samples with a frame found by a fallback
    _Atomic u64 late;      // signals of a timer that was already gone
    _Atomic u64 overrun;   // weight beyond one a signal: time the timer's tick was too coarse for
    _Atomic u64 n_signals;
    _Atomic u64 blocked;  // weight that threads used while they blocked our signal
    _Atomic u32 no_timer; // threads without timer: timer_create failed (RLIMIT_SIGPENDING)
};

struct cpu_hot {
    _Atomic int signo;       // 0 until the handler is installed
    _Atomic bool is_running; // a profile runs: threads arm themselves
    _Atomic u64 period_ns;   // of the running or last profile
    _Atomic u32 profile_n;   // number of the running or last profile
    struct cpu_lost lost;
};
extern struct cpu_hot cpu_hot;

// Chooses the signal and installs the handler. Idempotent. False with errno: no signal is free.
bool cpu_signal_install(void);
// The signal new threads must not block: cpu_hot.signo, or SIGPROF before it was chosen.
int cpu_signal_number(void);
// Whether the kernel still has our handler; false: it was replaced, and is now back and chained.
bool cpu_signal_check(void);

// Creates and starts the CPU timer of tid, whose slot it is, if a profile runs and it has none.
// From the thread itself or the agent. is_newborn: its CPU time until now counts as well. False:
// the kernel refused, counted in lost.no_timer.
bool cpu_timer_arm(struct thread_slot *slot, u32 tid, bool is_newborn);
// Deletes it, if there is one. Gives the weight that the thread's CPU clock says is still owed:
// time that passed between ticks, or while the thread blocked the signal.
u32 cpu_timer_disarm(struct thread_slot *slot);
// At the end of the calling thread: disarms and records what is owed under its first function.
void cpu_thread_end(void);
// A thread's CPU clock, as clock_gettime and timer_create take it.
static inline clockid_t cpu_clock_of(u32 tid) {
    return (clockid_t)((~tid << 3) | 6); // CPUCLOCK_PERTHREAD | CPUCLOCK_SCHED of the kernel
}

// Capture cells: one stack asked of one running thread. A one-shot timer on the thread's CPU clock
// expires at its next tick on a CPU, so a thread that is about to block is not woken, and nothing
// is left behind at exec.
enum capture_state { CAPTURE_FREE, CAPTURE_ASKED, CAPTURE_WRITING, CAPTURE_DONE };
struct capture_cell {
    _Atomic u32 state; // enum capture_state
    u32 tid;
    int timer_id;
    struct unwound got;
    u64 pcs[MAX_FRAMES];
};
enum { N_CAPTURES = 64 }; // running threads asked at a time: more than CPUs on most machines
// Asks tid for its stack in cell i of N_CAPTURES. False: no timer could be had.
bool capture_ask(u32 i, u32 tid);
// Whether the answer is there; pcs and got are then stable until the next capture_ask of this cell.
bool capture_done(u32 i);
// Withdraws the question (or ends a done one). False: the thread is just writing; ask again later.
bool capture_end(u32 i);
const struct capture_cell *capture_cell(u32 i);

// For the handler: takes a sample of the calling thread, or answers a capture; value is the
// signal's. False: the signal is not ours.
bool cpu_signal_take(const void *value, u32 weight, const ucontext_t *context);

// Around fork: the signal is blocked so that fork() of a large process is not restarted by it.
void cpu_before_fork(void);
void cpu_after_fork_parent(void);
void cpu_after_fork_child(void);
