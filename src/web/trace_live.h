// web/trace_live.h - the trace that is shown, and the next one being recorded.
// Room: whose trace a question is answered from. A trace lives until it was replaced and the last
// question about it is answered. Private to web/trace_*.c. Door: trace_live_open().
#pragma once

#include "driver/driver.h"
#include "web/trace_view.h"

#include <pthread.h>

struct trace_shown; // begins with its struct trace_view

struct trace_live {
    const struct traced *traced;
    pthread_mutex_t lock; // of what follows
    struct trace_shown *now;
    i64 seconds; // of the recording under way
    u64 number;  // recordings shown so far
    bool is_recording;
    struct err err; // why the last one gave nothing
};

// Begins to read the trace, on a thread of its own.
void trace_live_open(struct trace_live *l, const struct traced *t);
// The trace to answer from, until it is returned.
struct trace_shown *trace_live_borrow(struct trace_live *l);
void trace_live_return(struct trace_live *l, struct trace_shown *shown);
const struct trace_view *trace_shown_view(const struct trace_shown *shown);
// Begins to fetch the next one, which is shown once it is read. Fails: ERR_UNSUPPORTED, ERR_BUSY.
MUST_USE bool trace_live_record(struct trace_live *l, i64 seconds, struct err *err);
// {"can_record": ..., "is_recording": ..., "number": ..., "error": ...}
void trace_live_put(struct trace_live *l, struct buf *b);
