// agent/api.c - what include/pprof.h declares.
// Room: from a program's thread to the agent's and back. Collecting happens on the agent thread,
// writing on the caller's: the agent does not see the program's descriptors.
#include "pprof.h"

#include "agent/agent.h"
#include "agent/api.h"
#include "agent/contention.h"
#include "agent/control.h"
#include "agent/cpu.h"
#include "agent/endpoint.h"
#include "agent/heap.h"
#include "agent/hot/hot.h"
#include "agent/loop.h"
#include "agent/make.h"
#include "agent/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

_Static_assert(PPROF_ERROR_SIZE == ERR_TEXT_CAP, "a caller's buffer holds any sentence");

// The CPU profile that pprof_start_cpu_profile or files.c began. On the agent thread, but for fd.
static struct {
    bool is_running; // somebody's
    bool is_callers; // pprof_start_cpu_profile's
    int fd;
} cpu_file = {.fd = -1};

static bool tell(char *why, const struct err *err) {
    if (why) snprintf(why, PPROF_ERROR_SIZE, "%s", err->text);
    return false;
}

EXPORT bool pprof_serve(const char *address, char why[PPROF_ERROR_SIZE]) {
    struct err err = {0};
    return control_serve(str_of(address), &err) || tell(why, &err);
}

EXPORT const char *pprof_address(void) {
    return endpoint_address();
}

EXPORT void pprof_stop(void) {
    control_stop();
}

// One question to the agent thread, with its answer.
struct ask {
    struct arena arena; // of the answer
    const struct collector *of;
    i64 debug;
    u32 hz;
    bool is_done;
    str bytes;
    struct err err;
};

// Runs fn on the agent thread. True: ask->bytes is the answer, in ask->arena.
static bool ask_agent(struct ask *ask, loop_job fn) {
    arena_init(&ask->arena);
    return loop_call(fn, ask, &ask->err) && ask->is_done;
}

bool api_bytes(struct arena *out, const struct collector *of, str *ret, struct err *err) {
    struct rows rows = {0};
    if (!collector_collect(of, out, &(struct collect_opts){0}, &rows, err)) return false;
    struct profile profile = make_profile(out, of, &rows);
    return make_bytes(out, &profile, LEVEL_SNAPSHOT, ret, err);
}

static void write_now(void *ctx) {
    struct ask *ask = ctx;
    jmp_buf no_memory;
    ask->arena.on_oom = &no_memory;
    if (setjmp(no_memory)) {
        err_set(&ask->err, ERR_LIMIT, 0, "out of memory");
        return;
    }
    if (ask->debug > 0)
        ask->is_done = text_write(&ask->arena, ask->of, ask->debug, &(struct collect_opts){0},
                                  &ask->bytes, &ask->err);
    else
        ask->is_done = api_bytes(&ask->arena, ask->of, &ask->bytes, &ask->err);
}

static bool write_all(int fd, str bytes, struct err *err) {
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.p, bytes.len);
        if (n < 0 && errno != EINTR) return err_sys(err, "write profile");
        if (n > 0) bytes = str_skip(bytes, (size_t)n);
    }
    return true;
}

static bool ask_and_write(struct ask *ask, loop_job fn, int fd, char *why) {
    bool is_done = ask_agent(ask, fn) && write_all(fd, ask->bytes, &ask->err);
    arena_done(&ask->arena);
    return is_done || tell(why, &ask->err);
}

EXPORT const pprof_profile *pprof_lookup(const char *name) {
    const struct collector *of = collector_find(str_of(name));
    return of && of->text != TEXT_NONE ? (const pprof_profile *)of : NULL;
}

const struct collector *api_collector_of(const pprof_profile *profile) {
    return (const struct collector *)(const void *)profile;
}

EXPORT const char *pprof_profile_name(const pprof_profile *profile) {
    return api_collector_of(profile)->name.p; // a literal: ends in NUL
}

static void count_now(void *ctx) {
    struct ask *ask = ctx;
    ask->debug = (i64)collector_count(ask->of);
}

EXPORT uint64_t pprof_profile_count(const pprof_profile *profile) {
    struct ask ask = {.of = api_collector_of(profile)};
    return loop_call(count_now, &ask, &ask.err) ? (uint64_t)ask.debug : 0;
}

EXPORT bool pprof_profile_write_to(const pprof_profile *profile, int fd, int debug,
                                   char why[PPROF_ERROR_SIZE]) {
    struct ask ask = {.of = api_collector_of(profile), .debug = debug};
    return ask_and_write(&ask, write_now, fd, why);
}

