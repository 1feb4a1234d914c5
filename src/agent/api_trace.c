// agent/api_trace.c - execution traces, as include/pprof.h declares them.
// Room: a trace into the program's descriptor; tasks, regions and logs; the flight recorder's tick.
//
// The agent thread has a table of descriptors of its own, so it takes a copy of the program's
// (pidfd_getfd, Linux 5.6) and writes no more than goes without waiting: a pipe that nobody reads
// must not hold up everything else. What is left at the end the caller of pprof_trace_stop writes.
#include "agent/api.h"

#include "agent/hot/hot.h"
#include "agent/loop.h"
#include "agent/trace.h"

#include <errno.h>
#include <event2/buffer.h>
#include <poll.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum {
    // A pipe or socket that can be written to takes so much without waiting (PIPE_BUF).
    PIECE_BYTES = 4096,
    PIECES = 256,          // a tick: 20 MB a second
    FILE_BYTES = 64 << 10, // into a file at a time
};

static struct {
    struct evbuffer *bytes; // NULL: no trace was started. The agent thread's, as all but fd
    int fd;                 // the program's
    int copy;               // in the agent thread's table; -1: none
    bool is_file, is_failed, is_ticking;
    bool has_recorded; // what the environment says of the recorder is done once
    char recorder[64]; // PPROF_FLIGHT_RECORDER
} out = {.fd = -1, .copy = -1};

struct trace_ask {
    int fd;
    u32 tid; // the caller
    u64 age_ms;
    size_t max_bytes;
    bool is_done;
    struct arena arena; // of rest
    str rest;           // what the caller has to write
    struct err err;
};

static bool tell(char *why, const struct err *err) {
    if (why) snprintf(why, PPROF_ERROR_SIZE, "%s", err->text);
    return false;
}

static int copy_of(int fd) {
    if (!loop_has_private_fds()) return dup(fd);
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (self < 0) return -1;
    int copy = (int)syscall(SYS_pidfd_getfd, self, fd, 0);
    int saved = errno;
    close(self);
    errno = saved;
    return copy;
}

// Whether n bytes could be written without waiting.
static bool is_ready(void) {
    struct pollfd one = {.fd = out.copy, .events = POLLOUT};
    return out.is_file || (poll(&one, 1, 0) == 1 && (one.revents & POLLOUT));
}

static void write_some(void) {
    char piece[FILE_BYTES];
    size_t most = out.is_file ? FILE_BYTES : PIECE_BYTES;
    for (u32 i = 0; i < PIECES && !out.is_failed && evbuffer_get_length(out.bytes) > 0; i++) {
        if (!is_ready()) return;
        ev_ssize_t n = evbuffer_copyout(out.bytes, piece, most);
        ssize_t written = write(out.copy, piece, (size_t)n);
        if (written > 0)
            evbuffer_drain(out.bytes, (size_t)written);
        else if (errno != EINTR && errno != EAGAIN)
            out.is_failed = true;
    }
    // Nobody takes it any more: what comes is thrown away until pprof_trace_stop says so.
    if (out.is_failed) evbuffer_drain(out.bytes, evbuffer_get_length(out.bytes));
}

static void tick(void *ctx) {
    out.is_ticking = false;
    if (!out.bytes && !recorder_is_running()) return;
    trace_step();
    if (out.bytes && out.copy >= 0) write_some();
    out.is_ticking = loop_later(TRACE_STEP_MS, tick, ctx);
}

static void tick_begin(void) {
    if (!out.is_ticking) tick(NULL);
}

void api_trace_resume(void) {
    if (out.bytes) out.copy = copy_of(out.fd); // the old copy went with the old thread's table
    out.is_ticking = false;
    tick_begin();
}

static void out_close(void) {
    if (out.bytes) evbuffer_free(out.bytes);
    if (out.copy >= 0) close(out.copy);
    out.bytes = NULL;
    out.copy = out.fd = -1;
    out.is_failed = false;
}

static void start_now(void *ctx) {
    struct trace_ask *ask = ctx;
    struct stat st;
    if (out.bytes) {
        err_set(&ask->err, ERR_BUSY, 0, "execution tracer already enabled");
        return;
    }
    out.copy = copy_of(ask->fd);
    if (out.copy < 0 || fstat(out.copy, &st)) {
        err_sys(&ask->err, "descriptor %d", ask->fd);
        return;
    }
    out.is_file = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode);
    out.bytes = evbuffer_new();
    trace_asked_by(ask->tid);
    ask->is_done = out.bytes && trace_start(out.bytes, 0, &ask->err);
    trace_asked_by(0);
    if (!ask->is_done) return out_close();
    out.fd = ask->fd;
    tick_begin();
}

EXPORT bool pprof_trace_start(int fd, char why[PPROF_ERROR_SIZE]) {
    struct trace_ask ask = {.fd = fd, .tid = (u32)gettid()};
    return (loop_call(start_now, &ask, &ask.err) && ask.is_done) || tell(why, &ask.err);
}

static bool take_rest(struct evbuffer *bytes, struct trace_ask *ask) {
    size_t len = evbuffer_get_length(bytes);
    jmp_buf no_memory;
    ask->arena.on_oom = &no_memory;
    if (setjmp(no_memory)) return err_set(&ask->err, ERR_LIMIT, 0, "out of memory");
    char *copy = arena_alloc(&ask->arena, len, 1);
    evbuffer_remove(bytes, copy, len);
    ask->rest = (str){copy, len};
    return true;
}

