// trace/v1_order.c - the batches of a v1 trace merged into one order.
// Room: which event may come next, and its time; what it means is v1.c. Door: v1_merge(), at the
// end. Of the events that may come next, by the states of their goroutines, the earliest does.
#include "trace/v1.h"

#include <assert.h>

struct front {
    i64 ts;
    u32 proc_i;
};

struct merge {
    struct v1 *v;
    struct front *front; // a heap: heads that may come next
    u32 *open;           // processors whose head is not in it
    u32 n_front, n_open, sample_i;
};

static void remember_go(struct v1 *v, struct v1_proc *proc, const struct v1_raw *raw) {
    struct v1_record *head = &proc->head;
    const struct v1_spec *spec = v1_spec(raw->type);
    head->go_i = proc->last_go_i;
    switch (spec->rule) {
    case V1_START:
    case V1_START_LOCAL:
        head->go_i = proc->last_go_i = v1_go_index(v, raw->args[0]);
        break;
    case V1_BLOCK:
    case V1_YIELD:
        proc->last_go_i = v1_go_index(v, 0);
        break;
    case V1_WAITING:
        head->go_i = v1_go_index(v, raw->args[0]);
        break;
    default:
        break;
    }
    if (raw->type == V1_GoEnd || raw->type == V1_GoStop) proc->last_go_i = v1_go_index(v, 0);
    proc->head_rule = spec->rule;
    proc->head_seq = spec->rule == V1_GC ? raw->args[0] : raw->args[1];
    bool is_other = spec->rule == V1_CREATE || spec->rule == V1_WAKE || spec->rule == V1_WAKE_LOCAL;
    proc->head_subject = is_other ? v1_go_index(v, raw->args[0]) : head->go_i;
    if (raw->type == V1_GoSysExit || raw->type == V1_GoSysExitLocal)
        head->go_i = proc->head_subject;
}

// Reads the next event of a processor; false: there is none. Every byte was seen by v1_index.
static bool proc_next(struct v1 *v, u32 proc_i) {
    struct v1_proc *proc = &v->procs[proc_i];
    struct v1_raw raw;
    for (;;) {
        while (proc->p == proc->end) {
            if (proc->batch_i == U32_NONE) return false;
            const struct v1_batch *b = &v->batches[proc->batch_i];
            proc->p = v->bytes.start + b->at;
            proc->end = v->bytes.start + b->end;
            proc->ts = b->ticks;
            proc->batch_i = b->next;
        }
        const u8 *start = proc->p;
        if (!v1_read(&proc->p, proc->end, v->version, &raw)) return false;
        if (v1_is_structure(raw.type) || raw.type == V1_CPUSample) continue;
        proc->ts = (i64)((u64)proc->ts + raw.dt);
        proc->head =
            (struct v1_record){.ts = proc->ts, .at = (u64)(start - v->bytes.start), .p = proc->pid};
        remember_go(v, proc, &raw);
        return true;
    }
}

static bool is_ready(const struct v1 *v, const struct v1_proc *proc) {
    const struct v1_go *g = &v->gos[proc->head_subject];
    switch ((enum v1_rule)proc->head_rule) {
    case V1_ANY:
        return true;
    case V1_CREATE:
        return g->seq == 0 && g->state == V1_DEAD;
    case V1_WAITING:
        return g->seq == 1 && g->state == V1_RUNNABLE;
    case V1_START:
        return g->seq == proc->head_seq && g->state == V1_RUNNABLE;
    case V1_START_LOCAL:
        return g->state == V1_RUNNABLE;
    case V1_BLOCK:
    case V1_YIELD:
        return g->state == V1_RUNNING;
    case V1_WAKE:
        return g->seq == proc->head_seq && g->state == V1_WAITS;
    case V1_WAKE_LOCAL:
        return g->state == V1_WAITS;
    case V1_GC:
        return v->gc_seq == proc->head_seq;
    }
    return false;
}

