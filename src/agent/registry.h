// agent/registry.h - where `pprof ps` finds the processes that serve.
// Room: one small file a process: ${XDG_RUNTIME_DIR:-/tmp}/pprof-UID/PID, in a folder of mode 0700
// owned by this user, with lines address=, program=, started= (seconds since 1970), parent= (pid)
// and, when the endpoint does not listen, state= (why). Readers must check that the process lives:
// a killed one leaves its file.
#pragma once

#include "base/base.h"

// Writes the file anew. address "": not listening, state says why. A folder that cannot be had or
// is not safe leaves the process unlisted.
void registry_write(const char *address, const char *state);
// Removes this process's file, if it wrote one.
void registry_remove(void);
// The same when the process ends, from its last thread, while the agent may be just writing.
void registry_end(void);
// In a forked child: the file is the parent's.
void registry_after_fork_child(void);
