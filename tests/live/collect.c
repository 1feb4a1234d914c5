// tests/live/collect.c - a program linked with libpprof that uses what include/pprof.h offers, for
// collect_live.py to look at.
// Room: one thread a subject, each doing something whose measure is known. Prints its address, then
// runs until it is killed.
#include "pprof.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { KEPT_BLOCKS = 4000, KEPT_BYTES = 20000, SPIN_NS = 10000000 };

static volatile unsigned long sink;
static void *volatile kept[KEPT_BLOCKS];

static void pause_ms(long ms) {
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

__attribute__((noinline)) static void spin_labelled(void *arg) {
    (void)arg;
    struct timespec now;
    long long end_ns = 0;
    do {
        for (unsigned long i = 0; i < 10000; i++) sink += i;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        if (!end_ns) end_ns = now.tv_sec * 1000000000ll + now.tv_nsec + SPIN_NS;
    } while (now.tv_sec * 1000000000ll + now.tv_nsec < end_ns);
}

// Inherits its labels from main.
static void *spin_thread(void *arg) {
    for (;;) {
        spin_labelled(arg);
        pause_ms(20);
    }
    return NULL;
}

__attribute__((noinline)) static void keep_labelled(void *arg) {
    (void)arg;
    for (int i = 0; i < KEPT_BLOCKS; i++) kept[i] = malloc(KEPT_BYTES);
}

static void *sleep_thread(void *arg) {
    PPROF_SCOPE("job", "sleeper");
    for (;;) pause_ms(1000);
    return arg;
}

enum {
    PEAK_BYTES = 30 << 20,
    MAP_BYTES = 24 << 20,
    N_RATE = 3000,
    RATE_BYTES = 10000,
    RATE_MS = 20
};

// In use for a moment, at the program's peak.
__attribute__((noinline)) static void grow_and_shrink(void) {
    enum { N = 300 };
    static void *volatile blocks[N];
    for (int i = 0; i < N; i++) blocks[i] = malloc(PEAK_BYTES / N);
    for (int i = 0; i < N; i++) free(blocks[i]);
}

__attribute__((noinline)) static void map_memory(void) {
    char *p = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || munmap(p, MAP_BYTES / 4)) abort();
}

// Batches of a known size; a custom profile counts them.
__attribute__((noinline)) static void allocate_steadily(void) {
    void *volatile p;
    for (int i = 0; i < N_RATE; i++) {
        p = malloc(RATE_BYTES);
        free(p);
    }
}

static void *rate_thread(void *arg) {
    pprof_profile *batches = pprof_new_profile("example.com/batches", NULL);
    for (uintptr_t i = 0;; i++) {
        allocate_steadily();
        pprof_profile_add(batches, (void *)i, 0);
        pause_ms(RATE_MS);
    }
    return arg;
}

static pthread_mutex_t contended = PTHREAD_MUTEX_INITIALIZER;

static void *lock_thread(void *arg) {
    PPROF_SCOPE("job", arg ? "holder" : "waiter");
    for (;;) {
        pthread_mutex_lock(&contended);
        pause_ms(arg ? 10 : 1);
        pthread_mutex_unlock(&contended);
        pause_ms(1);
    }
    return arg;
}

enum { N_OPENED = 300, N_CLOSED = 100 };

__attribute__((noinline)) static void open_session(pprof_profile *sessions, uintptr_t i) {
    pprof_profile_add(sessions, (void *)i, 0);
    sink++;
}

static void use_custom_profile(void) {
    pprof_profile *sessions = pprof_new_profile("example.com/sessions", NULL);
    PPROF_SCOPE("kind", "session");
    for (uintptr_t i = 1; i <= N_OPENED; i++) open_session(sessions, i);
    for (uintptr_t i = 1; i <= N_CLOSED; i++) pprof_profile_remove(sessions, (void *)i);
}

int main(void) {
    char why[PPROF_ERROR_SIZE];
    pthread_t thread;
    alarm(120);
    if (!pprof_serve("localhost:0", why)) return fprintf(stderr, "%s\n", why), 1;
    pprof_labels *keeper = pprof_labels_new(NULL, PPROF_LABELS("job", "keeper", "size", "20000"));
    pprof_do(keeper, keep_labelled, NULL);
    pprof_labels_free(keeper);
    pprof_labels *spinner = pprof_labels_new(NULL, PPROF_LABELS("job", "spinner"));
    pprof_set_labels(spinner);
    if (pthread_create(&thread, NULL, spin_thread, NULL)) return 1;
    pprof_set_labels(NULL);
    pprof_labels_free(spinner);
    if (pthread_create(&thread, NULL, sleep_thread, NULL)) return 1;
    pprof_set_mutex_fraction(1);
    pprof_set_block_rate(1);
    if (pthread_create(&thread, NULL, lock_thread, NULL)) return 1;
    if (pthread_create(&thread, NULL, lock_thread, why)) return 1;
    use_custom_profile();
    grow_and_shrink();
    map_memory();
    if (pthread_create(&thread, NULL, rate_thread, NULL)) return 1;
    printf("%s\n", pprof_address());
    fflush(stdout);
    for (;;) pause();
}
