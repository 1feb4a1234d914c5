// tests/stress/locks.c - waits at every lock of libc, for known times. usage: locks PREFIX
// See locks_truth.h; judged by locks_live.py. Also proves that what lock functions answer and how
// they are cancelled is what it was.
#include "locks_truth.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <threads.h>

static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER,
                       adaptive = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP, robust, inheriting;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_barrier_t barrier;
static sem_t sem;
static mtx_t mtx;
static cnd_t cnd;

// Each mutex has a holder and a waiter of its own, so that the profiles tell them apart.
#define MUTEX_SCENE(name, mutex, lock)                                                             \
    SCENE static int64_t hold_##name(void) {                                                       \
        must(pthread_mutex_lock(&mutex), "lock");                                                  \
        hold_on();                                                                                 \
        int64_t ns = caused();                                                                     \
        must(pthread_mutex_unlock(&mutex), "unlock");                                              \
        return ns;                                                                                 \
    }                                                                                              \
    SCENE static int64_t wait_##name(void) {                                                       \
        struct timespec until = after_ms(CLOCK_REALTIME, 20000);                                   \
        struct timespec steady = after_ms(CLOCK_MONOTONIC, 20000);                                 \
        (void)until, (void)steady;                                                                 \
        int64_t begun = begins();                                                                  \
        must(lock, "lock");                                                                        \
        int64_t ns = now_ns() - begun;                                                             \
        must(pthread_mutex_unlock(&mutex), "unlock");                                              \
        return ns;                                                                                 \
    }
MUTEX_SCENE(plain, plain, pthread_mutex_lock(&plain))
MUTEX_SCENE(adaptive, adaptive, pthread_mutex_lock(&adaptive))
MUTEX_SCENE(recursive, recursive, pthread_mutex_lock(&recursive))
MUTEX_SCENE(checked, checked, pthread_mutex_lock(&checked))
MUTEX_SCENE(robust, robust, pthread_mutex_lock(&robust))
MUTEX_SCENE(inheriting, inheriting, pthread_mutex_lock(&inheriting))
MUTEX_SCENE(timed, plain, pthread_mutex_timedlock(&plain, &until))
MUTEX_SCENE(clocked, plain, pthread_mutex_clocklock(&plain, CLOCK_MONOTONIC, &steady))

// A wait that ends by its limit is a wait.
SCENE static int64_t hold_limited(void) {
    must(pthread_mutex_lock(&plain), "lock");
    hold_on();
    sleep_ms(HOLD_MS);
    must(pthread_mutex_unlock(&plain), "unlock");
    return 0;
}
SCENE static int64_t wait_limited(void) {
    int64_t begun = begins();
    struct timespec until = after_ms(CLOCK_REALTIME, HOLD_MS / 2);
    must(pthread_mutex_timedlock(&plain, &until) != ETIMEDOUT, "a limit");
    return now_ns() - begun;
}

// A mutex given up by waiting for a condition is charged to who waits so.
SCENE static int64_t hold_given_up(void) {
    must(pthread_mutex_lock(&plain), "lock");
    hold_on();
    int64_t ns = caused();
    struct timespec until = after_ms(CLOCK_REALTIME, 5);
    pthread_cond_timedwait(&cond, &plain, &until);
    must(pthread_mutex_unlock(&plain), "unlock");
    return ns;
}
SCENE static int64_t wait_given_up(void) {
    int64_t begun = begins();
    must(pthread_mutex_lock(&plain), "lock");
    int64_t ns = now_ns() - begun;
    must(pthread_mutex_unlock(&plain), "unlock");
    return ns;
}

SCENE static int64_t hold_c11(void) {
    must(mtx_lock(&mtx) != thrd_success, "mtx_lock");
    hold_on();
    int64_t ns = caused();
    mtx_unlock(&mtx);
    return ns;
}
SCENE static int64_t wait_c11(void) {
    int64_t begun = begins();
    must(mtx_lock(&mtx) != thrd_success, "mtx_lock");
    int64_t ns = now_ns() - begun;
    mtx_unlock(&mtx);
    return ns;
}

