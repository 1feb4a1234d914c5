// trace/v1.c - the events of a merged v1 trace, as those of v2.
// Room: what each means, and whether it can be; order is v1_order.c. Door: trace/trace.h.
// A v1 trace is one generation. Before the first Gomaxprocs stand the goroutines there were: their
// creation is no event, their first mention is a status.
#include "trace/v1.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void v1_open(struct v1 *v, struct arena *arena, struct reader bytes, u32 version,
             struct trace_table *table) {
    *v = (struct v1){.arena = arena, .bytes = bytes, .version = version, .table = table};
    trace_table_init(table, arena);
    table->is_partial = true; // what ids refer to may be missing, and is then empty
    idmap_init(&v->proc_by_pid, arena);
    idmap_init(&v->go_by_id, arena);
    idmap_init(&v->task_by_id, arena);
    v1_index(v);
    struct err err;
    bool is_named = trace_table_finish(table, &err); // never fails where things may be missing
    (void)is_named;
    v1_merge(v);
    u32 nobody = v1_go_index(v, 0);
    v->gos[nobody].shown = V1_RUNNING;
    for (u32 i = 0; i < v->n_procs; i++) v->procs[i].go_i = nobody;
}

static bool broken(struct v1 *v, const struct v1_record *r, const char *fmt, ...) PRINTF_LIKE(3, 4);
static bool broken(struct v1 *v, const struct v1_record *r, const char *fmt, ...) {
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return err_set(&v->err, ERR_INCONSISTENT, r->at & ~V1_IS_BLOCKING, "%s", text);
}

// What is given for one event: its raw form goes through order_fill, which looks up texts.
struct shown {
    struct raw_event ev;
    struct order_place place;
    i64 subject;
    str name, value; // where no id tells them
    u8 subject_kind, from, to;
};

static bool give(struct v1 *v, const struct shown *s, struct trace_event *ret) {
    if (!order_fill(v->table, &s->ev, s->place, ret, &v->err)) return false;
    ret->subject_kind = s->subject_kind;
    ret->subject = s->subject;
    ret->from = s->from;
    ret->to = s->to;
    if (s->name.p) ret->name = s->name;
    if (s->value.p) ret->value = s->value;
    return true;
}

static void change(struct shown *s, enum trace_subject kind, i64 subject, enum trace_state from,
                   enum trace_state to) {
    s->subject_kind = (u8)kind;
    s->subject = subject;
    s->from = (u8)from;
    s->to = (u8)to;
}

static void show_status(struct shown *s, u64 go, u64 status) {
    static const u8 states[] = {[G_RUNNABLE] = TRACE_RUNNABLE,
                                [G_RUNNING] = TRACE_RUNNING,
                                [G_SYSCALL] = TRACE_IN_SYSCALL,
                                [G_WAITING] = TRACE_WAITING};
    s->ev.type = TRACE_EV_GoStatus;
    memset(s->ev.args, 0, sizeof s->ev.args);
    s->ev.args[0] = go;
    s->ev.args[1] = UINT64_MAX;
    s->ev.args[2] = status;
    change(s, TRACE_GOROUTINE, (i64)go, TRACE_UNDETERMINED, states[status]);
}

static const str reasons[64] = {
    [V1_GoStop] = S("forever"),
    [V1_GoSched] = S("runtime.Gosched"),
    [V1_GoPreempt] = S("preempted"),
    [V1_GoSleep] = S("sleep"),
    [V1_GoBlock] = S(""),
    [V1_GoBlockSend] = S("chan send"),
    [V1_GoBlockRecv] = S("chan receive"),
    [V1_GoBlockSelect] = S("select"),
    [V1_GoBlockSync] = S("sync"),
    [V1_GoBlockCond] = S("sync.(*Cond).Wait"),
    [V1_GoBlockNet] = S("network"),
    [V1_GoBlockGC] = S("GC mark assist wait for work"),
};

