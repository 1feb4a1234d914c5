// agent/api.h - what the functions of include/pprof.h need from the agent thread's life.
// Room: CPU profiles that a program began itself.
#pragma once

// After the agent thread was started again: goes on draining a CPU profile that the program began.
void api_resume(void);
