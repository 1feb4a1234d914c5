// bench/measure.h - CPU time of a piece of code, and the order of its measures.
// Room: what the programs of bench/ share. Door: this file.
#pragma once

#include <stdlib.h>
#include <time.h>

// Nanoseconds of CPU the calling thread has used.
static inline double cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

// For qsort of doubles.
static inline int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}
