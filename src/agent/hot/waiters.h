// agent/hot/waiters.h - who waits for a lock now, and since when, for the holder to find.
// Room: a table of waiting threads by lock. Door: wait.c enters and leaves; release.h charges.
//
// A thread that finds its lock taken takes the first free place from a hash of the lock's address
// on; only it frees the place again. A count for each hash says how many to look for, so that an
// unlocker nobody waits for reads one word. Lock-free: a place is one word that goes from 0 to the
// lock's address and back.
#pragma once

#include "base/types.h"

enum {
    // 64 KiB of places; a program of a thousand threads that all wait fills a quarter.
    N_WAITERS = 4096,
    // A lock's waiters are at most so far from its hash; further ones charge nobody (counted).
    WAITER_PROBES = 1024,
};

// The calling thread waits for lock from now on. 0: no place is free.
u32 waiter_enter(const void *lock, u64 now_ns);
// It no longer does. place 0 does nothing.
void waiter_leave(u32 place);
// How long all waiters of lock together have waited since they came, or since they were last asked
// here; 0: nobody waits.
u64 waiters_charge(const void *lock, u64 now_ns);
// Waiters that found no place, ever.
u64 waiters_lost(void);
// In the only thread of a forked child.
void waiters_after_fork_child(void);
