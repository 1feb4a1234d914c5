// agent/loop.h - the agent thread: its start, its private descriptors, its event loop, and calls
// into it. Room: one thread. Everything in agent/ that is not hot runs on it, so nothing there
// needs a lock. Words: a call is a function another thread has run on the agent thread while it
// waits. Failures: without a thread nothing is served and the program runs on.
#pragma once

#include "base/base.h"

struct event_base;

// What the new thread does first, on itself.
typedef void (*loop_job)(void *ctx);

// Starts the thread unless it runs; first (may be NULL) runs on it before any call. Does not wait
// for a thread it starts. Safe from the constructor, from any thread, and in a forked child after
// loop_after_fork_child.
MUST_USE bool loop_start(loop_job first, void *ctx, struct err *err);
// The same for a process that may end at once: the thread sleeps rest_ms before it does anything,
// unless a call or loop_stop wants it earlier.
MUST_USE bool loop_start_after(u32 rest_ms, loop_job first, void *ctx, struct err *err);
bool loop_is_running(void);
// Runs fn(ctx) on the agent thread, which is started if need be, and waits until it has returned.
// On the agent thread itself it is a plain call.
MUST_USE bool loop_call(loop_job fn, void *ctx, struct err *err);
// Ends the thread after it has run last(ctx), and waits until it is gone. False when this process
// has none, or when it is the caller. Calls made meanwhile wait for the next start.
bool loop_stop(loop_job last, void *ctx);
// The same, and no thread is ever started again, in children neither. Without a thread it does no
// more than that.
void loop_stop_for_good(loop_job last, void *ctx);
// The thread's event base; on the agent thread only.
struct event_base *loop_base(void);
// Runs fn(ctx) on the agent thread in ms milliseconds; on the agent thread only. False: no room.
bool loop_later(u32 ms, loop_job fn, void *ctx);
// Wakes the thread to run what loop_on_poke was told, if it runs: from signal handlers too.
void loop_poke(void);
void loop_on_poke(loop_job fn);
// Whether the thread has its own table of descriptors; else sockets are in the program's table.
bool loop_has_private_fds(void);
// In a forked child: the thread is gone, and everything it held is left alone.
void loop_after_fork_child(void);
