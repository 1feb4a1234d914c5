// tests/stress/locks_truth.h - what the lock programs know themselves, and the profiles beside it.
// Each scenario has a function that waits and, where locks have holders, one that holds; both
// measure. At the end the program prints "block FUNCTION NS" and "mutex FUNCTION NS" lines and
// writes the profiles to PREFIX.block and PREFIX.mutex. libpprof comes by preload or by linking.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif
__attribute__((weak)) const void *pprof_lookup(const char *name);
__attribute__((weak)) bool pprof_profile_write_to(const void *profile, int fd, int debug,
                                                  char *why);
#ifdef __cplusplus
}
#endif

enum { ROUNDS = 3, HOLD_MS = 30 };

#define SCENE __attribute__((noinline))

static inline int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void sleep_ms(int ms) {
    struct timespec time = {0, ms * 1000000};
    while (nanosleep(&time, &time)) continue;
}

// A moment ms from now, for timed waits.
static inline struct timespec after_ms(clockid_t clock, int ms) {
    struct timespec at;
    clock_gettime(clock, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) at.tv_sec++, at.tv_nsec -= 1000000000;
    return at;
}

static inline void must(int failed, const char *what) {
    if (!failed) return;
    fprintf(stderr, "%s: %s\n", what, strerror(failed));
    exit(1);
}

// Of the round at hand: the holder has the lock; when the waiter began to wait.
static volatile int round_is_held;
static volatile int64_t round_began;

static inline void wait_until_held(void) {
    while (!__atomic_load_n(&round_is_held, __ATOMIC_ACQUIRE)) sleep_ms(1);
}

// In a holder, with the lock taken: lets the waiter come, and holds for a while.
static inline void hold_on(void) {
    round_began = 0;
    __atomic_store_n(&round_is_held, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&round_began, __ATOMIC_ACQUIRE)) sleep_ms(1);
    sleep_ms(HOLD_MS);
}

// In a waiter, right before it waits.
static inline int64_t begins(void) {
    wait_until_held();
    int64_t now = now_ns();
    __atomic_store_n(&round_began, now, __ATOMIC_RELEASE);
    return now;
}

// What a holder has caused, right before it unlocks.
static inline int64_t caused(void) {
    return now_ns() - round_began;
}

// One kind of wait. hold and wait give what they measured, in nanoseconds. is_charged: hold's is in
// the mutex profile.
struct scene {
    const char *name;
    int64_t (*hold)(void), (*wait)(void);
    bool is_charged;
};
#define SCENE_OF(name, is_charged)                                                                 \
    { #name, hold_##name, wait_##name, is_charged }

static struct scene scene_now;
static int64_t scene_waited;

static inline void *run_waiter(void *unused) {
    scene_waited += scene_now.wait();
    return unused;
}

static inline void scene_play(const struct scene *scene) {
    int64_t caused_ns = 0;
    scene_now = *scene;
    scene_waited = 0;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t waiter;
        __atomic_store_n(&round_is_held, 0, __ATOMIC_RELEASE);
        must(pthread_create(&waiter, NULL, run_waiter, NULL), "pthread_create");
        caused_ns += scene->hold();
        must(pthread_join(waiter, NULL), "pthread_join");
    }
    printf("block wait_%s %lld\n", scene->name, (long long)scene_waited);
    if (scene->is_charged) printf("mutex hold_%s %lld\n", scene->name, (long long)caused_ns);
}

static inline void profile_write(const char *prefix, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s.%s", prefix, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || !pprof_profile_write_to(pprof_lookup(name), fd, 0, NULL)) exit(3);
    close(fd);
}

static inline void profiles_write(const char *prefix) {
    if (!pprof_lookup) exit(3); // no libpprof in this program
    profile_write(prefix, "block");
    profile_write(prefix, "mutex");
}