static void take_effect(struct v1 *v, const struct v1_proc *proc) {
    struct v1_go *g = &v->gos[proc->head_subject];
    switch ((enum v1_rule)proc->head_rule) {
    case V1_ANY:
        break;
    case V1_CREATE:
        g->seq = 1;
        g->state = V1_RUNNABLE;
        break;
    case V1_WAITING:
        g->seq = 2;
        g->state = V1_WAITS;
        break;
    case V1_START:
    case V1_START_LOCAL:
        g->seq++;
        g->state = V1_RUNNING;
        break;
    case V1_BLOCK:
        g->state = V1_WAITS;
        break;
    case V1_YIELD:
        g->state = V1_RUNNABLE;
        break;
    case V1_WAKE:
    case V1_WAKE_LOCAL:
        g->seq++;
        g->state = V1_RUNNABLE;
        break;
    case V1_GC:
        v->gc_seq++;
        break;
    }
}

static void front_push(struct merge *m, struct front item) {
    u32 i = m->n_front++;
    for (; i > 0 && item.ts < m->front[(i - 1) / 2].ts; i = (i - 1) / 2)
        m->front[i] = m->front[(i - 1) / 2];
    m->front[i] = item;
}

static struct front front_pop(struct merge *m) {
    struct front top = m->front[0], item = m->front[--m->n_front];
    u32 i = 0;
    for (u32 child; (child = 2 * i + 1) < m->n_front; i = child) {
        if (child + 1 < m->n_front && m->front[child + 1].ts < m->front[child].ts) child++;
        if (m->front[child].ts >= item.ts) break;
        m->front[i] = m->front[child];
    }
    m->front[i] = item;
    return top;
}

// Moves every head that may come next to the heap.
static void fill_front(struct merge *m) {
    for (u32 i = 0; i < m->n_open;) {
        struct v1_proc *proc = &m->v->procs[m->open[i]];
        if (!is_ready(m->v, proc)) {
            i++;
            continue;
        }
        front_push(m, (struct front){.ts = proc->head.ts, .proc_i = m->open[i]});
        m->open[i] = m->open[--m->n_open];
    }
}

static void put_record(struct v1 *v, const struct v1_record *record) {
    assert(v->n_records < v->n_events); // each is merged once
    v->records[v->n_records++] = *record;
}

static bool merge_one(struct merge *m) {
    struct v1 *v = m->v;
    fill_front(m);
    bool has_sample = m->sample_i < v->n_samples;
    if (has_sample && (!m->n_front || v->samples[m->sample_i].ts < m->front[0].ts)) {
        put_record(v, &v->samples[m->sample_i++]);
        return true;
    }
    if (!m->n_front) {
        if (m->n_open)
            err_fill(&v->err, ERR_INCONSISTENT, 0,
                     "no order of the events is possible: %u processors wait for each other",
                     m->n_open);
        return false;
    }
    struct front next = front_pop(m);
    struct v1_proc *proc = &v->procs[next.proc_i];
    if (!is_ready(v, proc)) // another event of its goroutine came first
        return err_set(&v->err, ERR_INCONSISTENT, proc->head.at,
                       "goroutine %llu changes on two processors at once",
                       (unsigned long long)v->gos[proc->head_subject].id);
    put_record(v, &proc->head);
    take_effect(v, proc);
    if (proc_next(v, next.proc_i)) m->open[m->n_open++] = next.proc_i;
    return true;
}

static int by_time(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct v1_record *x = a, *y = b;
    return (x->ts > y->ts) - (x->ts < y->ts);
}

static u8 type_of(const struct v1 *v, const struct v1_record *record) {
    return v->bytes.start[record->at & ~V1_IS_BLOCKING] & 0x3f;
}

static u64 exit_ticks(const struct v1 *v, const struct v1_record *record) {
    const u8 *p = v->bytes.start + record->at;
    struct v1_raw raw;
    if (!v1_read(&p, v->bytes.end, v->version, &raw)) return 0;
    return raw.type == V1_GoSysExit ? raw.args[2] : raw.args[1];
}

static void tell_clock(struct v1 *v, const struct v1_record *record) {
    if (v->err.code == ERR_NONE)
        err_fill(&v->err, ERR_INCONSISTENT, record->at,
                 "time stamps out of order: the clock of this machine was not to be trusted");
}

