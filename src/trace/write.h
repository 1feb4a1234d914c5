// trace/write.h - writing a trace: what the threads of a native program did, as Go's format v2.
//
// The idea: the writer is told acts (a thread blocks, wakes, ends) and keeps the state of every
// thread, so that what it writes is a trace whatever it is told: an act that does not fit, because
// others were lost on the way, is preceded by what must have happened, or left out. All events get
// one strictly growing time, so a reader finds exactly the order in which acts were put.
//
// Words: a thread is a goroutine and an M of the same number, its tid; a processor is a running
// thread: a thread takes the lowest free one when it runs and gives it back when it waits. A
// generation is self-contained: it can be kept, dropped and joined with others of the same writer
// behind one header, as long as their order stays. Times are CLOCK_MONOTONIC nanoseconds, on the
// wire too.
// Lifetimes: the writer has its own memory, bounded by the living threads and one generation; a
// finished generation's bytes are valid until the next begins. Will not: read clocks, do I/O.
// Source: reference/go.md 4.2 to 4.5.
#pragma once

#include "base/base.h"

struct trace_frame;

enum {
    TRACE_WRITE_GO123 = 23,   // every official tool from 1.23 on
    TRACE_WRITE_GO126 = 26,   // wall clock, and the end of each generation marked
    TRACE_HEADER_BYTES = 16,  // of a file
    TRACE_THREAD_NAME = 16,   // with its NUL, as the kernel keeps it
    TRACE_THREAD_LABELS = 96, // with their NUL, of a thread's name; longer ones are cut
};

enum trace_act_kind {
    TRACE_ACT_CREATES,      // other: a new thread's tid; id: its first pc; stack
    TRACE_ACT_BORN,         // begins to run. id: its first pc, if nobody created it
    TRACE_ACT_ENDED,        //
    TRACE_ACT_BLOCKED,      // name: for what, in Go's words; stack
    TRACE_ACT_WOKEN,        // it runs again
    TRACE_ACT_UNBLOCKS,     // other: the tid it lets go on; stack
    TRACE_ACT_CALL,         // enters a system call; stack
    TRACE_ACT_PREEMPTED,    // the kernel took its CPU
    TRACE_ACT_OFF,          // it left its CPU: for what it said it waits for, or what nobody told
    TRACE_ACT_ON,           // it is on a CPU
    TRACE_ACT_TASK_BEGIN,   // id, parent, name; stack
    TRACE_ACT_TASK_END,     // id; stack
    TRACE_ACT_REGION_BEGIN, // id: the task; name; stack
    TRACE_ACT_REGION_END,   // the same
    TRACE_ACT_LOG,          // id: the task; name: category; value: message; stack
    TRACE_ACT_LABELS,       // value: what the thread works for from now on, shown beside its name
};

struct trace_act {
    u64 time_ns;
    enum trace_act_kind kind;
    u32 tid, other;
    u32 stack; // of the namer; U32_NONE: none
    u64 id, parent;
    str name, value;
};

// How the writer learns what a stack is.
struct trace_namer {
    // The pcs of a stack, leaf first; n 0: nothing to show. Valid until the next call.
    const u64 *(*stack)(void *ctx, u32 stack, u32 *n);
    // The frame of a pc; its texts live until the generation is cut.
    struct trace_frame (*frame)(void *ctx, u64 pc);
    void *ctx;
};

struct trace_clock {
    u64 mono_ns;   // CLOCK_MONOTONIC
    u64 wall_s;    // CLOCK_REALTIME at that moment
    u32 wall_nsec; //
};

// A thread as it is told to the writer, not by an act.
struct trace_known {
    u32 tid;
    bool is_ready; // to run: what it waits for is told by an act; else it runs
    u64 start_pc;  // its first function; 0: not known
    char name[TRACE_THREAD_NAME];
    char labels[TRACE_THREAD_LABELS];
};

struct trace_writer;

// The first bytes of a file of that version.
str trace_write_header(u32 version);
// version: TRACE_WRITE_GO123 or TRACE_WRITE_GO126. on_oom: where the writer's memory jumps to when
// there is none (the writer is then good for trace_writer_free only).
struct trace_writer *trace_writer_new(u32 version, const struct trace_namer *namer,
                                      jmp_buf *on_oom);
void trace_writer_free(struct trace_writer *w);
void trace_writer_on_oom(struct trace_writer *w, jmp_buf *on_oom);
// A thread that is there before the first generation begins.
void trace_writer_thread(struct trace_writer *w, const struct trace_known *thread);
// Gives a thread its name, shown from the next time it runs. Unknown threads are left alone.
void trace_writer_name(struct trace_writer *w, u32 tid, const char *name);
// Whether the writer knows a living thread of that number.
bool trace_writer_knows(const struct trace_writer *w, u32 tid);
// Calls each(ctx, tid) for every living thread.
void trace_writer_each(const struct trace_writer *w, void (*each)(void *ctx, u32 tid), void *ctx);
// The next thread from *at on that waits for what nobody told, and where is not known either; *at
// passes it. False: no more.
bool trace_writer_unseen(const struct trace_writer *w, u32 *at, u32 *tid);
// Where such a thread waits, for the next generation to show.
void trace_writer_stack(struct trace_writer *w, u32 tid, u32 stack);
// Opens a generation.
void trace_writer_begin(struct trace_writer *w, const struct trace_clock *clock);
void trace_writer_put(struct trace_writer *w, const struct trace_act *act);
// A CPU sample of thread tid, in any order.
void trace_writer_sample(struct trace_writer *w, u64 time_ns, u32 tid, u32 stack);
// Bytes in use and the goal beside it: told by a thread that runs, or by the next one that does.
void trace_writer_heap(struct trace_writer *w, u64 time_ns, u64 in_use, u64 goal);
// A sentence for who reads the trace, as a log of category "pprof" by a thread of that name.
void trace_writer_notice(struct trace_writer *w, u64 time_ns, u32 tid, str sentence);
// Bytes of the open generation so far, tables included.
size_t trace_writer_size(const struct trace_writer *w);
// Ends the generation and gives its bytes.
str trace_writer_cut(struct trace_writer *w);
