// agent/trace_drain.c - from the records of all threads to acts, in the order of time.
// Room: taking records, sorting them, finding out who woke whom. Door: agent/trace_inner.h.
#include "agent/trace_inner.h"

#include "agent/hot/hot.h"
#include "agent/switches.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    BIRTH_NS = 200 * 1000 * 1000, // a creation waits so long for its thread to begin, on a busy CPU
    SIZE_LOOKS = 4096,            // acts from one look at the generation's size to the next
    DRAIN_MAX = 512 << 10,        // records sorted at a time: 16 MiB
};

// A record on its way.
struct item {
    u64 ticks;
    const struct trace_record *record;
    struct trace_stream *stream; // NULL: the scheduler's
    u32 woke; // of a post or creation: index + 1 of the first item it led to; of that item: next
};

struct drain {
    struct arena scratch;
    struct item *items;
    u32 n;
    size_t cap;
    struct item *ahead; // first records behind the end, of threads that go on or begin with them
    u32 n_ahead;
    size_t cap_ahead;
    struct clock_pair from, to;
};

static u64 ns_of(const struct drain *d, u64 ticks) {
    u64 span_ticks = d->to.ticks - d->from.ticks, span_ns = d->to.ns - d->from.ns;
    if (ticks <= d->from.ticks || !span_ticks) return d->from.ns; // was on its way last time
    return d->from.ns +
           (u64)((double)(ticks - d->from.ticks) * (double)span_ns / (double)span_ticks);
}

static struct trace_stream *stream_of(u32 item) {
    return &trace_hot.streams[item - 1];
}

static struct trace_chunk *chunk_of(u32 item) {
    return &trace_hot.chunks[item - 1];
}

// Streams that threads have begun since the last look.
static void take_streams(void) {
    u32 at = atomic_exchange_explicit(&trace_hot.fresh, 0, memory_order_acquire);
    while (at) {
        GROW(&tracer.arena, tracer.streams, tracer.cap_streams, tracer.n_streams + 1);
        tracer.streams[tracer.n_streams++] = at;
        at = atomic_load(&stream_of(at)->next);
    }
}

static u32 records_of(const struct trace_record *record) {
    return trace_mark_of(record) >= TRACE_MARK_TASK_BEGIN ? trace_arg_of(record) : 1;
}

// Who woke or made a thread may be within the drain and what came of it just behind its end.
static void look_ahead(struct drain *d, struct trace_stream *stream,
                       const struct trace_record *record) {
    enum trace_mark mark = trace_mark_of(record);
    if (mark != TRACE_MARK_WOKEN && mark != TRACE_MARK_BORN) return;
    GROW(&d->scratch, d->ahead, d->cap_ahead, d->n_ahead + 1);
    d->ahead[d->n_ahead++] = (struct item){record->ticks, record, stream, 0};
}

// Looks at a stream's records up to the end of the drain, without taking them; gives their number.
static void look(struct drain *d, struct trace_stream *stream) {
    u32 chunk = atomic_load_explicit(&stream->first, memory_order_acquire), at = stream->n_taken;
    while (chunk && d->n < DRAIN_MAX) {
        struct trace_chunk *c = chunk_of(chunk);
        u32 next = atomic_load_explicit(&c->next, memory_order_acquire);
        u32 n = atomic_load_explicit(&c->n, memory_order_acquire);
        for (; at < n; at += records_of(&c->records[at])) {
            const struct trace_record *record = &c->records[at];
            if (record->ticks > d->to.ticks) return look_ahead(d, stream, record);
            if (record->ticks < tracer.begun.ticks) continue; // of a trace before
            GROW(&d->scratch, d->items, d->cap, d->n + 1);
            d->items[d->n++] = (struct item){record->ticks, record, stream, 0};
        }
        chunk = next;
        at = 0;
    }
}

