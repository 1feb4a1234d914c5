// trace/write.c - a writer's life, and a generation from its beginning to its bytes.
// Room: generations; states are write_states.c's, bytes write_bytes.c's. Door: trace/write.h.
#include "trace/write_inner.h"

#include <stdio.h>
#include <string.h>

enum { NS_A_SECOND = 1000 * 1000 * 1000 };

str trace_write_header(u32 version) {
    return version == TRACE_WRITE_GO126 ? S("go 1.26 trace\0\0\0") : S("go 1.23 trace\0\0\0");
}

void trace_writer_on_oom(struct trace_writer *w, jmp_buf *on_oom) {
    w->arena.on_oom = w->gen.on_oom = w->names.on_oom = on_oom;
}

struct trace_writer *trace_writer_new(u32 version, const struct trace_namer *namer,
                                      jmp_buf *on_oom) {
    struct arena arena;
    arena_init(&arena);
    arena.on_oom = on_oom;
    struct trace_writer *w = NEW(&arena, struct trace_writer, 1);
    w->arena = arena;
    w->version = version;
    w->is_heap_told = true; // nothing yet to tell
    w->namer = *namer;
    arena_init(&w->gen);
    trace_writer_on_oom(w, on_oom);
    arena_init(&w->names);
    w->names.on_oom = on_oom;
    strmap_init(&w->kept_by_name, &w->names);
    idmap_init(&w->thread_by_tid, &w->gen);
    return w;
}

void trace_writer_free(struct trace_writer *w) {
    struct arena arena = w->arena; // w lies in it
    arena_done(&w->gen);
    arena_done(&w->names);
    arena_done(&arena);
}

void trace_writer_thread(struct trace_writer *w, const struct trace_known *thread) {
    struct writer_thread *added = write_thread_add(w, thread->tid);
    added->state = thread->is_ready ? THREAD_RUNNABLE : THREAD_RUNNING;
    added->start_pc = thread->start_pc;
    memcpy(added->name, thread->name, sizeof added->name);
    memcpy(added->labels, thread->labels, sizeof added->labels);
}

void trace_writer_name(struct trace_writer *w, u32 tid, const char *name) {
    struct writer_thread *thread = write_thread_find(w, tid);
    if (!thread || strncmp(thread->name, name, sizeof thread->name) == 0) return;
    snprintf(thread->name, sizeof thread->name, "%s", name);
    thread->is_name_told = false;
}

bool trace_writer_knows(const struct trace_writer *w, u32 tid) {
    const struct writer_thread *thread = write_thread_find(w, tid);
    return thread && thread->state != THREAD_GONE;
}

void trace_writer_each(const struct trace_writer *w, void (*each)(void *ctx, u32 tid), void *ctx) {
    for (u32 i = 0; i < w->n_threads; i++)
        if (w->threads[i].state != THREAD_GONE) each(ctx, w->threads[i].tid);
}

bool trace_writer_unseen(const struct trace_writer *w, u32 *at, u32 *tid) {
    while (*at < w->n_threads) {
        const struct writer_thread *thread = &w->threads[(*at)++];
        if (thread->state != THREAD_IN_CALL || !thread->is_unseen || thread->stack != U32_NONE)
            continue;
        *tid = thread->tid;
        return true;
    }
    return false;
}

void trace_writer_stack(struct trace_writer *w, u32 tid, u32 stack) {
    struct writer_thread *thread = write_thread_find(w, tid);
    if (thread && thread->state == THREAD_IN_CALL) thread->stack = stack;
}

// Threads that ended leave the list; the room of their regions goes to the end of it.
static void threads_compact(struct trace_writer *w) {
    u32 n = 0;
    for (u32 i = 0; i < w->n_threads; i++) {
        if (w->threads[i].state == THREAD_GONE) continue;
        struct writer_thread kept = w->threads[i];
        w->threads[i].regions = w->threads[n].regions;
        w->threads[n++] = kept;
    }
    w->n_threads = n;
    for (u32 i = 0; i < n; i++) {
        struct writer_thread *thread = &w->threads[i];
        *idmap_at(&w->thread_by_tid, thread->tid) = i;
        thread->seq = 0;
        thread->is_name_told = false;
        thread->batch = (struct batch){.m = thread->tid};
    }
}

// Many names of regions are of few (labels with a number in them): once half the room is taken,
// only those of regions that are open stay.
static void names_compact(struct trace_writer *w) {
    if (w->n_kept < MAX_KEPT_NAMES / 2) return;
    struct arena before = w->names;
    str *kept = w->kept;
    arena_init(&w->names);
    w->names.on_oom = before.on_oom;
    strmap_init(&w->kept_by_name, &w->names);
    w->kept = NULL;
    w->n_kept = 0;
    w->cap_kept = 0;
    for (u32 i = 0; i < w->n_threads; i++) {
        struct writer_thread *thread = &w->threads[i];
        for (u32 k = 0; k < thread->n_regions; k++)
            thread->regions[k].name = write_keep_name(w, kept[thread->regions[k].name]);
    }
    arena_done(&before);
}

