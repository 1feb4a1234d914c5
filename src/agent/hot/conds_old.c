// agent/hot/conds_old.c - the hooks in front of the conditions that glibc had before 2.3.2.
// Room: the four functions, for libpprof.so only: a symbol's version is the linker's matter. In a
// program that links libpprof.a they go unhooked. Door: programs of 2003 call them, by the version.
#include "agent/hot/locks.h"

#if defined(COND_VERSION_OLD)
#include "agent/hot/thread.h"
#include "agent/hot/wait.h"

#include <errno.h>

#define EXPORT __attribute__((visibility("default")))

int cond_wait_old(pthread_cond_t *cond, pthread_mutex_t *mutex);
int cond_timedwait_old(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until);
int cond_signal_old(pthread_cond_t *cond);
int cond_broadcast_old(pthread_cond_t *cond);
__asm__(".symver cond_wait_old, pthread_cond_wait@GLIBC_2.2.5, remove");
__asm__(".symver cond_timedwait_old, pthread_cond_timedwait@GLIBC_2.2.5, remove");
__asm__(".symver cond_signal_old, pthread_cond_signal@GLIBC_2.2.5, remove");
__asm__(".symver cond_broadcast_old, pthread_cond_broadcast@GLIBC_2.2.5, remove");

EXPORT int cond_wait_old(pthread_cond_t *cond, pthread_mutex_t *mutex) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on())) return real_locks.cond_wait_old(cond, mutex);
    mutex_let_go(mutex, CALLER);
    wait_begin(&scope, WAIT_COND, cond, CALLER);
    int failed = real_locks.cond_wait_old(cond, mutex);
    wait_end(&scope, failed == 0);
    return failed;
}

EXPORT int cond_timedwait_old(pthread_cond_t *cond, pthread_mutex_t *mutex,
                              const struct timespec *until) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on())) return real_locks.cond_timedwait_old(cond, mutex, until);
    mutex_let_go(mutex, CALLER);
    wait_begin(&scope, WAIT_COND, cond, CALLER);
    int failed = real_locks.cond_timedwait_old(cond, mutex, until);
    wait_end(&scope, failed == 0 || failed == ETIMEDOUT);
    return failed;
}

EXPORT int cond_signal_old(pthread_cond_t *cond) {
    if (!LIKELY(!wait_is_on())) wait_wakes(cond, CALLER);
    return real_locks.cond_signal_old(cond);
}

EXPORT int cond_broadcast_old(pthread_cond_t *cond) {
    if (!LIKELY(!wait_is_on())) wait_wakes(cond, CALLER);
    return real_locks.cond_broadcast_old(cond);
}
#endif
