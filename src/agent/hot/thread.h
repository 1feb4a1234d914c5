// agent/hot/thread.h - what hot code keeps for each thread, and the table of all threads.
// Room: the one thread-local struct, the thread slots, thread creation and end (threads.c). Door:
// agent/hot/hot.h.
//
// A thread has two records. hot_thread is its own, thread-local; nobody else looks at it. Its slot
// is in a table that the agent reads as well: it holds what must outlive the thread for a moment
// (its CPU timer) and what others need to know (stack bounds, first function). Slots are found by
// tid, within THREAD_PROBES places from tid modulo MAX_THREADS.
#pragma once

#include "base/types.h"

#include <pthread.h>
#include <stdatomic.h>

// For hooks: the expected way, and the pc after the call of the hook (a sample's leaf, less one).
#define LIKELY(claim) __builtin_expect(!!(claim), 1)
#define CALLER __builtin_extract_return_addr(__builtin_return_address(0))

struct label_set; // labels.h

enum {
    MAX_THREADS = 32768,    // slots; 4 MiB of address space, touched as threads come
    THREAD_PROBES = 64,     // a thread that finds no free slot here goes without one (counted)
    MAX_CREATE_FRAMES = 128 // of a thread's creator: 1 KiB of the creator's stack, Go keeps 32
};

enum timer_state {
    TIMER_NONE,  // no CPU timer
    TIMER_BUSY,  // somebody is creating or deleting it
    TIMER_ARMED, // it exists and runs
};

struct trace_stream;

struct thread_slot {
    _Atomic u32 tid;         // 0: free. Set last by the claimer
    _Atomic u32 timer_state; // enum timer_state; whoever moves it to TIMER_BUSY owns the timer
    int timer_id;            // of the kernel
    u32 profile_n;           // which CPU profile armed it (cpu_hot.profile_n)
    _Atomic u32 weight;      // periods its samples have stood for in that profile
    u32 creator_tid;         // who made it by pthread_create; 0: not known
    u32 stack_kib;           // size of the stack that ends at stack_hi
    bool is_hidden;          // an agent thread
    u64 cpu_due_ns;          // the thread's CPU clock at the timer's first expiry
    u64 stack_hi;            // 0: not known
    u64 start_pc;            // its first function; 0: not made by pthread_create
    u64 creator_pc;          // the call that made it
    struct label_set *_Atomic labels; // hot_thread's, for the agent: see labels_of
} __attribute__((aligned(128)));

// The only thread-local memory of libpprof: initial-exec, so that touching it never allocates.
// At most 256 bytes: what glibc's surplus leaves to libraries loaded late (reference/native.md row
// 37).
struct hot_thread {
    i64 heap_left; // bytes until the next heap sample; <= 0 leads into the slow path, also on the
                   // first call
    u64 heap_rate; // the mean heap_left was drawn with; 0: not drawn (heap sampling is off)
    u64 rng;       // state of the thread's random numbers; 0: not seeded yet
    u32 tid;   // gettid(), 0 until the thread was first seen; a handler compares it before trusting
               // the rest
    u16 depth; // > 0: inside our own code, hooks go straight to the real function
    bool is_hidden;             // an agent thread: never sampled, never listed
    bool unblock_after_fork;    // fork's prepare step blocked the CPU signal; undo it after
    struct thread_slot *slot;   // NULL: none (yet)
    struct label_set *labels;   // current label set, inherited by threads it makes; NULL: none
    u64 stack_lo, stack_hi;     // bounds of its stack; stack_hi 0: not known yet
    struct trace_stream *trace; // trace.h: its records; NULL: none yet
    bool is_tracing;            // just writing one of them, or past its end
    _Atomic u64 stack_seen;     // bounds.c: its lowest page known to be readable; 0: none yet
};

extern __thread struct hot_thread hot_thread
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
_Static_assert(sizeof(struct hot_thread) <= 256, "must fit glibc's static TLS surplus");

// Reserves the slot table, finds the real thread functions and registers the calling thread (the
// main thread). From the constructor, once; later calls do nothing. False: no memory.
bool threads_init(void);
// Gives the calling thread a slot, its tid and its stack bounds. Idempotent, cheap when done.
void thread_register(void);
// Makes the calling thread one of the agent's: no samples, not listed, hooks pass through.
void thread_hide(void);
// The thread's slot, or NULL. The slot may be reused as soon as the thread ends: cold code copes.
struct thread_slot *thread_slot_of(u32 tid);
// A slot for a thread that did not come through pthread_create (agent only); NULL: none free.
struct thread_slot *thread_slot_adopt(u32 tid);
// Empties the slot of a thread that is gone; with a timer in it (again) it stays.
void thread_slot_free(struct thread_slot *slot);
// Every slot; most of them free (tid 0).
struct thread_slot *thread_slots(void);
// For loops over slots in use: the first one from place *at on, which then passes it; NULL: no
// more. Looks only at pages of the table that were ever used.
struct thread_slot *thread_slot_next(u32 *at);
// From now on threads are no longer followed, and nothing here makes a system call: the program has
// confined itself (agent/confine.h). For good.
void threads_stop(void);
// What the hook of syscall calls before SYS_seccomp, with its first and third argument; NULL: not
// set. Written once by agent/confine.c's constructor.
extern void (*hot_on_seccomp)(u32 operation, const void *args)
    __attribute__((visibility("hidden")));
// pthread_create of libc itself, for the agent's own threads: not counted, not wrapped.
int thread_create_real(pthread_t *ret, const pthread_attr_t *attr, void *(*start)(void *),
                       void *arg);
// The same through whoever defines it in front of us: ThreadSanitizer, linked into a program, must
// know every thread that calls a function it stands in front of (malloc, read).
int thread_create_own(pthread_t *ret, const pthread_attr_t *attr, void *(*start)(void *),
                      void *arg);
// Threads that found no slot, ever.
u32 threads_without_slot(void);
// Threads made by pthread_create that have no slot yet, but will: while it is 0, a thread that was
// listed before and has no slot did not come through pthread_create.
u32 threads_starting(void);
// In the only thread of a forked child: its tid, an empty table, no creations counted.
void threads_after_fork_child(void);

// Creators of threads: a fixed table of distinct stacks with the number of threads each has made.
enum { MAX_CREATORS = 4096 }; // further distinct creators are counted under STACK_OVERFLOW
struct thread_creator {
    _Atomic u32 stack_id_plus1; // 0: free
    _Atomic u32 n_created;
};
// The table, MAX_CREATORS entries, filled in any order.
const struct thread_creator *thread_creators(void);
