// agent/trace.h - the execution trace of this process, while somebody wants it.
// Room: from the records of hot/trace.h to whole generations of a trace, handed to those who asked.
// What a trace is, is trace/write.h's. On the agent thread only. Door: agent/agent.h.
//
// The idea: one trace is made at a time, for one client (a request or pprof_trace_start) and the
// flight recorder, which share it: a client that comes later gets whole generations from then on.
// A generation is cut every second, or when it reaches TRACE_GENERATION_BYTES.
//
// Memory: TRACE_CLIENT_BYTES for a client that takes its bytes too slowly; then records wait in the
// threads' chunks (32 MiB), and after that they are lost, and the trace says how many.
#pragma once

#include "base/base.h"

enum {
    TRACE_STEP_MS = 50,                  // how often trace_step must be called
    TRACE_GENERATION_MS = 1000,          // as Go's
    TRACE_GENERATION_BYTES = 4 << 20,    // readers hold one in memory
    TRACE_CLIENT_BYTES = 32 << 20,       // not taken yet, before the trace waits for the client
    RECORDER_AGE_MS_DEFAULT = 10 * 1000, // Go's
    RECORDER_BYTES_DEFAULT = 10 << 20,   //
    RECORDER_BYTES_MAX = 1 << 30,        //
};

struct evbuffer;

// Begins a trace whose bytes, header first, are added to to until trace_stop. version:
// TRACE_WRITE_GO123, TRACE_WRITE_GO126, or 0 for the first; while the flight recorder runs it is
// the recorder's. Fails: ERR_BUSY with Go's words while a client has one, ERR_LIMIT.
MUST_USE bool trace_start(struct evbuffer *to, u32 version, struct err *err);
// The thread that waits for one of the calls here right now, which a trace shows running; 0: none
// of the program's.
void trace_asked_by(u32 tid);
// Takes what threads have written. Does nothing when no trace is made.
void trace_step(void);
// Ends the client's trace: what is left is added to its bytes.
void trace_stop(void);
// Whether a client has a trace.
bool trace_is_running(void);
// A CPU sample, for the trace that runs, if any.
void trace_sample(u32 tid, u64 time_ns, u32 stack);

// The flight recorder: keeps the generations of the last age_ms, at most max_bytes.
MUST_USE bool recorder_start(u64 age_ms, size_t max_bytes, u32 version, struct err *err);
void recorder_stop(void);
bool recorder_is_running(void);
// The trace of the last seconds up to now, added to to. Fails: ERR_NOT_FOUND when it does not run.
MUST_USE bool recorder_write(struct evbuffer *to, struct err *err);
// "10s,16MiB", either part alone, or "1" for the defaults. False: not understood.
bool recorder_parse(str text, u64 *age_ms, size_t *max_bytes);

// One sentence for the index page.
str trace_status(struct arena *out);
// In a forked child: no trace, no recorder.
void trace_after_fork_child(void);
