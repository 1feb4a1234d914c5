// bench/locks.c - what a pair of lock and unlock that nobody contends costs, by the thread's CPU
// clock.
// Room: the measured loops; bench/run preloads what is compared around this program. A second
// thread sleeps: glibc leaves out its atomic operations while a process has one.
// Prints the median and the least of many short batches.
#include "measure.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    N_PAIRS = 20000, // a batch is about 0.2 ms: below a scheduler tick
    N_BATCHES = 300,
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void batch_mutex(void) {
    for (int i = 0; i < N_PAIRS; i++) {
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
    }
}

static void batch_rwlock(void) {
    for (int i = 0; i < N_PAIRS; i++) {
        pthread_rwlock_rdlock(&rwlock);
        pthread_rwlock_unlock(&rwlock);
    }
}

static void measure(const char *name, void (*batch)(void)) {
    static double ns[N_BATCHES];
    for (int i = 0; i < N_BATCHES; i++) {
        double begin = cpu_ns();
        batch();
        ns[i] = (cpu_ns() - begin) / N_PAIRS;
    }
    qsort(ns, N_BATCHES, sizeof *ns, by_value);
    printf("%s median %.3f least %.3f\n", name, ns[N_BATCHES / 2], ns[0]);
}

static void *sleep_on(void *unused) {
    for (;;) pause();
    return unused;
}

int main(void) {
    pthread_t other;
    if (pthread_create(&other, NULL, sleep_on, NULL)) return 3;
    measure("mutex", batch_mutex);
    measure("rwlock", batch_rwlock);
    return 0;
}
