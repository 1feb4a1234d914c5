// agent/hot/locks.h - the lock functions behind our hooks.
// Room: finding them, and what glibc's lock words say. Door: the hooks in locks.c, rwlocks.c,
// conds.c, joins.c and futex.c; agent/contention.c asks whether they work.
//
// Look at the lock word first: a hook that finds its lock free goes on to the real function and
// looks at no clock. Between the look and the call another thread may take the lock; that wait then
// goes uncounted, and nothing else happens. No hook tries a lock where the program waits: that
// would change what recursive, robust and priority-inheriting locks answer.
//
// Bootstrap: every pointer begins as a function that finds all of them and goes on to the real one.
#pragma once

#include "base/types.h"

#include <pthread.h>
#include <semaphore.h>
#include <threads.h>

// Conditions had another form before glibc 2.3.2, which x86-64 still has under the old version.
#if defined(__x86_64__)
#define COND_VERSION "GLIBC_2.3.2"
#define COND_VERSION_OLD "GLIBC_2.2.5"
#else
#define COND_VERSION NULL
#endif

struct real_locks {
#define LOCK_HOOK(result, field, symbol, version, parameters, arguments) result(*field) parameters;
#include "agent/hot/locks.def"
#undef LOCK_HOOK
};
extern struct real_locks real_locks __attribute__((visibility("hidden")));

// Finds all. Idempotent; several threads that do it at once find the same.
void locks_find(void);
// Whether the program's calls come to our hooks; false: an object in front defines them too.
bool locks_are_ours(void);

// glibc's mutex word: in its low bits 0 free, 1 taken, 2 taken and somebody may wait; robust and
// priority-inheriting ones hold the owner's tid and MUTEX_WAITERS; priority-protected ones have
// their ceiling above MUTEX_STATE.
enum { MUTEX_STATE = 0x7ffff, MUTEX_CONTENDED = 2 };
#define MUTEX_WAITERS 0x80000000u

static inline u32 mutex_word(const pthread_mutex_t *mutex) {
    return (u32)__atomic_load_n(&mutex->__data.__lock, __ATOMIC_RELAXED);
}
static inline bool mutex_is_free(const pthread_mutex_t *mutex) {
    return !(mutex_word(mutex) & MUTEX_STATE);
}
// Whether somebody may wait for it. True by chance for one owner's tid in 524,288 of a robust one.
static inline bool mutex_is_contended(const pthread_mutex_t *mutex) {
    u32 word = mutex_word(mutex);
    return (word & MUTEX_STATE) == MUTEX_CONTENDED || word & MUTEX_WAITERS;
}
// A thread that gives up the mutex while it waits for a condition: charged like an unlock.
void mutex_let_go(pthread_mutex_t *mutex, const void *caller);
