// trace/order.c - transitions of processors and goroutines.
// Room: which event may happen when, and what it changes; ranges, tasks and regions are
// order_spans.c. Door: trace/trace.h. Source: reference/go.md section 4.4.
#include "trace/order.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { COMPACT_LEAST = 4096 }; // goroutines gone before it is worth the copy

void order_init(struct order *o, const struct arena *parent) {
    *o = (struct order){.arena = arena_sub(parent), .free_span = U32_NONE};
    id_table_init(&o->go_ids, &o->arena);
    id_table_init(&o->proc_ids, &o->arena);
    idmap_init(&o->thread_ids, &o->arena);
    idmap_init(&o->task_ids, &o->arena);
}

void order_done(struct order *o) {
    arena_done(&o->arena);
}

enum order_step order_broken(struct order *o, const char *fmt, ...) {
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    err_fill(&o->err, ERR_INCONSISTENT, 0, "%s", text);
    return ORDER_BROKEN;
}

static const char *name_of(const struct raw_event *ev) {
    return trace_spec(ev->type)->name;
}

u32 order_thread_index(struct order *o, i64 m) {
    u32 *at = idmap_at(&o->thread_ids, (u64)m);
    if (*at == U32_NONE) {
        *at = o->n_threads++;
        GROW(&o->arena, o->threads, o->cap_threads, o->n_threads);
        o->threads[*at] = (struct order_thread){.id = m, .g = TRACE_NONE, .p = TRACE_NONE};
    }
    return *at;
}

static void go_add(struct order *o, i64 id, u8 status) {
    u32 i = id_table_get(&o->go_ids, (u64)id);
    if (i == U32_NONE && id_table_add(&o->go_ids, (u64)id)) {
        i = o->n_gos++;
        GROW(&o->arena, o->gos, o->cap_gos, o->n_gos);
    } else {
        o->n_gone--;
    }
    o->gos[i] = (struct order_go){.id = id,
                                  .status = status,
                                  .generation = o->generation,
                                  .regions = U32_NONE,
                                  .ranges = U32_NONE};
}

static void go_remove(struct order *o, struct order_go *g) {
    while (g->regions != U32_NONE) g->regions = order_span_free(o, g->regions);
    while (g->ranges != U32_NONE) g->ranges = order_span_free(o, g->ranges);
    g->status = 0;
    o->n_gone++;
}

// Rebuilding the map of goroutines costs a copy of the living; the old one stays in the arena, so
// memory grows by what lived, not by what was ever started, at each of the rare rebuilds.
static void compact_gos(struct order *o) {
    struct id_table ids;
    id_table_init(&ids, &o->arena);
    u32 n = 0;
    for (u32 i = 0; i < o->n_gos; i++) {
        if (o->gos[i].status == 0) continue;
        if (id_table_add(&ids, (u64)o->gos[i].id)) o->gos[n++] = o->gos[i];
    }
    o->go_ids = ids;
    o->n_gos = n;
    o->n_gone = 0;
}

void order_enter(struct order *o, const struct generation *g) {
    if (o->first_generation == 0) o->first_generation = g->number;
    o->generation = g->number;
    o->table = &g->table;
    if (o->n_gone > COMPACT_LEAST && o->n_gone > o->n_gos / 2) compact_gos(o);
}

void order_misses(struct order *o, const struct raw_event *ev, enum order_need m, enum order_need p,
                  enum order_need g) {
    const struct {
        enum order_need need;
        i64 id;
        const char *word;
    } rules[] = {{m, o->now.m, "thread"}, {p, o->now.p, "processor"}, {g, o->now.g, "goroutine"}};
    u32 i = 0;
    while (i < countof(rules) - 1 && order_is_met(rules[i].need, rules[i].id)) i++;
    order_broken(o, "%s on thread %lld happened %s a %s", name_of(ev), (long long)o->now.m,
                 rules[i].id != TRACE_NONE ? "with" : "without", rules[i].word);
}

