// bench/trace_lanes.c - what the timeline of a trace costs: usage: trace_lanes TRACE
// Prints "name value" lines: events, cpu_s (reading, lanes and sums in one pass), bytes_event (kept
// by lanes), peak_mib, and the milliseconds of drawing 64 goroutines at three zooms.
#include "trace/trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

enum { LANES = 64, SLICES = 1440 };

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static str map(const char *path) {
    struct stat st;
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) exit(2);
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) exit(2);
    return (str){p, (size_t)st.st_size};
}

static bool draw(struct arena *arena, const struct trace_lanes *l, i64 t0, i64 t1, double *ms) {
    const struct lane_set *set = &l->sets[LANES_GOROUTINE];
    struct lane_sum *sums = NEW(arena, struct lane_sum, SLICES);
    i64 width = (t1 - t0) / SLICES + 1;
    double start = cpu_s();
    u64 n = 0;
    for (u32 i = 0; i < LANES && i < set->n; i++) {
        lane_fill(&l->store, &set->lanes[i], t0, width, SLICES, sums);
        n += sums[0].n;
    }
    *ms = (cpu_s() - start) * 1e3;
    return n > 0;
}

int main(int argc, char **argv) {
    struct arena arena = {0}, kept = {0};
    struct trace_reader *r;
    struct trace_event ev;
    struct trace_lanes lanes;
    struct trace_stats stats;
    struct err err = {0};
    struct rusage usage;
    double whole, tenth, thousandth;
    if (argc != 2 || !trace_open(&arena, map(argv[1]), &r, &err)) return 2;
    double start = cpu_s();
    struct trace_stats_maker *maker = trace_stats_new(&arena);
    trace_lanes_init(&lanes, &kept);
    while (trace_next(r, &ev)) {
        trace_lanes_event(&lanes, r, &ev);
        trace_stats_event(maker, r, &ev);
    }
    trace_stats_done(maker, &stats);
    trace_lanes_done(&lanes);
    double spent = cpu_s() - start;
    i64 end = lanes.end_ns;
    (void)draw(&arena, &lanes, 0, end, &whole);
    (void)draw(&arena, &lanes, end / 2, end / 2 + end / 10, &tenth);
    (void)draw(&arena, &lanes, end / 2, end / 2 + end / 1000, &thousandth);
    getrusage(RUSAGE_SELF, &usage);
    printf("events %llu\ncpu_s %.3f\nbytes_event %.1f\npeak_mib %ld\n",
           (unsigned long long)lanes.n_events, spent,
           (double)kept.used_bytes / (double)lanes.n_events, usage.ru_maxrss >> 10);
    printf("whole_ms %.2f\ntenth_ms %.2f\nthousandth_ms %.2f\n", whole, tenth, thousandth);
    trace_close(r);
    return 0;
}
