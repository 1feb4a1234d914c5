// agent/collectors.c - the table of collectors, made from profiles.def.
// Room: one small adapter a collector. Door: agent/agent.h.
#include "agent/agent.h"

#include "agent/contention.h"
#include "agent/cpu.h"
#include "agent/custom.h"
#include "agent/heap.h"
#include "agent/mmaps.h"
#include "agent/offcpu.h"
#include "agent/threadcreate.h"
#include "agent/threads.h"
#include "agent/wall.h"

static bool collect_heap(struct arena *out, const struct collect_opts *opts, struct rows *ret,
                         struct err *err) {
    return heap_collect(out, opts, ret, err);
}

static u64 count_heap(void) {
    return (u64)heap_totals_raw().alloc_objects;
}

// The protobuf form tells threads apart by labels; the text groups them, as Go's.
static bool collect_threads(struct arena *out, const struct collect_opts *opts, struct rows *ret,
                            struct err *err) {
    return threads_collect(out, !opts->is_raw, ret, err);
}

static u64 count_threads(void) {
    return threads_count();
}

static bool collect_cpu(struct arena *out, const struct collect_opts *opts, struct rows *ret,
                        struct err *err) {
    (void)opts;
    return cpu_collect(out, ret, err);
}

static u64 count_none(void) {
    return 0;
}

static bool collect_offcpu(struct arena *out, const struct collect_opts *opts, struct rows *ret,
                           struct err *err) {
    (void)opts;
    return offcpu_collect(out, ret, err);
}

static bool collect_wall(struct arena *out, const struct collect_opts *opts, struct rows *ret,
                         struct err *err) {
    (void)opts;
    return wall_collect(out, ret, err);
}

static bool collect_threadcreate(struct arena *out, const struct collect_opts *opts,
                                 struct rows *ret, struct err *err) {
    (void)opts;
    return threadcreate_collect(out, ret, err);
}

static u64 count_threadcreate(void) {
    return threadcreate_count();
}

static bool collect_mutex(struct arena *out, const struct collect_opts *opts, struct rows *ret,
                          struct err *err) {
    (void)err;
    contention_collect(CONTENTION_MUTEX, out, opts->is_raw, ret);
    return true;
}

static u64 count_mutex(void) {
    return contention_count(CONTENTION_MUTEX);
}

static bool collect_block(struct arena *out, const struct collect_opts *opts, struct rows *ret,
                          struct err *err) {
    (void)err;
    contention_collect(CONTENTION_BLOCK, out, opts->is_raw, ret);
    return true;
}

static u64 count_block(void) {
    return contention_count(CONTENTION_BLOCK);
}

// clang-format off
#define PROFILE(collect_fn, count_fn, title, text_kind, delta, ptype, punit, default_name, words, n, ...) \
    {.name = S(title), .about = S(words), .types = {__VA_ARGS__}, .n_types = n, .period_type = S(ptype), \
     .period_unit = S(punit), .default_type = S(default_name), .text = text_kind, .has_delta = delta, \
     .collect = collect_fn, .count = count_fn},
// clang-format on

const struct collector collectors[] = {
#include "agent/profiles.def"
};
const u32 n_collectors = countof(collectors);

const struct collector fgprof_collector = {
    .name = S("fgprof"),
    .types = {{S("samples"), S("count")}, {S("time"), S("nanoseconds")}},
    .n_types = 2,
    .period_type = S("wall"),
    .period_unit = S("nanoseconds"),
    .default_type = S("time"),
    .text = TEXT_NONE,
    .collect = collect_wall,
    .count = count_none};

const struct collector *collector_find(str name) {
    const struct collector *of;
    if (str_eq(name, S("threads"))) name = S("goroutine");
    for (u32 i = 0; i < n_collectors; i++)
        if (str_eq(collectors[i].name, name)) return &collectors[i];
    for (u32 i = 0; (of = custom_at(i)); i++)
        if (str_eq(of->name, name)) return of;
    return NULL;
}

// The first by name after `after` (NULL: of all).
static const struct collector *next_by_name(const struct collector *after) {
    const struct collector *best = NULL, *of;
    u32 n_custom = 0;
    for (u32 i = 0; (of = i < n_collectors ? &collectors[i] : custom_at(n_custom)); i++) {
        n_custom += i >= n_collectors;
        if (after && str_cmp(of->name, after->name) <= 0) continue;
        if (!best || str_cmp(of->name, best->name) < 0) best = of;
    }
    return best;
}

const struct collector *collector_at(u32 i) {
    const struct collector *of = next_by_name(NULL);
    while (of && i--) of = next_by_name(of);
    return of;
}

bool collector_collect(const struct collector *of, struct arena *out,
                       const struct collect_opts *opts, struct rows *ret, struct err *err) {
    return of->custom ? custom_collect(of, out, ret) : of->collect(out, opts, ret, err);
}

u64 collector_count(const struct collector *of) {
    return of->custom ? custom_count(of) : of->count();
}