bool order_fill(const struct trace_table *table, const struct raw_event *ev,
                struct order_place place, struct trace_event *ret, struct err *err) {
    const struct trace_spec *spec = trace_spec(ev->type);
    ret->time_ns = ev->time_ns;
    ret->m = place.m;
    ret->p = place.p;
    ret->g = place.g;
    ret->subject = TRACE_NONE;
    ret->name = ret->value = (str){0};
    memcpy(ret->args, ev->args, sizeof ret->args);
    ret->stack = ret->subject_stack = U32_NONE;
    ret->type = ev->type;
    ret->kind = (u8)spec->kind;
    ret->subject_kind = ret->from = ret->to = 0;
    ret->has_clock = false;
    u64 id = spec->stack_at ? ev->args[spec->stack_at - 1] : 0;
    if (id && !trace_table_stack_index(table, id, &ret->stack)) goto undefined;
    if (spec->subject_stack_at == spec->stack_at) {
        ret->subject_stack = ret->stack;
    } else if (spec->subject_stack_at) {
        id = ev->args[spec->subject_stack_at - 1];
        if (!trace_table_stack_index(table, id, &ret->subject_stack)) goto undefined;
    }
    id = spec->name_at ? ev->args[spec->name_at - 1] : 0;
    if (id && !trace_table_text(table, id, &ret->name)) goto undefined;
    id = spec->value_at ? ev->args[spec->value_at - 1] : 0;
    if (id && !trace_table_text(table, id, &ret->value)) goto undefined;
    return true;
undefined:
    return err_set(err, ERR_INCONSISTENT, 0,
                   "%s has a stack or string of id %llu, which is not there", spec->name,
                   (unsigned long long)id);
}

struct trace_event *order_emit(struct order *o, const struct raw_event *ev) {
    struct trace_event *e = o->n_out ? &o->queue[o->n_out - 1] : o->out;
    if (!order_fill(o->table, ev, o->now, e, &o->err)) return NULL;
    o->n_out++;
    return e;
}

static enum order_step emit_change(struct order *o, const struct raw_event *ev,
                                   enum trace_subject kind, i64 subject, enum trace_state from,
                                   enum trace_state to) {
    struct trace_event *e = order_emit(o, ev);
    if (!e) return ORDER_BROKEN;
    e->subject_kind = (u8)kind;
    e->subject = subject;
    e->from = (u8)from;
    e->to = (u8)to;
    return ORDER_DONE;
}

static enum order_step emit_go(struct order *o, const struct raw_event *ev, i64 g,
                               enum trace_state from, enum trace_state to) {
    return emit_change(o, ev, TRACE_GOROUTINE, g, from, to);
}

static enum order_step emit_proc(struct order *o, const struct raw_event *ev, i64 p,
                                 enum trace_state from, enum trace_state to) {
    return emit_change(o, ev, TRACE_PROC, p, from, to);
}

static bool is_next_seq(const struct order *o, u64 generation, u64 last, u64 seq) {
    return generation == o->generation && seq == last + 1;
}

static enum trace_state proc_state(u64 status) {
    return status == P_RUNNING || status == P_SYSCALL ? TRACE_RUNNING : TRACE_IDLE;
}

static enum trace_state go_state(u64 status) {
    static const u8 states[] = {[G_RUNNABLE] = TRACE_RUNNABLE,
                                [G_RUNNING] = TRACE_RUNNING,
                                [G_SYSCALL] = TRACE_IN_SYSCALL,
                                [G_WAITING] = TRACE_WAITING};
    return states[status];
}

// An abandoned processor that was seen entering its call: told where it is held, not where the
// status was written, for that thread is about to lose it.
static bool rehome(struct order *o, i64 p) {
    for (u32 i = 0; i < o->n_threads; i++) {
        const struct order_thread *t = &o->threads[i];
        if (t->p != p) continue;
        o->now = (struct order_place){.m = t->id, .p = p, .g = t->g};
        return true;
    }
    return false;
}

