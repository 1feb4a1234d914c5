// trace/write_states.c - what an act means: the states of threads and processors.
// Room: which events an act becomes, so that the reader's rules hold. Door: trace/write_inner.h.
// Source of the rules: reference/go.md 4.4.
#include "trace/write_inner.h"

#include <stdio.h>
#include <string.h>

#define EMIT(w, thread, time_ns, type, ...)                                                        \
    write_event(w, thread, time_ns, TRACE_EV_##type, (const u64[]){__VA_ARGS__},                   \
                (u32)(sizeof((const u64[]){__VA_ARGS__}) / sizeof(u64)))

static void emit_bare(struct trace_writer *w, struct writer_thread *thread, u64 time_ns, u8 type) {
    write_event(w, thread, time_ns, type, NULL, 0);
}

struct writer_thread *write_thread_find(const struct trace_writer *w, u32 tid) {
    u32 i = idmap_get(&w->thread_by_tid, tid);
    return i == U32_NONE ? NULL : &w->threads[i];
}

struct writer_thread *write_thread_add(struct trace_writer *w, u32 tid) {
    struct writer_thread *old = write_thread_find(w, tid);
    if (!old) {
        GROW(&w->arena, w->threads, w->cap_threads, w->n_threads + 1);
        *idmap_at(&w->thread_by_tid, tid) = w->n_threads;
        old = &w->threads[w->n_threads++];
        // What GROW gave may be a thread that ended: its room for regions is used again.
        struct open_region *regions = old->regions;
        memset(old, 0, sizeof *old);
        old->regions = regions;
    }
    struct batch batch = old->batch; // events of the last thread of that number stay
    struct open_region *regions = old->regions;
    *old = (struct writer_thread){.tid = tid,
                                  .state = THREAD_RUNNABLE,
                                  .p = U32_NONE,
                                  .stack = U32_NONE,
                                  .batch = batch,
                                  .regions = regions};
    old->batch.m = tid;
    return old;
}

static void procs_told(struct trace_writer *w, struct writer_thread *thread) {
    if (w->n_procs_told == w->n_procs) return;
    w->n_procs_told = w->n_procs;
    EMIT(w, thread, 0, ProcsChange, w->n_procs, 0);
}

static u32 proc_take(struct trace_writer *w) {
    u32 p = w->lowest_free;
    while (p < w->n_procs && w->procs[p].is_taken) p++;
    if (p == w->n_procs) {
        GROW(&w->arena, w->procs, w->cap_procs, w->n_procs + 1);
        w->procs[w->n_procs++] = (struct writer_proc){0};
    }
    w->procs[p].is_taken = true;
    w->lowest_free = p + 1;
    return p;
}

static void proc_stop(struct trace_writer *w, struct writer_thread *thread) {
    emit_bare(w, thread, 0, TRACE_EV_ProcStop);
    w->procs[thread->p].is_taken = false;
    if (thread->p < w->lowest_free) w->lowest_free = thread->p;
    thread->p = U32_NONE;
}

static void proc_start(struct trace_writer *w, struct writer_thread *thread, u64 time_ns) {
    thread->p = proc_take(w);
    struct writer_proc *proc = &w->procs[thread->p];
    if (!proc->is_told) {
        EMIT(w, thread, time_ns, ProcStatus, thread->p, WRITE_PSTATUS_IDLE);
        proc->is_told = true;
    }
    EMIT(w, thread, time_ns, ProcStart, thread->p, ++proc->seq);
}

// The name of the thread and the labels it runs under: "worker, endpoint=/search".
static void put_name(struct trace_writer *w, struct writer_thread *thread) {
    char text[TRACE_THREAD_NAME + TRACE_THREAD_LABELS + 2];
    thread->is_name_told = true;
    snprintf(text, sizeof text, "%s%s%s", thread->name,
             thread->name[0] && thread->labels[0] ? ", " : "", thread->labels);
    EMIT(w, thread, 0, GoLabel, write_string(w, str_of(text)));
}

static void tell_name(struct trace_writer *w, struct writer_thread *thread) {
    if (!thread->is_name_told && (thread->name[0] || thread->labels[0])) put_name(w, thread);
}

void write_heap(struct trace_writer *w, struct writer_thread *thread, u64 time_ns) {
    EMIT(w, thread, time_ns, HeapAlloc, w->heap_in_use);
    EMIT(w, thread, time_ns, HeapGoal, w->heap_goal);
    w->is_heap_told = true;
}

