// trace/order.h - what may happen next: the state of every thread, processor and goroutine.
// Room: one event at a time is tried against the state, and given out when it fits. Which one is
// tried is reader.c's choice. Door: trace/trace.h. Source: reference/go.md section 4.4.
#pragma once

#include "trace/generation.h"

// An event as its thread wrote it.
struct raw_event {
    i64 time_ns;
    u64 args[TRACE_MAX_ARGS];
    u8 type;
};

// A range or region under way on a goroutine or processor: a list, newest first.
struct order_span {
    u64 task;
    str name;
    u32 next;
    u8 type; // the event that begins it
};

struct order_go {
    i64 id;
    u64 generation, seq; // of the last numbered event
    u32 regions, ranges; // order_spans
    u8 status;           // as on the wire; 0: gone
};

struct order_proc {
    i64 id;
    u64 generation, seq;
    u32 ranges;
    u8 status;
};

struct order_thread {
    i64 id;
    i64 g, p;     // TRACE_NONE: none
    bool is_seen; // an event of it was tried, or told where a goroutine is
};

struct order_task {
    u64 parent;
    str name;
    bool is_active;
};

struct order_place {
    i64 m, p, g;
};

enum { ORDER_QUEUE = 2 }; // a switch of goroutines gives three events, the most of all: two more

struct order {
    struct arena arena; // everything below
    struct id_table go_ids, proc_ids;
    struct idmap thread_ids, task_ids;
    struct order_go *gos;
    struct order_proc *procs;
    struct order_thread *threads;
    struct order_task *tasks;
    struct order_span *spans;
    u32 n_gos, n_procs, n_threads, n_tasks, n_spans, free_span, n_gone;
    size_t cap_gos, cap_procs, cap_threads, cap_tasks, cap_spans;
    u64 first_generation, gc_seq;
    enum { GC_UNDETERMINED, GC_OFF, GC_ON } gc;

    const struct trace_table *table;
    u64 generation;
    struct order_place now, next;          // around the event being tried
    struct trace_event *out;               // where the first event of a try goes
    struct trace_event queue[ORDER_QUEUE]; // the others
    u32 queue_at, n_out;
    struct err err;
};

enum order_step {
    ORDER_DONE,   // one event was given, more may be in the queue
    ORDER_WAIT,   // something else must happen first
    ORDER_BROKEN, // it can never happen: o->err says why
};

void order_init(struct order *o, const struct arena *parent);
void order_done(struct order *o);
// Forgets goroutines that are gone, when they are the most.
void order_enter(struct order *o, const struct generation *g);
// The thread of that id, known from then on.
u32 order_thread_index(struct order *o, i64 m);
// thread_i: of m; not used where m is TRACE_NONE. *ret: the first event, when it fits.
enum order_step order_try(struct order *o, struct raw_event *ev, i64 m, u32 thread_i,
                          struct trace_event *ret);
// Fills *ret from one event at a place, texts and stacks looked up. Fails: one that is undefined.
MUST_USE bool order_fill(const struct trace_table *table, const struct raw_event *ev,
                         struct order_place place, struct trace_event *ret, struct err *err);

// For order.c and order_spans.c.
enum { G_RUNNABLE = 1, G_RUNNING, G_SYSCALL, G_WAITING, G_LAST = G_WAITING };
enum { P_RUNNING = 1, P_IDLE, P_SYSCALL, P_ABANDONED, P_LAST = P_ABANDONED };
enum order_need { MUST_NOT, MAY, MUST };

// The goroutine or processor of that id, or NULL.
static inline struct order_go *order_go(struct order *o, i64 id) {
    u32 i = id_table_get(&o->go_ids, (u64)id);
    return i == U32_NONE || o->gos[i].status == 0 ? NULL : &o->gos[i];
}
static inline struct order_proc *order_proc(struct order *o, i64 id) {
    u32 i = id_table_get(&o->proc_ids, (u64)id);
    return i == U32_NONE ? NULL : &o->procs[i];
}
static inline bool order_is_met(enum order_need need, i64 id) {
    return need == MAY || (need == MUST) == (id != TRACE_NONE);
}
// Fills o->err with what is missing or too much.
void order_misses(struct order *o, const struct raw_event *ev, enum order_need m, enum order_need p,
                  enum order_need g);
// Whether the event happens where it must; false fills o->err.
static inline bool order_needs(struct order *o, const struct raw_event *ev, enum order_need m,
                               enum order_need p, enum order_need g) {
    if (order_is_met(m, o->now.m) && order_is_met(p, o->now.p) && order_is_met(g, o->now.g))
        return true;
    order_misses(o, ev, m, p, g);
    return false;
}
// Queues the event at o->now. NULL: o->err is filled.
struct trace_event *order_emit(struct order *o, const struct raw_event *ev);
enum order_step order_broken(struct order *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
// Ranges, collections, tasks, regions and what else changes no state.
enum order_step order_try_span(struct order *o, struct raw_event *ev);
u32 order_span_free(struct order *o, u32 list);
