// trace/reader.c - trace_open and trace_next: generations one by one, threads merged by time.
// Room: cursors and their heap; what may happen next is order.c, what a generation holds is
// generation.c. Door: trace/trace.h. Source: reference/go.md section 4.4.
#include "trace/header.h"
#include "trace/order.h"
#include "trace/v1.h"
#include "trace/varint.h"

#include <string.h>

// Up to that many are sorted by insertion: no scratch memory is asked for.
enum { FEW_THREADS = 64 };

// A thread's place in its batches, and the event read there.
struct cursor {
    i64 m;
    const u8 *p, *end;
    u32 batch_i;  // the one after p; U32_NONE: none
    u32 thread_i; // in the order
    i64 last_ns;
    struct raw_event ev;
};

struct heap_item {
    i64 time_ns;
    u32 cursor_i;
};

struct trace_reader {
    struct reader bytes;
    u32 version;
    struct arena arena; // of the generation
    struct generation gen;
    struct order order;
    struct v1 *v1; // NULL: format v2
    struct cursor *cursors;
    struct heap_item *heap;
    u32 n_heap, sample_i;
    u32 n_generations; // Sync events given so far
    i64 last_ns;
    u64 gen_at; // where the generation begins in the bytes
    bool has_gen, is_done, is_broken;
    trace_progress on_generation; // NULL: nobody wants to know
    void *on_generation_to;
    struct err cut; // why the current generation is not whole
    struct err err; // why nothing comes any more
};

bool header_read(struct reader *r, u32 *ret_version, struct err *err) {
    str head;
    if (reader_bytes(r, TRACE_HEADER_LEN, &head, NULL) && str_starts(head, S("go 1.")) &&
        str_ends(head, S(" trace\0\0\0"))) {
        str digits = str_take(str_skip(head, 5), head.len - 14);
        u64 version;
        if (num_parse_u64(digits, 10, &version)) {
            *ret_version = (u32)version;
            return true;
        }
    }
    return err_set(err, ERR_UNRECOGNIZED, 0, "not a Go execution trace");
}

bool trace_open(struct arena *out, str bytes, struct trace_reader **ret, struct err *err) {
    struct reader r = reader_of(bytes);
    u32 version;
    if (!header_read(&r, &version, err)) return false;
    if (version < TRACE_V1_LEAST)
        return err_set(err, ERR_UNSUPPORTED, 0,
                       "traces of format go 1.%u cannot be read; the oldest that can is go 1.%d",
                       version, TRACE_V1_LEAST);
    struct trace_reader *t = NEW(out, struct trace_reader, 1);
    *t = (struct trace_reader){.version = version, .bytes = r, .arena = arena_sub(out)};
    order_init(&t->order, out);
    if (version < TRACE_V2_LEAST) {
        t->v1 = NEW(&t->arena, struct v1, 1);
        v1_open(t->v1, &t->arena, r, version, &t->gen.table);
    }
    *ret = t;
    return true;
}

void trace_close(struct trace_reader *r) {
    order_done(&r->order);
    arena_done(&r->arena);
}

const struct err *trace_broken(const struct trace_reader *r) {
    return r->is_broken ? &r->err : NULL;
}

struct v1 *v1_of(struct trace_reader *r) {
    return r->v1;
}

u64 trace_at(const struct trace_reader *r) {
    return r->gen_at;
}

void trace_on_generation(struct trace_reader *r, trace_progress call, void *to) {
    r->on_generation = call;
    r->on_generation_to = to;
}

u32 trace_version(const struct trace_reader *r) {
    return r->version;
}

bool trace_is_newer(const struct trace_reader *r) {
    return r->version > TRACE_NEWEST;
}

u32 trace_depth(const struct trace_reader *r, u32 stack) {
    return stack == U32_NONE ? 0 : r->gen.table.stacks[stack].n;
}

const struct trace_frame *trace_frame(const struct trace_reader *r, u32 stack, u32 i) {
    const struct trace_table *t = &r->gen.table;
    return &t->frames[t->stack_frames[t->stacks[stack].at + i]];
}

