// agent/hot/joins.c - the hooks in front of waits for a thread, and for another's initialisation.
// Room: the functions themselves. Door: the program calls them.
// pthread_tryjoin_np says whether the thread has ended, and then has joined it, which is what was
// asked for; else nothing happened.
#include "agent/hot/locks.h"

#include "agent/hot/thread.h"
#include "agent/hot/wait.h"

#include <errno.h>

#define EXPORT __attribute__((visibility("default")))

static bool has_waited(int failed) {
    return failed == 0 || failed == ETIMEDOUT;
}

// Whether the calling thread waits for nobody: the answer is then the result.
static bool is_over(pthread_t thread, void **ret) {
    return real_locks.tryjoin(thread, ret) == 0;
}

static const void *object_of(pthread_t thread) {
    return (const void *)thread;
}

EXPORT int pthread_join(pthread_t thread, void **ret) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on())) return real_locks.join(thread, ret);
    if (is_over(thread, ret)) return 0;
    wait_begin(&scope, WAIT_JOIN, object_of(thread), CALLER);
    int failed = real_locks.join(thread, ret);
    wait_end(&scope, has_waited(failed));
    return failed;
}

EXPORT int pthread_timedjoin_np(pthread_t thread, void **ret, const struct timespec *until) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on())) return real_locks.timedjoin(thread, ret, until);
    if (is_over(thread, ret)) return 0;
    wait_begin(&scope, WAIT_JOIN, object_of(thread), CALLER);
    int failed = real_locks.timedjoin(thread, ret, until);
    wait_end(&scope, has_waited(failed));
    return failed;
}

EXPORT int pthread_clockjoin_np(pthread_t thread, void **ret, clockid_t clock,
                                const struct timespec *until) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on())) return real_locks.clockjoin(thread, ret, clock, until);
    if (is_over(thread, ret)) return 0;
    wait_begin(&scope, WAIT_JOIN, object_of(thread), CALLER);
    int failed = real_locks.clockjoin(thread, ret, clock, until);
    wait_end(&scope, has_waited(failed));
    return failed;
}

EXPORT int thrd_join(thrd_t thread, int *ret) {
    struct wait_scope scope;
    void *value;
    if (LIKELY(!wait_is_on())) return real_locks.thrd_join(thread, ret);
    if (is_over(thread, &value)) {
        if (ret) *ret = (int)(intptr_t)value;
        return thrd_success;
    }
    wait_begin(&scope, WAIT_JOIN, object_of(thread), CALLER);
    int result = real_locks.thrd_join(thread, ret);
    wait_end(&scope, result == thrd_success);
    return result;
}

// glibc's word: bit 0 somebody runs the function, bit 1 it has run.
static bool runs_elsewhere(const pthread_once_t *once) {
    return (__atomic_load_n(once, __ATOMIC_RELAXED) & 3) == 1;
}

EXPORT int pthread_once(pthread_once_t *once, void (*init)(void)) {
    struct wait_scope scope;
    if (LIKELY(!wait_is_on()) || LIKELY(!runs_elsewhere(once))) return real_locks.once(once, init);
    wait_begin(&scope, WAIT_ONCE, once, CALLER);
    int failed = real_locks.once(once, init);
    wait_end(&scope, failed == 0);
    return failed;
}

// C11's is the same word and the same function under another name.
EXPORT void call_once(once_flag *once, void (*init)(void)) {
    pthread_once_t *word = (pthread_once_t *)(void *)once;
    _Static_assert(sizeof *once == sizeof *word, "the same thing");
    struct wait_scope scope;
    bool waits = wait_is_on() && runs_elsewhere(word);
    if (waits) wait_begin(&scope, WAIT_ONCE, once, CALLER);
    real_locks.once(word, init);
    if (waits) wait_end(&scope, true);
}
