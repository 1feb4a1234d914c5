// web/trace_view.h - a trace being shown: loading it, and the calls that answer questions about it.
// Room: the loaded trace, one question's parameters, and the table of calls. What each call answers
// is in docs/api.md. Door: web/web.h.
//
// A view is loaded by a thread of its own while the server already answers: until it is ready, only
// /progress has something to say. From then on it never changes, so any thread may ask.
#pragma once

#include "base/base.h"
#include "trace/trace.h"
#include "web/query.h"

#include <stdatomic.h>

enum trace_view_state { TRACE_LOADING, TRACE_READY, TRACE_FAILED };

struct trace_view {
    str name, bytes;
    struct arena arena; // everything below
    struct trace_lanes lanes;
    struct trace_stats stats;
    struct trace_mmu_log mmu;
    u32 *go_stats;  // by goroutine lane: its row in stats; U32_NONE: none
    u32 *go_lanes;  // by row in stats: its lane
    u32 version;    // the NN of go 1.NN
    bool is_go;     // a Go program wrote it; else goroutines are threads
    bool is_broken; // err says where and why; what comes before is shown
    struct err err;
    atomic_ullong n_read, n_events; // for progress: bytes and events
    atomic_int state;               // enum trace_view_state; release once the rest is there
};

// Fills name and bytes, which are borrowed; nothing is read yet.
void trace_view_init(struct trace_view *v, str name, str bytes);
void trace_view_done(struct trace_view *v);
// Reads the whole trace. To be run by one thread, once.
void trace_view_load(struct trace_view *v);

// A question.
struct trace_ask {
    const struct trace_view *view;
    struct arena *arena; // of the request
    struct buf *out;     // the answer, JSON
    struct err *err;     // ERR_USAGE: which parameter is wrong
    const struct query *query;
};

typedef bool (*trace_call)(struct trace_ask *a);

struct trace_route {
    const char *name; // behind /api/trace/
    trace_call call;
    bool is_early; // answers while the trace is still being read
};

extern const struct trace_route trace_routes[];
extern const size_t n_trace_routes;
// Answers one question: false fills a->err (ERR_BUSY: still loading).
bool trace_answer(struct trace_ask *a, str name);

// The profile of a wait ("net", "sync", "syscall", "sched") or of the CPU samples ("cpu"), of all
// or of [t0, t1) and lanes: what the profile pages open.
bool trace_profile(struct trace_ask *a, struct profile *ret);