static str stop_kind(u32 version, u64 kind) {
    static const str kinds[] = {
        S(""),
        S("GC mark termination"),
        S("GC sweep termination"),
        S("write heap dump"),
        S("goroutine profile"),
        S("goroutine profile cleanup"),
        S("all goroutine stack trace"),
        S("read mem stats"),
        S("AllThreadsSyscall"),
        S("GOMAXPROCS"),
        S("start trace"),
        S("stop trace"),
        S("CountPagesInUse (test)"),
        S("ReadMetricsSlow (test)"),
        S("ReadMemStatsSlow (test)"),
        S("PageCachePagesLeaked (test)"),
        S("ResetDebugLog (test)"),
    };
    if (version < 21) return kind < 2 ? kinds[kind + 1] : kinds[0];
    return kind < countof(kinds) ? kinds[kind] : kinds[0];
}

// Whether the goroutine of an event is the one that runs on its processor.
static bool runs_there(struct v1 *v, const struct v1_record *r, const struct v1_proc *p,
                       bool may_be_nobody) {
    const struct v1_go *g = &v->gos[r->go_i];
    if (g->shown == V1_RUNNING && p->go_i == r->go_i && (may_be_nobody || g->id != 0)) return true;
    const struct v1_spec *spec = v1_spec(v->bytes.start[r->at & ~V1_IS_BLOCKING]);
    return broken(v, r, "%s of goroutine %llu, which does not run on processor %d", spec->name,
                  (unsigned long long)g->id, p->pid);
}

static bool proc_event(struct v1 *v, const struct v1_record *r, const struct v1_raw *raw,
                       struct v1_proc *p, struct shown *s) {
    bool is_start = raw->type == V1_ProcStart;
    if (p->is_running == is_start)
        return broken(v, r, "processor %d %s twice", p->pid, is_start ? "starts" : "stops");
    if (!is_start && v->gos[p->go_i].id != 0)
        return broken(v, r, "processor %d stops under its goroutine", p->pid);
    p->is_running = is_start;
    if (is_start) p->thread = (i64)raw->args[0];
    s->place.m = p->thread;
    if (!is_start) p->thread = TRACE_NONE;
    memset(s->ev.args, 0, sizeof s->ev.args);
    s->ev.args[0] = (u64)(i64)p->pid;
    change(s, TRACE_PROC, p->pid, is_start ? TRACE_IDLE : TRACE_RUNNING,
           is_start ? TRACE_RUNNING : TRACE_IDLE);
    if (p->is_seen) return true;
    p->is_seen = true;
    s->ev.type = TRACE_EV_ProcStatus;
    s->ev.args[1] = is_start ? P_RUNNING : P_IDLE;
    s->from = TRACE_UNDETERMINED;
    return true;
}

static bool go_create(struct v1 *v, const struct v1_record *r, const struct v1_raw *raw,
                      struct v1_proc *p, struct shown *s, bool *ret_is_hidden) {
    if (!runs_there(v, r, p, true)) return false;
    u32 new_i = v1_go_index(v, raw->args[0]);
    struct v1_go *g = &v->gos[new_i];
    if (g->is_created)
        return broken(v, r, "goroutine %llu is created twice", (unsigned long long)g->id);
    g->is_created = true;
    g->shown = V1_RUNNABLE;
    g->is_pending = *ret_is_hidden = !v->has_begun;
    change(s, TRACE_GOROUTINE, (i64)raw->args[0], TRACE_NOT_EXIST, TRACE_RUNNABLE);
    return true;
}

