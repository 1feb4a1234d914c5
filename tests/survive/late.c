// tests/survive/late.c - a program that loads libpprof when it has long begun, as a plugin does,
// after libraries that used up thread-local memory. native.md rows 28 and 37.
// Room: the program. usage: late LIBPPROF ADDRESS SECONDS [LIBRARY...]; prints "serving ADDRESS",
// works for SECONDS of wall time in two threads, and prints "fine".
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { N_THREADS = 2 };

static _Atomic bool is_over;

__attribute__((noinline)) static unsigned late_work(unsigned n) {
    unsigned sum = 0;
    for (volatile unsigned i = 0; i < n; i++) sum += i;
    return sum;
}

static void *work(void *arg) {
    (void)arg;
    while (!is_over) {
        late_work(100000);
        free(malloc(100000));
    }
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t threads[N_THREADS];
    char why[1024] = "";
    if (argc < 4) return 2;
    for (int i = 0; i < N_THREADS; i++) pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 4; i < argc; i++)
        if (!dlopen(argv[i], RTLD_NOW)) return fprintf(stderr, "%s\n", dlerror()), 3;
    void *library = dlopen(argv[1], RTLD_NOW);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 3;
    bool (*serve)(const char *, char *);
    const char *(*address)(void);
    *(void **)&serve = dlsym(library, "pprof_serve");
    *(void **)&address = dlsym(library, "pprof_address");
    if (!serve(argv[2], why)) return fprintf(stderr, "%s\n", why), 4;
    printf("serving %s\n", address());
    fflush(stdout);
    sleep((unsigned)strtoul(argv[3], NULL, 10));
    is_over = true;
    for (int i = 0; i < N_THREADS; i++) pthread_join(threads[i], NULL);
    puts("fine");
    return 0;
}
