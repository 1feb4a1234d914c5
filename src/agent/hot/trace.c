// agent/hot/trace.c - writing records: chunks, streams, the clock.
// Room: memory and order; what is recorded when is trace_events.c's. Door: agent/hot/trace.h.
#include "agent/hot/trace.h"

#include "agent/hot/stacks.h"
#include "agent/hot/unwind.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum {
    STACK_FRAMES = 128, // the format's own limit; 1 KiB of the thread's stack
    HOOK_FRAMES = 8,    // innermost frames among which the program's first is looked for
    INVARIANT_TSC = 1 << 8,
    POWER_LEAF = (int)0x80000007,
};

_Static_assert(sizeof(struct trace_chunk) == 4096, "a page");
_Static_assert(sizeof(struct trace_stream) == 64, "a line of the cache");

struct trace_hot trace_hot;

// The counter runs steadily and alike on all CPUs where the processor says so and the kernel, which
// watched it, uses it for its own clock.
static bool counter_is_good(void) {
#if defined(__x86_64__)
    u32 a = 0, b = 0, c = 0, d = 0;
    char name[16] = "";
    if (!__get_cpuid((u32)POWER_LEAF, &a, &b, &c, &d) || !(d & INVARIANT_TSC)) return false;
    int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                  O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, name, sizeof name - 1);
    close(fd);
    return n >= 3 && memcmp(name, "tsc", 3) == 0;
#else
    return true; // aarch64: the generic timer is what the kernel's clock is made of
#endif
}

static u64 ticks_of_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}

static inline u64 ticks_now(void) {
    if (!LIKELY(trace_hot.has_counter)) return ticks_of_clock();
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    u64 ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return ticks_of_clock();
#endif
}

u64 trace_ticks(void) {
    return ticks_now();
}

bool trace_hot_init(void) {
    if (trace_hot.chunks) return true;
    size_t chunks_len = sizeof(struct trace_chunk) * TRACE_MAX_CHUNKS;
    size_t streams_len = sizeof(struct trace_stream) * TRACE_MAX_STREAMS;
    char *all = mmap(NULL, chunks_len + streams_len, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) return false;
    trace_hot.has_counter = counter_is_good();
    trace_hot.chunks = (struct trace_chunk *)(void *)all;
    trace_hot.streams = (struct trace_stream *)(void *)(all + chunks_len);
    return true;
}

// Lists of free things: the head's upper half changes with every change, so that a thread that was
// away while an entry left and came back does not take it for untouched.
static u32 list_pop(_Atomic u64 *head, _Atomic u32 *(*link)(u32)) {
    u64 seen = atomic_load_explicit(head, memory_order_acquire);
    while ((u32)seen) {
        u64 next = atomic_load_explicit(link((u32)seen), memory_order_relaxed);
        u64 fresh = (((seen >> 32) + 1) << 32) | next;
        if (atomic_compare_exchange_weak_explicit(head, &seen, fresh, memory_order_acq_rel,
                                                  memory_order_acquire))
            return (u32)seen;
    }
    return 0;
}

static void list_push(_Atomic u64 *head, _Atomic u32 *(*link)(u32), u32 item) {
    u64 seen = atomic_load_explicit(head, memory_order_relaxed), fresh;
    do {
        atomic_store_explicit(link(item), (u32)seen, memory_order_relaxed);
        fresh = (((seen >> 32) + 1) << 32) | item;
    } while (!atomic_compare_exchange_weak_explicit(head, &seen, fresh, memory_order_acq_rel,
                                                    memory_order_relaxed));
}

static _Atomic u32 *chunk_link(u32 chunk) {
    return &trace_hot.chunks[chunk - 1].next;
}

static _Atomic u32 *stream_link(u32 stream) {
    return &trace_hot.streams[stream - 1].next;
}

// A free one, else one never used, else 0.
static u32 take(_Atomic u64 *head, _Atomic u32 *(*link)(u32), _Atomic u32 *n_used, u32 max) {
    u32 item = list_pop(head, link);
    if (item || atomic_load_explicit(n_used, memory_order_relaxed) >= max) return item;
    item = atomic_fetch_add_explicit(n_used, 1, memory_order_relaxed) + 1;
    return item <= max ? item : 0;
}

static u32 chunk_take(void) {
    u32 chunk = take(&trace_hot.free_chunks, chunk_link, &trace_hot.n_chunks, TRACE_MAX_CHUNKS);
    if (!chunk) return 0;
    atomic_store_explicit(&trace_hot.chunks[chunk - 1].n, 0, memory_order_relaxed);
    atomic_store_explicit(&trace_hot.chunks[chunk - 1].next, 0, memory_order_relaxed);
    return chunk;
}

void trace_chunk_free(u32 chunk) {
    list_push(&trace_hot.free_chunks, chunk_link, chunk);
}

void trace_stream_free(u32 stream) {
    list_push(&trace_hot.free_streams, stream_link, stream);
}

static void stream_list(u32 stream) {
    u32 seen = atomic_load_explicit(&trace_hot.fresh, memory_order_relaxed);
    do {
        atomic_store_explicit(stream_link(stream), seen, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&trace_hot.fresh, &seen, stream,
                                                    memory_order_release, memory_order_relaxed));
}

