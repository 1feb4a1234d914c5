// trace/write_inner.h - what the writer keeps; for trace/write*.c only.
// Room: the state of threads and processors, the open generation. Door: trace/write.h.
#pragma once

#include "trace/trace.h"

enum {
    EVENT_MAX = 64,             // bytes of one event at most: a type and five numbers
    WRITE_BATCH = 32 << 10,     // a thread's events are handed over in pieces of so many bytes
    MAX_REGIONS = 32,           // open at a time in one thread; deeper ones are not shown
    MAX_KEPT_NAMES = 4096,      // names of regions, of a generation; further ones are "[other]"
    WRITE_PSTATUS_RUNNING = 1,  // numbers of the wire: processors
    WRITE_PSTATUS_IDLE = 2,     //
    WRITE_PSTATUS_SYSCALL = 3,  //
    WRITE_GSTATUS_RUNNABLE = 1, // and goroutines
    WRITE_GSTATUS_RUNNING = 2,
    WRITE_GSTATUS_SYSCALL = 3,
    WRITE_GSTATUS_WAITING = 4,
};

// Bytes that grow in the generation's arena.
struct bytes {
    u8 *p;
    size_t len, cap;
};

// Events of one thread that are not handed over yet.
struct batch {
    struct bytes bytes;
    u64 m; // the thread, or all ones
    u64 first_ns, last_ns;
};

enum thread_state { THREAD_RUNNING, THREAD_RUNNABLE, THREAD_WAITING, THREAD_IN_CALL, THREAD_GONE };

struct open_region {
    u64 task;
    u32 name; // of kept names
};

struct writer_thread {
    u32 tid;
    enum thread_state state;
    u32 p;     // its processor; U32_NONE: none
    u32 seq;   // of the open generation
    u32 stack; // where it waits
    u64 start_pc;
    char name[TRACE_THREAD_NAME];
    char labels[TRACE_THREAD_LABELS];
    bool is_unseen;    // it left its CPU without having said why
    bool is_created;   // by an act of its creator; it has not run yet
    bool is_name_told; // in the open generation
    struct batch batch;
    struct open_region *regions;    // MAX_REGIONS, made with the first one
    u32 n_regions, n_regions_above; // above: opened beyond the limit
};

struct writer_proc {
    u32 seq;      // of the open generation
    bool is_told; // its status is in the open generation
    bool is_taken;
};

struct trace_writer {
    struct arena arena; // for the writer's life
    struct arena gen;   // of one generation
    u32 version;
    struct trace_namer namer;
    struct writer_thread *threads; // of them, those that ended go when a generation begins
    u32 n_threads;
    size_t cap_threads;
    struct idmap thread_by_tid; // of the generation; index into threads
    struct writer_proc *procs;
    u32 n_procs, lowest_free; // no free processor below lowest_free
    size_t cap_procs;
    u32 n_procs_told;
    u64 heap_in_use, heap_goal;
    bool is_heap_told;
    struct arena names;         // regions' names
    struct strmap kept_by_name; //
    str *kept;
    u32 n_kept;
    size_t cap_kept;
    // The open generation.
    bool is_open;
    u64 n; // its number
    u64 begin_ns, last_ns;
    struct bytes out;     // finished batches
    struct batch nowhere; // events without a thread
    struct bytes samples, strings, stacks;
    struct strmap string_by_text;
    struct idmap stack_by_key, frame_by_pc;
    u64 (*frames)[3]; // func, file, line
    u32 n_strings, n_stacks, n_frames;
    size_t cap_frames;
};

// write_bytes.c: numbers, batches, tables.
void bytes_add(struct trace_writer *w, struct bytes *b, const void *p, size_t n);
void bytes_number(struct trace_writer *w, struct bytes *b, u64 value);
// One event of n numbers behind its time, in the batch of thread (NULL: of none).
void write_event(struct trace_writer *w, struct writer_thread *thread, u64 time_ns, u8 type,
                 const u64 *numbers, u32 n);
void write_batch(struct trace_writer *w, u64 m, u64 time_ns, const struct bytes *data);
void write_flush(struct trace_writer *w, struct batch *batch);
// Ids of the open generation; 0: none.
u64 write_string(struct trace_writer *w, str text);
u64 write_stack(struct trace_writer *w, u32 stack);
// The stack of one frame.
u64 write_stack_of_pc(struct trace_writer *w, u64 pc);

// write_states.c: what an act means.
// The heap as it was last told of, by a thread that runs.
void write_heap(struct trace_writer *w, struct writer_thread *thread, u64 time_ns);
struct writer_thread *write_thread_find(const struct trace_writer *w, u32 tid);
// The thread, made known if need be; valid until the next one is made known.
struct writer_thread *write_thread(struct trace_writer *w, u32 tid, u64 time_ns);
// Statuses of all threads and processors, at the beginning of a generation.
void write_statuses(struct trace_writer *w);
struct writer_thread *write_thread_add(struct trace_writer *w, u32 tid);
// The number of a region's name, the same as long as a region of that name is open.
u32 write_keep_name(struct trace_writer *w, str name);
// Whatever must have happened for the thread to run at that time.
void write_running(struct trace_writer *w, struct writer_thread *thread, u64 time_ns);
