// agent/hot/trace.h - what a trace keeps of each thread's doings until the agent takes it.
// Room: records, chunks of them, one stream of chunks a thread (trace.c), and who is told what
// (trace_events.c). Making a trace of them is agent/trace.c's. Door: agent/hot/hot.h.
//
// The idea: a thread writes records of 16 bytes into its own chunk; nobody else writes there. A
// full chunk is linked to a fresh one from a common pool; the agent reads behind the writer and
// gives chunks back. When the pool is empty a record is lost and counted: nobody ever waits.
// trace_is_on is all that a hook costs while no trace runs.
//
// Words: ticks are of the machine's steady counter where the kernel uses it for its own clock, else
// nanoseconds of CLOCK_MONOTONIC; the agent turns them into nanoseconds between two readings of
// both. A post is what lets others go on that wait for the same object.
// Failures: a record that comes while the same thread is just writing one (a handler) is lost and
// counted. Records of a thread that ended are read before its stream is used again.
#pragma once

#include "base/base.h"

#include "agent/hot/thread.h"

enum {
    TRACE_CHUNK_RECORDS = 255,   // with its head 4 KiB: 255 events without a step aside
    TRACE_MAX_CHUNKS = 8192,     // 32 MiB of address space, touched as threads need them: two
                                 // million records that the agent has not taken yet
    TRACE_MAX_STREAMS = 1 << 15, // threads that write at a time
    TRACE_MAX_TEXT = 1024,       // bytes of a name or message; the format's own limit
};

enum trace_mark {
    TRACE_MARK_CREATES,      // makes a thread. arg: which birth (trace_object); stack
    TRACE_MARK_BORN,         // arg: of which birth
    TRACE_MARK_ENDED,        //
    TRACE_MARK_SYNC,         // waits for an object. arg: which (trace_object); stack
    TRACE_MARK_COND,         //
    TRACE_MARK_NETWORK,      //
    TRACE_MARK_SLEEP,        //
    TRACE_MARK_CALL,         // in a system call that does not wait for others
    TRACE_MARK_WOKEN,        // goes on
    TRACE_MARK_POST,         // arg: object; stack
    TRACE_MARK_PREEMPTED,    // the next three are the scheduler's, made by the agent. arg: tid
    TRACE_MARK_OFF,          //
    TRACE_MARK_ON,           //
    TRACE_MARK_TASK_BEGIN,   // with text: see struct trace_text
    TRACE_MARK_TASK_END,     //
    TRACE_MARK_REGION_BEGIN, //
    TRACE_MARK_REGION_END,   //
    TRACE_MARK_LOG,          //
    TRACE_MARK_LABELS,       // with text: id is enum trace_labels, value the labels from now on
};

// What became of a thread's labels; the last two with those of the scope as the name.
enum trace_labels { TRACE_LABELS_SET, TRACE_LABELS_ENTER, TRACE_LABELS_LEAVE };

struct trace_record {
    u64 ticks;
    u64 word; // mark: 8 bits, stack: 24 bits (TRACE_NO_STACK: none), arg: 32 bits
};
#define TRACE_NO_STACK ((u32)0xffffff)

// Behind a record with text, whose arg is the number of records it takes in all.
struct trace_text {
    u64 id, parent;
    u32 name_len, value_len; // bytes, which follow
    char bytes[];
};

static inline enum trace_mark trace_mark_of(const struct trace_record *r) {
    return (enum trace_mark)(r->word >> 56);
}
static inline u32 trace_stack_of(const struct trace_record *r) {
    return (u32)(r->word >> 32) & TRACE_NO_STACK;
}
static inline u32 trace_arg_of(const struct trace_record *r) {
    return (u32)r->word;
}

struct trace_chunk {
    _Atomic u32 n; // records that may be read; pairs release in trace.c with acquire in the agent
    _Atomic u32 next; // index + 1 of the thread's next chunk; 0: none yet. Release, acquire
    u64 unused;
    struct trace_record records[TRACE_CHUNK_RECORDS];
};

// One thread's records. Written by the thread, but for the reader's part.
struct trace_stream {
    _Atomic u32 tid;   // set before it is listed
    u32 chunk;         // the writer's; index + 1, 0: none could be had
    _Atomic u32 first; // the reader's first chunk; set by the writer with its first chunk
    _Atomic u32 n_lost;
    _Atomic u32 is_over; // the thread writes no more: release, acquire
    _Atomic u32 next;    // list of streams, or of free ones; index + 1
    u64 start_pc;        // the thread's first function; 0: not known
    u32 n_taken;         // the reader's: records taken of first
    u32 n_lost_told;     // the reader's
    u64 waits_for;       // the reader's: object, and since when
    u64 waits_since;
} __attribute__((aligned(64)));

struct trace_hot {
    _Atomic bool is_on;
    bool has_counter;             // ticks are the machine's counter; set before is_on
    struct trace_chunk *chunks;   // set before is_on, as the next; never given back
    struct trace_stream *streams; //
    _Atomic u64 free_chunks;      // index + 1 of the first, and a tag that every change renews
    _Atomic u64 free_streams;     //
    _Atomic u32 n_chunks;         // ever used
    _Atomic u32 n_streams;        //
    _Atomic u32 fresh;            // streams the reader has not seen: list by next
    _Atomic u64 n_lost;           // records of threads without a stream, and of handlers
};
extern struct trace_hot trace_hot __attribute__((visibility("hidden")));

static inline bool trace_is_on(void) {
    return __builtin_expect(atomic_load_explicit(&trace_hot.is_on, memory_order_relaxed), 0);
}

// Reserves memory and chooses the clock; from cold code, idempotent. False: no memory.
bool trace_hot_init(void);
u64 trace_ticks(void);
// One record of the calling thread. Async-signal-safe, lock-free, errno kept.
void trace_put(enum trace_mark mark, u32 stack, u32 arg);
// The same with text, of which TRACE_MAX_TEXT bytes are kept.
void trace_put_text(enum trace_mark mark, u32 stack, u64 id, u64 parent, str name, str value);
// The calling thread's stack from the program's own frame on, whose return address caller is.
u32 trace_stack_here(const void *caller);
static inline u32 trace_object(const void *object) {
    u64 x = (u64)(uintptr_t)object * 0x9e3779b97f4a7c15u; // the upper half mixes all of the address
    return (u32)(x >> 32);
}

// The calling thread has other labels now. scope: those of the scope that begins or ends.
void trace_labels_changed(enum trace_labels what, str scope);
// The calling thread makes one, begins, ends; from threads.c. birth tells one from another.
void trace_thread_creates(const void *birth, const void *caller);
void trace_thread_born(const void *birth);
void trace_thread_ended(void);
// In the only thread of a forked child: no trace runs here.
void trace_hot_after_fork_child(void);
// Tells hooks of waits, or stops to.
void trace_hot_switch(bool is_on);

// For the reader.
void trace_chunk_free(u32 chunk);
void trace_stream_free(u32 stream);
