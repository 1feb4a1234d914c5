// agent/trace_threads.c - the threads of a trace and the names of what they ran.
// Room: from tids and stacks to what the writer shows. Door: agent/trace_inner.h.
#include "agent/trace_inner.h"

#include "agent/hot/hot.h"
#include "agent/names.h"
#include "agent/tasks.h"
#include "agent/threads.h"

#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

enum {
    NAMED_THREADS = 4096, // names are read again for so many a second: 3 us each
    PARKED_THREADS =
        1024,            // stacks of waiting threads are taken at the start of so many: 20 us each
    UNSEEN_THREADS = 64, // the same, once a generation
    ENTRY_BYTES = 64,    // length of _start, which stripped programs do not name
};

static bool is_hidden(u32 tid) {
    const struct thread_slot *slot = thread_slot_of(tid);
    return slot && slot->is_hidden;
}

// What a thread already works for.
static void add_labels(struct arena *scratch, const struct thread_slot *slot,
                       struct trace_known *thread) {
    u32 n;
    const char *text = labels_text(labels_of(slot), &n), *end = text;
    for (u32 i = 0; i < 2 * n; i++) end += strlen(end) + 1;
    str labels = tracer_labels(scratch, (str){text, (size_t)(end - text)});
    snprintf(thread->labels, sizeof thread->labels, S_FMT, S_ARG(labels));
}

// The words of hooks (trace_drain.c) for those of the thread dump (waits.c).
static str reason_of(str state) {
    if (str_eq(state, S("IO wait")) || str_eq(state, S("select"))) return S("network");
    if (str_eq(state, S("sleep"))) return state;
    if (str_eq(state, S("sync.Cond.Wait"))) return S("sync.(*Cond).Wait");
    if (str_starts(state, S("sync.")) || str_eq(state, S("semacquire"))) return S("sync");
    return S("");
}

static bool park(struct arena *scratch, u32 tid) {
    struct thread_dump found;
    if (tid == tracer.asker || !threads_parked(scratch, tid, &found)) return false;
    GROW(&tracer.arena, tracer.parked, tracer.cap_parked, tracer.n_parked + 1);
    tracer.parked[tracer.n_parked++] = (struct trace_parked){
        tid, found.n_pcs ? stack_intern(found.pcs, found.n_pcs) : U32_NONE, reason_of(found.state)};
    return true;
}

static void add_thread(struct arena *scratch, u32 tid, bool is_looked_at) {
    const struct thread_slot *slot = thread_slot_of(tid);
    struct trace_known thread = {.tid = tid, .start_pc = slot ? tracer_start(slot->start_pc) : 0};
    add_labels(scratch, slot, &thread);
    thread.is_ready = is_looked_at && park(scratch, tid);
    trace_writer_thread(tracer.writer, &thread);
    tracer_switches_follow(tid);
}

void tracer_list_threads(void) {
    AUTO_ARENA struct arena scratch = arena_sub(&tracer.arena);
    u32 *tids, n, n_looks = 0;
    struct err err;
    if (!tasks_list(&scratch, &tids, &n, &err)) return; // no /proc: they come as they are heard of
    for (u32 i = 0; i < n; i++)
        if (!is_hidden(tids[i])) add_thread(&scratch, tids[i], n_looks++ < PARKED_THREADS);
}

void tracer_put_parked(void) {
    for (u32 i = 0; i < tracer.n_parked; i++) {
        const struct trace_parked *parked = &tracer.parked[i];
        struct trace_act act = {.time_ns = tracer.last.ns,
                                .kind = parked->reason.len ? TRACE_ACT_BLOCKED : TRACE_ACT_CALL,
                                .tid = parked->tid,
                                .stack = parked->stack,
                                .name = parked->reason};
        trace_writer_put(tracer.writer, &act);
    }
    tracer.n_parked = 0;
}

static void name_thread(void *ctx, u32 tid) {
    u32 *n = ctx;
    char text[TASK_FILE_CAP], name[TRACE_THREAD_NAME];
    if ((*n)++ >= NAMED_THREADS) return;
    str comm = task_file(tid, "comm", text);
    snprintf(name, sizeof name, S_FMT, S_ARG(comm));
    if (comm.len) trace_writer_name(tracer.writer, tid, name);
}

void tracer_name_threads(void) {
    u32 n = 0;
    trace_writer_each(tracer.writer, name_thread, &n);
}

struct sweep {
    struct idmap there; // tids of the process, and of streams that are not read to their end: what
                        // became of their threads they tell themselves
    u32 *gone;
    u32 n_gone;
    size_t cap_gone;
    struct arena *scratch;
};

static void sweep_one(void *ctx, u32 tid) {
    struct sweep *sweep = ctx;
    if (idmap_get(&sweep->there, tid) != U32_NONE) return;
    GROW(sweep->scratch, sweep->gone, sweep->cap_gone, sweep->n_gone + 1);
    sweep->gone[sweep->n_gone++] = tid;
}

static bool was_unknown(u32 tid) {
    for (u32 i = 0; i < tracer.n_unknown; i++)
        if (tracer.unknown[i] == tid) return true;
    return false;
}

