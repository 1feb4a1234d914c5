// agent/control.h - what this process should do, and doing it: environment, start, stop, children.
// Room: decisions. The thread is loop.c's, the sockets are endpoint.c's.
//
// Environment, read once before main; a setuid program (AT_SECURE) reads and does nothing:
//   PPROF_HTTP       host:port, :port, port or unix:/path to serve on; a missing host is localhost
//   PPROF_CHILDREN   who else is served: none, fork (default: processes made by fork), exec
//   (programs they
//                    start), all
//   PPROF_HEAP_RATE  mean bytes between heap samples (524288); 0: off
//   PPROF_MUTEX_FRACTION  one in so many contended unlocks is sampled (0: off)
//   PPROF_BLOCK_RATE mean nanoseconds of waiting between samples (0: off; 1: every wait)
//   PPROF_DISABLE    not empty: libpprof does nothing at all
//   PPROF_VERBOSE    not empty: one sentence on stderr where it serves, or why it does not
// A program is a started one when its parent's environment has the same PPROF_HTTP. A program that
// replaces another in the same process (exec without fork) is none: what stands behind env, nice or
// sh -c counts.
#pragma once

#include "base/base.h"

enum children_mode { CHILDREN_NONE, CHILDREN_FORK, CHILDREN_EXEC, CHILDREN_ALL };

// What PPROF_CHILDREN says; anything unknown is CHILDREN_FORK.
enum children_mode control_parse_children(str text);
// One sentence about which children are served.
const char *control_children_text(void);
// Listens on address and registers the process. From any thread but the agent's; waits.
MUST_USE bool control_serve(str address, struct err *err);
// Stops listening, ends collections that clients wait for, withdraws the registration.
void control_stop(void);
// Ends the agent thread for a moment, clients' collections with it; gives whether there was one.
// The caller then calls control_resume, which starts it with the caller's rights and on the old
// address.
bool control_pause(void);
void control_resume(void);
// The program takes a seccomp filter that kills for a system call libpprof needs (its name): all of
// libpprof ends, before the filter is there and for good. Timers are deleted, the heap is no longer
// sampled, the agent thread is gone, no hook makes a system call of its own.
void control_confined(const char *call);
bool control_is_confined(void);
// In the parent, before fork.
void control_before_fork(void);
// In a child right after fork, on its only thread: forgets the parent's agent.
void control_after_fork_child(void);
// The same child, once fork itself is over: gets its own agent if it should have one.
void control_child_begins(void);
