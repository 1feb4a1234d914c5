// agent/cpu.h - the CPU profile: one at a time, from start to rows.
// Room: timers of all threads, folding of samples, the account of what was lost. The handler is
// hot/cpu_timer.c. Door: agent/agent.h.
//
// All calls come from the agent thread. Between cpu_start and cpu_stop it calls cpu_drain at least
// every 50 ms. After cpu_stop the rows stay until the next cpu_start.
#pragma once

#include "agent/agent.h"

enum {
    CPU_HZ_DEFAULT = 100,
    CPU_HZ_MAX = 100000, // a period of 10 us. Timers expire at the kernel's ticks (250 Hz on
                         // Debian): beyond that, more samples come as weights, not as stacks
    CPU_DRAIN_MS = 50
};

// Begins a profile with hz samples a second of CPU time; 0 means CPU_HZ_DEFAULT.
// Fails: ERR_BUSY with Go's words while one runs; ERR_USAGE for a rate out of range; ERR_SYSTEM.
MUST_USE bool cpu_start(u32 hz, struct err *err);
// Folds what handlers left; every 250 ms also finds threads that did not come through
// pthread_create.
void cpu_drain(void);
// Ends it: all timers deleted, the last samples folded. Does nothing when none runs.
void cpu_stop(void);
bool cpu_is_running(void);
// The rows of the last profile (also of the running one, so far): samples/count, cpu/nanoseconds;
// period, times and comments are set. Fails: ERR_NOT_FOUND when none was ever started.
MUST_USE bool cpu_collect(struct arena *out, struct rows *ret, struct err *err);
// One sentence for the index page, in out or static: how it stands, and why when it is degraded.
str cpu_status(struct arena *out);
// In a forked child, whose timers do not exist: no profile runs, nothing is kept.
void cpu_drop_after_fork_child(void);
