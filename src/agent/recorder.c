// agent/recorder.c - the flight recorder: the last seconds of a trace, kept until somebody asks.
// Room: which generations are kept, and the variable that says so. Door: agent/trace.h.
#include "agent/trace_inner.h"

#include <event2/buffer.h>
#include <string.h>

enum { MAX_KEPT = 1024, NS_A_MS = 1000 * 1000 }; // generations: more come only of a bound too large

// One generation; its bytes lie in its arena.
struct kept {
    struct arena arena;
    str bytes;
    u64 end_ns;
};

static struct {
    bool is_running;
    u64 age_ms;
    size_t max_bytes, n_bytes;
    struct kept kept[MAX_KEPT]; // from first on, oldest first
    u32 first, n;
} recorder PAGE_ALIGNED; // of the agent thread

static void drop_oldest(void) {
    struct kept *oldest = &recorder.kept[recorder.first % MAX_KEPT];
    recorder.n_bytes -= oldest->bytes.len;
    arena_done(&oldest->arena);
    recorder.first++;
    recorder.n--;
}

// The generation after the oldest must reach back far enough alone before the oldest goes.
static bool oldest_is_old(u64 now_ns) {
    const struct kept *oldest = &recorder.kept[recorder.first % MAX_KEPT];
    return recorder.n > 1 && oldest->end_ns + recorder.age_ms * NS_A_MS < now_ns;
}

void recorder_take(str generation, u64 end_ns) {
    jmp_buf no_memory;
    struct arena arena;
    if (!recorder.is_running || generation.len == 0) return;
    while (recorder.n > 0 && (recorder.n == MAX_KEPT || oldest_is_old(end_ns) ||
                              recorder.n_bytes + generation.len > recorder.max_bytes))
        drop_oldest();
    arena_init(&arena);
    arena.on_oom = &no_memory;
    if (setjmp(no_memory)) return; // this one is missing, and with it what a reader needs of it
    str bytes = str_copy(&arena, generation);
    recorder.kept[(recorder.first + recorder.n++) % MAX_KEPT] =
        (struct kept){.arena = arena, .bytes = bytes, .end_ns = end_ns};
    recorder.n_bytes += bytes.len;
}

bool recorder_start(u64 age_ms, size_t max_bytes, u32 version, struct err *err) {
    if (recorder.is_running)
        return err_set(err, ERR_BUSY, 0, "cannot enable more than one flight recorder");
    if (!tracer_begin(version, err)) return false;
    recorder.age_ms = age_ms;
    recorder.max_bytes = max_bytes;
    recorder.is_running = true;
    return true;
}

void recorder_stop(void) {
    recorder.is_running = false;
    while (recorder.n > 0) drop_oldest();
    if (!trace_is_running()) tracer_end();
}

bool recorder_is_running(void) {
    return recorder.is_running;
}

bool recorder_write(struct evbuffer *to, struct err *err) {
    if (!recorder.is_running)
        return err_set(err, ERR_NOT_FOUND, 0,
                       "the flight recorder is off: PPROF_FLIGHT_RECORDER=10s,16MiB");
    tracer_finish();
    str header = trace_write_header(tracer.version);
    evbuffer_add(to, header.p, header.len);
    for (u32 i = 0; i < recorder.n; i++) {
        str bytes = recorder.kept[(recorder.first + i) % MAX_KEPT].bytes;
        evbuffer_add(to, bytes.p, bytes.len);
    }
    return true;
}

static bool parse_unit(str text, const char *const *units, const u64 *factors, u32 n, u64 *ret) {
    size_t digits = 0;
    u64 value;
    while (digits < text.len && text.p[digits] >= '0' && text.p[digits] <= '9') digits++;
    if (!num_parse_u64(str_take(text, digits), 10, &value)) return false;
    for (u32 i = 0; i < n; i++) {
        if (!str_eq(str_skip(text, digits), str_of(units[i]))) continue;
        *ret = value * factors[i];
        return value > 0 && value < 1u << 31;
    }
    return false;
}

static bool parse_part(str text, u64 *age_ms, size_t *max_bytes) {
    static const char *const times[] = {"ms", "s", "m"};
    static const u64 ms[] = {1, 1000, 60000};
    static const char *const sizes[] = {"KiB", "MiB", "GiB", "kB", "MB", "GB", "B"};
    static const u64 bytes[] = {1 << 10, 1 << 20, 1 << 30, 1000, 1000000, 1000000000, 1};
    u64 size;
    if (parse_unit(text, times, ms, countof(times), age_ms)) return true;
    if (!parse_unit(text, sizes, bytes, countof(sizes), &size)) return false;
    *max_bytes = size < RECORDER_BYTES_MAX ? size : (size_t)RECORDER_BYTES_MAX;
    return true;
}

bool recorder_parse(str text, u64 *age_ms, size_t *max_bytes) {
    str first, second;
    *age_ms = RECORDER_AGE_MS_DEFAULT;
    *max_bytes = RECORDER_BYTES_DEFAULT;
    if (str_eq(text, S("1"))) return true;
    str_cut(text, ',', &first, &second);
    return parse_part(str_trim(first), age_ms, max_bytes) &&
           (second.len == 0 || parse_part(str_trim(second), age_ms, max_bytes));
}

void recorder_after_fork_child(void) {
    // The bytes are a copy nobody needs; a page that nobody wrote to need not be copied.
    if (recorder.is_running || recorder.n) memset(&recorder, 0, sizeof recorder);
}