static void tables_clear(struct trace_writer *w) {
    struct bytes none = {0};
    w->out = w->samples = w->strings = w->stacks = none;
    w->nowhere = (struct batch){.m = UINT64_MAX};
    w->n_strings = w->n_stacks = w->n_frames = 0;
    w->frames = NULL;
    w->cap_frames = 0;
    arena_reset(&w->gen);
    idmap_init(&w->thread_by_tid, &w->gen);
    strmap_init(&w->string_by_text, &w->gen);
    idmap_init(&w->stack_by_key, &w->gen);
    idmap_init(&w->frame_by_pc, &w->gen);
}

static void put_sync(struct trace_writer *w, const struct trace_clock *clock) {
    struct bytes data = {0};
    u8 sync = TRACE_EV_Sync, frequency = TRACE_EV_Frequency, snapshot = TRACE_EV_ClockSnapshot;
    if (w->version >= 25) bytes_add(w, &data, &sync, 1);
    bytes_add(w, &data, &frequency, 1);
    bytes_number(w, &data, NS_A_SECOND);
    if (w->version >= 25) {
        bytes_add(w, &data, &snapshot, 1);
        bytes_number(w, &data, 0);
        bytes_number(w, &data, clock->mono_ns);
        bytes_number(w, &data, clock->wall_s);
        bytes_number(w, &data, clock->wall_nsec);
    }
    write_batch(w, UINT64_MAX, clock->mono_ns, &data);
}

void trace_writer_begin(struct trace_writer *w, const struct trace_clock *clock) {
    tables_clear(w);
    threads_compact(w);
    names_compact(w);
    for (u32 p = 0; p < w->n_procs; p++) {
        w->procs[p].seq = 0;
        w->procs[p].is_told = false;
    }
    w->n_procs_told = 0;
    w->is_open = true;
    w->n++;
    w->begin_ns = clock->mono_ns > w->last_ns ? clock->mono_ns : w->last_ns + 1;
    put_sync(w, clock);
    write_statuses(w);
}

void trace_writer_sample(struct trace_writer *w, u64 time_ns, u32 tid, u32 stack) {
    const struct writer_thread *thread = write_thread_find(w, tid);
    u8 mark = TRACE_EV_CPUSamples, sample = TRACE_EV_CPUSample;
    u64 numbers[] = {time_ns > w->begin_ns ? time_ns : w->begin_ns, tid,
                     thread && thread->p != U32_NONE ? thread->p : UINT64_MAX, thread ? tid : 0,
                     write_stack(w, stack)};
    if (w->samples.len + EVENT_MAX > WRITE_BATCH) {
        write_batch(w, UINT64_MAX, w->begin_ns, &w->samples);
        w->samples.len = 0;
    }
    if (w->samples.len == 0) bytes_add(w, &w->samples, &mark, 1);
    bytes_add(w, &w->samples, &sample, 1);
    for (u32 i = 0; i < countof(numbers); i++) bytes_number(w, &w->samples, numbers[i]);
}

void trace_writer_heap(struct trace_writer *w, u64 time_ns, u64 in_use, u64 goal) {
    w->heap_in_use = in_use;
    w->heap_goal = goal;
    w->is_heap_told = false;
    for (u32 i = 0; i < w->n_threads && !w->is_heap_told; i++)
        if (w->threads[i].state == THREAD_RUNNING) write_heap(w, &w->threads[i], time_ns);
}

void trace_writer_notice(struct trace_writer *w, u64 time_ns, u32 tid, str sentence) {
    struct trace_act log = {.time_ns = time_ns,
                            .kind = TRACE_ACT_LOG,
                            .tid = tid,
                            .stack = U32_NONE,
                            .name = S("pprof"),
                            .value = sentence};
    struct trace_act end = {.time_ns = time_ns, .kind = TRACE_ACT_ENDED, .tid = tid};
    write_thread(w, tid, time_ns);
    trace_writer_name(w, tid, "pprof");
    trace_writer_put(w, &log);
    trace_writer_put(w, &end);
}

size_t trace_writer_size(const struct trace_writer *w) {
    size_t size = w->out.len + w->samples.len + w->strings.len + w->stacks.len;
    for (u32 i = 0; i < w->n_threads; i++) size += w->threads[i].batch.bytes.len;
    return size;
}

str trace_writer_cut(struct trace_writer *w) {
    u8 end = TRACE_EV_EndOfGeneration;
    write_flush(w, &w->nowhere);
    for (u32 i = 0; i < w->n_threads; i++) write_flush(w, &w->threads[i].batch);
    if (w->samples.len > 0) write_batch(w, UINT64_MAX, w->begin_ns, &w->samples);
    if (w->stacks.len > 0) write_batch(w, UINT64_MAX, w->begin_ns, &w->stacks);
    if (w->strings.len > 0) write_batch(w, UINT64_MAX, w->begin_ns, &w->strings);
    if (w->version >= 26) bytes_add(w, &w->out, &end, 1);
    w->is_open = false;
    return (str){(const char *)w->out.p, w->out.len};
}