// Everything up to the end; too much at once is taken in pieces.
static void look_at_all(struct drain *d) {
    for (;;) {
        d->n = d->n_ahead = 0;
        for (u32 i = 0; i < tracer.n_streams; i++) look(d, stream_of(tracer.streams[i]));
        if (d->n < DRAIN_MAX || d->to.ticks <= d->from.ticks + 1) return;
        struct clock_pair half = {d->from.ticks + (d->to.ticks - d->from.ticks) / 2,
                                  d->from.ns + (d->to.ns - d->from.ns) / 2};
        d->to = half;
    }
}

// More creations than births of each number; numbers are used again.
static void count_births(const struct drain *d, struct idmap *unborn) {
    for (u32 i = 0; i < d->n; i++) {
        enum trace_mark mark = trace_mark_of(d->items[i].record);
        u32 *n = mark == TRACE_MARK_CREATES || mark == TRACE_MARK_BORN
                     ? idmap_at(unborn, trace_arg_of(d->items[i].record))
                     : NULL;
        if (!n) continue;
        if (*n == U32_NONE) *n = 0;
        *n += mark == TRACE_MARK_CREATES ? 1u : -1u;
    }
    for (u32 i = 0; i < d->n_ahead; i++)
        if (trace_mark_of(d->ahead[i].record) == TRACE_MARK_BORN)
            *idmap_at(unborn, trace_arg_of(d->ahead[i].record)) -= 1u;
}

// A creation is written with the number of the thread it makes, which the thread tells: the drain
// ends before one whose thread has not begun yet. False: it has no other end than its beginning.
static bool hold_back(struct drain *d) {
    struct idmap unborn;
    u64 end = d->to.ticks;
    idmap_init(&unborn, &d->scratch);
    count_births(d, &unborn);
    for (u32 i = 0; i < d->n; i++) {
        const struct item *item = &d->items[i];
        if (trace_mark_of(item->record) != TRACE_MARK_CREATES || item->ticks > end) continue;
        u32 n = idmap_get(&unborn, trace_arg_of(item->record));
        if ((i32)n > 0 && d->to.ns - ns_of(d, item->ticks) < BIRTH_NS) end = item->ticks - 1;
    }
    if (end == d->to.ticks) return true;
    if (end <= d->from.ticks) return false;
    d->to = (struct clock_pair){end, ns_of(d, end)};
    look_at_all(d);
    return true;
}

// The scheduler's records, whose time is nanoseconds, take their place among the threads' own.
static void take_switches(struct drain *d) {
    u64 span_ticks = d->to.ticks - d->from.ticks, span_ns = d->to.ns - d->from.ns;
    u32 n_kept = 0;
    for (u32 i = 0; i < tracer.n_switches; i++) {
        struct trace_record *record = &tracer.switches[i];
        if (record->ticks > d->to.ns) {
            tracer.switches[n_kept++] = *record;
            continue;
        }
        u64 ns = record->ticks > d->from.ns ? record->ticks - d->from.ns : 0;
        u64 ticks = d->from.ticks + (u64)((double)ns * (double)span_ticks / (double)span_ns);
        struct trace_record *copy = NEW(&d->scratch, struct trace_record, 1);
        *copy = (struct trace_record){ticks, record->word};
        GROW(&d->scratch, d->items, d->cap, d->n + 1);
        d->items[d->n++] = (struct item){ticks, copy, NULL, 0};
    }
    tracer.n_switches = n_kept;
}

static int by_ticks(const void *a, const void *b, void *ctx) {
    const struct item *x = a, *y = b;
    (void)ctx;
    return (x->ticks > y->ticks) - (x->ticks < y->ticks);
}

static void sort(struct drain *d) {
    for (u32 i = 1; i < d->n; i++) {
        if (d->items[i].ticks >= d->items[i - 1].ticks) continue;
        sort_stable(&d->scratch, d->items, d->n, sizeof *d->items, by_ticks, NULL);
        return;
    }
}

