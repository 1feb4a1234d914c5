// agent/answer.c - from a plan to a reply.
// Room: what is collected when, and what is said when it fails. Door: agent/answer.h. Source of
// statuses and texts: reference/go.md 1.2; recorded answers of Go are in ../shared/http.
#include "agent/answer.h"

#include "agent/agent.h"
#include "agent/contention.h"
#include "agent/cpu.h"
#include "agent/delta.h"
#include "agent/index.h"
#include "agent/make.h"
#include "agent/maps.h"
#include "agent/names.h"
#include "agent/offcpu.h"
#include "agent/text.h"
#include "agent/trace.h"
#include "agent/wall.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <time.h>

struct answer {
    struct arena *arena;
    struct plan plan;
    u64 end_ms;              // when the collection is over
    struct profile first;    // PLAN_DELTA: the first look
    struct image_map images; // PLAN_SYMBOL
    struct evbuffer *stream; // PLAN_TRACE
};

static u64 clock_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u64)now.tv_sec * 1000 + (u64)now.tv_nsec / 1000000;
}

static struct reply reply_text(str body) {
    return (struct reply){.status = 200, .content_type = "text/plain; charset=utf-8", .body = body};
}

static struct reply reply_binary(str filename, str body) {
    return (struct reply){.status = 200,
                          .content_type = "application/octet-stream",
                          .filename = filename,
                          .body = body};
}

// What could not be done, with the reason behind Go's words.
static struct reply reply_failed(struct arena *arena, int status, const char *what,
                                 const struct err *err) {
    char text[ERR_TEXT_CAP + 64];
    snprintf(text, sizeof text, "%s: %s", what, err->text);
    return http_error(arena, status, str_of(text));
}

static struct collect_opts opts_of(const struct plan *plan) {
    return (struct collect_opts){.is_peak = plan->is_peak, .by_age = plan->by_age};
}

static bool collect_profile(struct answer *a, const struct collector *of, struct profile *ret,
                            struct err *err) {
    struct collect_opts opts = opts_of(&a->plan);
    struct rows rows = {0};
    if (!collector_collect(of, a->arena, &opts, &rows, err)) return false;
    *ret = make_profile(a->arena, of, &rows);
    return true;
}

static struct reply answer_proto(struct answer *a) {
    struct profile profile;
    struct err err;
    str bytes;
    if (!collect_profile(a, a->plan.of, &profile, &err) ||
        !make_bytes(a->arena, &profile, LEVEL_SNAPSHOT, &bytes, &err))
        return reply_failed(a->arena, 500, "failed to collect profile", &err);
    // A negative debug has Go write the protobuf under the text's header.
    return a->plan.debug ? reply_text(bytes) : reply_binary(a->plan.of->name, bytes);
}

static struct reply answer_scrape(struct answer *a) {
    struct rows rows = {0};
    struct err err;
    str bytes, parts[] = {S("delta_"), a->plan.of->name};
    if (!collector_collect(a->plan.of, a->arena, &(struct collect_opts){0}, &rows, &err))
        return reply_failed(a->arena, 500, "failed to collect profile", &err);
    delta_take(a->plan.of, &rows);
    struct profile profile = make_profile(a->arena, a->plan.of, &rows);
    if (!make_bytes(a->arena, &profile, LEVEL_SNAPSHOT, &bytes, &err))
        return reply_failed(a->arena, 500, "failed to compute delta", &err);
    return reply_binary(str_join(a->arena, parts, countof(parts), S("")), bytes);
}

static bool is_text(const struct plan *plan) {
    if (plan->of->text == TEXT_NONE) return false;
    return plan->of->text == TEXT_HEAP ? plan->debug != 0 : plan->debug > 0;
}

static struct reply answer_snapshot(struct answer *a) {
    struct collect_opts opts = opts_of(&a->plan);
    struct err err;
    str text;
    if (!is_text(&a->plan)) return answer_proto(a);
    if (!text_write(a->arena, a->plan.of, a->plan.debug, &opts, &text, &err))
        return reply_failed(a->arena, 500, "failed to collect profile", &err);
    return reply_text(text);
}

