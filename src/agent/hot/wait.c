// agent/hot/wait.c - telling of waits.
// Room: see wait.h. Door: wait_begin(), wait_end().
#include "agent/hot/wait.h"

#include "agent/hot/contention.h"
#include "agent/hot/thread.h"
#include "agent/hot/waiters.h"

#include <errno.h>
#include <time.h>

// See wait.h; changed by cold code. On a line of its own: every lock of the program reads it.
_Atomic u32 wait_uses __attribute__((aligned(64)));

static _Atomic bool is_stopped; // by wait_stop

// Set before WAIT_FOR_TRACE is, and never taken back.
static const struct wait_tracer *_Atomic wait_tracer;

void wait_use_set(enum wait_use use, bool is_on) {
    if (is_on && !atomic_load(&is_stopped))
        atomic_fetch_or(&wait_uses, use);
    else
        atomic_fetch_and(&wait_uses, ~(u32)use);
}

void wait_stop(void) {
    atomic_store(&is_stopped, true);
    atomic_store(&wait_uses, 0);
}

void wait_trace(const struct wait_tracer *tracer) {
    if (tracer) atomic_store_explicit(&wait_tracer, tracer, memory_order_release);
    wait_use_set(WAIT_FOR_TRACE, tracer != NULL);
}

u64 wait_clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}

static void trace_begin(const struct wait_scope *scope) {
    const struct wait_tracer *tracer = atomic_load_explicit(&wait_tracer, memory_order_acquire);
    if (tracer) tracer->begin(scope);
}

static void trace_end(const struct wait_scope *scope, bool has_waited) {
    const struct wait_tracer *tracer = atomic_load_explicit(&wait_tracer, memory_order_acquire);
    if (tracer) tracer->end(scope, has_waited);
}

void wait_begin(struct wait_scope *scope, enum wait_kind kind, const void *object,
                const void *caller) {
    scope->uses = 0;
    if (hot_thread.is_hidden || hot_thread.depth) return;
    int saved = errno;
    hot_thread.depth++;
    *scope = (struct wait_scope){.object = object, .caller = caller, .kind = (u8)kind};
    scope->uses = (u8)atomic_load_explicit(&wait_uses, memory_order_relaxed);
    if (scope->uses & ~(u32)WAIT_FOR_TRACE) scope->begin_ns = wait_clock_ns();
    if (scope->uses & WAIT_FOR_MUTEX && scope->kind < WAIT_KINDS_HELD)
        scope->waiter = waiter_enter(object, scope->begin_ns);
    if (scope->uses & WAIT_FOR_TRACE) trace_begin(scope);
    hot_thread.depth--;
    errno = saved;
}

void wait_end(struct wait_scope *scope, bool has_waited) {
    if (!scope->uses) return;
    int saved = errno;
    hot_thread.depth++;
    waiter_leave(scope->waiter);
    if (scope->uses & WAIT_FOR_TRACE) trace_end(scope, has_waited);
    if (has_waited && scope->uses & WAIT_FOR_BLOCK && scope->kind < WAIT_KINDS_BLOCK)
        contention_waited(scope->caller, wait_clock_ns() - scope->begin_ns);
    hot_thread.depth--;
    errno = saved;
}

void wait_wakes(const void *object, const void *caller) {
    bool is_wanted = atomic_load_explicit(&wait_uses, memory_order_relaxed) & WAIT_FOR_TRACE;
    const struct wait_tracer *tracer = atomic_load_explicit(&wait_tracer, memory_order_acquire);
    if (!is_wanted || !tracer || hot_thread.is_hidden || hot_thread.depth) return;
    int saved = errno;
    hot_thread.depth++;
    tracer->wakes(object, caller);
    hot_thread.depth--;
    errno = saved;
}

u64 wait_caused(const void *lock) {
    bool is_wanted = atomic_load_explicit(&wait_uses, memory_order_relaxed) & WAIT_FOR_MUTEX;
    if (!is_wanted || hot_thread.is_hidden || hot_thread.depth) return 0;
    int saved = errno;
    hot_thread.depth++;
    // Asked also when it is not to be counted: it restarts the waiters' clocks.
    u64 delay_ns = waiters_charge(lock, wait_clock_ns());
    if (delay_ns && !contention_is_chosen()) delay_ns = 0;
    hot_thread.depth--;
    errno = saved;
    return delay_ns;
}

void wait_charge(const void *caller, u64 delay_ns) {
    int saved = errno;
    hot_thread.depth++;
    contention_released(caller, delay_ns);
    hot_thread.depth--;
    errno = saved;
}
