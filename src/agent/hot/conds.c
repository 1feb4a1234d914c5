// agent/hot/conds.c - the hooks in front of conditions, semaphores and barriers.
// Room: the functions themselves. Door: the program calls them.
// A condition's wait is one wait up to its end, the time to get the mutex back included: that
// happens inside libc. Where its mutex is given up it is charged like an unlock.
#include "agent/hot/locks.h"

#include "agent/hot/thread.h"
#include "agent/hot/wait.h"

#include <errno.h>

#define EXPORT __attribute__((visibility("default")))

static bool has_waited(int failed) {
    return failed == 0 || failed == ETIMEDOUT || failed == EOWNERDEAD;
}

static void cond_begin(struct wait_scope *scope, const void *cond, void *mutex,
                       const void *caller) {
    mutex_let_go(mutex, caller);
    wait_begin(scope, WAIT_COND, cond, caller);
}

EXPORT int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on())) return real_locks.cond_wait(cond, mutex);
    cond_begin(&scope, cond, mutex, CALLER);
    int failed = real_locks.cond_wait(cond, mutex);
    wait_end(&scope, has_waited(failed));
    return failed;
}

EXPORT int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on())) return real_locks.cond_timedwait(cond, mutex, until);
    cond_begin(&scope, cond, mutex, CALLER);
    int failed = real_locks.cond_timedwait(cond, mutex, until);
    wait_end(&scope, has_waited(failed));
    return failed;
}

EXPORT int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
                                  const struct timespec *until) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on())) return real_locks.cond_clockwait(cond, mutex, clock, until);
    cond_begin(&scope, cond, mutex, CALLER);
    int failed = real_locks.cond_clockwait(cond, mutex, clock, until);
    wait_end(&scope, has_waited(failed));
    return failed;
}

EXPORT int cnd_wait(cnd_t *cond, mtx_t *mutex) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on())) return real_locks.cnd_wait(cond, mutex);
    cond_begin(&scope, cond, mutex, CALLER);
    int result = real_locks.cnd_wait(cond, mutex);
    wait_end(&scope, result == thrd_success);
    return result;
}

EXPORT int cnd_timedwait(cnd_t *cond, mtx_t *mutex, const struct timespec *until) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on())) return real_locks.cnd_timedwait(cond, mutex, until);
    cond_begin(&scope, cond, mutex, CALLER);
    int result = real_locks.cnd_timedwait(cond, mutex, until);
    wait_end(&scope, result == thrd_success || result == thrd_timedout);
    return result;
}

EXPORT int pthread_cond_signal(pthread_cond_t *cond) {
    if (!LIKELY(!wait_is_on())) wait_wakes(cond, CALLER);
    return real_locks.cond_signal(cond);
}

EXPORT int pthread_cond_broadcast(pthread_cond_t *cond) {
    if (!LIKELY(!wait_is_on())) wait_wakes(cond, CALLER);
    return real_locks.cond_broadcast(cond);
}

EXPORT int cnd_signal(cnd_t *cond) {
    if (!LIKELY(!wait_is_on())) wait_wakes(cond, CALLER);
    return real_locks.cnd_signal(cond);
}

EXPORT int cnd_broadcast(cnd_t *cond) {
    if (!LIKELY(!wait_is_on())) wait_wakes(cond, CALLER);
    return real_locks.cnd_broadcast(cond);
}

EXPORT int sem_post(sem_t *sem) {
    if (!LIKELY(!wait_is_on())) wait_wakes(sem, CALLER);
    return real_locks.sem_post(sem);
}

// glibc's semaphore begins with its value.
static bool sem_is_free(const sem_t *sem) {
    return __atomic_load_n((const u32 *)(const void *)sem, __ATOMIC_RELAXED) != 0;
}

static bool sem_has_waited(int failed) {
    return !failed || errno == ETIMEDOUT || errno == EINTR;
}

__attribute__((noinline)) static int sem_wait_slow(sem_t *sem, const void *caller) {
    struct wait_scope scope;
    wait_begin(&scope, WAIT_SEMAPHORE, sem, caller);
    int failed = real_locks.sem_wait(sem);
    wait_end(&scope, sem_has_waited(failed));
    return failed;
}

EXPORT int sem_wait(sem_t *sem) {
    if (LIKELY(!wait_is_on()) || LIKELY(sem_is_free(sem))) return real_locks.sem_wait(sem);
    return sem_wait_slow(sem, CALLER);
}

EXPORT int sem_timedwait(sem_t *sem, const struct timespec *until) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on()) || sem_is_free(sem)) return real_locks.sem_timedwait(sem, until);
    wait_begin(&scope, WAIT_SEMAPHORE, sem, CALLER);
    int failed = real_locks.sem_timedwait(sem, until);
    wait_end(&scope, sem_has_waited(failed));
    return failed;
}

EXPORT int sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *until) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on()) || sem_is_free(sem))
        return real_locks.sem_clockwait(sem, clock, until);
    wait_begin(&scope, WAIT_SEMAPHORE, sem, CALLER);
    int failed = real_locks.sem_clockwait(sem, clock, until);
    wait_end(&scope, sem_has_waited(failed));
    return failed;
}

// The thread that comes last waits for nobody, and is told so.
EXPORT int pthread_barrier_wait(pthread_barrier_t *barrier) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on())) return real_locks.barrier_wait(barrier);
    wait_begin(&scope, WAIT_BARRIER, barrier, CALLER);
    int result = real_locks.barrier_wait(barrier);
    wait_end(&scope, result == 0);
    return result;
}