void write_running(struct trace_writer *w, struct writer_thread *thread, u64 time_ns) {
    switch (thread->state) {
    case THREAD_RUNNING:
    case THREAD_GONE:
        return;
    case THREAD_IN_CALL:
        emit_bare(w, thread, time_ns, TRACE_EV_GoSyscallEnd);
        break;
    case THREAD_WAITING:
        // Nobody said who woke it: it did so itself. With a stack, since the official tool's
        // profiles up to 1.25 look at no event without one.
        proc_start(w, thread, time_ns);
        EMIT(w, thread, 0, GoUnblock, thread->tid, ++thread->seq, write_stack(w, thread->stack));
        EMIT(w, thread, 0, GoStart, thread->tid, ++thread->seq);
        break;
    case THREAD_RUNNABLE:
        proc_start(w, thread, time_ns);
        EMIT(w, thread, 0, GoStart, thread->tid, ++thread->seq);
        break;
    }
    thread->state = THREAD_RUNNING;
    thread->is_created = thread->is_unseen = false;
    procs_told(w, thread);
    tell_name(w, thread);
    if (!w->is_heap_told) write_heap(w, thread, 0);
}

// A thread whose maker is not known, or could not tell.
static void enter_by_itself(struct trace_writer *w, struct writer_thread *thread, u64 time_ns) {
    EMIT(w, thread, time_ns, GoCreateSyscall, thread->tid);
    emit_bare(w, thread, 0, TRACE_EV_GoSyscallEndBlocked);
}

struct writer_thread *write_thread(struct trace_writer *w, u32 tid, u64 time_ns) {
    struct writer_thread *thread = write_thread_find(w, tid);
    if (thread && thread->state != THREAD_GONE) return thread;
    thread = write_thread_add(w, tid);
    enter_by_itself(w, thread, time_ns);
    return thread;
}

static void act_ended(struct trace_writer *w, u32 tid, u64 time_ns) {
    struct writer_thread *thread = write_thread_find(w, tid);
    if (!thread || thread->state == THREAD_GONE) return;
    write_running(w, thread, time_ns);
    emit_bare(w, thread, time_ns, TRACE_EV_GoDestroy);
    proc_stop(w, thread);
    thread->state = THREAD_GONE;
    thread->n_regions = thread->n_regions_above = 0;
}

static void act_creates(struct trace_writer *w, const struct trace_act *act) {
    struct writer_thread *creator = write_thread(w, act->tid, act->time_ns);
    if (act->other == act->tid) return;
    act_ended(w, act->other, act->time_ns); // the last one of that number, whose end was lost
    write_thread_add(w, act->other);
    creator = write_thread_find(w, act->tid); // the list may have moved
    struct writer_thread *thread = write_thread_find(w, act->other);
    write_running(w, creator, act->time_ns);
    thread->start_pc = act->id;
    thread->is_created = true;
    EMIT(w, creator, act->time_ns, GoCreate, act->other, write_stack_of_pc(w, act->id),
         write_stack(w, act->stack));
}

static void act_born(struct trace_writer *w, const struct trace_act *act) {
    struct writer_thread *thread = write_thread_find(w, act->tid);
    if (!thread || !thread->is_created) {
        act_ended(w, act->tid, act->time_ns);
        thread = write_thread_add(w, act->tid);
        thread->start_pc = act->id;
        enter_by_itself(w, thread, act->time_ns);
    }
    write_running(w, thread, act->time_ns);
}

static void act_blocked(struct trace_writer *w, struct writer_thread *thread,
                        const struct trace_act *act) {
    write_running(w, thread, act->time_ns);
    EMIT(w, thread, act->time_ns, GoBlock, write_string(w, act->name), write_stack(w, act->stack));
    proc_stop(w, thread);
    thread->state = THREAD_WAITING;
    thread->stack = act->stack;
}

static void act_call(struct trace_writer *w, struct writer_thread *thread,
                     const struct trace_act *act) {
    write_running(w, thread, act->time_ns);
    EMIT(w, thread, act->time_ns, GoSyscallBegin, ++w->procs[thread->p].seq,
         write_stack(w, act->stack));
    thread->state = THREAD_IN_CALL;
    thread->stack = act->stack;
}

