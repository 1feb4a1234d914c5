// agent/trace.c - the execution trace: its beginning, its generations, its end.
// Room: when things happen, and who gets the bytes. Door: agent/trace.h.
#include "agent/trace_inner.h"

#include "agent/heap.h"
#include "agent/hot/hot.h"
#include "agent/switches.h"

#include <event2/buffer.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    NS_A_MS = 1000 * 1000,
    // Records that are being written while the agent looks are taken the next time; and who is
    // woken or born within it finds who did it, see trace_drain.c.
    LATE_NS = 5 * NS_A_MS,
    HEAP_MS = 200, // how often the heap is told
};

struct tracer tracer; // of the agent thread

static u64 clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}

u64 tracer_clock_ns(void) {
    return clock_ns(CLOCK_MONOTONIC);
}

static struct clock_pair pair_now(void) {
    struct clock_pair pair;
    u64 before = trace_ticks();
    pair.ns = tracer_clock_ns();
    pair.ticks = before + (trace_ticks() - before) / 2;
    return pair;
}

// The moment LATE_NS ago, on the line between the last reading and now's.
static struct clock_pair pair_late(void) {
    struct clock_pair now = pair_now();
    if (now.ns < tracer.last.ns + 2 * (u64)LATE_NS) return tracer.last;
    u64 span = now.ns - tracer.last.ns, late = (u64)LATE_NS;
    u64 ticks = (u64)((double)(now.ticks - tracer.last.ticks) * (double)late / (double)span);
    return (struct clock_pair){now.ticks - ticks, now.ns - late};
}

static void begin_generation(void) {
    u64 wall = clock_ns(CLOCK_REALTIME) - (tracer_clock_ns() - tracer.last.ns);
    struct trace_clock clock = {.mono_ns = tracer.last.ns,
                                .wall_s = wall / 1000000000u,
                                .wall_nsec = (u32)(wall % 1000000000u)};
    arena_reset(&tracer.gen);
    tracer_read_images();
    tracer.gen_begin_ns = tracer.last.ns;
    trace_writer_begin(tracer.writer, &clock);
}

static void hand_over(str generation) {
    recorder_take(generation, tracer.last.ns);
    if (!tracer.client) return;
    if (tracer.is_client_new) {
        str header = trace_write_header(tracer.version);
        evbuffer_add(tracer.client, header.p, header.len);
        tracer.is_client_new = false;
    }
    evbuffer_add(tracer.client, generation.p, generation.len);
}

void tracer_cut(void) {
    tracer_notices(tracer.last.ns);
    hand_over(trace_writer_cut(tracer.writer));
    tracer_see_unseen();
    begin_generation();
}

// Runs fn; false when memory ran out: the trace then ends at its last generation.
static bool with_memory(void (*fn)(void)) {
    jmp_buf no_memory;
    tracer.arena.on_oom = tracer.gen.on_oom = &no_memory;
    if (tracer.writer) trace_writer_on_oom(tracer.writer, &no_memory);
    if (setjmp(no_memory)) {
        tracer.n_without_memory++;
        return false;
    }
    fn();
    return true;
}

void tracer_end(void) {
    if (!tracer.writer) return;
    trace_hot_switch(false);
    trace_writer_free(tracer.writer);
    tracer_switches_end();
    tracer.writer = NULL;
    // Streams go on with their threads; the next trace finds them again.
    for (u32 i = 0; i < tracer.n_streams; i++) {
        struct trace_stream *stream = &trace_hot.streams[tracer.streams[i] - 1];
        u32 seen = atomic_load(&trace_hot.fresh);
        do {
            atomic_store(&stream->next, seen);
        } while (!atomic_compare_exchange_weak(&trace_hot.fresh, &seen, tracer.streams[i]));
    }
    tracer.n_streams = tracer.n_unknown = tracer.n_parked = 0;
    tracer.streams = tracer.unknown = NULL;
    tracer.parked = NULL;
    tracer.cap_streams = tracer.cap_unknown = tracer.cap_parked = 0;
    arena_done(&tracer.gen);
    arena_done(&tracer.arena);
}

static void begin_now(void) {
    tracer.writer = trace_writer_new(tracer.version, tracer_namer(), tracer.arena.on_oom);
    trace_hot_switch(true);
    tracer_switches_begin();
    tracer_read_images();
    tracer_list_threads();
    tracer_name_threads();
    tracer.begun = tracer.last = pair_now();
    begin_generation();
    tracer_put_parked();
}

