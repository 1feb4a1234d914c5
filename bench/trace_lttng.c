// bench/trace_lttng.c - what one event costs with lttng-ust, as trace_write.c measures ours.
// Room: the measured loop; bench/run has a session record it. Prints the median of the batches, in
// ns an event.
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "trace_lttng.def"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { N_EVENTS = 20000, N_BATCHES = 15 }; // as in trace_write.c

static double cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(void) {
    double ns[N_BATCHES + 1];
    for (unsigned i = 0; i <= N_BATCHES; i++) {
        double begin = cpu_ns();
        for (unsigned k = 0; k < N_EVENTS; k++) lttng_ust_tracepoint(pprof_bench, event, i, k);
        ns[i] = (cpu_ns() - begin) / N_EVENTS;
    }
    qsort(ns + 1, N_BATCHES, sizeof *ns, by_value); // the first one warms up
    printf("event %.1f ns\n", ns[1 + N_BATCHES / 2]);
    return 0;
}