// A thread that goes on was woken by the last post for its object since it began to wait.
static void match(struct drain *d, struct idmap *posts, u32 i) {
    struct item *item = &d->items[i];
    struct trace_stream *stream = item->stream;
    u32 post = stream->waits_for ? idmap_get(posts, (u32)stream->waits_for) : U32_NONE;
    if (i < d->n) stream->waits_for = 0; // else the next drain finds it, and maybe its post
    if (post == U32_NONE || d->items[post].stream == stream) return;
    if (d->items[post].ticks < stream->waits_since) return;
    stream->waits_for = 0;
    item->woke = d->items[post].woke;
    d->items[post].woke = i + 1;
}

static void match_birth(struct drain *d, struct idmap *births, u32 i) {
    u32 creation = idmap_get(births, trace_arg_of(d->items[i].record));
    // One that has its thread is not meant: numbers are used again.
    if (creation != U32_NONE && !d->items[creation].woke) d->items[creation].woke = i + 1;
}

static void match_all(struct drain *d) {
    struct idmap posts, births;
    idmap_init(&posts, &d->scratch);
    idmap_init(&births, &d->scratch);
    for (u32 i = 0; i < d->n; i++) {
        struct item *item = &d->items[i];
        enum trace_mark mark = trace_mark_of(item->record);
        if (mark == TRACE_MARK_POST) *idmap_at(&posts, trace_arg_of(item->record)) = i;
        if (mark == TRACE_MARK_WOKEN) match(d, &posts, i);
        if (mark == TRACE_MARK_CREATES) *idmap_at(&births, trace_arg_of(item->record)) = i;
        if (mark == TRACE_MARK_BORN) match_birth(d, &births, i);
        if (mark != TRACE_MARK_SYNC && mark != TRACE_MARK_COND) continue;
        item->stream->waits_for = 1ull << 32 | trace_arg_of(item->record);
        item->stream->waits_since = item->ticks;
    }
    for (u32 i = d->n; i < d->n + d->n_ahead; i++) {
        if (trace_mark_of(d->items[i].record) == TRACE_MARK_WOKEN)
            match(d, &posts, i);
        else
            match_birth(d, &births, i);
    }
}

// Behind the others, where put_all does not come.
static void append_ahead(struct drain *d) {
    if (!d->n_ahead) return;
    GROW(&d->scratch, d->items, d->cap, d->n + d->n_ahead);
    memcpy(d->items + d->n, d->ahead, d->n_ahead * sizeof *d->ahead);
}

// What an item did to others, each by an act of its own.
static void put_others(struct drain *d, const struct item *item, struct trace_act act,
                       enum trace_act_kind kind) {
    act.kind = kind;
    for (u32 at = item->woke; at; at = d->items[at - 1].woke) {
        act.other = atomic_load(&d->items[at - 1].stream->tid);
        act.id = tracer_start(d->items[at - 1].stream->start_pc);
        trace_writer_put(tracer.writer, &act);
    }
}

static void put_text(const struct item *item, struct trace_act act) {
    static const enum trace_act_kind kinds[] = {
        [TRACE_MARK_TASK_BEGIN] = TRACE_ACT_TASK_BEGIN,
        [TRACE_MARK_TASK_END] = TRACE_ACT_TASK_END,
        [TRACE_MARK_REGION_BEGIN] = TRACE_ACT_REGION_BEGIN,
        [TRACE_MARK_REGION_END] = TRACE_ACT_REGION_END,
        [TRACE_MARK_LOG] = TRACE_ACT_LOG,
    };
    const struct trace_text *text = (const struct trace_text *)(const void *)(item->record + 1);
    act.kind = kinds[trace_mark_of(item->record)];
    act.id = text->id;
    act.parent = text->parent;
    act.name = (str){text->bytes, text->name_len};
    act.value = (str){text->bytes + text->name_len, text->value_len};
    trace_writer_put(tracer.writer, &act);
}

// "endpoint=/search job=index" of "endpoint\0/search\0job\0index\0".
str tracer_labels(struct arena *out, str pairs) {
    struct buf b = buf_new(out, pairs.len + 1);
    for (u32 n = 0; pairs.len > 0; n++) {
        str word;
        str_cut(pairs, 0, &word, &pairs);
        if (n > 0) buf_put(&b, n % 2 ? S("=") : S(" "));
        buf_put(&b, word);
    }
    return buf_str(&b);
}

