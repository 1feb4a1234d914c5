// tests/live/files.c - a program for files_live.py: uses CPU time, leaks, has a handler of its own
// on SIGUSR2 when asked to ("handler"), forks ("fork", "child": which gets the signal), or takes
// its profiles itself
// ("own"). Room:
// linked with libpprof; the variables of docs/libpprof.md do the rest.
#include "pprof.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N_LEAKED = 200, LEAK_BYTES = 1000000, BURN_MS = 300 };

static volatile int n_got;
static volatile unsigned long sink;
static void *volatile leaked[N_LEAKED];

static void on_signal(int signo) {
    n_got += signo == SIGUSR2;
}

__attribute__((noinline)) static void burn(void) {
    clock_t end = clock() + BURN_MS * (CLOCKS_PER_SEC / 1000);
    while (clock() < end)
        for (int i = 0; i < 100000; i++) sink++;
}

__attribute__((noinline)) static void leak(void) {
    for (int i = 0; i < N_LEAKED; i++) leaked[i] = malloc(LEAK_BYTES);
}

static int take_own(void) {
    char why[PPROF_ERROR_SIZE] = "";
    if (pprof_stop_cpu_profile_bytes(why)) return 1;
    if (strcmp(why, "no CPU profile was started") != 0) return 2;
    if (!pprof_start_cpu_profile(-1, why)) return 3;
    burn();
    const struct pprof_bytes *cpu = pprof_stop_cpu_profile_bytes(why);
    const struct pprof_bytes *heap = pprof_profile_bytes(pprof_lookup("heap"), 0, why);
    const struct pprof_bytes *text = pprof_profile_bytes(pprof_lookup("goroutine"), 1, why);
    if (!cpu || !heap || !text) return fprintf(stderr, "%s\n", why), 4;
    if (memcmp(text->data, "goroutine profile: total 1\n", 27) != 0) return 5;
    FILE *file = fopen("own.pb.gz", "w");
    if (!file || fwrite(cpu->data, 1, cpu->len, file) != cpu->len || fclose(file)) return 6;
    file = fopen("own-heap.pb.gz", "w");
    if (!file || fwrite(heap->data, 1, heap->len, file) != heap->len || fclose(file)) return 7;
    pprof_bytes_free(cpu);
    pprof_bytes_free(heap);
    pprof_bytes_free(text);
    pprof_bytes_free(NULL);
    return 0;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    leak();
    if (strcmp(what, "own") == 0) return take_own();
    if (strcmp(what, "handler") == 0) signal(SIGUSR2, on_signal);
    if (strcmp(what, "fork") == 0 && fork() == 0) {
        burn();
        exit(0);
    }
    if (strcmp(what, "child") == 0 && fork() == 0) {
        for (int i = 0; i < 10; i++) usleep(50000);
        raise(SIGUSR2);
        for (int i = 0; i < 20; i++) usleep(50000);
        exit(0);
    }
    if (strcmp(what, "signal") == 0 || strcmp(what, "handler") == 0) {
        raise(SIGUSR2);
        for (int i = 0; i < 15; i++) usleep(100000);
    }
    burn();
    while (wait(NULL) > 0) continue;
    printf("%d\n", n_got);
    return 0;
}