static bool go_start(struct v1 *v, const struct v1_record *r, const struct v1_raw *raw,
                     struct v1_proc *p, struct shown *s) {
    struct v1_go *g = &v->gos[r->go_i];
    if (g->shown != V1_RUNNABLE || v->gos[p->go_i].id != 0)
        return broken(v, r, "goroutine %llu starts and %s", (unsigned long long)g->id,
                      g->shown != V1_RUNNABLE ? "cannot run" : "its processor runs another");
    g->shown = V1_RUNNING;
    p->go_i = r->go_i;
    change(s, TRACE_GOROUTINE, (i64)g->id, TRACE_RUNNABLE, TRACE_RUNNING);
    if (raw->type == V1_GoStartLabel) {
        struct shown label = *s;
        label.ev = (struct raw_event){
            .time_ns = s->ev.time_ns, .type = TRACE_EV_GoLabel, .args = {raw->args[2]}};
        change(&label, TRACE_GOROUTINE, (i64)g->id, 0, 0);
        v->has_extra = give(v, &label, &v->extra);
        return v->has_extra;
    }
    if (!v->has_begun) {
        show_status(s, g->id, G_RUNNING);
        g->is_pending = false;
    }
    return true;
}

static bool go_stop(struct v1 *v, const struct v1_record *r, const struct v1_raw *raw,
                    struct v1_proc *p, struct shown *s) {
    struct v1_go *g = &v->gos[r->go_i];
    if (!runs_there(v, r, p, false)) return false;
    p->go_i = v1_go_index(v, 0);
    g = &v->gos[r->go_i];
    bool is_end = raw->type == V1_GoEnd;
    bool is_yield = raw->type == V1_GoSched || raw->type == V1_GoPreempt;
    g->shown = is_end || raw->type == V1_GoStop ? V1_DEAD : is_yield ? V1_RUNNABLE : V1_WAITS;
    g->on_net = raw->type == V1_GoBlockNet;
    if (is_end) g->regions = U32_NONE;
    change(s, TRACE_GOROUTINE, (i64)g->id, TRACE_RUNNING,
           is_end     ? TRACE_NOT_EXIST
           : is_yield ? TRACE_RUNNABLE
                      : TRACE_WAITING);
    if (is_end) return true;
    s->name = reasons[raw->type];
    s->ev.args[0] = 0;
    s->ev.args[1] = raw->stack;
    return true;
}

static bool go_unblock(struct v1 *v, const struct v1_record *r, const struct v1_raw *raw,
                       struct v1_proc *p, struct shown *s) {
    struct v1_go *g = &v->gos[r->go_i];
    u32 other_i = v1_go_index(v, raw->args[0]);
    struct v1_go *other = &v->gos[other_i];
    g = &v->gos[r->go_i];
    if (!g->is_timer && !runs_there(v, r, p, true)) return false;
    if (other->shown != V1_WAITS || g->shown != V1_RUNNING)
        return broken(v, r, "goroutine %llu is woken and does not wait",
                      (unsigned long long)other->id);
    if (g->is_timer || other->on_net) {
        s->place.p = other->on_net ? V1_NETPOLL_P : V1_TIMER_P;
        s->place.m = TRACE_NONE;
    }
    other->shown = V1_RUNNABLE;
    other->on_net = false;
    change(s, TRACE_GOROUTINE, (i64)other->id, TRACE_WAITING, TRACE_RUNNABLE);
    return true;
}

// A call that does not block was one event: it is shown as a nanosecond, as times have to grow.
static bool call_begin(struct v1 *v, const struct v1_record *r, const struct v1_raw *raw,
                       struct v1_proc *p, struct shown *s) {
    struct v1_go *g = &v->gos[r->go_i];
    if (!runs_there(v, r, p, false)) return false;
    s->ev.args[0] = 0;
    s->ev.args[1] = raw->stack;
    change(s, TRACE_GOROUTINE, (i64)g->id, TRACE_RUNNING, TRACE_IN_SYSCALL);
    if (r->at & V1_IS_BLOCKING) return true;
    struct shown end = *s;
    end.ev = (struct raw_event){.time_ns = s->ev.time_ns, .type = TRACE_EV_GoSyscallEnd};
    change(&end, TRACE_GOROUTINE, (i64)g->id, TRACE_IN_SYSCALL, TRACE_RUNNING);
    v->has_extra = give(v, &end, &v->extra);
    return v->has_extra;
}

