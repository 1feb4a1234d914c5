// agent/api.h - what the functions of include/pprof.h need from the agent thread's life.
// Room: CPU profiles that a program began itself.
#pragma once

#include "pprof.h"

#include "agent/agent.h"

// What a pprof_profile is.
const struct collector *api_collector_of(const pprof_profile *profile);
// The gzip'd profile of what of records now. On the agent thread.
MUST_USE bool api_bytes(struct arena *out, const struct collector *of, str *ret, struct err *err);
// Begins and ends a CPU profile that the agent keeps drained. On the agent thread.
MUST_USE bool api_cpu_begin(u32 hz, struct err *err);
void api_cpu_end(void);

// After the agent thread was started again: goes on draining a CPU profile that the program began.
void api_resume(void);
// The same of a trace that the program started, and of the flight recorder.
void api_trace_resume(void);
// Keeps what PPROF_FLIGHT_RECORDER says: nginx' workers have no environment any more.
void api_recorder_read_environment(void);
// Starts the flight recorder where PPROF_FLIGHT_RECORDER asks for it. On the agent thread.
void api_recorder_begin(void);
void api_trace_after_fork_child(void);
