// agent/wall.h - the wall-clock profile: where all threads are as time passes, running or not.
// Room: looks at threads, from start to rows. How a thread is read is threads.h's: blocked ones
// without a signal, running ones at their next tick. Door: agent/agent.h.
//
// Each look stands for the time since the last one, for each thread. With more than WALL_THREADS
// threads each look reads so many of them in turn, and each stands for its share. One profile at a
// time. All calls come from the agent thread.
#pragma once

#include "agent/agent.h"

// Read at a look: 15 us each, so that 20 looks a second cost 2 % of a CPU.
enum { WALL_THREADS = 64 };

// Fails: ERR_BUSY while one runs.
MUST_USE bool wall_start(struct err *err);
// Looks at the threads, unless the last look was dear and not long ago. To be called about 20 times
// a second, at uneven intervals: at even ones a program that repeats itself in step with them would
// be seen in one place only.
void wall_step(void);
void wall_stop(void);
// The rows of the last profile: samples/count, wall/nanoseconds; labels "state" (Go's words:
// running, IO wait, sleep, sync.Mutex.Lock ...), "thread" and the thread's own.
// Fails: ERR_NOT_FOUND when none was ever started.
MUST_USE bool wall_collect(struct arena *out, struct rows *ret, struct err *err);
void wall_after_fork_child(void);