static bool call_end(struct v1 *v, const struct v1_record *r, struct shown *s) {
    struct v1_go *g = &v->gos[r->go_i];
    if (g->shown != V1_WAITS)
        return broken(v, r, "goroutine %llu returns from a call it is not in",
                      (unsigned long long)g->id);
    g->shown = V1_RUNNABLE;
    s->place.p = V1_SYSCALL_P;
    s->place.m = TRACE_NONE;
    change(s, TRACE_GOROUTINE, (i64)g->id, TRACE_IN_SYSCALL, TRACE_RUNNABLE);
    return true;
}

static bool go_waiting(struct v1 *v, const struct v1_record *r, const struct v1_raw *raw,
                       struct shown *s) {
    struct v1_go *g = &v->gos[r->go_i];
    if (g->shown != V1_RUNNABLE)
        return broken(v, r, "goroutine %llu waits from the beginning and ran already",
                      (unsigned long long)g->id);
    g->shown = V1_WAITS;
    g->is_pending = false;
    show_status(s, g->id, raw->type == V1_GoWaiting ? G_WAITING : G_SYSCALL);
    return true;
}

static bool range_event(struct v1 *v, const struct v1_record *r, const struct v1_raw *raw,
                        struct v1_proc *p, struct shown *s) {
    bool *is_open = raw->type == V1_GCStart || raw->type == V1_GCDone     ? &v->is_collecting
                    : raw->type == V1_STWStart || raw->type == V1_STWDone ? &v->is_stopped
                                                                          : &p->is_sweeping;
    bool is_begin =
        raw->type == V1_GCStart || raw->type == V1_STWStart || raw->type == V1_GCSweepStart;
    if (*is_open == is_begin)
        return broken(v, r, "%s %s", v1_spec(raw->type)->name,
                      is_begin ? "while one is under way" : "without a begin");
    *is_open = is_begin;
    if (raw->type == V1_GCStart) {
        s->place.p = V1_GC_P;
        s->place.m = TRACE_NONE;
    } else if (raw->type == V1_STWStart || raw->type == V1_STWDone) {
        if (is_begin) v->stop_kind = stop_kind(v->version, raw->args[0]);
        s->name = v->stop_kind;
        s->ev.args[0] = 0;
        s->subject_kind = TRACE_GOROUTINE;
        s->subject = s->place.g;
    } else if (raw->type == V1_GCSweepStart || raw->type == V1_GCSweepDone) {
        s->subject_kind = TRACE_PROC;
        s->subject = p->pid;
    }
    return true;
}

static bool task_begin(struct v1 *v, const struct v1_record *r, struct shown *s) {
    u32 *at = idmap_at(&v->task_by_id, s->ev.args[0]);
    if (*at == U32_NONE) {
        *at = v->n_tasks++;
        GROW(v->arena, v->tasks, v->cap_tasks, v->n_tasks);
    } else if (v->tasks[*at].is_active) {
        return broken(v, r, "task %llu begins twice", (unsigned long long)s->ev.args[0]);
    }
    struct order_task *t = &v->tasks[*at];
    *t = (struct order_task){.parent = s->ev.args[1], .is_active = true};
    if (s->ev.args[1] == 0) s->ev.args[1] = TRACE_NO_TASK;
    bool is_there = trace_table_text(v->table, s->ev.args[2], &t->name);
    return is_there || broken(v, r, "a task has no name");
}

static void task_end(struct v1 *v, const struct v1_raw *raw, struct shown *s) {
    u32 i = idmap_get(&v->task_by_id, raw->args[0]);
    s->ev.args[1] = raw->stack;
    s->ev.args[2] = TRACE_NO_TASK;
    s->name = S("");
    if (i == U32_NONE || !v->tasks[i].is_active) return;
    s->ev.args[2] = v->tasks[i].parent;
    s->name = v->tasks[i].name;
    v->tasks[i].is_active = false;
}

