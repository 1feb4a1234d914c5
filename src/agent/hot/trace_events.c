// agent/hot/trace_events.c - what a trace is told of: waits, posts, births, the program's own
// words. Room: from a hook's scope to a record. Door: agent/hot/trace.h.
#include "agent/hot/trace.h"

#include "agent/hot/labels.h"
#include "agent/hot/wait.h"

static enum trace_mark mark_of(const struct wait_scope *scope) {
    switch ((enum wait_kind)scope->kind) {
    case WAIT_COND:
        return TRACE_MARK_COND;
    case WAIT_MUTEX:
    case WAIT_READ_LOCK:
    case WAIT_WRITE_LOCK:
    case WAIT_SPIN:
    case WAIT_SEMAPHORE:
    case WAIT_BARRIER:
    case WAIT_JOIN:
    case WAIT_ONCE:
    case WAIT_FUTEX:
    case WAIT_FUTEX_LOCK:
        return TRACE_MARK_SYNC;
    case WAIT_SLEEP:
        return TRACE_MARK_SLEEP;
    case WAIT_IO:
    case WAIT_SELECT:
        return TRACE_MARK_NETWORK;
    case WAIT_CALL:
        return TRACE_MARK_CALL;
    }
    return TRACE_MARK_CALL;
}

static void wait_begins(const struct wait_scope *scope) {
    trace_put(mark_of(scope), trace_stack_here(scope->caller), trace_object(scope->object));
}

static void wait_ends(const struct wait_scope *scope, bool has_waited) {
    (void)scope, (void)has_waited;
    trace_put(TRACE_MARK_WOKEN, TRACE_NO_STACK, 0);
}

static void wait_is_over_for(const void *object, const void *caller) {
    trace_put(TRACE_MARK_POST, trace_stack_here(caller), trace_object(object));
}

void trace_hot_switch(bool is_on) {
    static const struct wait_tracer tracer = {wait_begins, wait_ends, wait_is_over_for};
    atomic_store(&trace_hot.is_on, is_on);
    wait_trace(is_on ? &tracer : NULL);
}

void trace_thread_creates(const void *birth, const void *caller) {
    if (trace_is_on()) trace_put(TRACE_MARK_CREATES, trace_stack_here(caller), trace_object(birth));
}

void trace_labels_changed(enum trace_labels what, str scope) {
    if (hot_thread.is_hidden) return;
    trace_put_text(TRACE_MARK_LABELS, TRACE_NO_STACK, what, 0, scope,
                   label_set_text(hot_thread.labels));
}

void trace_thread_born(const void *birth) {
    if (!trace_is_on()) return;
    trace_put(TRACE_MARK_BORN, TRACE_NO_STACK, trace_object(birth));
    if (hot_thread.labels) trace_labels_changed(TRACE_LABELS_SET, (str){0});
}
