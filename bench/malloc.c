// bench/malloc.c - what a pair of malloc and free costs, by the thread's CPU clock.
// Room: the measured loops; bench/run preloads what is compared around this program. Two patterns:
// 16 to 271 bytes, each freeing the block that has stood longest in one of 1024 random places
// (caches and free lists as in a server), and 64 bytes freed at once (the least a pair can cost).
// Prints the median of many short batches, so that a neighbour's burst on the same core does not
// count, and the least.
// usage: malloc [BATCHES], fewer for what is a hundred times slower
#include "measure.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    N_PLACES = 1024,
    N_PAIRS = 20000, // a batch is about 0.3 ms: below a scheduler tick
    MAX_BATCHES = 200,
};

static void *places[N_PLACES];
static int n_batches = MAX_BATCHES;
static uint64_t state = 88172645463325252u;

static uint64_t random_next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

// Keeps the compiler from pairing malloc with free itself.
static void *escape(void *p) {
    __asm__ volatile("" : "+r"(p)::"memory");
    return p;
}

static void batch_random(void) {
    for (int i = 0; i < N_PAIRS; i++) {
        uint64_t r = random_next();
        void **place = &places[r % N_PLACES];
        free(*place);
        *place = escape(malloc(16 + (r >> 32) % 256));
    }
}

static void batch_hot(void) {
    for (int i = 0; i < N_PAIRS; i++) free(escape(malloc(64)));
}

// The loop of batch_random without the calls, to be taken off.
static void batch_empty(void) {
    for (int i = 0; i < N_PAIRS; i++) {
        uint64_t r = random_next();
        void **place = &places[r % N_PLACES];
        escape(*place);
        *place = escape((void *)(16 + (r >> 32) % 256));
    }
}

struct figure {
    double median, least;
};

static struct figure measure(void (*batch)(void)) {
    static double ns[MAX_BATCHES];
    for (int i = 0; i < n_batches; i++) {
        double begin = cpu_ns();
        batch();
        ns[i] = (cpu_ns() - begin) / N_PAIRS;
    }
    qsort(ns, (size_t)n_batches, sizeof *ns, by_value);
    return (struct figure){ns[n_batches / 2], ns[0]};
}

// Servers have threads, and glibc is slower once it has seen one; a second thread, asleep, makes
// that the same for everything that is compared.
static void *sleep_on(void *unused) {
    for (;;) pause();
    return unused;
}

int main(int argc, char **argv) {
    pthread_t other;
    if (pthread_create(&other, NULL, sleep_on, NULL)) return 3;
    if (argc > 1) n_batches = atoi(argv[1]);
    if (n_batches < 1 || n_batches > MAX_BATCHES) return 2;
    struct figure empty = measure(batch_empty);
    memset(places, 0, sizeof places);
    struct figure random = measure(batch_random), hot = measure(batch_hot);
    printf("random %.2f ns a pair (least %.2f), hot %.2f ns (least %.2f)\n",
           random.median - empty.median, random.least - empty.least, hot.median, hot.least);
    return 0;
}
