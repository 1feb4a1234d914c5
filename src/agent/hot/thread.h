// agent/hot/thread.h - what hot code keeps for each thread.
// Room: the one thread-local struct. Creating and ending threads is threads.c. Door:
// agent/hot/hot.h.
#pragma once

#include "base/types.h"

// The only thread-local memory of libpprof: initial-exec, so that touching it never allocates.
// At most 256 bytes: what glibc's surplus leaves to libraries loaded late (reference/native.md row
// 37).
struct hot_thread {
    i64 heap_left; // bytes until the next heap sample; <= 0 leads into the slow path, also on the
                   // first call
    u64 rng;       // state of the thread's random numbers; 0: not seeded yet
    u32 tid;   // gettid(), 0 until the thread was first seen; a handler compares it before trusting
               // the rest
    u16 depth; // > 0: inside our own code, hooks go straight to the real function
    bool is_hidden;         // an agent thread: never sampled, never listed
    bool has_timer;         // its CPU timer exists (timer)
    void *timer;            // timer_t
    const void *labels;     // current label set (struct label_set *), immutable; NULL: none
    u64 stack_lo, stack_hi; // bounds of its stack; stack_hi 0: not known yet
};

extern __thread struct hot_thread hot_thread
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
_Static_assert(sizeof(struct hot_thread) <= 256, "must fit glibc's static TLS surplus");
