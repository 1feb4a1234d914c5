// bench/trace_write.c - what one event of a trace costs the thread that writes it, by its CPU
// clock. Room: the measured loops; nobody takes the records, and there is room for all of them.
// Prints the median of the batches, in ns an event.
#include "measure.h"

#include "agent/hot/hot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    N_EVENTS = 20000, // of a batch
    N_BATCHES = 15,   // of a measure: with warming up 1.3 million records in all, of 2 million
    DEPTH = 16,       // frames of the stack: redis' have 12
};

static void event(void) {
    trace_put(TRACE_MARK_WOKEN, TRACE_NO_STACK, 0);
}

static void event_with_stack(void) {
    trace_put(TRACE_MARK_SYNC, trace_stack_here(CALLER), 0);
}

static void wait_of_a_hook(void) {
    struct wait_scope scope;
    wait_begin(&scope, WAIT_IO, NULL, CALLER);
    wait_end(&scope, true);
}

static void measure(const char *name, void (*once)(void)) {
    double ns[N_BATCHES + 1];
    for (u32 i = 0; i <= N_BATCHES; i++) {
        double begin = cpu_ns();
        for (u32 k = 0; k < N_EVENTS; k++) once();
        ns[i] = (cpu_ns() - begin) / N_EVENTS;
    }
    qsort(ns + 1, N_BATCHES, sizeof *ns, by_value); // the first one warms up
    printf("%s %.1f ns\n", name, ns[1 + N_BATCHES / 2]);
}

static __attribute__((noinline)) void deeper(u32 depth) {
    if (depth > 0) {
        deeper(depth - 1);
    } else {
        measure("event", event);
        measure("event with stack", event_with_stack);
        measure("wait, two events and a stack", wait_of_a_hook);
    }
    __asm__ volatile(""); // no tail call: every depth is a frame
}

int main(void) {
    if (!threads_init() || !stacks_init() || !unwind_init() || !trace_hot_init()) return 1;
    trace_hot_switch(true);
    deeper(DEPTH);
    trace_hot_switch(false);
    if (atomic_load(&hot_thread.trace->n_lost)) return 1;
    return 0;
}
