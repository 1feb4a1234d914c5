// web/trace_ask.h - what the calls of a trace share: parameters, lanes by name, JSON of spans.
// Room: private to web/trace_*.c. Door: web/trace_view.h.
#pragma once

#include "web/trace_view.h"

enum {
    MAX_LANES_ASKED = 256, // rows on a screen, with some to spare
    MAX_ROWS = 1000,       // of one page of a table
    MAX_OVERLAYS = 5000,   // regions, samples, logs of one answer; more are counted only
    MAX_SLICES = 8192,     // of one answer and lane
};

// The lanes a question is about; n is 0: all of the kind.
struct asked_lanes {
    enum lanes_kind kind;
    const struct lane_set *set;
    u32 *items, n;
    u8 *is_asked; // by lane; NULL: all
};

struct asked_time {
    i64 t0, t1; // clipped to the trace, t0 < t1
};

str ask_text(const struct trace_ask *a, const char *name);
// False: the parameter is there and no number. Missing ones give fallback.
MUST_USE bool ask_i64(const struct trace_ask *a, const char *name, i64 fallback, i64 *ret);
MUST_USE bool ask_time(const struct trace_ask *a, struct asked_time *ret);
MUST_USE bool ask_kind(const struct trace_ask *a, enum lanes_kind *ret);
MUST_USE bool ask_lanes(const struct trace_ask *a, struct asked_lanes *ret);
// The page of a table asked for (off, n), within total rows.
MUST_USE bool ask_page(const struct trace_ask *a, u32 total, u32 *ret_from, u32 *ret_to);
// Goroutines that start in the function of the parameter func, instead of those listed; without the
// parameter nothing changes.
void ask_group(const struct trace_ask *a, struct asked_lanes *ret);
bool is_lane_asked(const struct asked_lanes *lanes, u32 i);

// The function a goroutine began in; "" where nobody knows.
str go_func(const struct trace_view *v, u32 lane_i);
// "G7 main.worker", "P0", "M5"; "T7 worker" of a native program.
void put_lane_name(struct buf *b, const struct trace_view *v, enum lanes_kind kind, u32 lane_i);
str lane_name(struct arena *out, const struct trace_view *v, enum lanes_kind kind, u32 lane_i);
// [{"func":..., "file":..., "line":...}, ...], leaf first.
void put_stack(struct buf *b, const struct trace_view *v, u32 stack);
// "key": with a comma in front unless the buffer ends in { or [.
void put_key(struct buf *b, const char *key);
void put_i64(struct buf *b, const char *key, i64 value);
void put_text(struct buf *b, const char *key, str text);
void put_comma(struct buf *b);
// "ns":{"running":...}: times by class.
void put_classes(struct buf *b, const struct lane_sum *sum);
// Since the trace began; -1 for TRACE_NEVER.
i64 view_time(const struct trace_view *v, i64 time_ns);

// The calls: src/web/trace_*.c.
bool trace_ask_progress(struct trace_ask *a);
bool trace_ask_summary(struct trace_ask *a);
bool trace_ask_lanes(struct trace_ask *a);
bool trace_ask_tiles(struct trace_ask *a);
bool trace_ask_overlay(struct trace_ask *a);
bool trace_ask_counters(struct trace_ask *a);
bool trace_ask_span(struct trace_ask *a);
bool trace_ask_flows(struct trace_ask *a);
bool trace_ask_select(struct trace_ask *a);
bool trace_ask_search(struct trace_ask *a);
bool trace_ask_events(struct trace_ask *a);
bool trace_ask_goroutines(struct trace_ask *a);
bool trace_ask_groups(struct trace_ask *a);
bool trace_ask_tasks(struct trace_ask *a);
bool trace_ask_task(struct trace_ask *a);
bool trace_ask_regions(struct trace_ask *a);
bool trace_ask_region(struct trace_ask *a);
bool trace_ask_mmu(struct trace_ask *a);