SCENE static int64_t hold_spin(void) {
    must(pthread_spin_lock(&spin), "spin");
    hold_on();
    int64_t ns = caused();
    must(pthread_spin_unlock(&spin), "spin");
    return ns;
}
SCENE static int64_t wait_spin(void) {
    int64_t begun = begins();
    must(pthread_spin_lock(&spin), "spin");
    int64_t ns = now_ns() - begun;
    must(pthread_spin_unlock(&spin), "spin");
    return ns;
}

#define RWLOCK_SCENE(name, held, wanted)                                                           \
    SCENE static int64_t hold_##name(void) {                                                       \
        must(held(&rwlock), "hold");                                                               \
        hold_on();                                                                                 \
        int64_t ns = caused();                                                                     \
        must(pthread_rwlock_unlock(&rwlock), "unlock");                                            \
        return ns;                                                                                 \
    }                                                                                              \
    SCENE static int64_t wait_##name(void) {                                                       \
        int64_t begun = begins();                                                                  \
        must(wanted(&rwlock), "wait");                                                             \
        int64_t ns = now_ns() - begun;                                                             \
        must(pthread_rwlock_unlock(&rwlock), "unlock");                                            \
        return ns;                                                                                 \
    }
static int timed_rdlock(pthread_rwlock_t *lock) __attribute__((always_inline));
static inline int timed_rdlock(pthread_rwlock_t *lock) {
    struct timespec until = after_ms(CLOCK_REALTIME, 20000);
    return pthread_rwlock_timedrdlock(lock, &until);
}
static int clock_wrlock(pthread_rwlock_t *lock) __attribute__((always_inline));
static inline int clock_wrlock(pthread_rwlock_t *lock) {
    struct timespec until = after_ms(CLOCK_MONOTONIC, 20000);
    return pthread_rwlock_clockwrlock(lock, CLOCK_MONOTONIC, &until);
}
RWLOCK_SCENE(reader_behind_writer, pthread_rwlock_wrlock, pthread_rwlock_rdlock)
RWLOCK_SCENE(writer_behind_reader, pthread_rwlock_rdlock, pthread_rwlock_wrlock)
RWLOCK_SCENE(writer_behind_writer, pthread_rwlock_wrlock, pthread_rwlock_wrlock)
RWLOCK_SCENE(timed_reader, pthread_rwlock_wrlock, timed_rdlock)
RWLOCK_SCENE(clocked_writer, pthread_rwlock_wrlock, clock_wrlock)

// What is waited for comes once, from the other thread, HOLD_MS after the waiter began.
static bool is_there;
#define EVENT_SCENE(name, prepare, give, take)                                                     \
    SCENE static int64_t hold_##name(void) {                                                       \
        is_there = false;                                                                          \
        prepare;                                                                                   \
        hold_on();                                                                                 \
        give;                                                                                      \
        return 0;                                                                                  \
    }                                                                                              \
    SCENE static int64_t wait_##name(void) {                                                       \
        struct timespec until = after_ms(CLOCK_REALTIME, 20000);                                   \
        struct timespec steady = after_ms(CLOCK_MONOTONIC, 20000);                                 \
        (void)until, (void)steady;                                                                 \
        int64_t begun = begins();                                                                  \
        take;                                                                                      \
        return now_ns() - begun;                                                                   \
    }

static void signal_cond(void) {
    must(pthread_mutex_lock(&plain), "lock");
    is_there = true;
    pthread_cond_signal(&cond);
    must(pthread_mutex_unlock(&plain), "unlock");
}
#define UNTIL_THERE(wait)                                                                          \
    pthread_mutex_lock(&plain);                                                                    \
    while (!is_there) wait;                                                                        \
    pthread_mutex_unlock(&plain)
EVENT_SCENE(cond, , signal_cond(), UNTIL_THERE(pthread_cond_wait(&cond, &plain)))
EVENT_SCENE(cond_timed, , signal_cond(), UNTIL_THERE(pthread_cond_timedwait(&cond, &plain, &until)))
EVENT_SCENE(cond_clocked, , signal_cond(),
            UNTIL_THERE(pthread_cond_clockwait(&cond, &plain, CLOCK_MONOTONIC, &steady)))

