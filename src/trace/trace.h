// trace/trace.h - the face of trace: reading Go's execution traces, event after event.
//
// The idea: a trace is a file of generations (about a second each). One generation at a time, its
// tables (strings, stacks, samples, clocks) are gathered, then the event streams of its threads are
// merged: the earliest event goes next, unless the state machine says that something else must have
// happened before. What comes out is one record after the other, in the order of the official
// reader, each with the thread, processor and goroutine it happened on.
//
// Words: M is a thread, P a processor, G a goroutine (a thread, where no Go program wrote the
// trace); a transition changes the state of its subject; a range is a span of time with a name (a
// collection, a stopped world); a table is what a generation's numbers refer to.
// Lifetimes: the bytes are borrowed until trace_close. Texts point into them and live as long;
// tables and stacks live until trace_next enters the next generation (see trace_event.generation).
// Failures: trace_open refuses what is no trace. What breaks later ends the events; trace_broken
// says why, and all that came before is good.
// Limits: memory is bounded by the largest generation's tables and the living goroutines; the bytes
// themselves may be a mapped file. Will not: read files, print, sum up (trace_blocked apart).
#pragma once

#include "base/base.h"
#include "profile/profile.h"
#include "trace/lanes.h"

// Numbers of the wire; TRACE_EV_NEW_GENERATION is the reader's own.
enum trace_type {
#define EVENT(number, name, ...) TRACE_EV_##name = (number),
#include "trace/events.def"
#undef EVENT
    TRACE_EV_NEW_GENERATION = 255
};

enum trace_kind {
    TRACE_STRUCTURE, // never given by trace_next
    TRACE_SYNC,      // a generation begins, or the trace ends
    TRACE_METRIC,
    TRACE_LABEL,
    TRACE_SAMPLE, // a CPU sample
    TRACE_RANGE_BEGIN,
    TRACE_RANGE_ACTIVE, // was going on already when the generation began
    TRACE_RANGE_END,
    TRACE_TASK_BEGIN,
    TRACE_TASK_END,
    TRACE_REGION_BEGIN,
    TRACE_REGION_END,
    TRACE_LOG,
    TRACE_TRANSITION,
    TRACE_EXPERIMENTAL,
};

enum trace_state {
    TRACE_UNDETERMINED,
    TRACE_NOT_EXIST,
    TRACE_RUNNABLE,
    TRACE_RUNNING,
    TRACE_WAITING,
    TRACE_IN_SYSCALL,
    TRACE_IDLE,
};

enum trace_subject { TRACE_NO_SUBJECT, TRACE_GOROUTINE, TRACE_PROC };

// No thread, processor or goroutine.
#define TRACE_NONE ((i64)-1)
// The largest time, 73 years: what only broken clocks reach is given as this, however often, so
// that times can be subtracted and added up.
#define TRACE_MAX_NS ((i64)1 << 61)
// A task without a parent.
#define TRACE_NO_TASK UINT64_MAX

enum {
    TRACE_MAX_ARGS = 5,         // no event of any version has more, dt counted
    TRACE_MAX_FRAMES = 128,     // of one stack; the runtime's own limit
    TRACE_MAX_STRING = 1 << 10, // bytes of one string; the runtime's own limit
    TRACE_MAX_BATCH = 64 << 10, // bytes of one batch; the runtime's own limit
};

enum trace_form { TRACE_TIMED, TRACE_PLAIN, TRACE_DATA, TRACE_STACK };

// One line of events.def.
struct trace_spec {
    const char *name; // NULL: no such event
    const char *args[TRACE_MAX_ARGS + 1];
    u8 n_args, since;
    enum trace_form form;
    enum trace_kind kind;
    u8 stack_at, subject_stack_at, name_at, value_at;
};

extern const struct trace_spec trace_specs[256];
// The line of one number; name is NULL where there is none.
static inline const struct trace_spec *trace_spec(u8 type) {
    return &trace_specs[type];
}
// "Sync", "StateTransition" ...; "Running" ...: the official tool's words.
str trace_kind_name(enum trace_kind kind);
str trace_state_name(enum trace_state state);

struct trace_frame {
    u64 pc, line;
    str func, file;
};