static enum order_step proc_status(struct order *o, struct raw_event *ev) {
    i64 id = (i64)ev->args[0];
    u64 status = ev->args[1];
    if (status == 0 || status > P_LAST)
        return order_broken(o, "processor %lld has the unknown status %llu", (long long)id,
                            (unsigned long long)status);
    enum trace_state from = proc_state(status), to = from;
    struct order_proc *p = order_proc(o, id);
    if (p) {
        if (status == P_ABANDONED && p->status == P_SYSCALL) {
            from = to = TRACE_RUNNING;
            if (!rehome(o, id))
                return order_broken(o, "no thread holds processor %lld, which is in a call",
                                    (long long)id);
        } else if (p->status != status) {
            return order_broken(o, "processor %lld has status %u, and ProcStatus says %llu",
                                (long long)id, p->status, (unsigned long long)status);
        }
        p->generation = o->generation;
        p->seq = 0;
    } else {
        u32 i = o->n_procs++;
        if (!id_table_add(&o->proc_ids, (u64)id))
            return order_broken(o, "more than 2^32-2 processors");
        GROW(&o->arena, o->procs, o->cap_procs, o->n_procs);
        o->procs[i] = (struct order_proc){
            .id = id, .status = (u8)status, .generation = o->generation, .ranges = U32_NONE};
        from = o->generation == o->first_generation ? TRACE_UNDETERMINED : TRACE_NOT_EXIST;
    }
    if (status == P_RUNNING || status == P_SYSCALL) o->next.p = id;
    return emit_proc(o, ev, id, from, to);
}

static enum order_step proc_start(struct order *o, struct raw_event *ev) {
    i64 id = (i64)ev->args[0];
    struct order_proc *p = order_proc(o, id);
    if (!p || p->status != P_IDLE || !is_next_seq(o, p->generation, p->seq, ev->args[1]) ||
        o->now.p != TRACE_NONE)
        return ORDER_WAIT;
    if (!order_needs(o, ev, MUST, MUST_NOT, MAY)) return ORDER_BROKEN;
    p->status = P_RUNNING;
    p->seq = ev->args[1];
    o->next.p = id;
    return emit_proc(o, ev, id, TRACE_IDLE, TRACE_RUNNING);
}

static enum order_step proc_stop(struct order *o, struct raw_event *ev) {
    struct order_proc *p = order_proc(o, o->now.p);
    if (!p || (p->status != P_RUNNING && p->status != P_SYSCALL))
        return order_broken(o, "ProcStop of processor %lld, which does not run",
                            (long long)o->now.p);
    if (!order_needs(o, ev, MUST, MUST, MAY)) return ORDER_BROKEN;
    p->status = P_IDLE;
    o->next.p = TRACE_NONE;
    return emit_proc(o, ev, o->now.p, TRACE_RUNNING, TRACE_IDLE);
}

static enum order_step proc_steal(struct order *o, struct raw_event *ev) {
    i64 id = (i64)ev->args[0], victim = (i64)ev->args[2];
    struct order_proc *p = order_proc(o, id);
    if (!p || (p->status != P_SYSCALL && p->status != P_ABANDONED) ||
        !is_next_seq(o, p->generation, p->seq, ev->args[1]))
        return ORDER_WAIT;
    if (!order_needs(o, ev, MUST, MAY, MAY)) return ORDER_BROKEN;
    bool is_abandoned = p->status == P_ABANDONED;
    p->status = P_IDLE;
    p->seq = ev->args[1];
    // Who held an abandoned one is not known any more: it counts as idle already.
    if (is_abandoned) return emit_proc(o, ev, id, TRACE_IDLE, TRACE_IDLE);
    i64 held = o->now.p;
    u32 victim_i = U32_NONE;
    if (victim != o->now.m) {
        victim_i = idmap_get(&o->thread_ids, (u64)victim);
        held = victim_i == U32_NONE ? TRACE_NONE : o->threads[victim_i].p;
    }
    if (held != id)
        return order_broken(o, "processor %lld is taken from thread %lld, which holds %lld",
                            (long long)id, (long long)victim, (long long)held);
    if (victim_i == U32_NONE)
        o->next.p = TRACE_NONE;
    else
        o->threads[victim_i].p = TRACE_NONE;
    return emit_proc(o, ev, id, TRACE_RUNNING, TRACE_IDLE);
}