static void signal_cnd(void) {
    mtx_lock(&mtx);
    is_there = true;
    cnd_signal(&cnd);
    mtx_unlock(&mtx);
}
EVENT_SCENE(cnd, , signal_cnd(), mtx_lock(&mtx); while (!is_there) cnd_wait(&cnd, &mtx);
            mtx_unlock(&mtx))
EVENT_SCENE(cnd_timed, , signal_cnd(), mtx_lock(&mtx);
            while (!is_there) cnd_timedwait(&cnd, &mtx, &until); mtx_unlock(&mtx))

EVENT_SCENE(sem, , sem_post(&sem), sem_wait(&sem))
EVENT_SCENE(sem_timed, , sem_post(&sem), sem_timedwait(&sem, &until))
EVENT_SCENE(sem_clocked, , sem_post(&sem), sem_clockwait(&sem, CLOCK_MONOTONIC, &steady))
EVENT_SCENE(barrier, pthread_barrier_init(&barrier, NULL, 2), pthread_barrier_wait(&barrier),
            pthread_barrier_wait(&barrier))

// The futex itself, as C++20 and Rust use it.
static uint32_t word;
static void wake_word(void) {
    __atomic_store_n(&word, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
EVENT_SCENE(futex, word = 0, wake_word(),
            while (!__atomic_load_n(&word, __ATOMIC_ACQUIRE))
                syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0))

// Rust's std::sync::Mutex, written out: 0 free, 1 taken, 2 taken with waiters.
SCENE static int64_t hold_futex_mutex(void) {
    __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
    hold_on();
    int64_t ns = caused();
    if (__atomic_exchange_n(&word, 0, __ATOMIC_SEQ_CST) == 2)
        syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    return ns;
}
SCENE static int64_t wait_futex_mutex(void) {
    int64_t begun = begins();
    while (__atomic_exchange_n(&word, 2, __ATOMIC_SEQ_CST))
        syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 2, NULL, NULL, -1);
    int64_t ns = now_ns() - begun;
    __atomic_store_n(&word, 0, __ATOMIC_SEQ_CST);
    return ns;
}

static void *sleeper(void *arg) {
    while (!__atomic_load_n(&is_there, __ATOMIC_ACQUIRE)) sleep_ms(1);
    return arg;
}
static int sleeper_c11(void *arg) {
    sleeper(arg);
    return 7;
}
static void let_end(void) {
    __atomic_store_n(&is_there, true, __ATOMIC_RELEASE);
}
static pthread_t ending;
static thrd_t ending_c11;
EVENT_SCENE(join, must(pthread_create(&ending, NULL, sleeper, NULL), "create"), let_end(),
            must(pthread_join(ending, NULL), "join"))
EVENT_SCENE(timedjoin, must(pthread_create(&ending, NULL, sleeper, NULL), "create"), let_end(),
            must(pthread_timedjoin_np(ending, NULL, &until), "join"))
EVENT_SCENE(clockjoin, must(pthread_create(&ending, NULL, sleeper, NULL), "create"), let_end(),
            must(pthread_clockjoin_np(ending, NULL, CLOCK_MONOTONIC, &steady), "join"))
EVENT_SCENE(join_c11, thrd_create(&ending_c11, sleeper_c11, NULL), let_end(), int result = 0;
            must(thrd_join(ending_c11, &result) != thrd_success || result != 7, "thrd_join"))

static pthread_once_t once;
static void init_slowly(void) {
    hold_on();
}
EVENT_SCENE(once, once = PTHREAD_ONCE_INIT; pthread_once(&once, init_slowly);
            return 0, , pthread_once(&once, init_slowly))