static bool region(struct v1 *v, const struct v1_record *r, const struct v1_raw *raw,
                   struct shown *s) {
    struct v1_go *g = &v->gos[r->go_i];
    if (raw->args[1] > 1) return broken(v, r, "a region neither begins nor ends");
    bool is_begin = raw->args[1] == 0;
    s->ev.type = is_begin ? TRACE_EV_UserRegionBegin : TRACE_EV_UserRegionEnd;
    memset(s->ev.args, 0, sizeof s->ev.args);
    s->ev.args[0] = raw->args[0];
    s->ev.args[1] = raw->args[2];
    s->ev.args[2] = raw->stack;
    if (is_begin) {
        GROW(v->arena, v->regions, v->cap_regions, v->n_regions + 1);
        v->regions[v->n_regions] =
            (struct v1_region){.task = raw->args[0], .name = raw->args[2], .outer = g->regions};
        g->regions = v->n_regions++;
    } else if (g->regions != U32_NONE) {
        const struct v1_region *inner = &v->regions[g->regions];
        if (inner->task != raw->args[0] || inner->name != raw->args[2])
            return broken(v, r, "goroutine %llu ends a region inside another",
                          (unsigned long long)g->id);
        g->regions = inner->outer;
    }
    return true;
}

static void user_log(const struct v1_raw *raw, struct shown *s) {
    s->ev.args[2] = 0;
    s->ev.args[3] = raw->stack;
    s->value = raw->text.p ? raw->text : S("");
}

// What can be at any time, whatever the state of its goroutine.
static void convert_free(struct v1 *v, const struct v1_raw *raw, struct shown *s) {
    switch (s->ev.type) {
    case TRACE_EV_GCMarkAssistBegin:
    case TRACE_EV_GCMarkAssistEnd:
        s->subject_kind = TRACE_GOROUTINE;
        s->subject = s->place.g;
        break;
    case TRACE_EV_UserTaskEnd:
        task_end(v, raw, s);
        break;
    case TRACE_EV_UserLog:
        user_log(raw, s);
        break;
    case TRACE_EV_CPUSample:
        s->place.m = TRACE_NONE;
        memset(s->ev.args, 0, sizeof s->ev.args);
        s->ev.args[0] = raw->stack;
        break;
    default: // HeapAlloc, HeapGoal: as they are
        break;
    }
}

static int by_go_id(const void *a, const void *b, void *ctx) {
    const struct v1 *v = ctx;
    u64 x = v->gos[*(const u32 *)a].id, y = v->gos[*(const u32 *)b].id;
    return (x > y) - (x < y);
}

// Goroutines of before the trace that nobody mentioned could have run: told in order of their ids,
// where the official tool has none.
static void begin(struct v1 *v, i64 time_ns) {
    v->has_begun = true;
    v->pending_ns = time_ns;
    v->pending = NEW(v->arena, u32, v->n_gos);
    for (u32 i = 0; i < v->n_gos; i++) {
        if (v->gos[i].is_pending) v->pending[v->n_pending++] = i;
    }
    sort_stable(v->arena, v->pending, v->n_pending, sizeof *v->pending, by_go_id, v);
}

