// agent/trace_inner.h - the trace being made; for agent/trace*.c and agent/recorder.c only.
// Room: its state, on the agent thread. Door: agent/trace.h.
#pragma once

#include "agent/trace.h"

#include "agent/maps.h"
#include "trace/trace.h"

// One reading of both clocks.
struct clock_pair {
    u64 ticks, ns;
};

// A thread that waits, and for what in the words of a trace; empty: a system call.
struct trace_parked {
    u32 tid, stack;
    str reason;
};

struct tracer {
    struct trace_writer *writer; // NULL: no trace is made
    u32 version;
    struct clock_pair begun, last; // records before begun are none of this trace's; those up to
                                   // last are taken
    u32 *streams;                  // known ones; index + 1 of hot/trace.h's
    u32 n_streams;
    size_t cap_streams;
    struct arena arena;        // of the trace's life: streams, tids
    struct arena gen;          // of a generation: images, names
    struct image_map images;   //
    u64 gen_begin_ns, heap_ns; // when the generation began, when the heap was last told
    u64 n_lost, n_lost_told;   // records
    u32 *unknown;              // tids that nobody told of at the last look
    u32 n_unknown;
    struct trace_parked *parked; // found waiting as the trace began
    u32 n_parked;
    size_t cap_parked;
    u32 asker; // the thread that asked for the trace, which waits for us; 0: none
    size_t cap_unknown;
    struct trace_record *switches; // of the scheduler since the last drain; ticks are nanoseconds
    u32 n_switches;
    size_t cap_switches;
    bool has_switches;                      // the kernel gives them
    bool is_switches_told;                  // why it does not is in the trace
    bool is_unfollowed, is_unfollowed_told; // there is no room for those of all threads
    u64 n_switches_lost_told;
    struct evbuffer *client;
    bool is_client_new; // it gets the header with the next generation
    u32 n_without_memory;
};
extern struct tracer tracer;

// trace.c
u64 tracer_clock_ns(void);
// Ends the generation, hands it over, and begins the next one.
void tracer_cut(void);
// Makes a trace if none is made. False: no memory.
MUST_USE bool tracer_begin(u32 version, struct err *err);
// Takes everything up to now, cuts, and lets go what nobody wants.
void tracer_finish(void);
// Lets everything go.
void tracer_end(void);
// recorder.c: a generation, if the recorder runs.
void recorder_take(str generation, u64 end_ns);
void recorder_after_fork_child(void);

// trace_drain.c: turns the records up to now into acts. is_end: else what is not whole yet waits.
void tracer_drain(struct clock_pair now, bool is_end);
// "endpoint=/search job=index" of "endpoint\0/search\0job\0index\0".
str tracer_labels(struct arena *out, str pairs);
void tracer_notices(u64 time_ns);
// trace_switches.c
void tracer_switches_begin(void);
void tracer_switches_follow(u32 tid);
void tracer_switches_sweep(void);
void tracer_switches_end(void);
// trace_threads.c
// A thread's first function, to name it by; 0: none of the program's (std::thread begins in a
// function of its library; the thread's first stack tells more).
u64 tracer_start(u64 start_pc);
// All threads there are, before the first generation begins.
void tracer_list_threads(void);
// What those of them wait for that were found waiting, once it has begun.
void tracer_put_parked(void);
void tracer_name_threads(void);
// Threads that came or went without a record.
void tracer_sweep(u64 time_ns);
const struct trace_namer *tracer_namer(void);
void tracer_see_unseen(void);
void tracer_read_images(void);
