// agent/hot/locks.c - the hooks in front of mutexes and spin locks.
// Room: the functions themselves. What a wait is for whom is wait.c's. Not hooked: trylock, which
// waits for nobody. Door: the program calls them.
// Fast paths end in a jump to the real function: one branch while nobody wants to know of waits, a
// look at the lock word more while somebody does.
#include "agent/hot/locks.h"

#include "agent/hot/thread.h"
#include "agent/hot/wait.h"

#include <errno.h>

#define EXPORT __attribute__((visibility("default")))

static bool has_waited(int failed) {
    return failed == 0 || failed == ETIMEDOUT || failed == EOWNERDEAD;
}

// Whether the calling thread holds it already and may take it again, or is told that it may not.
static bool is_own(const pthread_mutex_t *mutex) {
    return hot_thread.tid && (u32)mutex->__data.__owner == hot_thread.tid;
}

static bool is_free(const pthread_mutex_t *mutex) {
    return LIKELY(!wait_is_on()) || LIKELY(mutex_is_free(mutex));
}

static bool is_quiet(const pthread_mutex_t *mutex) {
    return LIKELY(!wait_is_on()) || LIKELY(!mutex_is_contended(mutex));
}

// What an unlock does to those who wait: 0 when it gives nothing back yet.
static u64 unlock_caused(const pthread_mutex_t *mutex, const void *caller) {
    enum { KIND_BITS = 3 };
    bool stays =
        (mutex->__data.__kind & KIND_BITS) == PTHREAD_MUTEX_RECURSIVE && mutex->__data.__count > 1;
    if (stays) return 0;
    wait_wakes(mutex, caller);
    return wait_caused(mutex);
}

void mutex_let_go(pthread_mutex_t *mutex, const void *caller) {
    if (!mutex_is_contended(mutex)) return;
    wait_wakes(mutex, caller);
    u64 delay_ns = wait_caused(mutex);
    if (delay_ns) wait_charge(caller, delay_ns);
}

__attribute__((noinline)) static int lock_slow(pthread_mutex_t *mutex, const void *caller) {
    struct wait_scope scope;
    if (is_own(mutex)) return real_locks.mutex_lock(mutex);
    wait_begin(&scope, WAIT_MUTEX, mutex, caller);
    int failed = real_locks.mutex_lock(mutex);
    wait_end(&scope, has_waited(failed));
    return failed;
}

EXPORT int pthread_mutex_lock(pthread_mutex_t *mutex) {
    return is_free(mutex) ? real_locks.mutex_lock(mutex) : lock_slow(mutex, CALLER);
}

EXPORT int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *until) {
    struct wait_scope scope;
    if (is_free(mutex) || is_own(mutex)) return real_locks.mutex_timedlock(mutex, until);
    wait_begin(&scope, WAIT_MUTEX, mutex, CALLER);
    int failed = real_locks.mutex_timedlock(mutex, until);
    wait_end(&scope, has_waited(failed));
    return failed;
}

EXPORT int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock,
                                   const struct timespec *until) {
    struct wait_scope scope;
    if (is_free(mutex) || is_own(mutex)) return real_locks.mutex_clocklock(mutex, clock, until);
    wait_begin(&scope, WAIT_MUTEX, mutex, CALLER);
    int failed = real_locks.mutex_clocklock(mutex, clock, until);
    wait_end(&scope, has_waited(failed));
    return failed;
}

__attribute__((noinline)) static int unlock_slow(pthread_mutex_t *mutex, const void *caller) {
    u64 delay_ns = unlock_caused(mutex, caller);
    int failed = real_locks.mutex_unlock(mutex);
    if (delay_ns && !failed) wait_charge(caller, delay_ns);
    return failed;
}

EXPORT int pthread_mutex_unlock(pthread_mutex_t *mutex) {
    return is_quiet(mutex) ? real_locks.mutex_unlock(mutex) : unlock_slow(mutex, CALLER);
}