static str name_of_address(void *ctx, u64 address) {
    struct answer *a = ctx;
    const struct image *image = image_at(&a->images, address);
    return image ? name_at_address(a->arena, image, address, NULL) : (str){0};
}

static struct reply answer_symbol(struct answer *a) {
    a->images = images_read(a->arena);
    return reply_text(http_symbols(a->arena, a->plan.addresses, name_of_address, a));
}

static bool start_cpu(struct answer *a, struct reply *ret) {
    struct err err;
    u32 hz = a->plan.hz > UINT32_MAX ? UINT32_MAX : (u32)a->plan.hz;
    if (cpu_start(hz, &err)) return true;
    *ret = reply_failed(a->arena, err.code == ERR_USAGE ? 400 : 500,
                        "Could not enable CPU profiling", &err);
    return false;
}

static bool start_wall(struct answer *a, struct reply *ret) {
    struct err err;
    bool is_started = a->plan.kind == PLAN_WALL ? wall_start(&err) : offcpu_start(&err);
    if (is_started) return true;
    *ret = reply_failed(a->arena, 500, "Could not enable profiling", &err);
    return false;
}

// Waits may be sampled at another rate while a client waits for their profile.
static void borrow_rate(const struct plan *plan) {
    enum contention which;
    if (contention_of(plan->of, &which)) contention_borrow(which, (u64)plan->rate);
}

static void return_rate(struct plan *plan) {
    enum contention which;
    if (contention_of(plan->of, &which)) contention_return(which, (u64)plan->rate);
    plan->rate = 0; // once
}

static bool start_delta(struct answer *a, struct reply *ret) {
    struct err err;
    borrow_rate(&a->plan);
    if (collect_profile(a, a->plan.of, &a->first, &err)) return true;
    return_rate(&a->plan);
    *ret = reply_failed(a->arena, 500, "failed to collect profile", &err);
    return false;
}

static bool start_trace(struct answer *a, struct reply *ret) {
    struct err err = {0};
    a->stream = evbuffer_new();
    if (!a->stream) {
        err_set(&err, ERR_LIMIT, 0, "out of memory");
    } else if (trace_start(a->stream, a->plan.version, &err)) {
        return true;
    } else {
        evbuffer_free(a->stream);
    }
    *ret = reply_failed(a->arena, 500, "Could not enable tracing", &err);
    return false;
}

static struct reply answer_recorder(struct answer *a) {
    struct evbuffer *bytes = evbuffer_new();
    struct reply reply;
    struct err err = {0};
    if (bytes && recorder_write(bytes, &err)) {
        size_t len = evbuffer_get_length(bytes);
        char *copy = arena_alloc(a->arena, len, 1);
        evbuffer_remove(bytes, copy, len);
        reply = reply_binary(S("trace"), (str){copy, len});
    } else {
        reply = reply_failed(a->arena, 500, "Could not write the flight recorder", &err);
    }
    if (bytes) evbuffer_free(bytes);
    return reply;
}

static struct reply finish_cpu(struct answer *a) {
    const struct collector *of = collector_find(S("profile"));
    struct profile profile;
    struct err err;
    str bytes;
    cpu_stop();
    if (!collect_profile(a, of, &profile, &err) ||
        !make_bytes(a->arena, &profile, LEVEL_SNAPSHOT, &bytes, &err))
        return reply_failed(a->arena, 500, "failed to collect profile", &err);
    return reply_binary(of->name, bytes);
}

static struct reply finish_delta(struct answer *a) {
    struct profile second, delta;
    struct err err;
    str bytes, parts[] = {a->plan.of->name, S("-delta")};
    bool is_collected = collect_profile(a, a->plan.of, &second, &err);
    return_rate(&a->plan);
    if (!is_collected) return reply_failed(a->arena, 500, "failed to collect profile", &err);
    if (!make_delta(a->arena, &a->first, &second, &delta, &err) ||
        !make_bytes(a->arena, &delta, LEVEL_DELTA, &bytes, &err))
        return reply_failed(a->arena, 500, "failed to compute delta", &err);
    return reply_binary(str_join(a->arena, parts, countof(parts), S("")), bytes);
}