bool tracer_begin(u32 version, struct err *err) {
    if (tracer.writer) return true;
    if (!trace_hot_init()) return err_sys(err, "memory for a trace");
    tracer.version = version ? version : (u32)TRACE_WRITE_GO123;
    tracer.n_lost = tracer.n_lost_told = 0;
    tracer.n_switches_lost_told = 0;
    tracer.is_unfollowed = tracer.is_unfollowed_told = false;
    tracer.heap_ns = 0;
    atomic_store(&trace_hot.n_lost, 0);
    arena_init(&tracer.arena);
    arena_init(&tracer.gen);
    if (with_memory(begin_now)) return true;
    tracer_end();
    return err_set(err, ERR_LIMIT, 0, "out of memory");
}

static u64 resident_bytes(void) {
    char text[128] = "";
    unsigned long long pages = 0;
    AUTO_CLOSE int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) <= 0) return 0;
    return sscanf(text, "%*u %llu", &pages) == 1 ? pages * (u64)sysconf(_SC_PAGESIZE) : 0;
}

static void tell_heap(void) {
    if (tracer.last.ns < tracer.heap_ns + (u64)HEAP_MS * NS_A_MS) return;
    i64 in_use = heap_totals().inuse_bytes;
    trace_writer_heap(tracer.writer, tracer.last.ns, in_use > 0 ? (u64)in_use : 0,
                      resident_bytes());
    tracer.heap_ns = tracer.last.ns;
}

// A client that takes nothing: its bytes are the bound, and records wait where they are.
static bool client_is_slow(void) {
    return tracer.client && evbuffer_get_length(tracer.client) > TRACE_CLIENT_BYTES;
}

static void step(void) {
    images_follow();
    io_forget();
    tracer_drain(pair_late(), false);
    tell_heap();
    if (tracer.last.ns < tracer.gen_begin_ns + (u64)TRACE_GENERATION_MS * NS_A_MS) return;
    tracer_sweep(tracer.last.ns);
    tracer_cut();
    tracer_name_threads();
}

static void step_to_end(void) {
    tracer_drain(pair_now(), true);
    tracer_cut();
}

void trace_step(void) {
    if (tracer.writer && !client_is_slow() && !with_memory(step)) tracer_end();
}

void tracer_finish(void) {
    if (tracer.writer && !with_memory(step_to_end)) tracer_end();
}

void trace_asked_by(u32 tid) {
    tracer.asker = tid;
}

bool trace_start(struct evbuffer *to, u32 version, struct err *err) {
    if (tracer.client) return err_set(err, ERR_BUSY, 0, "execution tracer already enabled");
    bool was_running = tracer.writer != NULL;
    if (!tracer_begin(version, err)) return false;
    if (was_running) tracer_finish(); // the client's first generation begins now
    tracer.client = to;
    tracer.is_client_new = true;
    return true;
}

void trace_stop(void) {
    if (!tracer.client) return;
    tracer_finish();
    tracer.client = NULL;
    if (!recorder_is_running()) tracer_end();
}

bool trace_is_running(void) {
    return tracer.client != NULL;
}

void trace_sample(u32 tid, u64 time_ns, u32 stack) {
    if (tracer.writer) trace_writer_sample(tracer.writer, time_ns, tid, stack);
}

str trace_status(struct arena *out) {
    struct buf b = buf_new(out, 256);
    if (trace_hot.chunks && !trace_hot.has_counter)
        buf_printf(&b, "no steady counter in this machine: events cost a clock_gettime. ");
    if (tracer.n_without_memory)
        buf_printf(&b, "%u traces ended early: out of memory. ", tracer.n_without_memory);
    str why = switches_status(out);
    if (why.len)
        buf_printf(&b,
                   "traces do not have what only the scheduler knows (who lost a CPU or got one, "
                   "waits that no hook sees): " S_FMT,
                   S_ARG(why));
    return buf_str(&b);
}

void trace_after_fork_child(void) {
    if (!trace_hot.chunks) return; // never traced: nothing was written, and no page need be copied
    trace_hot_after_fork_child();
    recorder_after_fork_child();
    memset(&tracer, 0, sizeof tracer);
}
