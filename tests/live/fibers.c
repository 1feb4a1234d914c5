// tests/live/fibers.c - fibers by ucontext: each uses CPU time and allocates 600 KiB deep in its
// own stack, and waits there in the kernel. Room: "plain" leaves the stacks unregistered, which the
// unwinder follows for 256 KiB.
#include "pprof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

enum { N_FIBERS = 3, STACK_BYTES = 1 << 20, DEPTH = 300, N_ROUNDS = 20 };

static ucontext_t home, fibers[N_FIBERS];
static volatile unsigned long sink;
static void *volatile kept;

__attribute__((noinline)) static void burn(void) {
    clock_t end = clock() + CLOCKS_PER_SEC / 100;
    while (clock() < end)
        for (int i = 0; i < 10000; i++) sink++;
    kept = malloc(1 << 20);
    struct timespec time = {.tv_nsec = 2000000};
    nanosleep(&time, NULL);
}

__attribute__((noinline)) static void descend(int n) {
    volatile char pad[2000];
    pad[0] = (char)n;
    if (n)
        descend(n - 1);
    else
        burn();
    sink += (unsigned char)pad[0];
}

static void fiber_main(int i) {
    for (;;) {
        descend(DEPTH);
        swapcontext(&fibers[i], &home);
    }
}

static int write_profile(const char *name, const char *file) {
    FILE *f = fopen(file, "w");
    const struct pprof_bytes *bytes = pprof_profile_bytes(pprof_lookup(name), 0, NULL);
    if (!f || !bytes || fwrite(bytes->data, 1, bytes->len, f) != bytes->len) return 1;
    pprof_bytes_free(bytes);
    return fclose(f);
}

int main(int argc, char **argv) {
    unsigned ids[N_FIBERS] = {0};
    for (int i = 0; i < N_FIBERS; i++) {
        char *stack =
            mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        getcontext(&fibers[i]);
        fibers[i].uc_stack.ss_sp = stack;
        fibers[i].uc_stack.ss_size = STACK_BYTES;
        if (argc < 2 || strcmp(argv[1], "plain") != 0)
            ids[i] = pprof_stack_register(stack, STACK_BYTES);
        makecontext(&fibers[i], (void (*)(void))(void *)fiber_main, 1, i);
    }
    for (int k = 0; k < N_ROUNDS; k++)
        for (int i = 0; i < N_FIBERS; i++) swapcontext(&home, &fibers[i]);
    int failed = write_profile("heap", "heap.pb.gz");
    for (int i = 0; i < N_FIBERS; i++) pprof_stack_unregister(ids[i]);
    return failed;
}
