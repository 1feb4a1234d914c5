// trace/generation.c - one pass over the batches of a generation.
// Room: framing, tables and clocks; the events inside batches are decoded by reader.c. Door:
// trace/trace.h. Source: reference/go.md section 4.2.
#include "trace/generation.h"

#include <string.h>

enum { CLOCK_SINCE = 25, END_SINCE = 26 }; // header versions: clock snapshots; explicit ends
enum { LIKELY_UNIT_NS = 64 };              // of every Go since 1.22 on Linux

struct batch_head {
    u64 number, m, ts;
    struct reader data;
    bool is_experimental, is_end;
};

static bool batch_read(struct reader *r, struct batch_head *ret, struct err *err) {
    u64 at = reader_at(r), len;
    u8 type, experiment;
    if (!reader_u8(r, &type, err)) return false;
    *ret = (struct batch_head){.is_end = type == TRACE_EV_EndOfGeneration,
                               .is_experimental = type == TRACE_EV_ExperimentalBatch};
    if (ret->is_end) return true;
    if (type != TRACE_EV_EventBatch && !ret->is_experimental)
        return err_set(err, ERR_MALFORMED, at, "a batch was expected here, not event %u", type);
    if (ret->is_experimental && !reader_u8(r, &experiment, err)) return false;
    if (!reader_varint(r, &ret->number, err) || !reader_varint(r, &ret->m, err) ||
        !reader_varint(r, &ret->ts, err) || !reader_varint(r, &len, err))
        return false;
    if (ret->number == 0) return err_set(err, ERR_MALFORMED, at, "a batch of generation 0");
    if (len > TRACE_MAX_BATCH)
        return err_set(err, ERR_LIMIT, at, "a batch of %llu bytes, where %d are the limit",
                       (unsigned long long)len, TRACE_MAX_BATCH);
    return reader_sub(r, len, &ret->data, err);
}

// Takes the type byte of the next entry of a table batch.
static bool expect(struct reader *r, u8 want, struct err *err) {
    u64 at = reader_at(r);
    u8 got;
    if (!reader_u8(r, &got, err)) return false;
    return got == want || err_set(err, ERR_MALFORMED, at, "%s was expected here, not event %u",
                                  trace_spec(want)->name, got);
}

static bool read_strings(struct generation *g, struct reader *r, struct err *err) {
    while (reader_left(r)) {
        u64 id, len, at = reader_at(r);
        str text;
        if (!expect(r, TRACE_EV_String, err) || !reader_varint(r, &id, err) ||
            !reader_varint(r, &len, err))
            return false;
        if (len > TRACE_MAX_STRING)
            return err_set(err, ERR_LIMIT, at, "a string of %llu bytes, where %d are the limit",
                           (unsigned long long)len, TRACE_MAX_STRING);
        if (!reader_bytes(r, len, &text, err)) return false;
        if (!trace_table_string(&g->table, id, text))
            return err_set(err, ERR_INCONSISTENT, at, "two strings have the id %llu",
                           (unsigned long long)id);
    }
    return true;
}

static bool read_stacks(struct generation *g, struct reader *r, struct err *err) {
    while (reader_left(r)) {
        u64 id, n, at = reader_at(r);
        if (!expect(r, TRACE_EV_Stack, err) || !reader_varint(r, &id, err) ||
            !reader_varint(r, &n, err))
            return false;
        if (n > TRACE_MAX_FRAMES)
            return err_set(err, ERR_LIMIT, at, "a stack of %llu frames, where %d are the limit",
                           (unsigned long long)n, TRACE_MAX_FRAMES);
        if (!trace_table_stack(&g->table, id))
            return err_set(err, ERR_INCONSISTENT, at, "two stacks have the id %llu",
                           (unsigned long long)id);
        for (u64 i = 0; i < n; i++) {
            u64 pc, func, file, line;
            if (!reader_varint(r, &pc, err) || !reader_varint(r, &func, err) ||
                !reader_varint(r, &file, err) || !reader_varint(r, &line, err))
                return false;
            trace_table_frame(&g->table, pc, func, file, line);
        }
    }
    return true;
}