// Where a goroutine in a call is: on this thread, or on one that said nothing all along.
static bool place_syscall(struct order *o, i64 id, i64 m) {
    if (m == TRACE_NONE) {
        order_broken(o, "goroutine %lld is in a call on no thread", (long long)id);
        return false;
    }
    i64 holds = o->now.g;
    if (m == o->now.m) {
        o->next.g = id;
        if (o->generation == o->first_generation) return true;
    } else {
        u32 thread_i = order_thread_index(o, m);
        struct order_thread *t = &o->threads[thread_i];
        bool is_new = !t->is_seen;
        t->is_seen = true;
        o->now.m = m;
        if (is_new) t->g = id;
        holds = t->g;
        if (!is_new) o->now.g = holds;
    }
    if (holds == id) return true;
    order_broken(o, "goroutine %lld is in a call on thread %lld, which has goroutine %lld",
                 (long long)id, (long long)m, (long long)holds);
    return false;
}

static enum order_step go_status(struct order *o, struct raw_event *ev) {
    i64 id = (i64)ev->args[0];
    u64 status = ev->args[2];
    if (status == 0 || status > G_LAST)
        return order_broken(o, "goroutine %lld has the unknown status %llu", (long long)id,
                            (unsigned long long)status);
    enum trace_state from = go_state(status), to = from;
    struct order_go *g = order_go(o, id);
    if (g) {
        if (g->status != status)
            return order_broken(o, "goroutine %lld has status %u, and GoStatus says %llu",
                                (long long)id, g->status, (unsigned long long)status);
        g->generation = o->generation;
        g->seq = 0;
    } else if (o->generation == o->first_generation) {
        go_add(o, id, (u8)status);
        from = TRACE_UNDETERMINED;
    } else {
        return order_broken(o, "goroutine %lld appears from nowhere", (long long)id);
    }
    if (status == G_RUNNING) o->next.g = id;
    if (status == G_SYSCALL && !place_syscall(o, id, (i64)ev->args[1])) return ORDER_BROKEN;
    return emit_go(o, ev, id, from, to);
}

static enum order_step go_create(struct order *o, struct raw_event *ev) {
    i64 id = (i64)ev->args[0];
    if (!order_needs(o, ev, MUST, MUST, MAY)) return ORDER_BROKEN;
    struct order_go *creator = order_go(o, o->now.g);
    if (creator && creator->status != G_RUNNING)
        return order_broken(o, "goroutine %lld starts another and does not run",
                            (long long)o->now.g);
    if (order_go(o, id)) return order_broken(o, "goroutine %lld is created twice", (long long)id);
    bool is_blocked = ev->type == TRACE_EV_GoCreateBlocked;
    go_add(o, id, is_blocked ? G_WAITING : G_RUNNABLE);
    return emit_go(o, ev, id, TRACE_NOT_EXIST, is_blocked ? TRACE_WAITING : TRACE_RUNNABLE);
}

// The goroutine of this thread, when it has the status the event needs; else NULL and o->err.
static struct order_go *current_go(struct order *o, const struct raw_event *ev, u8 status,
                                   enum order_need p) {
    if (!order_needs(o, ev, MUST, p, MUST)) return NULL;
    struct order_go *g = order_go(o, o->now.g);
    if (g && g->status == status) return g;
    order_broken(o, "%s of goroutine %lld, which is not %s", name_of(ev), (long long)o->now.g,
                 status == G_RUNNING ? "running" : "in a call");
    return NULL;
}

static enum order_step go_stop(struct order *o, struct raw_event *ev) {
    struct order_go *g = current_go(o, ev, G_RUNNING, MUST);
    if (!g) return ORDER_BROKEN;
    o->next.g = TRACE_NONE;
    enum trace_state to = TRACE_NOT_EXIST;
    if (ev->type == TRACE_EV_GoDestroy) {
        go_remove(o, g);
    } else {
        bool is_blocked = ev->type == TRACE_EV_GoBlock;
        g->status = is_blocked ? G_WAITING : G_RUNNABLE;
        to = is_blocked ? TRACE_WAITING : TRACE_RUNNABLE;
    }
    return emit_go(o, ev, o->now.g, TRACE_RUNNING, to);
}

