// agent/offcpu.h - the off-CPU profile: where threads were while they were not on a CPU.
// Room: looks at threads, weighed by what the scheduler says. Door: agent/agent.h.
//
// The kernel's records of switches (switches.h) say to the nanosecond how long and how often each
// thread waited, and how long it was kept from a CPU; looks as wall.h's say where. A thread's time
// is shared out over the places where looks found it blocked, so that its sum is exact and the
// places are a sample, 20 a second. One profile at a time. On the agent thread.
#pragma once

#include "agent/agent.h"

// Fails: ERR_BUSY while one runs; ERR_UNSUPPORTED where switches are not recorded.
MUST_USE bool offcpu_start(struct err *err);
void offcpu_step(void); // about every 50 ms, at uneven intervals (see wall_step)
void offcpu_stop(void);
// waits/count, offcpu/nanoseconds; labels "state" (Go's words, or preempted), "thread" and the
// thread's own. Time of threads that no look found blocked stands under [not seen].
// Fails: ERR_NOT_FOUND when none was ever started.
MUST_USE bool offcpu_collect(struct arena *out, struct rows *ret, struct err *err);
// One sentence for the index page; empty: works.
str offcpu_status(struct arena *out);
void offcpu_after_fork_child(void);