struct trace_event {
    i64 time_ns; // strictly growing up to TRACE_MAX_NS
    i64 m, p, g; // where it happened, before it took effect; TRACE_NONE: nowhere
    i64 subject; // whose state or range it is
    str name;    // reason, kind of stopped world, label, name of a task, region; category
    str value;   // message of a log
    u64 args[TRACE_MAX_ARGS]; // as events.def names them, without dt. Of a task: id, parent.
                              // New generation: number, clocks: trace ns, monotonic ns, s, ns
    u32 stack, subject_stack; // for trace_frames; U32_NONE: none
    u32 generation;           // counted from 1; stacks are comparable within one only
    u8 type, kind, subject_kind;
    u8 from, to;    // enum trace_state, of a transition
    bool has_clock; // of a new generation
};

struct trace_reader;

// Opens the bytes of a trace of format v2 (header 1.22 and later).
// bytes: borrowed until trace_close. Fails: ERR_UNRECOGNIZED, ERR_UNSUPPORTED (older formats).
MUST_USE bool trace_open(struct arena *out, str bytes, struct trace_reader **ret, struct err *err);
void trace_close(struct trace_reader *r);
// The next event; false at the end or at the break.
MUST_USE bool trace_next(struct trace_reader *r, struct trace_event *ret);
// Why the events ended before the bytes did; NULL: they did not. err->at is the byte where the
// first generation not given whole begins.
const struct err *trace_broken(const struct trace_reader *r);
// The byte that the generation being given begins at: how far the reading is. What stands before is
// only read again for texts of events.
u64 trace_at(const struct trace_reader *r);
// Calls back whenever a generation begins, with trace_at: to tell progress, to give pages back.
typedef void (*trace_progress)(void *to, u64 at);
void trace_on_generation(struct trace_reader *r, trace_progress call, void *to);
// The NN of "go 1.NN trace".
u32 trace_version(const struct trace_reader *r);
// Whether the version is newer than what this reader was made for.
bool trace_is_newer(const struct trace_reader *r);
// The depth of a stack of the current generation; 0 for U32_NONE.
u32 trace_depth(const struct trace_reader *r, u32 stack);
// Frame i of it, leaf first.
const struct trace_frame *trace_frame(const struct trace_reader *r, u32 stack, u32 i);

// One record of the wire, structure and all, in file order.
struct trace_wire {
    const struct trace_spec *spec;
    u8 type;
    u64 args[TRACE_MAX_ARGS];
    u64 n_frames;     // of a stack: pc, func, file and line each
    str frames, data; // the undecoded frames; the trailing bytes
    u64 len;          // bytes, were every number written as short as it can be
};

// Reads the header; *version gets its NN. Fails: ERR_UNRECOGNIZED; ERR_UNSUPPORTED for v1.
MUST_USE bool trace_wire_open(str bytes, struct reader *ret, u32 *version, struct err *err);
// The next record; false at the end, where err->code is ERR_NONE, or at broken bytes.
MUST_USE bool trace_wire_next(struct reader *r, struct trace_wire *ret, struct err *err);

struct trace_footprint_row {
    u64 bytes, n;
    u8 type;
};
struct trace_footprint {
    struct trace_footprint_row rows[256]; // of events that occur, largest first
    u32 n;
    u64 n_events;
};
// Counts the records left of r, each as long as trace_wire says. False: the bytes are broken; what
// came before is counted.
MUST_USE bool trace_footprint(struct reader *r, struct trace_footprint *ret, struct err *err);

// What goroutines waited for: the official tool's four profiles.
enum trace_wait { TRACE_WAIT_NET, TRACE_WAIT_SYNC, TRACE_WAIT_SYSCALL, TRACE_WAIT_SCHED };

// Reads all events left of r into a profile of contentions/count and delay/nanoseconds by the stack
// at which the wait began. Time before a goroutine first ran in the trace is not counted, unless it
// never did, as in the official tool.
// only: ids of the goroutines that count; NULL: all.
void trace_blocked(struct arena *out, struct trace_reader *r, enum trace_wait wait,
                   const struct idmap *only, struct profile *ret);

#include "trace/groups.h"
#include "trace/mmu.h"
#include "trace/stats.h"
#include "trace/write.h"
