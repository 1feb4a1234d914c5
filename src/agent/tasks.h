// agent/tasks.h - the threads of this process, as the kernel lists them.
// Room: reading /proc/self/task without libc's directory streams (they allocate). Door:
// agent/agent.h.
#pragma once

#include "base/base.h"

// Small files of /proc/self/task/TID are read whole into the caller's buffer.
enum { TASK_FILE_CAP = 512 };

// The tids of all threads, in the kernel's order; also the agent's own.
// Fails: ERR_SYSTEM (no /proc).
MUST_USE bool tasks_list(struct arena *out, u32 **ret, u32 *ret_n, struct err *err);
// The contents of /proc/self/task/TID/name, at most TASK_FILE_CAP bytes, in buffer; empty on
// failure. Trailing newlines are cut.
str task_file(u32 tid, const char *name, char buffer[TASK_FILE_CAP]);
// The same with a buffer of cap bytes.
str task_file_read(u32 tid, const char *name, char *buffer, size_t cap);
// Whether the thread exists now.
bool task_exists(u32 tid);
