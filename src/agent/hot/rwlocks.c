// agent/hot/rwlocks.c - the hooks in front of read-write locks.
// Room: the functions themselves. Door: the program calls them.
// glibc's word __readers: bit 0 a write phase, bit 1 a writer has or wants it, bit 2 readers wait,
// readers above (those that wait for the write phase's end included); __writers: writers that wait
// beside the first, in locks that prefer them; in others __writers_futex says that some wait;
// __cur_writer: tid of the one that has it.
#include "agent/hot/locks.h"

#include "agent/hot/thread.h"
#include "agent/hot/wait.h"

#include <errno.h>

#define EXPORT __attribute__((visibility("default")))

enum { WRITE_PHASE = 1, WRITE_LOCKED = 2, FUTEX_USED = 2, READER_SHIFT = 3 };

static u32 word_of(const pthread_rwlock_t *lock) {
    return __atomic_load_n(&lock->__data.__readers, __ATOMIC_RELAXED);
}

// Whether a reader comes in at once. Only one kind of lock lets a writer that waits keep it out.
static bool reads_freely(const pthread_rwlock_t *lock) {
    u32 word = word_of(lock);
    if (LIKELY(!(word & WRITE_LOCKED))) return true;
    return !(word & WRITE_PHASE) &&
           lock->__data.__flags != PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
}

static bool writes_freely(const pthread_rwlock_t *lock) {
    u32 word = word_of(lock);
    return !(word & WRITE_LOCKED) && !(word >> READER_SHIFT);
}

static bool has_waited(int failed) {
    return failed == 0 || failed == ETIMEDOUT;
}

__attribute__((noinline)) static int rdlock_slow(pthread_rwlock_t *lock, const void *caller) {
    struct wait_scope scope;
    wait_begin(&scope, WAIT_READ_LOCK, lock, caller);
    int failed = real_locks.rwlock_rdlock(lock);
    wait_end(&scope, has_waited(failed));
    return failed;
}

EXPORT int pthread_rwlock_rdlock(pthread_rwlock_t *lock) {
    if (LIKELY(!wait_is_on()) || LIKELY(reads_freely(lock))) return real_locks.rwlock_rdlock(lock);
    return rdlock_slow(lock, CALLER);
}

EXPORT int pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *until) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on()) || LIKELY(reads_freely(lock)))
        return real_locks.rwlock_timedrdlock(lock, until);
    wait_begin(&scope, WAIT_READ_LOCK, lock, CALLER);
    int failed = real_locks.rwlock_timedrdlock(lock, until);
    wait_end(&scope, has_waited(failed));
    return failed;
}

EXPORT int pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock,
                                      const struct timespec *until) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on()) || LIKELY(reads_freely(lock)))
        return real_locks.rwlock_clockrdlock(lock, clock, until);
    wait_begin(&scope, WAIT_READ_LOCK, lock, CALLER);
    int failed = real_locks.rwlock_clockrdlock(lock, clock, until);
    wait_end(&scope, has_waited(failed));
    return failed;
}

__attribute__((noinline)) static int wrlock_slow(pthread_rwlock_t *lock, const void *caller) {
    struct wait_scope scope;
    wait_begin(&scope, WAIT_WRITE_LOCK, lock, caller);
    int failed = real_locks.rwlock_wrlock(lock);
    wait_end(&scope, has_waited(failed));
    return failed;
}

EXPORT int pthread_rwlock_wrlock(pthread_rwlock_t *lock) {
    if (LIKELY(!wait_is_on()) || LIKELY(writes_freely(lock))) return real_locks.rwlock_wrlock(lock);
    return wrlock_slow(lock, CALLER);
}

EXPORT int pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *until) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on()) || LIKELY(writes_freely(lock)))
        return real_locks.rwlock_timedwrlock(lock, until);
    wait_begin(&scope, WAIT_WRITE_LOCK, lock, CALLER);
    int failed = real_locks.rwlock_timedwrlock(lock, until);
    wait_end(&scope, has_waited(failed));
    return failed;
}

EXPORT int pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock,
                                      const struct timespec *until) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on()) || LIKELY(writes_freely(lock)))
        return real_locks.rwlock_clockwrlock(lock, clock, until);
    wait_begin(&scope, WAIT_WRITE_LOCK, lock, CALLER);
    int failed = real_locks.rwlock_clockwrlock(lock, clock, until);
    wait_end(&scope, has_waited(failed));
    return failed;
}

// Whether this unlock may let somebody in: a writer's own with anybody behind it, or the last
// reader's before a writer that waits. As in Go, readers that leave earlier are not charged.
static bool lets_in(const pthread_rwlock_t *lock) {
    u32 word = word_of(lock), n_readers = word >> READER_SHIFT;
    if (LIKELY(!(word & WRITE_LOCKED))) return false;
    if (__atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED) == 0) return n_readers == 1;
    return n_readers > 0 || __atomic_load_n(&lock->__data.__writers, __ATOMIC_RELAXED) > 0 ||
           __atomic_load_n(&lock->__data.__writers_futex, __ATOMIC_RELAXED) & FUTEX_USED;
}

__attribute__((noinline)) static int unlock_slow(pthread_rwlock_t *lock, const void *caller) {
    wait_wakes(lock, caller);
    u64 delay_ns = wait_caused(lock);
    int failed = real_locks.rwlock_unlock(lock);
    if (delay_ns && !failed) wait_charge(caller, delay_ns);
    return failed;
}

EXPORT int pthread_rwlock_unlock(pthread_rwlock_t *lock) {
    if (LIKELY(!wait_is_on()) || LIKELY(!lets_in(lock))) return real_locks.rwlock_unlock(lock);
    return unlock_slow(lock, CALLER);
}
