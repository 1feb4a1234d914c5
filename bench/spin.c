// bench/spin.c - a loop at a known depth, for measuring what one CPU sample costs.
// Room: the loop; who samples it is bench/run's. usage: spin SECONDS [DEPTH]
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint32_t spin(double seconds) {
    uint32_t value = 1;
    while (cpu_s() < seconds) {
        for (unsigned i = 0; i < 1000000; i++) value = value * 1664525 + 1013904223;
    }
    return value;
}

// Not inlined and not a tail call: each level is a frame to unwind.
__attribute__((noinline)) static uint32_t descend(int depth, double seconds) {
    if (depth == 0) return spin(seconds);
    volatile uint32_t below = descend(depth - 1, seconds);
    return below + 1;
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
    int depth = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 20;
    printf("%u\n", descend(depth, seconds));
    return 0;
}
