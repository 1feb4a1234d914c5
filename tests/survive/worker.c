// tests/survive/worker.c - a small program of threads that compute, allocate and lock; the test
// builds it with sanitizers, against libpprof.a, and for another user.
// Room: the program. usage: worker ADDRESS SECONDS; ADDRESS "-": does not serve. Prints "fine".
// Built with -DSERVES it is linked with libpprof.
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef SERVES
#include <pprof.h>
#endif

enum { N_THREADS = 3, N_KEPT = 256 };

static _Atomic bool is_over;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *kept[N_KEPT];

__attribute__((noinline, noipa)) static unsigned worker_computes(unsigned n) {
    unsigned sum = 0;
    for (volatile unsigned i = 0; i < n; i++) sum += i;
    return sum;
}

__attribute__((noinline)) static void worker_keeps(unsigned i) {
    char *fresh = malloc(1000 + i % 5000);
    fresh[0] = 1;
    pthread_mutex_lock(&lock);
    free(kept[i % N_KEPT]);
    kept[i % N_KEPT] = fresh;
    pthread_mutex_unlock(&lock);
}

static void *work(void *arg) {
    for (unsigned i = 0; !is_over; i++) {
        worker_computes(20000);
        worker_keeps(i);
    }
    return arg;
}

static bool serve(const char *address) {
#ifdef SERVES
    char why[PPROF_ERROR_SIZE];
    if (strcmp(address, "-") == 0) return true;
    if (!pprof_serve(address, why)) return fprintf(stderr, "%s\n", why), false;
    printf("serving %s\n", pprof_address());
    fflush(stdout);
#else
    (void)address;
#endif
    return true;
}

// gperftools' signals end a sleep.
static void sleep_whole(unsigned seconds) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += seconds;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0) continue;
}

int main(int argc, char **argv) {
    pthread_t threads[N_THREADS];
    if (argc < 3 || !serve(argv[1])) return 2;
    for (int i = 0; i < N_THREADS; i++) pthread_create(&threads[i], NULL, work, NULL);
    sleep_whole((unsigned)strtoul(argv[2], NULL, 10));
    is_over = true;
    for (int i = 0; i < N_THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < N_KEPT; i++) free(kept[i]);
    puts("fine");
    return 0;
}