// The answer itself, with its arena behind it.
struct held {
    struct pprof_bytes bytes; // what the caller sees
    struct arena arena;
};

static const struct pprof_bytes *hold_answer(struct ask *ask, bool is_done, char *why) {
    if (!is_done) {
        arena_done(&ask->arena);
        tell(why, &ask->err);
        return NULL;
    }
    jmp_buf no_memory;
    ask->arena.on_oom = &no_memory;
    if (setjmp(no_memory)) {
        arena_done(&ask->arena);
        err_set(&ask->err, ERR_LIMIT, 0, "out of memory");
        tell(why, &ask->err);
        return NULL;
    }
    struct held *held = NEW(&ask->arena, struct held, 1);
    held->bytes = (struct pprof_bytes){ask->bytes.p, ask->bytes.len};
    held->arena = ask->arena;
    return &held->bytes;
}

EXPORT const struct pprof_bytes *pprof_profile_bytes(const pprof_profile *profile, int debug,
                                                     char why[PPROF_ERROR_SIZE]) {
    struct ask ask = {.of = api_collector_of(profile), .debug = debug};
    bool is_done = ask_agent(&ask, write_now);
    return hold_answer(&ask, is_done, why);
}

EXPORT void pprof_bytes_free(const struct pprof_bytes *bytes) {
    if (!bytes) return;
    struct arena arena = ((const struct held *)bytes)->arena; // bytes lies in it
    arena_done(&arena);
}

EXPORT bool pprof_write_heap_profile(int fd, char why[PPROF_ERROR_SIZE]) {
    return pprof_profile_write_to(pprof_lookup("heap"), fd, 0, why);
}

EXPORT uint64_t pprof_set_heap_rate(uint64_t mean_bytes) {
    return heap_set_rate(mean_bytes);
}

EXPORT int64_t pprof_set_mutex_fraction(int64_t fraction) {
    if (fraction < 0) return (int64_t)contention_rate(CONTENTION_MUTEX);
    return (int64_t)contention_set(CONTENTION_MUTEX, (u64)fraction);
}

EXPORT uint64_t pprof_set_block_rate(uint64_t mean_ns) {
    return contention_set(CONTENTION_BLOCK, mean_ns);
}

static void drain_cpu(void *ctx) {
    if (!cpu_file.is_running) return;
    cpu_drain();
    if (!loop_later(CPU_DRAIN_MS, drain_cpu, ctx)) cpu_stop(); // no memory: what is there is kept
}

void api_resume(void) {
    drain_cpu(NULL);
    api_trace_resume();
}

bool api_cpu_begin(u32 hz, struct err *err) {
    if (!cpu_start(hz, err)) return false;
    cpu_file.is_running = true;
    drain_cpu(NULL);
    return true;
}

void api_cpu_end(void) {
    cpu_file.is_running = false;
    cpu_stop();
}

static void start_cpu_now(void *ctx) {
    struct ask *ask = ctx;
    ask->is_done = api_cpu_begin(ask->hz, &ask->err);
    if (ask->is_done) cpu_file.is_callers = true;
}

EXPORT bool pprof_start_cpu_profile_at(int fd, unsigned hz, char why[PPROF_ERROR_SIZE]) {
    struct ask ask = {.hz = hz};
    bool is_done = ask_agent(&ask, start_cpu_now);
    if (is_done) cpu_file.fd = fd;
    return is_done || tell(why, &ask.err);
}

EXPORT bool pprof_start_cpu_profile(int fd, char why[PPROF_ERROR_SIZE]) {
    return pprof_start_cpu_profile_at(fd, CPU_HZ_DEFAULT, why);
}

static void stop_cpu_now(void *ctx) {
    struct ask *ask = ctx;
    if (!cpu_file.is_callers) {
        err_set(&ask->err, ERR_USAGE, 0, "no CPU profile was started");
        return;
    }
    cpu_file.is_callers = false;
    api_cpu_end();
    ask->of = collector_find(S("profile"));
    write_now(ask);
}

EXPORT bool pprof_stop_cpu_profile(char why[PPROF_ERROR_SIZE]) {
    struct ask ask = {0};
    return ask_and_write(&ask, stop_cpu_now, cpu_file.fd, why);
}

EXPORT const struct pprof_bytes *pprof_stop_cpu_profile_bytes(char why[PPROF_ERROR_SIZE]) {
    struct ask ask = {0};
    bool is_done = ask_agent(&ask, stop_cpu_now);
    return hold_answer(&ask, is_done, why);
}
