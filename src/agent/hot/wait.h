// agent/hot/wait.h - one small scope around everything a program's thread may block in.
// Room: who wants to know of waits, and telling them. The hooks that open scopes are locks.c,
// rwlocks.c, conds.c, futex.c and whoever else hooks a blocking call. Door: agent/hot/hot.h.
//
// The idea: wait_uses is one word, a bit for each part that wants to know. While it is 0 a hook
// costs one load and one branch that is always predicted, and goes on to the real function by a
// jump. Else the hook says, before and behind the real call, that the thread now waits for an
// object:
//
//     if (LIKELY(!wait_is_on())) return real(fd, buf, n);
//     struct wait_scope scope;
//     wait_begin(&scope, WAIT_IO, object, CALLER);
//     ssize_t got = real(fd, buf, n);
//     wait_end(&scope, true);
//
// A scope lies on the waiter's stack and nothing global stays open with it: a thread that is
// cancelled or leaves by longjmp inside never ends its scope, and that is all. Scopes may nest (a
// handler that waits). Both calls are async-signal-safe, take no lock, no memory, and keep errno.
// They do nothing in hidden threads and inside our own code.
#pragma once

#include "base/types.h"

#include <stdatomic.h>

enum wait_kind {
    // Objects of the program: what the block profile counts, as Go's does.
    WAIT_MUTEX,
    WAIT_READ_LOCK,
    WAIT_WRITE_LOCK,
    WAIT_SPIN,
    WAIT_FUTEX_LOCK, // a futex used as Rust's std::sync::Mutex uses it
    WAIT_COND,
    WAIT_SEMAPHORE,
    WAIT_BARRIER,
    WAIT_JOIN,
    WAIT_ONCE,
    WAIT_FUTEX, // syscall(SYS_futex): Rust's and C++20's
    // The world outside: traces only.
    WAIT_SLEEP,
    WAIT_IO,     // one descriptor: read, accept ...
    WAIT_SELECT, // several: poll, epoll_wait ...
    WAIT_CALL,   // any other system call that may block
};
// What somebody holds, and kinds that the block profile counts.
enum { WAIT_KINDS_HELD = WAIT_FUTEX_LOCK + 1, WAIT_KINDS_BLOCK = WAIT_FUTEX + 1 };

enum wait_use {
    WAIT_FOR_BLOCK = 1, // the block profile is on
    WAIT_FOR_MUTEX = 2, // the mutex profile is on
    WAIT_FOR_TRACE = 4, // a trace runs
};

extern _Atomic u32 wait_uses __attribute__((visibility("hidden")));

// Whether anybody wants to know of waits.
static inline bool wait_is_on(void) {
    return atomic_load_explicit(&wait_uses, memory_order_relaxed) != 0;
}
// Turns one use on or off. Waits that began before are not told to it.
void wait_use_set(enum wait_use use, bool is_on);

// All off, for good: nothing here makes a system call from now on (threads_stop).
void wait_stop(void);

struct wait_scope {
    const void *object; // the lock, or a descriptor cast to a pointer
    const void *caller; // where the program goes on: CALLER of the hook
    u64 begin_ns;       // CLOCK_MONOTONIC; 0 where only a trace is told, which has its own
    u32 waiter;         // waiters.h: its place; 0: none
    u8 kind;            // enum wait_kind
    u8 uses;            // of enum wait_use, those that were told of the beginning; 0: nobody
};

void wait_begin(struct wait_scope *scope, enum wait_kind kind, const void *object,
                const void *caller);
// has_waited false: the call gave up or came back without having blocked (EDEADLK, EAGAIN).
void wait_end(struct wait_scope *scope, bool has_waited);

// The other side, for hooks of unlocks that find their lock contended. Right before the lock is
// given back: how long others have waited for it together since it was last asked, if this unlock
// is one of those that the mutex profile counts; else 0.
u64 wait_caused(const void *lock);
// Once it is given back, with what wait_caused gave, unless 0.
void wait_charge(const void *caller, u64 delay_ns);

// Right before a call that may let those go on who wait for object: a trace tells who woke whom.
void wait_wakes(const void *object, const void *caller);

// What a trace does at both ends. Called on the waiting thread; the rules above hold for both.
struct wait_tracer {
    void (*begin)(const struct wait_scope *scope);
    void (*end)(const struct wait_scope *scope, bool has_waited);
    void (*wakes)(const void *object, const void *caller);
};
// Tells tracer of waits from now on; NULL: nobody. *tracer lives as long as the process: a scope
// may end long after the trace.
void wait_trace(const struct wait_tracer *tracer);

// CLOCK_MONOTONIC in nanoseconds.
u64 wait_clock_ns(void);