static const struct scene scenes[] = {
    SCENE_OF(plain, true),
    SCENE_OF(adaptive, true),
    SCENE_OF(recursive, true),
    SCENE_OF(checked, true),
    SCENE_OF(robust, true),
    SCENE_OF(inheriting, true),
    SCENE_OF(timed, true),
    SCENE_OF(clocked, true),
    SCENE_OF(limited, false),
    SCENE_OF(given_up, true),
    SCENE_OF(c11, true),
    SCENE_OF(spin, true),
    SCENE_OF(reader_behind_writer, true),
    SCENE_OF(writer_behind_reader, true),
    SCENE_OF(writer_behind_writer, true),
    SCENE_OF(timed_reader, true),
    SCENE_OF(clocked_writer, true),
    SCENE_OF(cond, false),
    SCENE_OF(cond_timed, false),
    SCENE_OF(cond_clocked, false),
    SCENE_OF(cnd, false),
    SCENE_OF(cnd_timed, false),
    SCENE_OF(sem, false),
    SCENE_OF(sem_timed, false),
    SCENE_OF(sem_clocked, false),
    SCENE_OF(barrier, false),
    SCENE_OF(futex, false),
    SCENE_OF(futex_mutex, true),
    SCENE_OF(join, false),
    SCENE_OF(timedjoin, false),
    SCENE_OF(clockjoin, false),
    SCENE_OF(join_c11, false),
    SCENE_OF(once, false),
};

static void make_locks(void) {
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attr);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&inheriting, &attr);
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    sem_init(&sem, 0, 0);
    mtx_init(&mtx, mtx_timed);
    cnd_init(&cnd);
}

static void *die_with(void *mutex) {
    pthread_mutex_lock(mutex);
    return NULL;
}

// What the functions answer when nobody waits, or must not.
static void check_answers(void) {
    pthread_t dead;
    void *result = NULL;
    struct timespec past = {0, 0};
    must(pthread_create(&dead, NULL, die_with, &robust), "create");
    must(pthread_join(dead, NULL), "join");
    must(pthread_mutex_lock(&robust) != EOWNERDEAD, "EOWNERDEAD");
    must(pthread_mutex_consistent(&robust), "consistent");
    must(pthread_mutex_unlock(&robust), "unlock");
    must(pthread_mutex_lock(&checked), "lock");
    must(pthread_mutex_lock(&checked) != EDEADLK, "EDEADLK");
    must(pthread_mutex_unlock(&checked), "unlock");
    must(pthread_mutex_unlock(&checked) != EPERM, "EPERM");
    must(pthread_rwlock_wrlock(&rwlock), "wrlock");
    must(pthread_rwlock_rdlock(&rwlock) != EDEADLK, "EDEADLK");
    must(pthread_rwlock_unlock(&rwlock), "unlock");
    must(pthread_join(pthread_self(), &result) != EDEADLK, "EDEADLK");
    errno = 0;
    must(sem_timedwait(&sem, &past) != -1 || errno != ETIMEDOUT, "ETIMEDOUT");
    errno = EXDEV;
    must(pthread_mutex_lock(&plain) || pthread_mutex_unlock(&plain) || errno != EXDEV, "errno");
    must(syscall(SYS_getpid) != getpid(), "getpid");
    must(syscall(-1) != -1 || errno != ENOSYS, "ENOSYS");
}

static bool is_cleaned;
static void clean(void *mutex) {
    is_cleaned = true;
    pthread_mutex_unlock(mutex);
}
static void *wait_for_ever(void *unused) {
    pthread_mutex_lock(&plain);
    pthread_cleanup_push(clean, &plain);
    for (;;) pthread_cond_wait(&cond, &plain);
    pthread_cleanup_pop(0);
    return unused;
}

// A wait for a condition is where a thread may be cancelled, and has its mutex then.
static void check_cancelling(void) {
    pthread_t thread;
    void *result = NULL;
    must(pthread_create(&thread, NULL, wait_for_ever, NULL), "create");
    sleep_ms(20);
    must(pthread_cancel(thread), "cancel");
    must(pthread_join(thread, &result), "join");
    must(result != PTHREAD_CANCELED || !is_cleaned, "cancelled");
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    make_locks();
    check_answers();
    check_cancelling();
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) scene_play(&scenes[i]);
    check_answers();
    profiles_write(argv[1]);
    return 0;
}