static void stop_now(void *ctx) {
    struct trace_ask *ask = ctx;
    if (!out.bytes) {
        err_set(&ask->err, ERR_USAGE, 0, "no trace was started");
        return;
    }
    trace_asked_by(ask->tid);
    trace_stop();
    trace_asked_by(0);
    ask->fd = out.fd;
    if (out.is_failed)
        err_set(&ask->err, ERR_SYSTEM, 0, "the trace could not be written");
    else
        ask->is_done = take_rest(out.bytes, ask);
    out_close();
}

static bool write_rest(struct trace_ask *ask) {
    while (ask->rest.len > 0) {
        ssize_t n = write(ask->fd, ask->rest.p, ask->rest.len);
        if (n < 0 && errno != EINTR) return err_sys(&ask->err, "write trace");
        if (n > 0) ask->rest = str_skip(ask->rest, (size_t)n);
    }
    return true;
}

static bool ask_and_write(loop_job fn, struct trace_ask *ask, char *why) {
    arena_init(&ask->arena);
    bool is_done = loop_call(fn, ask, &ask->err) && ask->is_done && write_rest(ask);
    arena_done(&ask->arena);
    return is_done || tell(why, &ask->err);
}

EXPORT bool pprof_trace_stop(char why[PPROF_ERROR_SIZE]) {
    struct trace_ask ask = {.tid = (u32)gettid()};
    return ask_and_write(stop_now, &ask, why);
}

EXPORT bool pprof_trace_is_enabled(void) {
    return trace_is_on();
}

void api_recorder_read_environment(void) {
    const char *text = getenv("PPROF_FLIGHT_RECORDER");
    snprintf(out.recorder, sizeof out.recorder, "%s", text ? text : "");
}

void api_recorder_begin(void) {
    u64 age_ms;
    size_t max_bytes;
    struct err err;
    str text = str_of(out.recorder);
    if (text.len == 0 || out.has_recorded) return;
    out.has_recorded = true;
    if (recorder_parse(text, &age_ms, &max_bytes) && recorder_start(age_ms, max_bytes, 0, &err))
        tick_begin();
}

static void recorder_start_now(void *ctx) {
    struct trace_ask *ask = ctx;
    trace_asked_by(ask->tid);
    ask->is_done = recorder_start(ask->age_ms, ask->max_bytes, 0, &ask->err);
    trace_asked_by(0);
    if (ask->is_done) tick_begin();
}

EXPORT bool pprof_flight_recorder_start(unsigned age_ms, size_t max_bytes,
                                        char why[PPROF_ERROR_SIZE]) {
    struct trace_ask ask = {.tid = (u32)gettid(),
                            .age_ms = age_ms ? age_ms : RECORDER_AGE_MS_DEFAULT,
                            .max_bytes = max_bytes ? max_bytes : RECORDER_BYTES_DEFAULT};
    return (loop_call(recorder_start_now, &ask, &ask.err) && ask.is_done) || tell(why, &ask.err);
}

static void recorder_stop_now(void *ctx) {
    (void)ctx;
    recorder_stop();
}

EXPORT void pprof_flight_recorder_stop(void) {
    struct err err;
    if (!loop_call(recorder_stop_now, NULL, &err)) return;
}

static void recorder_write_now(void *ctx) {
    struct trace_ask *ask = ctx;
    struct evbuffer *bytes = evbuffer_new();
    trace_asked_by(ask->tid);
    ask->is_done = bytes && recorder_write(bytes, &ask->err) && take_rest(bytes, ask);
    trace_asked_by(0);
    if (bytes) evbuffer_free(bytes);
}

EXPORT bool pprof_flight_recorder_write(int fd, char why[PPROF_ERROR_SIZE]) {
    struct trace_ask ask = {.fd = fd, .tid = (u32)gettid()};
    return ask_and_write(recorder_write_now, &ask, why);
}

static void put(enum trace_mark mark, const void *caller, u64 id, u64 parent, const char *name,
                const char *value) {
    if (hot_thread.is_hidden) return;
    hot_thread.depth++;
    trace_put_text(mark, trace_stack_here(caller), id, parent, str_of(name), str_of(value));
    hot_thread.depth--;
}

EXPORT uint64_t pprof_trace_task_new(uint64_t parent, const char *type) {
    static _Atomic u64 n_tasks;
    u64 id = atomic_fetch_add_explicit(&n_tasks, 1, memory_order_relaxed) + 1;
    if (trace_is_on()) put(TRACE_MARK_TASK_BEGIN, CALLER, id, parent, type, NULL);
    return id;
}

EXPORT void pprof_trace_task_end(uint64_t task) {
    if (trace_is_on()) put(TRACE_MARK_TASK_END, CALLER, task, 0, NULL, NULL);
}

EXPORT void pprof_trace_region_begin(uint64_t task, const char *type) {
    if (trace_is_on()) put(TRACE_MARK_REGION_BEGIN, CALLER, task, 0, type, NULL);
}

EXPORT void pprof_trace_region_end(uint64_t task, const char *type) {
    if (trace_is_on()) put(TRACE_MARK_REGION_END, CALLER, task, 0, type, NULL);
}

EXPORT void pprof_trace_log(uint64_t task, const char *category, const char *message) {
    if (trace_is_on()) put(TRACE_MARK_LOG, CALLER, task, 0, category, message);
}

void api_trace_after_fork_child(void) {
    if (!out.bytes && out.fd < 0 && !out.has_recorded && !out.is_ticking) return;
    out.bytes = NULL;
    out.fd = out.copy = -1;
    out.is_failed = out.is_ticking = out.has_recorded = false;
}