// A thread that was there at the last look as well and still wrote nothing: made by a bare clone,
// or busy.
static void sweep_unknown(struct arena *scratch, const u32 *tids, u32 n, u64 time_ns) {
    u32 *unknown = NEW(scratch, u32, n), n_unknown = 0;
    for (u32 i = 0; i < n; i++) {
        if (is_hidden(tids[i]) || trace_writer_knows(tracer.writer, tids[i])) continue;
        struct trace_act runs = {
            .time_ns = time_ns, .kind = TRACE_ACT_WOKEN, .tid = tids[i], .stack = U32_NONE};
        if (was_unknown(tids[i]))
            trace_writer_put(tracer.writer, &runs);
        else if (n_unknown < NAMED_THREADS)
            unknown[n_unknown++] = tids[i];
    }
    GROW(&tracer.arena, tracer.unknown, tracer.cap_unknown, n_unknown + 1);
    memcpy(tracer.unknown, unknown, n_unknown * sizeof *unknown);
    tracer.n_unknown = n_unknown;
}

// A thread that ended without a word (a bare clone's) leaves its stream: everything known at the
// time of the list that is not in it is gone.
static void streams_end(const struct idmap *there) {
    for (u32 i = 0; i < tracer.n_streams; i++) {
        struct trace_stream *stream = &trace_hot.streams[tracer.streams[i] - 1];
        if (idmap_get(there, atomic_load(&stream->tid)) == U32_NONE)
            atomic_store_explicit(&stream->is_over, 1, memory_order_release);
    }
}

void tracer_sweep(u64 time_ns) {
    AUTO_ARENA struct arena scratch = arena_sub(&tracer.arena);
    struct sweep sweep = {.scratch = &scratch};
    u32 *tids, n;
    struct err err;
    if (!tasks_list(&scratch, &tids, &n, &err)) return;
    idmap_init(&sweep.there, &scratch);
    for (u32 i = 0; i < n; i++) *idmap_at(&sweep.there, tids[i]) = i;
    streams_end(&sweep.there);
    for (u32 i = 0; i < tracer.n_streams; i++)
        *idmap_at(&sweep.there, atomic_load(&trace_hot.streams[tracer.streams[i] - 1].tid)) = i;
    trace_writer_each(tracer.writer, sweep_one, &sweep);
    for (u32 i = 0; i < sweep.n_gone; i++) {
        struct trace_act end = {.time_ns = time_ns, .kind = TRACE_ACT_ENDED, .tid = sweep.gone[i]};
        trace_writer_put(tracer.writer, &end);
    }
    sweep_unknown(&scratch, tids, n, time_ns);
    tracer_switches_sweep();
    for (u32 i = 0; i < n; i++)
        if (!is_hidden(tids[i])) tracer_switches_follow(tids[i]);
}

// Threads that wait where no hook saw them go: what they wait in is looked up once a generation.
void tracer_see_unseen(void) {
    AUTO_ARENA struct arena scratch = arena_sub(&tracer.arena);
    struct thread_dump found;
    u32 at = 0, tid, n_seen = 0;
    while (n_seen++ < UNSEEN_THREADS && trace_writer_unseen(tracer.writer, &at, &tid))
        if (tid != tracer.asker && threads_parked(&scratch, tid, &found) && found.n_pcs)
            trace_writer_stack(tracer.writer, tid, stack_intern(found.pcs, found.n_pcs));
}

void tracer_read_images(void) {
    tracer.images = images_read(&tracer.gen);
}

// Libraries whose code stands below a program's own: what makes threads.
static bool is_below(const struct image *image) {
    static const str names[] = {S("libc.so"), S("libpthread"), S("libpprof.so"), S("libstdc++.so"),
                                S("libc++.so")};
    str name = str_basename(str_of(image->path));
    for (u32 i = 0; i < countof(names); i++)
        if (str_starts(name, names[i])) return true;
    return false;
}

u64 tracer_start(u64 start_pc) {
    const struct image *image = image_at(&tracer.images, start_pc);
    return image && is_below(image) ? 0 : start_pc;
}

static bool is_entry(u64 pc) {
    return pc - getauxval(AT_ENTRY) < ENTRY_BYTES;
}

// A thread is named by its outermost frame, so what libc does before main and before a thread's
// first function is not shown.
static const u64 *stack_shown(void *ctx, u32 stack, u32 *ret_n) {
    u32 n;
    const u64 *pcs = stack_pcs(stack, &n);
    (void)ctx;
    *ret_n = n;
    while (n > 1) {
        const struct image *image = image_at(&tracer.images, pcs[n - 1]);
        if (!is_entry(pcs[n - 1]) && !(image && is_below(image))) break;
        n--;
    }
    // One frame of libc's own is a thread that is just being made.
    const struct image *last = n == 1 ? image_at(&tracer.images, pcs[0]) : NULL;
    *ret_n = last && is_below(last) && *ret_n == 1 ? 0 : n;
    return pcs;
}

static struct trace_frame frame_shown(void *ctx, u64 pc) {
    struct trace_frame frame = {.pc = pc};
    const struct image *image = image_at(&tracer.images, pc);
    (void)ctx;
    if (pc == STACK_TRUNCATED) frame.func = S("[truncated]");
    if (pc == STACK_PC_OVERFLOW) frame.func = S("[overflow]");
    if (frame.func.len) return frame;
    struct buf name = buf_new(&tracer.gen, 256);
    if (!image) {
        buf_printf(&name, "0x%llx", (unsigned long long)pc);
        frame.func = buf_str(&name);
        return frame;
    }
    frame.file = str_of(image->path);
    frame.func = name_at_address(&tracer.gen, image, pc, NULL);
    if (frame.func.len) return frame;
    buf_printf(&name, S_FMT "+0x%llx", S_ARG(str_basename(frame.file)),
               (unsigned long long)(pc - image->bias));
    frame.func = buf_str(&name);
    return frame;
}

const struct trace_namer *tracer_namer(void) {
    static const struct trace_namer namer = {stack_shown, frame_shown, NULL};
    return &namer;
}