// A scope of labels is a region named by them.
static void put_labels(struct drain *d, const struct item *item, struct trace_act act) {
    const struct trace_text *text = (const struct trace_text *)(const void *)(item->record + 1);
    act.kind = text->id == TRACE_LABELS_ENTER ? TRACE_ACT_REGION_BEGIN : TRACE_ACT_REGION_END;
    act.name = tracer_labels(&d->scratch, (str){text->bytes, text->name_len});
    if (text->id != TRACE_LABELS_SET) trace_writer_put(tracer.writer, &act);
    act.kind = TRACE_ACT_LABELS;
    act.value = tracer_labels(&d->scratch, (str){text->bytes + text->name_len, text->value_len});
    trace_writer_put(tracer.writer, &act);
}

static void put_wait(struct trace_act act, enum trace_act_kind kind, str reason) {
    act.kind = kind;
    act.name = reason;
    trace_writer_put(tracer.writer, &act);
}

// The scheduler also knows threads that are just being born or have just ended.
static void put_known(struct trace_act act, enum trace_act_kind kind) {
    act.kind = kind;
    if (trace_writer_knows(tracer.writer, act.tid)) trace_writer_put(tracer.writer, &act);
}

static void put(struct drain *d, const struct item *item) {
    u32 stack = trace_stack_of(item->record);
    struct trace_act act = {.time_ns = ns_of(d, item->ticks),
                            .tid = item->stream ? atomic_load(&item->stream->tid)
                                                : trace_arg_of(item->record),
                            .stack = stack == TRACE_NO_STACK ? U32_NONE : stack};
    switch (trace_mark_of(item->record)) {
    case TRACE_MARK_CREATES:
        return put_others(d, item, act, TRACE_ACT_CREATES);
    case TRACE_MARK_BORN:
        act.id = tracer_start(item->stream->start_pc);
        return put_wait(act, TRACE_ACT_BORN, (str){0});
    case TRACE_MARK_ENDED:
        return put_wait(act, TRACE_ACT_ENDED, (str){0});
    case TRACE_MARK_SYNC:
        return put_wait(act, TRACE_ACT_BLOCKED, S("sync"));
    case TRACE_MARK_COND:
        return put_wait(act, TRACE_ACT_BLOCKED, S("sync.(*Cond).Wait"));
    case TRACE_MARK_NETWORK:
        return put_wait(act, TRACE_ACT_BLOCKED, S("network"));
    case TRACE_MARK_SLEEP:
        return put_wait(act, TRACE_ACT_BLOCKED, S("sleep"));
    case TRACE_MARK_CALL:
        return put_wait(act, TRACE_ACT_CALL, (str){0});
    case TRACE_MARK_WOKEN:
        return put_wait(act, TRACE_ACT_WOKEN, (str){0});
    case TRACE_MARK_PREEMPTED:
        return put_known(act, TRACE_ACT_PREEMPTED);
    case TRACE_MARK_OFF:
        return put_known(act, TRACE_ACT_OFF);
    case TRACE_MARK_ON:
        return put_known(act, TRACE_ACT_ON);
    case TRACE_MARK_POST:
        return put_others(d, item, act, TRACE_ACT_UNBLOCKS);
    case TRACE_MARK_TASK_BEGIN:
    case TRACE_MARK_TASK_END:
    case TRACE_MARK_REGION_BEGIN:
    case TRACE_MARK_REGION_END:
    case TRACE_MARK_LOG:
        return put_text(item, act);
    case TRACE_MARK_LABELS:
        return put_labels(d, item, act);
    }
}

static void put_all(struct drain *d) {
    for (u32 i = 0; i < d->n; i++) {
        put(d, &d->items[i]);
        if (i % SIZE_LOOKS == SIZE_LOOKS - 1 &&
            trace_writer_size(tracer.writer) > TRACE_GENERATION_BYTES) {
            tracer.last = (struct clock_pair){d->items[i].ticks, ns_of(d, d->items[i].ticks)};
            tracer_cut();
        }
    }
}