static void act_preempted(struct trace_writer *w, struct writer_thread *thread,
                          const struct trace_act *act) {
    if (thread->state != THREAD_RUNNING) return;
    // Where it was nobody knows; its first function says at least who has to wait for a CPU.
    u64 stack = write_stack(w, act->stack);
    if (!stack) stack = write_stack_of_pc(w, thread->start_pc);
    EMIT(w, thread, act->time_ns, GoStop, write_string(w, S("preempted")), stack);
    proc_stop(w, thread);
    thread->state = THREAD_RUNNABLE;
}

// A thread that runs and leaves its CPU waits in the kernel, where no hook sees it.
static void act_off(struct trace_writer *w, struct writer_thread *thread,
                    const struct trace_act *act) {
    if (thread->state != THREAD_RUNNING) return;
    act_call(w, thread, act);
    thread->is_unseen = true;
}

// What waits for somebody stays so: a thread that finds its lock taken again sleeps on.
static void act_on(struct trace_writer *w, struct writer_thread *thread,
                   const struct trace_act *act) {
    bool is_back = thread->state == THREAD_RUNNABLE && !thread->is_created;
    if (is_back || (thread->state == THREAD_IN_CALL && thread->is_unseen))
        write_running(w, thread, act->time_ns);
}

static void act_unblocks(struct trace_writer *w, struct writer_thread *thread,
                         const struct trace_act *act) {
    struct writer_thread *other = write_thread_find(w, act->other);
    if (!other || other == thread || other->state != THREAD_WAITING) return;
    write_running(w, thread, act->time_ns);
    EMIT(w, thread, act->time_ns, GoUnblock, other->tid, ++other->seq,
         write_stack(w, act->stack != U32_NONE ? act->stack : other->stack));
    other->state = THREAD_RUNNABLE;
}

u32 write_keep_name(struct trace_writer *w, str name) {
    u32 known = strmap_get(&w->kept_by_name, name);
    if (known != U32_NONE) return known;
    if (w->n_kept == MAX_KEPT_NAMES && !str_eq(name, S("[other]")))
        return write_keep_name(w, S("[other]"));
    GROW(&w->names, w->kept, w->cap_kept, w->n_kept + 1);
    w->kept[w->n_kept] = str_copy(&w->names, name);
    *strmap_at(&w->kept_by_name, w->kept[w->n_kept]) = w->n_kept;
    return w->n_kept++;
}

static void act_region_begin(struct trace_writer *w, struct writer_thread *thread,
                             const struct trace_act *act) {
    if (thread->n_regions == MAX_REGIONS) {
        thread->n_regions_above++;
        return;
    }
    if (!thread->regions) thread->regions = NEW(&w->arena, struct open_region, MAX_REGIONS);
    u32 name = write_keep_name(w, str_take(act->name, TRACE_MAX_STRING));
    thread->regions[thread->n_regions++] = (struct open_region){act->id, name};
    EMIT(w, thread, act->time_ns, UserRegionBegin, act->id, write_string(w, w->kept[name]),
         write_stack(w, act->stack));
}

static void region_pop(struct trace_writer *w, struct writer_thread *thread,
                       const struct trace_act *act) {
    struct open_region *region = &thread->regions[--thread->n_regions];
    EMIT(w, thread, act->time_ns, UserRegionEnd, region->task,
         write_string(w, w->kept[region->name]), write_stack(w, act->stack));
}

// Readers refuse a region that ends inside another: those inside end with it. One that began before
// the trace did is not known here, and its end is left out.
static void act_region_end(struct trace_writer *w, struct writer_thread *thread,
                           const struct trace_act *act) {
    u32 name = write_keep_name(w, str_take(act->name, TRACE_MAX_STRING)), at = thread->n_regions;
    if (thread->n_regions_above) {
        thread->n_regions_above--;
        return;
    }
    while (at > 0 &&
           (thread->regions[at - 1].name != name || thread->regions[at - 1].task != act->id))
        at--;
    while (at > 0 && thread->n_regions >= at) region_pop(w, thread, act);
}

static void act_labels(struct trace_writer *w, struct writer_thread *thread,
                       const struct trace_act *act) {
    str labels = str_take(act->value, sizeof thread->labels - 1);
    memset(thread->labels, 0, sizeof thread->labels);
    if (labels.len > 0) memcpy(thread->labels, labels.p, labels.len);
    write_running(w, thread, act->time_ns);
    put_name(w, thread);
}

