// bench/unwind.c - what one frame of an unwind costs, beside libunwind and libgcc in the same run.
// Room: one stack of 35 frames through functions of different shapes and libc's qsort; every method
// walks the same stack in turns. Figures are medians of batches on the thread's CPU clock.
// Rules anew: every rule of the stack is worked out again, as after a dlclose. Cold memory: another
// 32 MiB were read between two walks, as a server's work between two samples does; what the clock
// itself takes then, a system call on cold memory, is taken off. Beside it stands what one load
// takes here that misses every cache, to count the misses of a frame by.
#include "agent/hot/hot.h"
#include "agent/hot/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unwind.h>

#ifdef HAVE_LIBUNWIND
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#endif

enum {
    DEPTH = 35,
    BATCHES = 61,      // an odd number has a median
    WALKS = 200,       // of a warm batch
    TRASH = 32 << 20,  // more than the last level of cache a guest gets
    COLD_BATCHES = 41, // each one walk
    LINE = 64,
    CHAINED = 200000, // loads, each from where the one before says
};

static u64 pcs[MAX_FRAMES];
static u64 n_frames;
static u8 *trash;
static double clock_ns, load_ns; // the clock on cold memory; a load that misses every cache

struct method {
    const char *name;
    u32 (*walk)(void);
    double warm_ns, cold_ns;
    u32 frames;
};

static u64 now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, u32 n) {
    qsort(values, n, sizeof *values, compare_doubles);
    return values[n / 2];
}

static u32 walk_ours(void) {
    return unwind_here(pcs, MAX_FRAMES, 0).n;
}

// The same with an empty rule cache: only rule_miss is timed in, see main.
static u32 walk_rules(void) {
    for (u32 i = 0; i < n_frames; i++) rule_miss(pcs[i]);
    return (u32)n_frames;
}

static _Unwind_Reason_Code count_frame(struct _Unwind_Context *context, void *n) {
    pcs[(*(u32 *)n)++] = _Unwind_GetIP(context);
    return _URC_NO_REASON;
}

static u32 walk_libgcc(void) {
    u32 n = 0;
    _Unwind_Backtrace(count_frame, &n);
    return n;
}

#ifdef HAVE_LIBUNWIND
static u32 walk_unw_backtrace(void) {
    return (u32)unw_backtrace((void **)pcs, MAX_FRAMES);
}

static u32 walk_unw_step(void) {
    unw_context_t context;
    unw_cursor_t cursor;
    unw_word_t ip;
    u32 n = 0;
    unw_getcontext(&context);
    unw_init_local(&cursor, &context);
    do {
        unw_get_reg(&cursor, UNW_REG_IP, &ip);
        pcs[n++] = ip;
    } while (unw_step(&cursor) > 0);
    return n;
}
#endif

static struct method methods[] = {
    {.name = "ours, warm rules", .walk = walk_ours},
    {.name = "ours, rules anew", .walk = walk_rules},
#ifdef HAVE_LIBUNWIND
    {.name = "libunwind unw_backtrace", .walk = walk_unw_backtrace},
    {.name = "libunwind unw_step", .walk = walk_unw_step},
#endif
    {.name = "libgcc _Unwind_Backtrace", .walk = walk_libgcc},
};

static double time_walks(struct method *m, u32 n) {
    u64 start = now_ns();
    for (u32 i = 0; i < n; i++) m->frames = m->walk();
    return (double)(now_ns() - start) / n / m->frames;
}

static void trash_caches(void) {
    u64 sum = 0;
    for (size_t i = 0; i < TRASH; i += 64) sum += trash[i];
    __asm__ volatile("" ::"r"(sum));
}