// Times stay in units until the frequency is known.
static bool read_samples(struct generation *g, struct reader *r, struct err *err) {
    while (reader_left(r)) {
        u64 ts, m, p, goid, stack;
        if (!expect(r, TRACE_EV_CPUSample, err) || !reader_varint(r, &ts, err) ||
            !reader_varint(r, &m, err) || !reader_varint(r, &p, err) ||
            !reader_varint(r, &goid, err) || !reader_varint(r, &stack, err))
            return false;
        if (g->n_samples == U32_NONE - 1)
            return err_set(err, ERR_LIMIT, 0, "more than 2^32-2 CPU samples in a generation");
        GROW(g->table.arena, g->samples, g->cap_samples, g->n_samples + 1);
        g->samples[g->n_samples++] = (struct trace_sample){.time_ns = (i64)ts,
                                                           .m = (i64)m,
                                                           .p = (i64)p,
                                                           .g = goid ? (i64)goid : TRACE_NONE,
                                                           .stack_id = stack};
    }
    return true;
}

static bool read_frequency(struct generation *g, struct reader *r, u64 at, struct err *err) {
    u64 frequency;
    if (!reader_varint(r, &frequency, err)) return false;
    if (g->unit_ns != 0) return err_set(err, ERR_INCONSISTENT, at, "two clock frequencies");
    if (frequency == 0) return err_set(err, ERR_INCONSISTENT, at, "a clock frequency of 0");
    g->unit_ns = 1.0 / ((double)frequency / 1e9); // in this order, for Go's rounding
    return true;
}

static bool read_clock(struct generation *g, struct reader *r, u64 ts, u64 at, struct err *err) {
    u64 dt;
    if (g->has_clock) return err_set(err, ERR_INCONSISTENT, at, "two clock snapshots");
    if (!reader_varint(r, &dt, err) || !reader_varint(r, &g->clock_mono, err) ||
        !reader_varint(r, &g->clock_s, err) || !reader_varint(r, &g->clock_ns, err))
        return false;
    g->clock_ts = ts + dt;
    g->has_clock = true;
    return true;
}

static bool read_sync(struct generation *g, const struct batch_head *b, struct err *err) {
    struct reader r = b->data;
    while (reader_left(&r)) {
        u64 at = reader_at(&r);
        u8 type;
        if (!reader_u8(&r, &type, err)) return false;
        switch (type) {
        case TRACE_EV_Sync:
            break;
        case TRACE_EV_Frequency:
            if (!read_frequency(g, &r, at, err)) return false;
            break;
        case TRACE_EV_ClockSnapshot:
            if (!read_clock(g, &r, b->ts, at, err)) return false;
            break;
        default:
            return err_set(err, ERR_MALFORMED, at, "event %u in a batch of clocks", type);
        }
    }
    return true;
}

static bool add_events(struct generation *g, const struct batch_head *b, struct err *err) {
    if (g->n_batches == U32_NONE - 1)
        return err_set(err, ERR_LIMIT, 0, "more than 2^32-2 batches in a generation");
    struct arena *arena = g->table.arena;
    GROW(arena, g->batches, g->cap_batches, g->n_batches + 1);
    u32 batch_i = g->n_batches++;
    g->batches[batch_i] =
        (struct trace_batch){.p = b->data.p, .end = b->data.end, .ts = b->ts, .next = U32_NONE};
    u32 *thread_i = idmap_at(&g->thread_by_m, b->m);
    if (*thread_i == U32_NONE) {
        *thread_i = g->n_threads++;
        GROW(arena, g->threads, g->cap_threads, g->n_threads);
        g->threads[*thread_i] =
            (struct trace_thread){.m = (i64)b->m, .first = batch_i, .last = batch_i};
    } else {
        struct trace_thread *t = &g->threads[*thread_i];
        g->batches[t->last].next = batch_i;
        t->last = batch_i;
    }
    return true;
}

