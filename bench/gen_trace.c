// bench/gen_trace.c - writes a Go execution trace of any size: usage: gen_trace EVENTS > file
// A made-up scheduler runs GOROUTINES on PROCS threads: they start, wake others, block for reasons
// with stacks, make calls and allocate. The form is that of Go 1.26, with a generation every
// GENERATION events; `go tool trace` reads it.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

enum {
    PROCS = 8,
    GOROUTINES = 2000,
    GENERATION = 3300000, // events, as one second of a busy program has
    BATCH = 60000,        // bytes of one batch, below the limit of 64 KiB
    STACKS = 2000,
    PCS = 3000,
    FIRST_M = 100,
    BATCH_EVENT = 30, // bytes; the longest event written here
};

enum go_state { RUNNABLE = 1, RUNNING, IN_CALL, WAITING };

struct batch {
    u8 bytes[BATCH + 64];
    u32 len;
    u64 m, first, last; // times
};

static struct batch threads[PROCS], nobody;
static struct {
    u8 state;
    u64 seq;
} gos[GOROUTINES + 1];
static u32 queue[GOROUTINES + 1], queue_at, queue_n; // runnable, first in first out
static u32 running[PROCS];                           // 0: none
static u64 proc_seq[PROCS];
static u64 now = 1000, generation = 1, n_events, gen_events, seed = 88172645463325252u;

static u32 dice(u32 n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (u32)((seed >> 11) % n);
}

static void put(struct batch *b, u64 x) {
    for (; x >= 0x80; x >>= 7) b->bytes[b->len++] = (u8)(x | 0x80);
    b->bytes[b->len++] = (u8)x;
}

static void put_out(u64 x) {
    for (; x >= 0x80; x >>= 7) putchar_unlocked((int)(x & 0x7f) | 0x80);
    putchar_unlocked((int)x);
}

static void flush(struct batch *b) {
    if (b->len == 0) return;
    putchar_unlocked(1);
    put_out(generation);
    put_out(b->m);
    put_out(b->first);
    put_out(b->len);
    fwrite(b->bytes, 1, b->len, stdout);
    b->len = 0;
}

// Begins an event of n numbers behind the time.
static void event(struct batch *b, u8 type, u32 n, const u64 *args) {
    if (b->len > BATCH - BATCH_EVENT) flush(b);
    if (b->len == 0) b->first = b->last = now;
    b->bytes[b->len++] = type;
    put(b, now - b->last);
    b->last = now;
    for (u32 i = 0; i < n; i++) put(b, args[i]);
    n_events++;
    gen_events++;
}
#define EVENT(b, type, ...)                                                                        \
    event((b), (type), sizeof((u64[]){__VA_ARGS__}) / sizeof(u64), (u64[]){__VA_ARGS__})

static void push(u32 g) {
    queue[(queue_at + queue_n++) % (GOROUTINES + 1)] = g;
}

static u64 stack(void) {
    return 1 + (dice(4) ? dice(50) : dice(STACKS)); // few are hot
}

static void clock_batch(void) {
    struct batch b = {.m = UINT64_MAX, .first = now};
    b.bytes[b.len++] = 50;
    b.bytes[b.len++] = 8;
    put(&b, 15625000);
    b.bytes[b.len++] = 51;
    put(&b, 0);
    put(&b, now * 64);
    put(&b, 1700000000);
    put(&b, 0);
    flush(&b);
}

static void strings(void) {
    static const char *const reasons[] = {"sync", "chan receive", "network", "select", "sleep"};
    struct batch b = {.m = UINT64_MAX, .first = now};
    b.bytes[b.len++] = 4;
    for (u32 i = 1; i <= 5 + PCS; i++) {
        char name[64];
        if (i <= 5)
            snprintf(name, sizeof name, "%s", reasons[i - 1]);
        else
            snprintf(name, sizeof name, "example.com/program/part%u.(*Thing%u).Method%u", i % 40,
                     i % 300, i);
        if (b.len > BATCH - 100) {
            flush(&b);
            b.bytes[b.len++] = 4;
        }
        b.bytes[b.len++] = 5;
        put(&b, i);
        put(&b, strlen(name));
        memcpy(b.bytes + b.len, name, strlen(name));
        b.len += (u32)strlen(name);
    }
    flush(&b);
}