static void act_user(struct trace_writer *w, struct writer_thread *thread,
                     const struct trace_act *act) {
    u64 stack = write_stack(w, act->stack);
    write_running(w, thread, act->time_ns);
    if (act->kind == TRACE_ACT_TASK_BEGIN)
        EMIT(w, thread, act->time_ns, UserTaskBegin, act->id, act->parent,
             write_string(w, act->name), stack);
    if (act->kind == TRACE_ACT_TASK_END) EMIT(w, thread, act->time_ns, UserTaskEnd, act->id, stack);
    if (act->kind == TRACE_ACT_REGION_BEGIN) act_region_begin(w, thread, act);
    if (act->kind == TRACE_ACT_REGION_END) act_region_end(w, thread, act);
    if (act->kind == TRACE_ACT_LOG)
        EMIT(w, thread, act->time_ns, UserLog, act->id, write_string(w, act->name),
             write_string(w, act->value), stack);
}

void trace_writer_put(struct trace_writer *w, const struct trace_act *act) {
    if (act->kind == TRACE_ACT_CREATES) return act_creates(w, act);
    if (act->kind == TRACE_ACT_BORN) return act_born(w, act);
    if (act->kind == TRACE_ACT_ENDED) return act_ended(w, act->tid, act->time_ns);
    struct writer_thread *thread = write_thread(w, act->tid, act->time_ns);
    switch (act->kind) {
    case TRACE_ACT_CREATES:
    case TRACE_ACT_BORN:
    case TRACE_ACT_ENDED:
        return;
    case TRACE_ACT_WOKEN:
        return write_running(w, thread, act->time_ns);
    case TRACE_ACT_BLOCKED:
        return act_blocked(w, thread, act);
    case TRACE_ACT_UNBLOCKS:
        return act_unblocks(w, thread, act);
    case TRACE_ACT_CALL:
        return act_call(w, thread, act);
    case TRACE_ACT_PREEMPTED:
        return act_preempted(w, thread, act);
    case TRACE_ACT_OFF:
        return act_off(w, thread, act);
    case TRACE_ACT_ON:
        return act_on(w, thread, act);
    case TRACE_ACT_TASK_BEGIN:
    case TRACE_ACT_TASK_END:
    case TRACE_ACT_REGION_BEGIN:
    case TRACE_ACT_REGION_END:
    case TRACE_ACT_LOG:
        return act_user(w, thread, act);
    case TRACE_ACT_LABELS:
        return act_labels(w, thread, act);
    }
}

static void status_of(struct trace_writer *w, struct writer_thread *thread) {
    static const u8 status[] = {[THREAD_RUNNING] = WRITE_GSTATUS_RUNNING,
                                [THREAD_RUNNABLE] = WRITE_GSTATUS_RUNNABLE,
                                [THREAD_WAITING] = WRITE_GSTATUS_WAITING,
                                [THREAD_IN_CALL] = WRITE_GSTATUS_SYSCALL};
    bool has_proc = thread->p != U32_NONE;
    struct writer_thread *where = has_proc ? thread : NULL;
    bool is_off = thread->state == THREAD_WAITING || thread->state == THREAD_IN_CALL;
    u64 stack = write_stack(w, is_off ? thread->stack : U32_NONE);
    if (!stack) stack = write_stack_of_pc(w, thread->start_pc);
    if (has_proc) {
        u64 p_status =
            thread->state == THREAD_IN_CALL ? WRITE_PSTATUS_SYSCALL : WRITE_PSTATUS_RUNNING;
        EMIT(w, where, w->begin_ns, ProcStatus, thread->p, p_status);
        w->procs[thread->p].is_told = true;
    }
    EMIT(w, where, w->begin_ns, GoStatusStack, thread->tid, has_proc ? thread->tid : UINT64_MAX,
         status[thread->state], stack);
    if (thread->state != THREAD_RUNNING) return;
    procs_told(w, thread);
    tell_name(w, thread);
}

void write_statuses(struct trace_writer *w) {
    // Threads that run before the first generation have no processor yet.
    for (u32 i = 0; i < w->n_threads; i++)
        if (w->threads[i].state == THREAD_RUNNING && w->threads[i].p == U32_NONE)
            w->threads[i].p = proc_take(w);
    for (u32 i = 0; i < w->n_threads; i++) status_of(w, &w->threads[i]);
    for (u32 p = 0; p < w->n_procs; p++) {
        if (!w->procs[p].is_told) EMIT(w, NULL, w->begin_ns, ProcStatus, p, WRITE_PSTATUS_IDLE);
        w->procs[p].is_told = true;
    }
}
