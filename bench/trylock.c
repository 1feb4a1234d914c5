// bench/trylock.c - the other way to profile locks, as a peer for bench/locks: try first, and look
// at the clock only where that fails. What async-profiler and brpc do.
// Room: pthread_mutex_lock alone; unlock goes through a jump, as any hook would. Preloaded.
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

static int (*real_lock)(pthread_mutex_t *), (*real_trylock)(pthread_mutex_t *);
static int (*real_unlock)(pthread_mutex_t *);
static _Atomic long waited_ns; // what it would report

static void find(void *ret, const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(ret, &found, sizeof found);
}

__attribute__((constructor)) static void begin(void) {
    find(&real_lock, "pthread_mutex_lock");
    find(&real_trylock, "pthread_mutex_trylock");
    find(&real_unlock, "pthread_mutex_unlock");
}

static long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

int pthread_mutex_lock(pthread_mutex_t *mutex) {
    if (!real_lock) begin();
    if (__builtin_expect(real_trylock(mutex) == 0, 1)) return 0;
    long begun = now_ns();
    int failed = real_lock(mutex);
    waited_ns += now_ns() - begun;
    return failed;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex) {
    if (!real_unlock) begin();
    return real_unlock(mutex);
}