static enum order_step go_start(struct order *o, struct raw_event *ev) {
    i64 id = (i64)ev->args[0];
    struct order_go *g = order_go(o, id);
    if (!g || g->status != G_RUNNABLE || !is_next_seq(o, g->generation, g->seq, ev->args[1]))
        return ORDER_WAIT;
    if (!order_needs(o, ev, MUST, MUST, MUST_NOT)) return ORDER_BROKEN;
    g->status = G_RUNNING;
    g->seq = ev->args[1];
    o->next.g = id;
    return emit_go(o, ev, id, TRACE_RUNNABLE, TRACE_RUNNING);
}

static enum order_step go_unblock(struct order *o, struct raw_event *ev) {
    i64 id = (i64)ev->args[0];
    struct order_go *g = order_go(o, id);
    if (!g || g->status != G_WAITING || !is_next_seq(o, g->generation, g->seq, ev->args[1]))
        return ORDER_WAIT;
    g->status = G_RUNNABLE;
    g->seq = ev->args[1];
    return emit_go(o, ev, id, TRACE_WAITING, TRACE_RUNNABLE);
}

// Three events in one: the other is unblocked, this one blocks or ends, the other starts.
static enum order_step go_switch(struct order *o, struct raw_event *ev) {
    struct order_go *g = current_go(o, ev, G_RUNNING, MUST);
    if (!g) return ORDER_BROKEN;
    i64 id = (i64)ev->args[0];
    struct order_go *other = order_go(o, id);
    if (!other || other->status != G_WAITING ||
        !is_next_seq(o, other->generation, other->seq, ev->args[1]))
        return ORDER_WAIT;
    other->status = G_RUNNING;
    other->seq = ev->args[1];
    bool is_end = ev->type == TRACE_EV_GoSwitchDestroy;
    enum order_step step = emit_go(o, ev, id, TRACE_WAITING, TRACE_RUNNABLE);
    if (step != ORDER_DONE) return step;
    struct raw_event stop = {.time_ns = ev->time_ns,
                             .type = is_end ? TRACE_EV_GoDestroy : TRACE_EV_GoBlock};
    step = emit_go(o, &stop, o->now.g, TRACE_RUNNING, is_end ? TRACE_NOT_EXIST : TRACE_WAITING);
    if (step != ORDER_DONE) return step;
    if (is_end)
        go_remove(o, g);
    else
        g->status = G_WAITING;
    struct raw_event start = {
        .time_ns = ev->time_ns, .type = TRACE_EV_GoStart, .args = {(u64)id, ev->args[1]}};
    o->now.g = TRACE_NONE;
    o->next.g = id;
    return emit_go(o, &start, id, TRACE_RUNNABLE, TRACE_RUNNING);
}

static enum order_step go_syscall_begin(struct order *o, struct raw_event *ev) {
    struct order_go *g = current_go(o, ev, G_RUNNING, MUST);
    if (!g) return ORDER_BROKEN;
    struct order_proc *p = order_proc(o, o->now.p);
    if (!p || !is_next_seq(o, p->generation, p->seq, ev->args[0]))
        return order_broken(o, "GoSyscallBegin is number %llu of processor %lld, out of turn",
                            (unsigned long long)ev->args[0], (long long)o->now.p);
    g->status = G_SYSCALL;
    p->status = P_SYSCALL;
    p->seq = ev->args[0];
    return emit_go(o, ev, o->now.g, TRACE_RUNNING, TRACE_IN_SYSCALL);
}

static enum order_step go_syscall_end(struct order *o, struct raw_event *ev) {
    struct order_go *g = current_go(o, ev, G_SYSCALL, MUST);
    if (!g) return ORDER_BROKEN;
    struct order_proc *p = order_proc(o, o->now.p);
    if (!p || p->status != P_SYSCALL)
        return order_broken(o, "GoSyscallEnd on processor %lld, which is in no call",
                            (long long)o->now.p);
    g->status = G_RUNNING;
    p->status = P_RUNNING;
    return emit_go(o, ev, o->now.g, TRACE_IN_SYSCALL, TRACE_RUNNING);
}

static enum order_step go_syscall_end_blocked(struct order *o, struct raw_event *ev) {
    struct order_proc *p = order_proc(o, o->now.p);
    if (p && p->status == P_SYSCALL) return ORDER_WAIT; // until its processor is stopped or taken
    struct order_go *g = current_go(o, ev, G_SYSCALL, MAY);
    if (!g) return ORDER_BROKEN;
    g->status = G_RUNNABLE;
    o->next.g = TRACE_NONE;
    return emit_go(o, ev, o->now.g, TRACE_IN_SYSCALL, TRACE_RUNNABLE);
}

