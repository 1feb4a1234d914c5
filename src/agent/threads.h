// agent/threads.h - the thread dump: every thread's stack, and what it waits for.
// Room: looking at threads from outside. Blocked threads are read through
// /proc/self/task/TID/syscall and unwound in place: they get no signal. Door: agent/agent.h.
//
// Calls come from the agent thread. A dump of blocked threads takes microseconds a thread; running
// threads answer at their next tick, and the dump waits at most DUMP_WAIT_MS for them altogether.
#pragma once

#include "agent/agent.h"
#include "agent/waits.h"

enum {
    DUMP_WAIT_MS = 200,      // 50 ticks at 250 Hz: a runnable thread gets a CPU in this time unless
                             // the machine is heavily overloaded
    MAX_DUMP_THREADS = 16384 // more are counted, not shown
};

struct thread_dump {
    u32 tid;
    str name;      // as /proc/self/task/TID/comm, "" when it could not be read
    str state;     // Go's words: running, runnable, IO wait, sleep, semacquire, sync.Mutex.Lock,
                   // sync.Cond.Wait, select, syscall ...
    str wait_info; // "", or more: "epoll_wait", "futex 0x7f.. held by thread 123"
    struct wait_object object; // of a blocked thread
    u64 moves;                 // tells whether it has run between two looks; 0: not known
    const u64 *pcs;            // leaf first; see n_bare
    u32 n_pcs;
    u64 creator_pc; // the call of pthread_create that made it, and in which thread; 0: not known
    u32 creator_tid;
    u32 label_id;     // of its labels when it was looked at
    bool is_complete; // the stack reached the thread's first frame
};

struct thread_dumps {
    struct thread_dump *items; // by tid
    u32 n;
    u32 n_bare;   // threads without stack: their first function stands for it, or nothing
    u32 n_unseen; // threads beyond look_opts.max, or gone before they were read
};

struct look_opts {
    u32 wait_ms;    // for running threads altogether
    u32 first, max; // reads at most max of the n threads, from number first % n on
    bool describes; // wait_info says what locks are called and where descriptors lead
};

// Dumps some threads, but none of the agent's own.
MUST_USE bool threads_look(struct arena *out, const struct look_opts *opts,
                           struct thread_dumps *ret, struct err *err);

// Dumps every thread but the agent's own, and describes what each waits for.
MUST_USE bool threads_dump(struct arena *out, struct thread_dumps *ret, struct err *err);
// The rows of the goroutine profile (goroutine/count, 1 a thread). by_thread: one row a thread with
// the labels "state", "thread" (its name), "tid" (a number) and the thread's own; else one row a
// distinct stack with the thread's own labels, value = how many threads share it.
MUST_USE bool threads_collect(struct arena *out, bool by_thread, struct rows *ret, struct err *err);
// One thread that is blocked now, in out; without a stack where the kernel hides it (a process that
// changed its user). False: it runs, or cannot be read.
MUST_USE bool threads_parked(struct arena *out, u32 tid, struct thread_dump *ret);
// How many threads the program has now, without the agent's own.
u64 threads_count(void);
str threads_status(struct arena *out);