// Which table a batch fills is told by its first byte.
static bool add_batch(struct generation *g, struct batch_head *b, u32 version, struct err *err) {
    if (b->is_experimental || reader_left(&b->data) == 0) return true;
    u8 first = *b->data.p;
    if (first == (version < CLOCK_SINCE ? TRACE_EV_Frequency : TRACE_EV_Sync))
        return read_sync(g, b, err);
    if (first != TRACE_EV_Strings && first != TRACE_EV_Stacks && first != TRACE_EV_CPUSamples)
        return add_events(g, b, err);
    if (!reader_u8(&b->data, &first, err)) return false;
    if (first == TRACE_EV_Strings) return read_strings(g, &b->data, err);
    if (first == TRACE_EV_Stacks) return read_stacks(g, &b->data, err);
    return read_samples(g, &b->data, err);
}

static int by_time(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct trace_sample *x = a, *y = b;
    return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

// The clock stands near the end of a generation: where that is cut off, the one of the generation
// before serves, or a guess.
static void guess_clock(struct generation *g, double unit_ns, struct err *cut) {
    if (g->unit_ns != 0 || g->n_batches == 0) return;
    if (!g->table.is_partial)
        err_fill(cut, ERR_INCONSISTENT, 0, "generation %llu has no clock frequency",
                 (unsigned long long)g->number);
    g->table.is_partial = true;
    g->unit_ns = unit_ns != 0 ? unit_ns : LIKELY_UNIT_NS;
    if (unit_ns == 0) (void)err_in(cut, "times are a guess");
}

static bool finish(struct generation *g, u32 version, struct err *err) {
    if (g->unit_ns == 0)
        return err_set(err, ERR_INCONSISTENT, 0, "generation %llu has no clock frequency",
                       (unsigned long long)g->number);
    if (version >= CLOCK_SINCE && !g->has_clock && !g->table.is_partial)
        return err_set(err, ERR_INCONSISTENT, 0, "generation %llu has no clock snapshot",
                       (unsigned long long)g->number);
    if (!trace_table_finish(&g->table, err)) return false;
    for (u32 i = 0; i < g->n_samples; i++)
        g->samples[i].time_ns = generation_ns(g, (u64)g->samples[i].time_ns);
    sort_stable(g->table.arena, g->samples, g->n_samples, sizeof *g->samples, by_time, NULL);
    return true;
}

// Whether b belongs to the generation after g (which only versions without explicit ends allow).
static bool is_next(const struct generation *g, const struct batch_head *b, u32 version) {
    return version < END_SINCE && g->number && b->number == g->number + 1;
}

bool generation_read(struct arena *arena, struct reader *r, u32 version, struct generation *ret,
                     bool *ret_is_end, struct err *cut, struct err *err) {
    struct generation g = {0};
    trace_table_init(&g.table, arena);
    idmap_init(&g.thread_by_m, arena);
    bool is_ended = version < END_SINCE; // the end of the bytes is an end
    *ret_is_end = reader_left(r) == 0;
    if (*ret_is_end) return true;
    while (reader_left(r)) {
        struct reader before = *r;
        struct batch_head b;
        if (!batch_read(r, &b, cut)) {
            g.table.is_partial = true;
            break;
        }
        if (b.is_end) {
            is_ended = true;
            break;
        }
        if (is_next(&g, &b, version)) {
            *r = before;
            break;
        }
        if (g.number && b.number != g.number)
            return err_set(err, ERR_INCONSISTENT, reader_at(&before),
                           "a batch of generation %llu inside generation %llu",
                           (unsigned long long)b.number, (unsigned long long)g.number);
        g.number = b.number;
        if (g.min_ts == 0 || b.ts < g.min_ts) g.min_ts = b.ts;
        if (!add_batch(&g, &b, version, err)) return false;
    }
    if (!is_ended && !g.table.is_partial) {
        g.table.is_partial = true;
        err_fill(cut, ERR_MALFORMED, reader_at(r), "the last generation has no end");
    }
    guess_clock(&g, ret->unit_ns, cut);
    if (!finish(&g, version, g.table.is_partial ? cut : err)) {
        if (g.table.is_partial && err) *err = *cut;
        return false;
    }
    *ret = g;
    return true;
}