// Gives back the chunks that were read whole. False: the stream is read to its end and over.
static bool release(const struct drain *d, struct trace_stream *stream) {
    bool is_over = atomic_load_explicit(&stream->is_over, memory_order_acquire);
    u32 chunk;
    while ((chunk = atomic_load_explicit(&stream->first, memory_order_acquire))) {
        struct trace_chunk *c = chunk_of(chunk);
        u32 next = atomic_load_explicit(&c->next, memory_order_acquire);
        u32 n = atomic_load_explicit(&c->n, memory_order_acquire), at = stream->n_taken;
        while (at < n && c->records[at].ticks <= d->to.ticks) at += records_of(&c->records[at]);
        stream->n_taken = at;
        if (at < n || (!next && !is_over)) return true;
        atomic_store(&stream->first, next);
        stream->n_taken = 0;
        trace_chunk_free(chunk);
    }
    return !is_over;
}

static void release_all(const struct drain *d) {
    u32 n = 0;
    for (u32 i = 0; i < tracer.n_streams; i++) {
        u32 item = tracer.streams[i];
        struct trace_stream *stream = stream_of(item);
        u32 n_lost = atomic_load(&stream->n_lost);
        tracer.n_lost += n_lost - stream->n_lost_told;
        stream->n_lost_told = n_lost;
        if (release(d, stream))
            tracer.streams[n++] = item;
        else
            trace_stream_free(item);
    }
    tracer.n_streams = n;
    tracer.n_lost += atomic_exchange(&trace_hot.n_lost, 0);
}

void tracer_drain(struct clock_pair now, bool is_end) {
    take_streams();
    if (tracer.has_switches) switches_drain();
    while (tracer.last.ticks < now.ticks) {
        struct drain d = {.from = tracer.last, .to = now};
        d.scratch = arena_sub(&tracer.arena);
        look_at_all(&d);
        if (!is_end && !hold_back(&d)) {
            arena_done(&d.scratch);
            return;
        }
        take_switches(&d);
        sort(&d);
        append_ahead(&d);
        match_all(&d);
        put_all(&d);
        release_all(&d);
        tracer.last = d.to;
        arena_done(&d.scratch);
    }
}

static void notice(u64 time_ns, str sentence) {
    trace_writer_notice(tracer.writer, time_ns, (u32)syscall(SYS_gettid), sentence);
}

static void notice_count(u64 time_ns, u64 n, const char *what) {
    struct buf b = buf_new(&tracer.gen, 256);
    buf_printf(&b, "%llu %s", (unsigned long long)n, what);
    notice(time_ns, buf_str(&b));
}

static void notice_switches(u64 time_ns) {
    u64 n_lost = switches_lost(), n_told = tracer.n_switches_lost_told;
    if (!tracer.has_switches) {
        if (!tracer.is_switches_told) notice(time_ns, switches_status(&tracer.gen));
        tracer.is_switches_told = true;
        return;
    }
    tracer.n_switches_lost_told = n_lost;
    // Less than was told: an off-CPU profile has begun its count anew.
    if (n_lost > n_told)
        notice_count(time_ns, n_lost - n_told,
                     "of the scheduler's records were lost: their threads look as they did before");
    if (tracer.is_unfollowed && !tracer.is_unfollowed_told)
        notice_count(time_ns, MAX_SWITCHED,
                     "threads at most have the scheduler's records (or the kernel locks no more "
                     "memory): of the others only hooks tell");
    tracer.is_unfollowed_told |= tracer.is_unfollowed;
}

void tracer_notices(u64 time_ns) {
    notice_switches(time_ns);
    if (tracer.n_lost == tracer.n_lost_told) return;
    notice_count(time_ns, tracer.n_lost - tracer.n_lost_told,
                 "events were lost: no room in their buffers");
    tracer.n_lost_told = tracer.n_lost;
}