// Reads the next event of a thread. *ret_is_end: there is none.
static bool cursor_next(struct trace_reader *r, struct cursor *c, bool *ret_is_end) {
    while (c->p == c->end) {
        *ret_is_end = c->batch_i == U32_NONE;
        if (*ret_is_end) return true;
        const struct trace_batch *b = &r->gen.batches[c->batch_i];
        c->p = b->p;
        c->end = b->end;
        c->batch_i = b->next;
        c->last_ns = generation_ns(&r->gen, b->ts);
    }
    *ret_is_end = false;
    u64 at = (u64)(c->p - r->bytes.start), dt;
    c->ev.type = *c->p++;
    const struct trace_spec *spec = trace_spec(c->ev.type);
    if (spec->form != TRACE_TIMED || !spec->name)
        return err_set(&r->err, ERR_MALFORMED, at, "event %u among those of a thread", c->ev.type);
    bool is_whole = varint_take(&c->p, c->end, &dt);
    for (u32 i = 1; is_whole && i < spec->n_args; i++)
        is_whole = varint_take(&c->p, c->end, &c->ev.args[i - 1]);
    if (!is_whole) return err_set(&r->err, ERR_MALFORMED, at, "%s is cut off", spec->name);
    c->last_ns = (i64)((u64)c->last_ns + (u64)generation_ns(&r->gen, dt));
    c->ev.time_ns = c->last_ns;
    return true;
}

static u32 sift_up(struct heap_item *heap, u32 i) {
    struct heap_item item = heap[i];
    for (; i > 0 && heap[(i - 1) / 2].time_ns > item.time_ns; i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = item;
    return i;
}

static void sift_down(struct heap_item *heap, u32 n, u32 i) {
    struct heap_item item = heap[i];
    for (u32 child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && heap[child + 1].time_ns < heap[child].time_ns) child++;
        if (heap[child].time_ns >= item.time_ns) break;
        heap[i] = heap[child];
    }
    heap[i] = item;
}

static void heap_remove(struct trace_reader *r, u32 i) {
    // Through the root, as the official reader does: events of equal time keep its order.
    struct heap_item *heap = r->heap;
    for (; i > 0; i = (i - 1) / 2) {
        heap[i] = heap[(i - 1) / 2];
    }
    heap[0] = heap[--r->n_heap];
    if (r->n_heap) sift_down(heap, r->n_heap, 0);
}

static bool enter(struct trace_reader *r) {
    struct generation *g = &r->gen;
    r->cursors = NEW(&r->arena, struct cursor, g->n_threads);
    r->heap = NEW(&r->arena, struct heap_item, g->n_threads);
    r->n_heap = r->sample_i = 0;
    order_enter(&r->order, g);
    for (u32 i = 0; i < g->n_threads; i++) {
        struct cursor *c = &r->cursors[i];
        bool is_end;
        *c = (struct cursor){.m = g->threads[i].m, .batch_i = g->threads[i].first};
        if (c->m != TRACE_NONE) c->thread_i = order_thread_index(&r->order, c->m);
        if (!cursor_next(r, c, &is_end)) return false;
        if (is_end) continue;
        r->heap[r->n_heap] = (struct heap_item){.time_ns = c->ev.time_ns, .cursor_i = i};
        sift_up(r->heap, r->n_heap++);
    }
    return true;
}

static bool end_broken(struct trace_reader *r) {
    r->is_done = r->is_broken = true;
    r->err.at = r->err.at ? r->err.at : r->gen_at;
    return false;
}

static void give_sync(struct trace_reader *r, i64 time_ns, struct trace_event *ret) {
    *ret = (struct trace_event){.time_ns = time_ns,
                                .m = TRACE_NONE,
                                .p = TRACE_NONE,
                                .g = TRACE_NONE,
                                .subject = TRACE_NONE,
                                .stack = U32_NONE,
                                .subject_stack = U32_NONE,
                                .type = TRACE_EV_NEW_GENERATION,
                                .kind = TRACE_SYNC};
    ret->args[0] = ++r->n_generations;
}

// Begins the next generation, or ends.
static bool next_generation(struct trace_reader *r, struct trace_event *ret) {
    if (r->cut.code) {
        r->err = r->cut;
        give_sync(r, r->last_ns, ret);
        r->is_done = r->is_broken = true;
        return true;
    }
    bool is_end;
    arena_reset(&r->arena);
    r->gen_at = reader_at(&r->bytes);
    if (r->on_generation) r->on_generation(r->on_generation_to, r->gen_at);
    if (!generation_read(&r->arena, &r->bytes, r->version, &r->gen, &is_end, &r->cut, &r->err)) {
        give_sync(r, r->last_ns, ret);
        end_broken(r);
        return true;
    }
    if (is_end) {
        give_sync(r, r->last_ns, ret);
        r->is_done = true;
        return true;
    }
    const struct generation *g = &r->gen;
    give_sync(r, generation_ns(g, g->min_ts), ret);
    ret->has_clock = g->has_clock;
    ret->args[1] = (u64)generation_ns(g, g->clock_ts);
    ret->args[2] = g->clock_mono;
    ret->args[3] = g->clock_s;
    ret->args[4] = g->clock_ns;
    r->has_gen = enter(r);
    // What broke at the first event of a thread is told after this one.
    if (!r->has_gen) end_broken(r);
    return true;
}

