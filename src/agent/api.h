// agent/api.h - what the functions of include/pprof.h need from the agent thread's life.
// Room: CPU profiles that a program began itself.
#pragma once

#include "pprof.h"

#include "agent/agent.h"

// What a pprof_profile is.
const struct collector *api_collector_of(const pprof_profile *profile);
// After the agent thread was started again: goes on draining a CPU profile that the program began.
void api_resume(void);
