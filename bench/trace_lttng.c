// bench/trace_lttng.c - what one event costs with lttng-ust, as trace_write.c measures ours.
// Room: the measured loop; bench/run has a session record it. Prints the median of the batches, in
// ns an event.
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "measure.h"

#include "trace_lttng.def"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { N_EVENTS = 20000, N_BATCHES = 15 }; // as in trace_write.c

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
