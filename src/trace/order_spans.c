// trace/order_spans.c - what has a beginning and an end: ranges, collections, tasks, regions.
// Room: pairing; transitions of goroutines and processors are order.c. Door: trace/trace.h.
// Source: reference/go.md section 4.4.
#include "trace/order.h"

u32 order_span_free(struct order *o, u32 list) {
    u32 next = o->spans[list].next;
    o->spans[list].next = o->free_span;
    o->free_span = list;
    return next;
}

static void push(struct order *o, u32 *list, u8 type, u64 task, str name) {
    u32 i = o->free_span;
    if (i != U32_NONE) {
        o->free_span = o->spans[i].next;
    } else {
        i = o->n_spans++;
        GROW(&o->arena, o->spans, o->cap_spans, o->n_spans);
    }
    o->spans[i] = (struct order_span){.type = type, .task = task, .name = name, .next = *list};
    *list = i;
}

// The link to the oldest range of a type begun (and of that name, where one is given).
static u32 *find(struct order *o, u32 *list, u8 type, const str *name) {
    u32 *found = NULL;
    for (u32 *at = list; *at != U32_NONE; at = &o->spans[*at].next) {
        const struct order_span *s = &o->spans[*at];
        if (s->type == type && (!name || str_eq(s->name, *name))) found = at;
    }
    return found;
}

static enum order_step range_begin(struct order *o, u32 *list, struct trace_event *e, u8 type) {
    if (find(o, list, type, &e->name))
        return order_broken(o, "%s while one is under way", trace_spec(type)->name);
    push(o, list, type, 0, e->name);
    return ORDER_DONE;
}

static enum order_step range_active(struct order *o, u32 *list, u8 type) {
    bool is_known = find(o, list, type, &S(""));
    bool is_first = o->generation == o->first_generation;
    if (is_known == is_first)
        return order_broken(o, "a range of %s is said to be under way and %s",
                            trace_spec(type)->name, is_known ? "was told already" : "never began");
    if (is_first) push(o, list, type, 0, S(""));
    return ORDER_DONE;
}

static enum order_step range_end(struct order *o, u32 *list, struct trace_event *e, u8 type) {
    u32 *at = find(o, list, type, NULL);
    if (!at) return order_broken(o, "the end of a %s that never began", trace_spec(type)->name);
    e->name = o->spans[*at].name;
    *at = order_span_free(o, *at);
    return ORDER_DONE;
}

// Ranges of a goroutine: the stopped world, mark assists.
static enum order_step go_range(struct order *o, struct raw_event *ev, u8 type) {
    bool is_active = ev->type == TRACE_EV_GCMarkAssistActive;
    if (!is_active && !order_needs(o, ev, MUST, MUST, MUST)) return ORDER_BROKEN;
    i64 id = is_active ? (i64)ev->args[0] : o->now.g;
    struct order_go *g = order_go(o, id);
    if (!g)
        return order_broken(o, "%s of the unknown goroutine %lld", trace_spec(ev->type)->name,
                            (long long)id);
    struct trace_event *e = order_emit(o, ev);
    if (!e) return ORDER_BROKEN;
    e->subject_kind = TRACE_GOROUTINE;
    e->subject = id;
    if (is_active) return range_active(o, &g->ranges, type);
    if (ev->type == type) return range_begin(o, &g->ranges, e, type);
    return range_end(o, &g->ranges, e, type);
}

// Sweeps, which belong to a processor.
static enum order_step sweep(struct order *o, struct raw_event *ev) {
    bool is_active = ev->type == TRACE_EV_GCSweepActive;
    if (!is_active && !order_needs(o, ev, MUST, MUST, MAY)) return ORDER_BROKEN;
    i64 id = is_active ? (i64)ev->args[0] : o->now.p;
    struct order_proc *p = order_proc(o, id);
    if (!p)
        return order_broken(o, "%s of the unknown processor %lld", trace_spec(ev->type)->name,
                            (long long)id);
    struct trace_event *e = order_emit(o, ev);
    if (!e) return ORDER_BROKEN;
    e->subject_kind = TRACE_PROC;
    e->subject = id;
    if (is_active) return range_active(o, &p->ranges, TRACE_EV_GCSweepBegin);
    if (ev->type == TRACE_EV_GCSweepBegin)
        return range_begin(o, &p->ranges, e, TRACE_EV_GCSweepBegin);
    return range_end(o, &p->ranges, e, TRACE_EV_GCSweepBegin);
}

static enum order_step emit_plain(struct order *o, struct raw_event *ev, enum order_need p,
                                  enum order_need g) {
    if (!order_needs(o, ev, MUST, p, g)) return ORDER_BROKEN;
    return order_emit(o, ev) ? ORDER_DONE : ORDER_BROKEN;
}

