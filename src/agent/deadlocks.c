// agent/deadlocks.c - threads that wait for each other in a circle.
// Room: see deadlocks.h. Each thread waits for one other at most, so a walk along them either ends
// or comes back. Readers of a read-write lock and what conditions and semaphores wait for are not
// known to anybody: circles through them are not seen.
#include "agent/deadlocks.h"

#include <string.h>

enum { TEXT_MAX = 16 << 10 }; // a circle of 100 threads; further ones are cut

u32 deadlocks_next(const struct thread_dumps *dumps, u32 i) {
    u32 tid = dumps->items[i].object.holder, lo = 0, hi = dumps->n;
    if (!tid || !dumps->items[i].object.word) return U32_NONE;
    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;
        if (dumps->items[mid].tid < tid)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < dumps->n && dumps->items[lo].tid == tid ? lo : U32_NONE;
}

static u32 index_of(const struct thread_dumps *dumps, u32 tid) {
    for (u32 i = 0; i < dumps->n; i++)
        if (dumps->items[i].tid == tid) return i;
    return U32_NONE;
}

// Whether the thread waits in both looks for the same, and has not run in between.
static bool has_stayed(const struct thread_dump *then, const struct thread_dumps *now) {
    u32 i = index_of(now, then->tid);
    if (i == U32_NONE) return false;
    const struct thread_dump *thread = &now->items[i];
    return thread->moves == then->moves && thread->object.address == then->object.address &&
           thread->object.holder == then->object.holder;
}

static bool circle_stays(const struct thread_dumps *then, u32 first,
                         const struct thread_dumps *now) {
    u32 i = first;
    do {
        if (!has_stayed(&then->items[i], now)) return false;
        i = deadlocks_next(then, i);
    } while (i != first);
    return true;
}

static void put_circle(struct buf *b, const struct thread_dumps *dumps, u32 first) {
    u32 i = first;
    buf_printf(b, "%sdeadlock: ", b->len ? "; " : "");
    do {
        const struct thread_dump *thread = &dumps->items[i];
        if (i != first) buf_put(b, S(", "));
        buf_printf(b, "thread %u (" S_FMT ") waits for " S_FMT, thread->tid, S_ARG(thread->name),
                   S_ARG(thread->wait_info));
        i = deadlocks_next(dumps, i);
    } while (i != first);
}

// Marks the walk from thread i with i + 1; gives a thread of a circle that was not walked before.
static u32 circle_from(const struct thread_dumps *dumps, u32 *walk_of, u32 i) {
    u32 walk = i + 1;
    while (i != U32_NONE && !walk_of[i]) {
        walk_of[i] = walk;
        i = deadlocks_next(dumps, i);
    }
    return i != U32_NONE && walk_of[i] == walk ? i : U32_NONE;
}

static bool look(struct arena *out, bool describes, struct thread_dumps *ret) {
    struct err err;
    struct look_opts opts = {.max = MAX_DUMP_THREADS, .describes = describes};
    return threads_look(out, &opts, ret, &err);
}

str deadlocks_text(struct arena *out, const struct thread_dumps *dumps) {
    struct buf b = buf_new(out, TEXT_MAX);
    u32 *walk_of = NEW(out, u32, dumps->n + 1);
    struct thread_dumps again = {0};
    for (u32 i = 0; i < dumps->n; i++) {
        u32 first = circle_from(dumps, walk_of, i);
        if (first == U32_NONE) continue;
        if (!again.items && !look(out, false, &again)) break;
        if (circle_stays(dumps, first, &again)) put_circle(&b, dumps, first);
    }
    return buf_str(&b);
}

str deadlocks_now(struct arena *out) {
    struct thread_dumps dumps;
    return look(out, true, &dumps) ? deadlocks_text(out, &dumps) : (str){0};
}