// Turns one event into what is shown of it. *ret_is_hidden: nothing is.
static bool convert(struct v1 *v, const struct v1_record *r, const struct v1_raw *raw,
                    struct v1_proc *p, struct shown *s, bool *ret_is_hidden) {
    switch (s->ev.type) {
    case TRACE_EV_ProcsChange:
        *ret_is_hidden = !v->has_begun;
        if (!v->has_begun) begin(v, s->ev.time_ns);
        return true;
    case TRACE_EV_ProcStart:
    case TRACE_EV_ProcStop:
        return proc_event(v, r, raw, p, s);
    case TRACE_EV_GCBegin:
    case TRACE_EV_GCEnd:
    case TRACE_EV_STWBegin:
    case TRACE_EV_STWEnd:
    case TRACE_EV_GCSweepBegin:
    case TRACE_EV_GCSweepEnd:
        return range_event(v, r, raw, p, s);
    case TRACE_EV_GoCreate:
        return go_create(v, r, raw, p, s, ret_is_hidden);
    case TRACE_EV_GoStart:
        return go_start(v, r, raw, p, s);
    case TRACE_EV_GoDestroy:
    case TRACE_EV_GoStop:
    case TRACE_EV_GoBlock:
        return go_stop(v, r, raw, p, s);
    case TRACE_EV_GoUnblock:
        return go_unblock(v, r, raw, p, s);
    case TRACE_EV_GoSyscallBegin:
        return call_begin(v, r, raw, p, s);
    case TRACE_EV_GoSyscallEndBlocked:
        return call_end(v, r, s);
    case TRACE_EV_GoStatus:
        return go_waiting(v, r, raw, s);
    case TRACE_EV_UserTaskBegin:
        return task_begin(v, r, s);
    case TRACE_EV_UserRegionBegin:
        return region(v, r, raw, s);
    case 0:
        *ret_is_hidden = true;
        return raw->type != V1_GoSysBlock || go_stop(v, r, raw, p, s);
    default:
        convert_free(v, raw, s);
        return true;
    }
}

static bool give_pending(struct v1 *v, struct trace_event *ret) {
    if (v->pending_i < v->n_pending) {
        const struct v1_go *g = &v->gos[v->pending[v->pending_i++]];
        struct shown s = {.ev.time_ns = v->pending_ns,
                          .place = {.m = TRACE_NONE, .p = TRACE_NONE, .g = TRACE_NONE}};
        show_status(&s, g->id, G_RUNNABLE);
        return give(v, &s, ret);
    }
    return false;
}

// One record; *ret_is_given: something is shown of it.
static bool step(struct v1 *v, struct trace_event *ret, bool *ret_is_given) {
    const struct v1_record *r = &v->records[v->record_i];
    const u8 *at = v->bytes.start + (r->at & ~V1_IS_BLOCKING);
    struct v1_raw raw;
    bool is_hidden = false;
    *ret_is_given = false;
    if (!v1_read(&at, v->bytes.end, v->version, &raw)) return broken(v, r, "an event vanished");
    const struct v1_spec *spec = v1_spec(raw.type);
    struct v1_proc *p = v1_proc_of(v, r->p);
    u64 g = v->gos[r->go_i].id;
    struct shown s = {.ev = {.time_ns = r->ts, .type = spec->becomes},
                      .subject = TRACE_NONE,
                      .place = {.m = r->p == -1 ? TRACE_NONE : p->thread,
                                .p = r->p,
                                .g = g ? (i64)g : TRACE_NONE}};
    memcpy(s.ev.args, raw.args, sizeof s.ev.args);
    u32 stack = (u32)raw.stack;
    if (id_table_get(&v->table->stack_ids, stack) == U32_NONE) stack = 0;
    raw.stack = stack;
    const struct trace_spec *shown_as = trace_spec(spec->becomes);
    if (spec->has_stack && shown_as->stack_at) s.ev.args[shown_as->stack_at - 1] = stack;
    if (!convert(v, r, &raw, p, &s, &is_hidden)) return false;
    if (is_hidden) return true;
    *ret_is_given = true;
    if (!give(v, &s, ret)) return false;
    if (raw.type == V1_UserTaskEnd) ret->args[1] = s.ev.args[2];
    if (raw.type == V1_CPUSample && stack && !trace_table_stack_index(v->table, stack, &ret->stack))
        ret->stack = U32_NONE;
    return true;
}

bool v1_next(struct v1 *v, struct trace_event *ret) {
    if (v->has_extra) {
        *ret = v->extra;
        v->has_extra = false;
        return true;
    }
    for (;;) {
        bool is_given;
        if (give_pending(v, ret)) return true;
        if (v->record_i == v->n_records) return false;
        if (!step(v, ret, &is_given)) {
            v->record_i = v->n_records = 0;
            return false;
        }
        v->record_i++;
        if (is_given) return true;
    }
}
