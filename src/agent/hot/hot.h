// agent/hot/hot.h - the face of the hot code: what runs inside the profiled program's own threads
// and signal handlers.
//
// The idea: hot code captures and counts, nothing else. It takes no lock, allocates nothing, calls
// no dlsym, keeps errno, and uses memory that cold code reserved before. Cold code (agent/) reads
// what it left behind.
//
// Words: a pc in a captured stack is a lookup pc: return addresses are already one less, so that
// the call's own line is found; the leaf of an interrupted thread and the frame below a signal
// frame are exact. A hook is a function of libc that we define in front of it; "real" is the one
// behind. Hidden threads are the agent's own. Failures: never visible to the program; what is lost
// is counted in struct hot_lost and told by every profile. Will not: format, symbolize, talk to
// anybody.
#pragma once

#include "agent/hot/contention.h"
#include "agent/hot/cpu_signal.h"
#include "agent/hot/fibers.h"
#include "agent/hot/io.h"
#include "agent/hot/labels.h"
#include "agent/hot/live.h"
#include "agent/hot/locks.h"
#include "agent/hot/mmaps.h"
#include "agent/hot/own.h"
#include "agent/hot/pages.h"
#include "agent/hot/real.h"
#include "agent/hot/resolve.h"
#include "agent/hot/ring.h"
#include "agent/hot/sample.h"
#include "agent/hot/signals.h"
#include "agent/hot/stacks.h"
#include "agent/hot/thread.h"
#include "agent/hot/trace.h"
#include "agent/hot/unwind.h"
#include "agent/hot/values.h"
#include "agent/hot/wait.h"
#include "agent/hot/waiters.h"
#include "agent/hot/weight.h"