static struct trace_stream *stream_attach(void) {
    u32 item = take(&trace_hot.free_streams, stream_link, &trace_hot.n_streams, TRACE_MAX_STREAMS);
    if (!item) return NULL;
    struct trace_stream *stream = &trace_hot.streams[item - 1];
    memset(stream, 0, sizeof *stream);
    atomic_store(&stream->tid, hot_thread.tid ? hot_thread.tid : (u32)gettid());
    stream->start_pc = hot_thread.slot ? hot_thread.slot->start_pc : 0;
    hot_thread.trace = stream;
    stream_list(item);
    return stream;
}

// Room for n records in one piece: in the chunk at hand, or in a fresh one linked to it.
static struct trace_chunk *chunk_with(struct trace_stream *stream, u32 n) {
    struct trace_chunk *chunk = stream->chunk ? &trace_hot.chunks[stream->chunk - 1] : NULL;
    if (LIKELY(chunk) &&
        LIKELY(atomic_load_explicit(&chunk->n, memory_order_relaxed) + n <= TRACE_CHUNK_RECORDS))
        return chunk;
    u32 fresh = chunk_take();
    if (!fresh) return NULL;
    atomic_store_explicit(chunk ? &chunk->next : &stream->first, fresh, memory_order_release);
    stream->chunk = fresh;
    return &trace_hot.chunks[fresh - 1];
}

// A handler that lands in here finds is_tracing set, and its record is lost.
static struct trace_chunk *begin(u32 n) {
    struct trace_stream *stream = hot_thread.trace;
    if (!LIKELY(!hot_thread.is_tracing)) {
        atomic_fetch_add_explicit(&trace_hot.n_lost, 1, memory_order_relaxed);
        return NULL;
    }
    hot_thread.is_tracing = true;
    atomic_signal_fence(memory_order_seq_cst);
    if (!LIKELY(stream)) stream = stream_attach();
    struct trace_chunk *chunk = stream ? chunk_with(stream, n) : NULL;
    if (LIKELY(chunk)) return chunk;
    if (stream)
        atomic_fetch_add_explicit(&stream->n_lost, 1, memory_order_relaxed);
    else
        atomic_fetch_add_explicit(&trace_hot.n_lost, 1, memory_order_relaxed);
    hot_thread.is_tracing = false;
    return NULL;
}

static void end(struct trace_chunk *chunk, u32 n) {
    atomic_store_explicit(&chunk->n, n, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
    hot_thread.is_tracing = false;
}

static u64 word_of(enum trace_mark mark, u32 stack, u32 arg) {
    return (u64)mark << 56 | (u64)(stack & TRACE_NO_STACK) << 32 | arg;
}

void trace_put(enum trace_mark mark, u32 stack, u32 arg) {
    struct trace_chunk *chunk = begin(1);
    if (!LIKELY(chunk)) return;
    u32 n = atomic_load_explicit(&chunk->n, memory_order_relaxed);
    chunk->records[n] = (struct trace_record){ticks_now(), word_of(mark, stack, arg)};
    end(chunk, n + 1);
}

void trace_put_text(enum trace_mark mark, u32 stack, u64 id, u64 parent, str name, str value) {
    enum { UNIT = sizeof(struct trace_record) };
    struct trace_text head = {.id = id, .parent = parent};
    head.name_len = (u32)(name.len < TRACE_MAX_TEXT ? name.len : TRACE_MAX_TEXT);
    head.value_len = (u32)(value.len < TRACE_MAX_TEXT ? value.len : TRACE_MAX_TEXT);
    u32 n_text = (u32)((sizeof head + head.name_len + head.value_len + UNIT - 1) / UNIT);
    struct trace_chunk *chunk = begin(1 + n_text);
    if (!chunk) return;
    u32 n = atomic_load_explicit(&chunk->n, memory_order_relaxed);
    struct trace_text *text = (struct trace_text *)(void *)&chunk->records[n + 1];
    *text = head;
    if (name.len) memcpy(text->bytes, name.p, head.name_len);
    if (value.len) memcpy(text->bytes + head.name_len, value.p, head.value_len);
    chunk->records[n] = (struct trace_record){ticks_now(), word_of(mark, stack, 1 + n_text)};
    end(chunk, n + 1 + n_text);
}

u32 trace_stack_here(const void *caller) {
    u64 pcs[STACK_FRAMES], first = (u64)(uintptr_t)caller - 1;
    struct unwound got = unwind_here(pcs, STACK_FRAMES, 0);
    u32 skip = 0;
    while (skip < got.n && skip < HOOK_FRAMES && pcs[skip] != first) skip++;
    if (skip == got.n || skip == HOOK_FRAMES) skip = 0;
    return got.n ? stack_intern(pcs + skip, got.n - skip) : TRACE_NO_STACK;
}

void trace_thread_ended(void) {
    struct trace_stream *stream = hot_thread.trace;
    if (stream) {
        trace_put(TRACE_MARK_ENDED, TRACE_NO_STACK, 0);
        hot_thread.trace = NULL;
        atomic_store_explicit(&stream->is_over, 1, memory_order_release);
    }
    hot_thread.is_tracing = true; // destructors that still run would make it a thread of its own
}

void trace_hot_after_fork_child(void) {
    trace_hot_switch(false);
    memset(&trace_hot, 0, sizeof trace_hot); // the memory is a copy nobody needs; a trace of the
                                             // child takes its own
    hot_thread.trace = NULL;
    hot_thread.is_tracing = false;
}
