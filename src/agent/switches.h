// agent/switches.h - how long threads were off the CPU, as the kernel's scheduler records it.
// Room: one perf event and one small ring a thread, drained into sums. Unprivileged: a process may
// have records of its own threads' switches at perf_event_paranoid 2. Which places they waited in
// is offcpu.c's. On the agent thread.
#pragma once

#include "base/base.h"

enum {
    MAX_SWITCHED = 256, // threads at a time: 12 KiB of locked memory each, 3 MiB
};

struct switched {
    u32 tid;
    u64 waited_ns, n_waits;       // off the CPU of its own will
    u64 preempted_ns, n_preempts; // off the CPU while it could have run
};

// One switch, for whoever wants each of them: a trace. is_out: off the CPU, else on it again.
typedef void (*switch_taker)(u32 tid, u64 time_ns, bool is_out, bool is_preempted);
// NULL: nobody. Called from switches_drain.
void switches_listen(switch_taker take);
// One user more: the off-CPU profile and a trace share the records. Each ends with switches_close.
void switches_open(void);
// Sums begin now, for threads that were followed before too.
void switches_restart(void);

// Why no records can be had, empty when they can.
str switches_status(struct arena *out);
// Follows a thread from now on; true too when it is followed already. False: the kernel refuses
// (memory that may be locked), or there are MAX_SWITCHED.
bool switches_follow(u32 tid);
// Takes what the rings hold. At least every 100 ms: a ring has room for 340 switches.
void switches_drain(void);
// The sums until now_ns (CLOCK_MONOTONIC), waits that still last included; NULL: no more.
const struct switched *switches_at(u32 i, u64 now_ns);
u64 switches_lost(void); // records that found a ring full
// Ends the records of threads that is_there says are gone, unless somebody else may want their
// sums.
void switches_keep(bool (*is_there)(u32 tid));
// One user less; the last one ends all.
void switches_close(void);
// In a forked child, which has neither the rings nor, as a rule, the descriptors.
void switches_forget(void);