// Events whose time is not that of writing, in front of those they came before.
static void insert_moved(struct v1 *v, struct v1_record *moved, u64 n_moved) {
    AUTO_ARENA struct arena scratch = arena_sub(v->arena);
    sort_stable(&scratch, moved, n_moved, sizeof *moved, by_time, NULL);
    u64 from = v->n_records - n_moved, to = v->n_records;
    while (n_moved) {
        bool is_moved = from == 0 || v->records[from - 1].ts <= moved[n_moved - 1].ts;
        v->records[--to] = is_moved ? moved[--n_moved] : v->records[--from];
    }
}

// Calls return before the event of it is written: it holds the true time.
static void move_exits(struct v1 *v) {
    AUTO_ARENA struct arena scratch = arena_sub(v->arena);
    struct v1_record *moved = NULL;
    u64 n_moved = 0, n_kept = 0;
    size_t cap_moved = 0;
    i64 last = INT64_MIN;
    for (u64 i = 0; i < v->n_records; i++) {
        struct v1_record r = v->records[i];
        u8 type = type_of(v, &r);
        if (r.ts < last) {
            tell_clock(v, &r);
            r.ts = last;
        }
        last = r.ts;
        if (type == V1_GoSysBlock || type == V1_GoInSyscall) v->gos[r.go_i].in_call = r.ts;
        u64 ticks = type == V1_GoSysExit || type == V1_GoSysExitLocal ? exit_ticks(v, &r) : 0;
        if (ticks && (i64)ticks < v->gos[r.go_i].in_call) tell_clock(v, &r);
        if (!ticks || (i64)ticks >= r.ts || (i64)ticks < v->gos[r.go_i].in_call) {
            v->records[n_kept++] = r;
            continue;
        }
        r.ts = (i64)ticks;
        GROW(&scratch, moved, cap_moved, n_moved + 1);
        moved[n_moved++] = r;
    }
    insert_moved(v, moved, n_moved);
}

// Whether a call blocks is told by the next event of its goroutine.
static void mark_blocking(struct v1 *v) {
    for (u64 i = v->n_records; i-- > 0;) {
        struct v1_record *r = &v->records[i];
        struct v1_go *g = &v->gos[r->go_i];
        u8 type = type_of(v, r);
        if (type == V1_GoSysCall && g->next_type == V1_GoSysBlock) r->at |= V1_IS_BLOCKING;
        g->next_type = type;
    }
}

static void to_nanoseconds(struct v1 *v) {
    double tick_ns = v->frequency ? 1e9 / (double)v->frequency : 1;
    if (!v->frequency && v->err.code == ERR_NONE)
        err_fill(&v->err, ERR_INCONSISTENT, 0, "no clock frequency");
    i64 first = v->n_records ? v->records[0].ts : 0;
    for (u64 i = 0; i < v->n_records; i++) {
        double ns = (double)((u64)v->records[i].ts - (u64)first) * tick_ns;
        v->records[i].ts = ns < 9223372036854775808.0 ? (i64)ns : INT64_MAX;
    }
}

void v1_merge(struct v1 *v) {
    AUTO_ARENA struct arena scratch = arena_sub(v->arena);
    struct merge m = {.v = v,
                      .front = NEW(&scratch, struct front, v->n_procs),
                      .open = NEW(&scratch, u32, v->n_procs)};
    u32 nobody = v1_go_index(v, 0);
    v->records = NEW(v->arena, struct v1_record, v->n_events);
    sort_stable(&scratch, v->samples, v->n_samples, sizeof *v->samples, by_time, NULL);
    for (u32 i = 0; i < v->n_procs; i++) {
        v->procs[i].batch_i = v->procs[i].first;
        v->procs[i].last_go_i = nobody;
        if (proc_next(v, i)) m.open[m.n_open++] = i;
    }
    while (merge_one(&m)) {
    }
    move_exits(v);
    mark_blocking(v);
    to_nanoseconds(v);
}