static void stacks(void) {
    struct batch b = {.m = UINT64_MAX, .first = now};
    b.bytes[b.len++] = 2;
    for (u32 i = 1; i <= STACKS; i++) {
        u32 n = 3 + i % 20;
        if (b.len > BATCH - 600) {
            flush(&b);
            b.bytes[b.len++] = 2;
        }
        b.bytes[b.len++] = 3;
        put(&b, i);
        put(&b, n);
        for (u32 k = 0; k < n; k++) {
            u32 pc =
                k + 1 == n ? i % 200 : (i * 31 + k * 7) % PCS; // few functions start goroutines
            put(&b, 0x400000 + pc * 16);
            put(&b, 6 + pc);
            put(&b, 6 + pc / 10);
            put(&b, 10 + pc % 900);
        }
    }
    flush(&b);
}

static void begin_generation(void) {
    gen_events = 0;
    clock_batch();
    for (u32 i = 0; i < PROCS; i++) {
        EVENT(&threads[i], 13, i, 1);
        proc_seq[i] = 0;
        if (running[i]) EVENT(&threads[i], 25, running[i], FIRST_M + i, RUNNING);
    }
    if (running[0]) EVENT(&threads[0], 9, PROCS, 0); // only a goroutine can say so
    for (u32 g = 1; g <= GOROUTINES; g++) {
        gos[g].seq = 0;
        if (gos[g].state != RUNNING) EVENT(&nobody, 25, g, UINT64_MAX, gos[g].state);
    }
}

static void end_generation(void) {
    for (u32 i = 0; i < PROCS; i++) flush(&threads[i]);
    flush(&nobody);
    stacks();
    strings();
    putchar_unlocked(52);
    generation++;
}

static void wake(struct batch *b) {
    for (u32 tries = 0; tries < 8; tries++) {
        u32 g = 1 + dice(GOROUTINES);
        if (gos[g].state != WAITING) continue;
        EVENT(b, 21, g, ++gos[g].seq, stack());
        gos[g].state = RUNNABLE;
        push(g);
        return;
    }
}

static void run(u32 t) {
    struct batch *b = &threads[t];
    u32 g = running[t], what = dice(100);
    if (g == 0) {
        if (queue_n == 0) {
            wake(b);
            return;
        }
        g = queue[queue_at];
        queue_at = (queue_at + 1) % (GOROUTINES + 1);
        queue_n--;
        EVENT(b, 16, g, ++gos[g].seq);
        gos[g].state = RUNNING;
        running[t] = g;
    } else if (what < 30) {
        wake(b);
    } else if (what < 65) {
        EVENT(b, 20, 1 + dice(5), stack());
        gos[g].state = WAITING;
        running[t] = 0;
    } else if (what < 85) {
        EVENT(b, 22, ++proc_seq[t], stack());
        now += dice(30);
        event(b, 23, 0, NULL);
    } else if (what < 95) {
        EVENT(b, 37, 4000000 + dice(4000000));
    } else {
        EVENT(b, 19, 1, stack());
        gos[g].state = RUNNABLE;
        running[t] = 0;
        push(g);
    }
}

int main(int argc, char **argv) {
    i64 want;
    if (argc != 2 || !num_parse_i64(str_of(argv[1]), 10, &want)) {
        fprintf(stderr, "usage: gen_trace EVENTS > file\n");
        return 2;
    }
    fwrite("go 1.26 trace\0\0\0", 1, 16, stdout);
    nobody.m = UINT64_MAX;
    for (u32 i = 0; i < PROCS; i++) threads[i].m = FIRST_M + i;
    for (u32 g = 1; g <= GOROUTINES; g++) {
        gos[g].state = g % 2 ? WAITING : RUNNABLE;
        if (gos[g].state == RUNNABLE) push(g);
    }
    gos[1].state = RUNNING;
    running[0] = 1;
    begin_generation();
    while (n_events < (u64)want) {
        now += 1 + dice(4);
        run(dice(PROCS));
        if (gen_events < GENERATION) continue;
        end_generation();
        begin_generation();
    }
    end_generation();
    return fflush(stdout) == 0 ? 0 : 1;
}