static bool give_sample(struct trace_reader *r, struct trace_event *ret) {
    const struct trace_sample *s = &r->gen.samples[r->sample_i++];
    struct raw_event ev = {
        .time_ns = s->time_ns, .type = TRACE_EV_CPUSample, .args = {s->stack_id}};
    struct order_place place = {.m = s->m, .p = s->p, .g = s->g};
    if (!order_fill(&r->gen.table, &ev, place, ret, &r->err)) return end_broken(r);
    if (!trace_table_stack_index(&r->gen.table, s->stack_id, &ret->stack)) {
        err_fill(&r->err, ERR_INCONSISTENT, 0, "a CPU sample has a stack that is not there");
        return end_broken(r);
    }
    return true;
}

// Tries the i-th event of the heap.
static enum order_step advance(struct trace_reader *r, u32 i, struct trace_event *ret) {
    struct cursor *c = &r->cursors[r->heap[i].cursor_i];
    bool is_end;
    enum order_step step = order_try(&r->order, &c->ev, c->m, c->thread_i, ret);
    if (step == ORDER_BROKEN) r->err = r->order.err;
    if (step != ORDER_DONE) return step;
    if (!cursor_next(r, c, &is_end)) return ORDER_BROKEN;
    if (is_end) {
        heap_remove(r, i);
    } else {
        r->heap[i].time_ns = c->ev.time_ns;
        if (sift_up(r->heap, i) == i) sift_down(r->heap, r->n_heap, i);
    }
    return step;
}

static int by_time(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct heap_item *x = a, *y = b;
    return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

static void sort_heap(struct trace_reader *r) {
    if (r->n_heap > FEW_THREADS) {
        sort_stable(&r->arena, r->heap, r->n_heap, sizeof *r->heap, by_time, NULL);
        return;
    }
    for (u32 i = 1; i < r->n_heap; i++) {
        struct heap_item item = r->heap[i];
        u32 at = i;
        for (; at > 0 && r->heap[at - 1].time_ns > item.time_ns; at--)
            r->heap[at] = r->heap[at - 1];
        r->heap[at] = item;
    }
}

// The earliest event must wait: the first of the others that need not goes. A sorted heap is one.
static enum order_step advance_another(struct trace_reader *r, struct trace_event *ret) {
    sort_heap(r);
    for (u32 i = 1; i < r->n_heap; i++) {
        enum order_step step = advance(r, i, ret);
        if (step != ORDER_WAIT) return step;
    }
    if (r->cut.code)
        r->err = r->cut;
    else
        err_fill(&r->err, ERR_INCONSISTENT, 0,
                 "generation %llu has no possible order: %u threads wait for each other",
                 (unsigned long long)r->gen.number, r->n_heap);
    return ORDER_BROKEN;
}

// A v1 trace is one generation, begun a nanosecond before its first event.
static bool give_next_v1(struct trace_reader *r, struct trace_event *ret) {
    if (r->n_generations == 0) {
        give_sync(r, -1, ret);
        r->last_ns = -2;
        return true;
    }
    if (v1_next(r->v1, ret)) return true;
    give_sync(r, r->last_ns, ret);
    r->is_done = true;
    r->is_broken = r->v1->err.code != ERR_NONE;
    r->err = r->v1->err;
    return true;
}

static bool give_next(struct trace_reader *r, struct trace_event *ret) {
    struct order *o = &r->order;
    if (o->queue_at + 1 >= o->n_out) {
        bool has_sample = r->has_gen && r->sample_i < r->gen.n_samples;
        if (!r->n_heap && !has_sample) return next_generation(r, ret);
        if (has_sample && (!r->n_heap || r->gen.samples[r->sample_i].time_ns < r->heap[0].time_ns))
            return give_sample(r, ret);
        enum order_step step = advance(r, 0, ret);
        if (step == ORDER_WAIT) step = advance_another(r, ret);
        return step == ORDER_DONE || end_broken(r);
    }
    *ret = o->queue[o->queue_at++];
    return true;
}

bool trace_next(struct trace_reader *r, struct trace_event *ret) {
    if (r->is_done) return false;
    if (!(r->v1 ? give_next_v1(r, ret) : give_next(r, ret))) return false;
    if (ret->time_ns > TRACE_MAX_NS) ret->time_ns = TRACE_MAX_NS;
    if (ret->time_ns <= r->last_ns)
        ret->time_ns = r->last_ns == TRACE_MAX_NS ? TRACE_MAX_NS : r->last_ns + 1;
    r->last_ns = ret->time_ns;
    ret->generation = r->n_generations;
    return true;
}