// C11's mutex is a pthread_mutex_t under another name; glibc calls its own by inner names.
static pthread_mutex_t *of_c11(mtx_t *mutex) {
    _Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "the same thing");
    return (pthread_mutex_t *)(void *)mutex;
}

__attribute__((noinline)) static int mtx_lock_slow(mtx_t *mutex, const void *caller) {
    struct wait_scope scope;
    if (is_own(of_c11(mutex))) return real_locks.mtx_lock(mutex);
    wait_begin(&scope, WAIT_MUTEX, mutex, caller);
    int result = real_locks.mtx_lock(mutex);
    wait_end(&scope, result == thrd_success);
    return result;
}

EXPORT int mtx_lock(mtx_t *mutex) {
    return is_free(of_c11(mutex)) ? real_locks.mtx_lock(mutex) : mtx_lock_slow(mutex, CALLER);
}

EXPORT int mtx_timedlock(mtx_t *mutex, const struct timespec *until) {
    struct wait_scope scope;
    if (is_free(of_c11(mutex)) || is_own(of_c11(mutex)))
        return real_locks.mtx_timedlock(mutex, until);
    wait_begin(&scope, WAIT_MUTEX, mutex, CALLER);
    int result = real_locks.mtx_timedlock(mutex, until);
    wait_end(&scope, result == thrd_success || result == thrd_timedout);
    return result;
}

__attribute__((noinline)) static int mtx_unlock_slow(mtx_t *mutex, const void *caller) {
    u64 delay_ns = unlock_caused(of_c11(mutex), caller);
    int result = real_locks.mtx_unlock(mutex);
    if (delay_ns && result == thrd_success) wait_charge(caller, delay_ns);
    return result;
}

EXPORT int mtx_unlock(mtx_t *mutex) {
    return is_quiet(of_c11(mutex)) ? real_locks.mtx_unlock(mutex) : mtx_unlock_slow(mutex, CALLER);
}

// glibc's spin lock. On x86 1 is free, 0 taken, less taken with others spinning; elsewhere 0 is
// free and nothing says whether others spin.
#if defined(__x86_64__)
static bool spin_is_free(const pthread_spinlock_t *lock) {
    return __atomic_load_n(lock, __ATOMIC_RELAXED) > 0;
}
static bool spin_is_quiet(const pthread_spinlock_t *lock) {
    return __atomic_load_n(lock, __ATOMIC_RELAXED) >= 0;
}
#else
static bool spin_is_free(const pthread_spinlock_t *lock) {
    return __atomic_load_n(lock, __ATOMIC_RELAXED) == 0;
}
static bool spin_is_quiet(const pthread_spinlock_t *lock) {
    (void)lock;
    return false;
}
#endif

__attribute__((noinline)) static int spin_lock_slow(pthread_spinlock_t *lock, const void *caller) {
    struct wait_scope scope;
    wait_begin(&scope, WAIT_SPIN, (const void *)(uintptr_t)lock, caller);
    int failed = real_locks.spin_lock(lock);
    wait_end(&scope, failed == 0);
    return failed;
}

EXPORT int pthread_spin_lock(pthread_spinlock_t *lock) {
    if (LIKELY(!wait_is_on()) || LIKELY(spin_is_free(lock))) return real_locks.spin_lock(lock);
    return spin_lock_slow(lock, CALLER);
}

__attribute__((noinline)) static int spin_unlock_slow(pthread_spinlock_t *lock,
                                                      const void *caller) {
    wait_wakes((const void *)(uintptr_t)lock, caller);
    u64 delay_ns = wait_caused((const void *)(uintptr_t)lock);
    int failed = real_locks.spin_unlock(lock);
    if (delay_ns) wait_charge(caller, delay_ns);
    return failed;
}

EXPORT int pthread_spin_unlock(pthread_spinlock_t *lock) {
    if (LIKELY(!wait_is_on()) || LIKELY(spin_is_quiet(lock))) return real_locks.spin_unlock(lock);
    return spin_unlock_slow(lock, CALLER);
}