static enum order_step go_create_syscall(struct order *o, struct raw_event *ev) {
    i64 id = (i64)ev->args[0];
    if (!order_needs(o, ev, MUST, MAY, MUST_NOT)) return ORDER_BROKEN;
    if (order_go(o, id)) return order_broken(o, "goroutine %lld is created twice", (long long)id);
    go_add(o, id, G_SYSCALL);
    o->next.g = id;
    return emit_go(o, ev, id, TRACE_NOT_EXIST, TRACE_IN_SYSCALL);
}

static enum order_step go_destroy_syscall(struct order *o, struct raw_event *ev) {
    struct order_go *g = current_go(o, ev, G_SYSCALL, MAY);
    if (!g) return ORDER_BROKEN;
    if (o->now.p != TRACE_NONE) {
        struct order_proc *p = order_proc(o, o->now.p);
        if (!p || p->status != P_SYSCALL)
            return order_broken(o, "GoDestroySyscall on processor %lld, which is in no call",
                                (long long)o->now.p);
        // Thread ids are given again by the system: who takes the processor must not look for it
        // here.
        p->status = P_ABANDONED;
        o->next.p = TRACE_NONE;
        struct raw_event steal = {
            .time_ns = ev->time_ns, .type = TRACE_EV_ProcSteal, .args = {(u64)o->now.p}};
        enum order_step step = emit_proc(o, &steal, o->now.p, TRACE_RUNNING, TRACE_IDLE);
        if (step != ORDER_DONE) return step;
    }
    go_remove(o, g);
    o->next.g = TRACE_NONE;
    return emit_go(o, ev, o->now.g, TRACE_IN_SYSCALL, TRACE_NOT_EXIST);
}

typedef enum order_step (*order_rule)(struct order *o, struct raw_event *ev);

static const order_rule rules[256] = {
    [TRACE_EV_ProcStart] = proc_start,
    [TRACE_EV_ProcStop] = proc_stop,
    [TRACE_EV_ProcSteal] = proc_steal,
    [TRACE_EV_ProcStatus] = proc_status,
    [TRACE_EV_GoCreate] = go_create,
    [TRACE_EV_GoCreateBlocked] = go_create,
    [TRACE_EV_GoCreateSyscall] = go_create_syscall,
    [TRACE_EV_GoStart] = go_start,
    [TRACE_EV_GoDestroy] = go_stop,
    [TRACE_EV_GoStop] = go_stop,
    [TRACE_EV_GoBlock] = go_stop,
    [TRACE_EV_GoDestroySyscall] = go_destroy_syscall,
    [TRACE_EV_GoUnblock] = go_unblock,
    [TRACE_EV_GoSwitch] = go_switch,
    [TRACE_EV_GoSwitchDestroy] = go_switch,
    [TRACE_EV_GoSyscallBegin] = go_syscall_begin,
    [TRACE_EV_GoSyscallEnd] = go_syscall_end,
    [TRACE_EV_GoSyscallEndBlocked] = go_syscall_end_blocked,
    [TRACE_EV_GoStatus] = go_status,
    [TRACE_EV_GoStatusStack] = go_status,
};

enum order_step order_try(struct order *o, struct raw_event *ev, i64 m, u32 thread_i,
                          struct trace_event *ret) {
    o->out = ret;
    o->queue_at = o->n_out = 0;
    o->now = (struct order_place){.m = m, .p = TRACE_NONE, .g = TRACE_NONE};
    if (m != TRACE_NONE) {
        struct order_thread *t = &o->threads[thread_i];
        t->is_seen = true;
        o->now.p = t->p;
        o->now.g = t->g;
    }
    o->next = o->now;
    order_rule rule = rules[ev->type];
    enum order_step step = rule ? rule(o, ev) : order_try_span(o, ev);
    if (step == ORDER_DONE && m != TRACE_NONE) {
        struct order_thread *t = &o->threads[thread_i];
        t->p = o->next.p;
        t->g = o->next.g;
    }
    return step;
}
