// tests/live/linking.c - what linking_live.py links in every way there is: C99 and C++11 alike.
// Room: CPU time under a label, in two threads, and memory that is not freed.
#include <pprof.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static volatile unsigned long sink;
static void *volatile kept[100];

__attribute__((noinline)) static void burn(void *arg) {
    clock_t end = clock() + CLOCKS_PER_SEC / 5;
    (void)arg;
    while (clock() < end) {
        int i;
        for (i = 0; i < 100000; i++) sink = sink + 1;
    }
}

static void *thread(void *arg) {
    burn(arg);
    return arg;
}

__attribute__((noinline)) static void leak(void) {
    int i;
#ifdef __cplusplus
    for (i = 0; i < 100; i++) kept[i] = new char[1000000];
#else
    for (i = 0; i < 100; i++) kept[i] = malloc(1000000);
#endif
}

int main(void) {
    char why[PPROF_ERROR_SIZE];
    const char *const pairs[] = {"how", "linked", NULL};
    pprof_labels *labels = pprof_labels_new(NULL, pairs);
    pthread_t id;
    if (!pprof_serve("localhost:0", why)) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    leak();
#ifdef __cplusplus
    {
        pprof::scope scope(labels);
        burn(NULL);
    }
#else
    pprof_do(labels, burn, NULL);
#endif
    pprof_labels_free(labels);
    if (pthread_create(&id, NULL, thread, NULL) || pthread_join(id, NULL)) return 2;
    puts(pprof_address());
    return 0;
}