// Ends a profile that is made by looking; the others have nothing to end.
static void stop_looking(const struct answer *a) {
    if (a->plan.kind == PLAN_WALL) wall_stop();
    if (a->plan.kind == PLAN_OFFCPU) offcpu_stop();
}

static struct reply finish_wall(struct answer *a) {
    struct profile profile;
    struct err err;
    str bytes;
    stop_looking(a);
    if (!collect_profile(a, a->plan.of, &profile, &err))
        return reply_failed(a->arena, 500, "failed to collect profile", &err);
    if (a->plan.is_folded) return reply_text(text_folded(a->arena, &profile));
    if (!make_bytes(a->arena, &profile, LEVEL_SNAPSHOT, &bytes, &err))
        return reply_failed(a->arena, 500, "failed to collect profile", &err);
    return reply_binary(a->plan.of->name, bytes);
}

static struct reply finish(struct answer *a) {
    if (a->plan.kind == PLAN_WALL || a->plan.kind == PLAN_OFFCPU) return finish_wall(a);
    if (a->plan.kind == PLAN_TRACE) {
        trace_stop();
        return reply_binary(S("trace"), (str){0});
    }
    return a->plan.kind == PLAN_CPU ? finish_cpu(a) : finish_delta(a);
}

// True: the plan takes time and has begun. False: *ret is the reply.
static bool begin(struct answer *a, struct reply *ret) {
    switch (a->plan.kind) {
    case PLAN_ANSWER:
        *ret = a->plan.reply;
        return false;
    case PLAN_INDEX:
        *ret = index_page(a->arena);
        return false;
    case PLAN_CMDLINE:
        *ret = reply_text(text_cmdline(a->arena));
        return false;
    case PLAN_SYMBOL:
        *ret = answer_symbol(a);
        return false;
    case PLAN_SNAPSHOT:
        *ret = answer_snapshot(a);
        return false;
    case PLAN_CPU:
        return start_cpu(a, ret);
    case PLAN_SCRAPE:
        *ret = answer_scrape(a);
        return false;
    case PLAN_WALL:
    case PLAN_OFFCPU:
        return start_wall(a, ret);
    case PLAN_TRACE:
        return start_trace(a, ret);
    case PLAN_RECORDER:
        *ret = answer_recorder(a);
        return false;
    case PLAN_DELTA:
        return start_delta(a, ret);
    }
    return false;
}

struct answer *answer_start(struct arena *arena, const struct http_request *request,
                            struct reply *ret) {
    struct answer *a = NEW(arena, struct answer, 1);
    a->arena = arena;
    http_plan(arena, request, &a->plan);
    if (!begin(a, ret)) return NULL;
    a->end_ms = clock_ms() + (u64)a->plan.seconds * 1000 + a->plan.ms;
    return a;
}

bool answer_step(struct answer *a, bool is_gone, struct reply *ret) {
    if (a->plan.kind == PLAN_CPU) cpu_drain();
    if (a->plan.kind == PLAN_WALL) wall_step();
    if (a->plan.kind == PLAN_OFFCPU) offcpu_step();
    if (a->plan.kind == PLAN_TRACE) trace_step();
    if (!is_gone && clock_ms() < a->end_ms) return false;
    *ret = finish(a);
    return true;
}

void answer_cancel(struct answer *a) {
    if (a && a->plan.kind == PLAN_CPU) cpu_stop();
    if (a) stop_looking(a);
    if (a && a->plan.kind == PLAN_DELTA) return_rate(&a->plan);
    if (!a || a->plan.kind != PLAN_TRACE) return;
    trace_stop();
    evbuffer_free(a->stream);
}

struct evbuffer *answer_stream(struct answer *a, struct reply *ret) {
    *ret = reply_binary(S("trace"), (str){0});
    return a->stream;
}
