// agent/files.h - profiles that a process writes into files: at its end, and when a signal asks.
// Room: the variables that say so, file names, writing. Handlers of signals are hot/signals.h's.
//
//   PPROF_CPU_PROFILE    file: CPU profile from the start to exit()
//   PPROF_CPU_HZ         its samples per second of CPU time (100)
//   PPROF_HEAP_AT_EXIT   file: the heap profile after all destructors; what is in use has leaked
//   PPROF_SIGNAL         NAME or NAME:profile,profile...: each such signal writes these profiles
//                        (heap,goroutine) into files; "profile" is a CPU profile of the 10 s that
//                        follow; "flightrecorder" the trace that PPROF_FLIGHT_RECORDER keeps
//   PPROF_SIGNAL_FILES   what the names of those files begin with (pprof)
//
// In a file's name %p becomes the process id; forked children write only then. A relative name is
// taken from the folder the program works in at that moment. What ends by _exit, a signal or exec
// writes nothing. Failures: one sentence on the program's stderr with PPROF_VERBOSE, and on the
// index page.
#pragma once

#include "base/base.h"

#include <sys/types.h>

// Reads the variables. From the constructor, as the next two.
void files_read_environment(void);
// In a program started by a profiled one with the same variables: what has no %p is the parent's.
// has tells whether a process's environment has a variable with a value.
void files_mind_parent(bool (*has)(pid_t pid, const char *name, const char *value));
// Whether anything is to be written, so that collecting must begin.
bool files_are_wanted(void);
// On the agent thread, before anything else: begins the CPU profile.
void files_begin(void *ctx);
// Whether an agent thread is needed before that.
bool files_need_agent(void);
// Installs the signal's handler. From the constructor.
void files_take_signal(void);
// After the agent thread was started again.
void files_resume(void);
// At exit, from the last thread: writes what is to be written.
void files_end(void);
// In a forked child: what needs %p goes on, the rest is forgotten.
void files_after_fork_child(void);
// One sentence for the index page.
str files_status(struct arena *out);