// Links the lines of trash into one circle in an order without pattern (Sattolo's shuffle), and
// follows it.
static double chain_ns(void) {
    u32 n = TRASH / LINE, *order = malloc(n * sizeof *order);
    u64 seed = 88172645463325252u, at = 0, sum = 0;
    for (u32 i = 0; i < n; i++) order[i] = i;
    for (u32 i = n - 1; i > 0; i--) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        u32 j = (u32)(seed % i), other = order[j];
        order[j] = order[i];
        order[i] = other;
    }
    for (u32 i = 0; i < n; i++) memcpy(trash + (u64)i * LINE, &order[i], sizeof *order);
    u64 start = now_ns();
    for (u32 i = 0; i < CHAINED; i++) {
        u32 next;
        memcpy(&next, trash + at * LINE, sizeof next);
        at = next;
        sum += next;
    }
    double ns = (double)(now_ns() - start) / CHAINED;
    __asm__ volatile("" ::"r"(sum));
    free(order);
    return ns;
}

static double cold_clock_ns(void) {
    static double cold[COLD_BATCHES];
    for (u32 b = 0; b < COLD_BATCHES; b++) {
        trash_caches();
        u64 start = now_ns();
        cold[b] = (double)(now_ns() - start);
    }
    return median(cold, COLD_BATCHES);
}

static void measure(void) {
    static double warm[countof(methods)][BATCHES], cold[countof(methods)][COLD_BATCHES];
    n_frames = walk_ours();
    load_ns = chain_ns();
    clock_ns = cold_clock_ns();
    for (u32 b = 0; b < BATCHES; b++) {
        for (u32 i = 0; i < countof(methods); i++) {
            walk_ours(); // walk_rules needs the stack's own pcs
            warm[i][b] = time_walks(&methods[i], WALKS);
        }
    }
    for (u32 b = 0; b < COLD_BATCHES; b++) {
        for (u32 i = 0; i < countof(methods); i++) {
            walk_ours();
            trash_caches();
            cold[i][b] = time_walks(&methods[i], 1);
        }
    }
    for (u32 i = 0; i < countof(methods); i++) {
        methods[i].warm_ns = median(warm[i], BATCHES);
        methods[i].cold_ns = median(cold[i], COLD_BATCHES) - clock_ns / methods[i].frames;
    }
}

static void go_down(u32 depth);

// Functions with different frames: registers saved, locals, a frame pointer, a realigned stack.
#define SHAPE(name, bytes, align)                                                                  \
    static __attribute__((noinline)) void name(u32 depth) {                                        \
        _Alignas(align) volatile u8 locals[bytes];                                                 \
        locals[0] = (u8)depth;                                                                     \
        go_down(depth);                                                                            \
        locals[bytes - 1] = locals[0];                                                             \
    }
SHAPE(shape_0, 8, 8)
SHAPE(shape_1, 24, 8)
SHAPE(shape_2, 40, 8)
SHAPE(shape_3, 200, 16)
SHAPE(shape_4, 1000, 16)
SHAPE(shape_5, 64, 64)

static __attribute__((noinline)) void shape_alloca(u32 depth) {
    volatile u8 *locals = __builtin_alloca(16 + depth);
    locals[0] = 1;
    go_down(depth);
    locals[1] = locals[0];
}

static int compare_going_down(const void *a, const void *b) {
    static bool is_busy;
    if (!is_busy) {
        is_busy = true;
        go_down(*(const u32 *)a);
    }
    return (a > b) - (a < b);
}

static void go_down(u32 depth) {
    static void (*const shapes[])(u32) = {shape_0, shape_1, shape_2,     shape_3,
                                          shape_4, shape_5, shape_alloca};
    if (walk_ours() >= DEPTH) {
        measure();
        return;
    }
    if (depth == 6) {
        u32 two[2] = {depth + 1, depth + 1};
        qsort(two, 2, sizeof *two, compare_going_down);
        return;
    }
    shapes[depth % countof(shapes)](depth + 1);
    __asm__ volatile("" ::: "memory");
}

int main(void) {
    unwind_init();
    trash = malloc(TRASH);
    memset(trash, 1, TRASH);
    go_down(0);
    printf("%-26s %8s %14s %20s\n", "", "frames", "warm ns/frame", "cold memory ns/frame");
    for (u32 i = 0; i < countof(methods); i++) {
        printf("%-26s %8u %14.1f %20.0f\n", methods[i].name, methods[i].frames, methods[i].warm_ns,
               methods[i].cold_ns);
    }
    printf("one load that misses every cache: %.0f ns\n", load_ns);
    return 0;
}