// Begin, active and end share one counter. The first event of the trace sets it, wherever it is.
static enum order_step collection(struct order *o, struct raw_event *ev) {
    u64 seq = ev->args[0];
    bool is_active = ev->type == TRACE_EV_GCActive, is_begin = ev->type == TRACE_EV_GCBegin;
    bool is_first =
        is_active ? o->generation == o->first_generation : is_begin && o->gc == GC_UNDETERMINED;
    if (is_first) {
        if (o->gc != GC_UNDETERMINED)
            return order_broken(o, "GCActive is not the first event of a collection");
        o->gc_seq = seq;
        o->gc = GC_ON;
        return order_emit(o, ev) ? ORDER_DONE : ORDER_BROKEN;
    }
    if (seq != o->gc_seq + 1) return ORDER_WAIT;
    if (o->gc != (is_begin ? GC_OFF : GC_ON))
        return order_broken(o, "%s while %s collection is under way", trace_spec(ev->type)->name,
                            is_begin ? "a" : "no");
    o->gc_seq = seq;
    o->gc = ev->type == TRACE_EV_GCEnd ? GC_OFF : GC_ON;
    return emit_plain(o, ev, MUST, MUST);
}

static enum order_step task_begin(struct order *o, struct raw_event *ev) {
    if (!order_needs(o, ev, MUST, MUST, MUST)) return ORDER_BROKEN;
    if (ev->args[1] == 0) ev->args[1] = TRACE_NO_TASK;
    struct trace_event *e = order_emit(o, ev);
    if (!e) return ORDER_BROKEN;
    u32 *at = idmap_at(&o->task_ids, ev->args[0]);
    if (*at == U32_NONE) {
        *at = o->n_tasks++;
        GROW(&o->arena, o->tasks, o->cap_tasks, o->n_tasks);
    } else if (o->tasks[*at].is_active) {
        return order_broken(o, "task %llu begins twice", (unsigned long long)ev->args[0]);
    }
    o->tasks[*at] = (struct order_task){.parent = ev->args[1], .name = e->name, .is_active = true};
    return ORDER_DONE;
}

static enum order_step task_end(struct order *o, struct raw_event *ev) {
    if (!order_needs(o, ev, MUST, MUST, MUST)) return ORDER_BROKEN;
    struct trace_event *e = order_emit(o, ev);
    if (!e) return ORDER_BROKEN;
    u32 i = idmap_get(&o->task_ids, ev->args[0]);
    e->args[1] = TRACE_NO_TASK;
    if (i == U32_NONE || !o->tasks[i].is_active) return ORDER_DONE;
    e->args[1] = o->tasks[i].parent;
    e->name = o->tasks[i].name;
    o->tasks[i].is_active = false;
    return ORDER_DONE;
}

static enum order_step region(struct order *o, struct raw_event *ev) {
    if (!order_needs(o, ev, MUST, MUST, MUST)) return ORDER_BROKEN;
    struct order_go *g = order_go(o, o->now.g);
    if (!g) return order_broken(o, "a region of an unknown goroutine");
    struct trace_event *e = order_emit(o, ev);
    if (!e) return ORDER_BROKEN;
    if (ev->type == TRACE_EV_UserRegionBegin) {
        push(o, &g->regions, ev->type, ev->args[0], e->name);
        return ORDER_DONE;
    }
    if (g->regions == U32_NONE) return ORDER_DONE; // begun before the trace
    const struct order_span *inner = &o->spans[g->regions];
    if (inner->task != ev->args[0] || !str_eq(inner->name, e->name))
        return order_broken(
            o, "goroutine %lld ends the region \"" S_FMT "\" inside the region \"" S_FMT "\"",
            (long long)g->id, S_ARG(e->name), S_ARG(inner->name));
    g->regions = order_span_free(o, g->regions);
    return ORDER_DONE;
}

static enum order_step label(struct order *o, struct raw_event *ev) {
    enum order_step step = emit_plain(o, ev, MUST, MUST);
    if (step != ORDER_DONE) return step;
    o->out->subject_kind = TRACE_GOROUTINE;
    o->out->subject = o->now.g;
    return step;
}

enum order_step order_try_span(struct order *o, struct raw_event *ev) {
    switch (ev->type) {
    case TRACE_EV_STWBegin:
    case TRACE_EV_STWEnd:
        return go_range(o, ev, TRACE_EV_STWBegin);
    case TRACE_EV_GCMarkAssistActive:
    case TRACE_EV_GCMarkAssistBegin:
    case TRACE_EV_GCMarkAssistEnd:
        return go_range(o, ev, TRACE_EV_GCMarkAssistBegin);
    case TRACE_EV_GCSweepActive:
    case TRACE_EV_GCSweepBegin:
    case TRACE_EV_GCSweepEnd:
        return sweep(o, ev);
    case TRACE_EV_GCActive:
    case TRACE_EV_GCBegin:
    case TRACE_EV_GCEnd:
        return collection(o, ev);
    case TRACE_EV_UserTaskBegin:
        return task_begin(o, ev);
    case TRACE_EV_UserTaskEnd:
        return task_end(o, ev);
    case TRACE_EV_UserRegionBegin:
    case TRACE_EV_UserRegionEnd:
        return region(o, ev);
    case TRACE_EV_GoLabel:
        return label(o, ev);
    case TRACE_EV_ProcsChange:
    case TRACE_EV_UserLog:
        return emit_plain(o, ev, MUST, MUST);
    case TRACE_EV_HeapAlloc:
    case TRACE_EV_HeapGoal:
        return emit_plain(o, ev, MUST, MAY);
    default:
        if (trace_spec(ev->type)->kind == TRACE_EXPERIMENTAL) return emit_plain(o, ev, MAY, MAY);
        return order_broken(o, "event %u among those of a thread", ev->type);
    }
}
