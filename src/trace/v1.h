// trace/v1.h - traces of Go 1.11 to 1.21: one stream without generations, whose tables stand at its
// end. Room: finding the batches (v1_index.c), merging them (v1_order.c), giving events (v1.c).
// Door: trace/trace.h. Source: reference/go.md section 4.1.
//
// The tables come last, and the times of returned calls move events back, so nothing can be given
// before everything was seen. What is kept is 24 bytes an event; its numbers are read again from
// the bytes when it is given.
#pragma once

#include "trace/order.h"

enum v1_type {
#define V1(number, name, ...) V1_##name = (number),
#include "trace/v1.def"
#undef V1
};

// When an event may be merged: by the state of its goroutine.
enum v1_rule {
    V1_ANY,
    V1_CREATE,      // new
    V1_WAITING,     // just created
    V1_START,       // runnable, by number
    V1_START_LOCAL, // runnable
    V1_BLOCK,       // running
    V1_YIELD,       // running
    V1_WAKE,        // waiting, by number
    V1_WAKE_LOCAL,  // waiting
    V1_GC,          // by number
};

struct v1_spec {
    const char *name;
    u8 since, n_args, rule, becomes;
    bool has_stack;
};

enum {
    V1_MAX_ARGS = 5,
    V1_MAX_FRAMES = 1000,     // of one stack; the official reader's limit
    V1_MAX_STRING = 1000000,  // bytes of one string; the official reader's limit
    V1_MAX_ARG_BYTES = 64000, // of one event with a length: a stack of all those frames
};

// Processors that are none: where the official tool moves what no processor did.
enum { V1_TIMER_P = 1000001, V1_NETPOLL_P, V1_SYSCALL_P, V1_GC_P };

// An event with its numbers.
struct v1_raw {
    u64 dt, args[V1_MAX_ARGS], stack;
    str text; // a string, the message of a log, the undecoded numbers of a stack
    u8 type;
};

struct v1_batch {
    u64 at, end; // offsets of its events
    i64 ticks;
    u32 next; // of the same processor
};

struct v1_record {
    i64 ts; // ticks, later nanoseconds
    u64 at; // offset of the event; V1_IS_BLOCKING apart
    u32 go_i;
    i32 p;
};
#define V1_IS_BLOCKING ((u64)1 << 63) // a call whose processor goes to others

enum v1_go_state { V1_DEAD, V1_RUNNABLE, V1_RUNNING, V1_WAITS };

struct v1_go {
    u64 id, seq;
    i64 in_call;  // ticks of the last GoSysBlock
    u32 regions;  // list of v1_region
    u8 state;     // while merging
    u8 shown;     // while giving
    u8 next_type; // of its event after the one looked at
    bool is_created, is_timer;
    bool on_net;     // waits for the network
    bool is_pending; // existed before the trace, and nothing was told of it yet
    u8 wait_type;    // its last event that another may end; 0: none
    u32 wait_stack;
    i64 wait_ns;
};

struct v1_region {
    u64 task, name;
    u32 outer;
};

struct v1_proc {
    i32 pid;
    u32 first, last; // batches; U32_NONE: none
    i64 thread;      // TRACE_NONE
    u32 go_i;        // that runs there, as told so far
    bool is_seen, is_running, is_sweeping;
    // While merging.
    const u8 *p, *end;
    u32 batch_i;
    i64 ts;
    u32 last_go_i;
    struct v1_record head;
    u64 head_seq;
    u32 head_subject; // the goroutine whose state decides
    u8 head_rule;
};

struct v1 {
    struct arena *arena;
    struct reader bytes;
    u32 version;
    struct trace_table *table;
    struct v1_proc *procs;
    struct v1_batch *batches;
    struct v1_record *samples, *records;
    struct v1_go *gos;
    struct v1_region *regions;
    struct order_task *tasks;
    struct idmap proc_by_pid, go_by_id, task_by_id;
    u32 n_procs, n_batches, n_samples, n_gos, n_regions, n_tasks;
    u64 n_events; // with a time, as indexed
    u64 n_records, record_i, gc_seq, frequency;
    size_t cap_procs, cap_batches, cap_samples, cap_gos, cap_regions, cap_tasks;
    bool has_begun; // the first Gomaxprocs was there: goroutines of before are all told
    bool is_collecting, is_stopped;
    str stop_kind;
    u32 *pending; // goroutines of before, by id, that are told at pending_ns
    u32 n_pending, pending_i;
    i64 pending_ns;
    struct trace_event extra; // given after the one just given
    bool has_extra;
    struct err err; // why events end early; ERR_NONE: they do not
};

const struct v1_spec *v1_spec(u8 type);
// Reads one event, after which *p then stands. False: it is broken.
bool v1_read(const u8 **p, const u8 *end, u32 version, struct v1_raw *ret);
// Batches, tables, the clock: what has no time.
bool v1_is_structure(u8 type);
u32 v1_go_index(struct v1 *v, u64 id);
struct v1_proc *v1_proc_of(struct v1 *v, i32 pid);

// Finds batches, tables, samples. v->err says where the bytes break off.
void v1_index(struct v1 *v);
// Merges what is indexed into v->records, times in nanoseconds. v->err says why not all of it.
void v1_merge(struct v1 *v);
// Opens a trace. table: where strings and stacks go.
void v1_open(struct v1 *v, struct arena *arena, struct reader bytes, u32 version,
             struct trace_table *table);
// The next event; false at the end or break, see v->err.
bool v1_next(struct v1 *v, struct trace_event *ret);
// The next wait of that kind that ended, instead of events: its stack and whose it is (subject) in
// *ret, and how long it was.
bool v1_next_wait(struct v1 *v, enum trace_wait wait, struct trace_event *ret, i64 *ret_ns);
// The v1 trace behind a reader; NULL: it is v2.
struct v1 *v1_of(struct trace_reader *r);
