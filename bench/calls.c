// bench/calls.c - what the calls cost that a program makes of libpprof itself, by the thread's CPU
// clock. Room: labels, custom profiles, stacks of fibers, and a mapping as the hooks record it.
// Prints the least of many batches for each.
#include "measure.h"

#include "pprof.h"

#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

enum { N_BATCHES = 15, PAGE = 4096 };

static pprof_labels *labels;
static pprof_profile *profile;

static void measure(const char *what, int n, void (*fn)(void)) {
    double least = 1e18;
    for (int k = 0; k < N_BATCHES; k++) {
        double before = cpu_ns();
        for (int i = 0; i < n; i++) fn();
        double each = (cpu_ns() - before) / n;
        if (each < least) least = each;
    }
    printf("%-52s %8.1f ns\n", what, least);
}

static void nothing(void *arg) {
    __asm__ volatile("" ::"r"(arg));
}

static void do_labels(void) {
    pprof_do(labels, nothing, NULL);
}

static void do_scope(void) {
    PPROF_SCOPE("endpoint", "/search");
}

static void do_set(void) {
    pprof_set_labels(labels);
}

static void do_profile(void) {
    pprof_profile_add(profile, profile, 0);
    pprof_profile_remove(profile, profile);
}

static void do_stack(void) {
    pprof_stack_unregister(pprof_stack_register(labels, PAGE));
}

static void do_map(void) {
    void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(p, PAGE);
}

int main(void) {
    labels = pprof_labels_new(NULL, PPROF_LABELS("endpoint", "/search"));
    profile = pprof_new_profile("bench/calls", NULL);
    measure("pprof_do with a set made before", 100000, do_labels);
    measure("a scope with a label of its own", 50000, do_scope);
    measure("pprof_set_labels", 100000, do_set);
    measure("pprof_do over other labels", 50000, do_labels);
    measure("pprof_profile_add and _remove, 5 frames", 20000, do_profile);
    measure("pprof_stack_register and _unregister", 20000, do_stack);
    measure("mmap and munmap of a page, recorded", 3000, do_map);
    return 0;
}
