// trace/write_bytes.c - bytes of a trace: numbers, batches, and a generation's tables.
// Room: how things are written; what happened is write_states.c's. Door: trace/write_inner.h.
// Source: reference/go.md 4.2.
#include "trace/write_inner.h"

#include <string.h>

enum {
    FIRST_BYTES = 256, // most threads have few events a second
    NUMBER_MAX = 10,   // bytes of a number
};
#define PC_STACK (1ull << 63) // marks the key of a stack that is one pc

static u8 *bytes_room(struct trace_writer *w, struct bytes *b, size_t n) {
    if (b->len + n > b->cap) {
        size_t cap = b->cap ? b->cap * 2 : FIRST_BYTES;
        while (cap < b->len + n) cap *= 2;
        b->p = arena_grow(&w->gen, b->p, b->cap, cap, 1, 1);
        b->cap = cap;
    }
    return b->p + b->len;
}

void bytes_add(struct trace_writer *w, struct bytes *b, const void *p, size_t n) {
    u8 *to = bytes_room(w, b, n);
    if (n > 0) memcpy(to, p, n);
    b->len += n;
}

static u8 *number_put(u8 *to, u64 value) {
    for (; value >= 0x80; value >>= 7) *to++ = (u8)(value | 0x80);
    *to++ = (u8)value;
    return to;
}

void bytes_number(struct trace_writer *w, struct bytes *b, u64 value) {
    u8 *to = bytes_room(w, b, NUMBER_MAX);
    b->len += (size_t)(number_put(to, value) - to);
}

void write_batch(struct trace_writer *w, u64 m, u64 time_ns, const struct bytes *data) {
    u8 head[1 + 4 * NUMBER_MAX], *to = head;
    *to++ = TRACE_EV_EventBatch;
    to = number_put(to, w->n);
    to = number_put(to, m);
    to = number_put(to, time_ns);
    to = number_put(to, data->len);
    bytes_add(w, &w->out, head, (size_t)(to - head));
    bytes_add(w, &w->out, data->p, data->len);
}

void write_flush(struct trace_writer *w, struct batch *batch) {
    if (batch->bytes.len > 0) write_batch(w, batch->m, batch->first_ns, &batch->bytes);
    batch->bytes.len = 0;
}

void write_event(struct trace_writer *w, struct writer_thread *thread, u64 time_ns, u8 type,
                 const u64 *numbers, u32 n) {
    struct batch *batch = thread ? &thread->batch : &w->nowhere;
    // One clock for all threads: equal times would leave the order to chance.
    if (time_ns <= w->last_ns) time_ns = w->last_ns + 1;
    w->last_ns = time_ns;
    if (batch->bytes.len + EVENT_MAX > WRITE_BATCH) write_flush(w, batch);
    u8 *start = bytes_room(w, &batch->bytes, EVENT_MAX), *to = start;
    if (batch->bytes.len == 0) batch->first_ns = batch->last_ns = time_ns;
    *to++ = type;
    to = number_put(to, time_ns - batch->last_ns);
    for (u32 i = 0; i < n; i++) to = number_put(to, numbers[i]);
    batch->bytes.len += (size_t)(to - start);
    batch->last_ns = time_ns;
}

// Tables are pieces behind one byte that says which; a full one is handed over.
static void table_add(struct trace_writer *w, struct bytes *table, u8 which,
                      const struct bytes *piece) {
    if (table->len + piece->len > TRACE_MAX_BATCH) {
        write_batch(w, UINT64_MAX, w->begin_ns, table);
        table->len = 0;
    }
    if (table->len == 0) bytes_add(w, table, &which, 1);
    bytes_add(w, table, piece->p, piece->len);
}

u64 write_string(struct trace_writer *w, str text) {
    text = str_take(text, TRACE_MAX_STRING);
    if (text.len == 0) return 0;
    u32 known = strmap_get(&w->string_by_text, text);
    if (known != U32_NONE) return known;
    u32 id = ++w->n_strings;
    *strmap_at(&w->string_by_text, str_copy(&w->gen, text)) = id;
    u8 bytes[1 + 2 * NUMBER_MAX + TRACE_MAX_STRING], *to = bytes;
    *to++ = TRACE_EV_String;
    to = number_put(to, id);
    to = number_put(to, text.len);
    memcpy(to, text.p, text.len);
    struct bytes piece = {bytes, (size_t)(to - bytes) + text.len, sizeof bytes};
    table_add(w, &w->strings, TRACE_EV_Strings, &piece);
    return id;
}

// The frame's three numbers.
static const u64 *frame_of(struct trace_writer *w, u64 pc) {
    u32 known = idmap_get(&w->frame_by_pc, pc);
    if (known != U32_NONE) return w->frames[known];
    struct trace_frame frame = w->namer.frame(w->namer.ctx, pc);
    u64 func = write_string(w, frame.func), file = write_string(w, frame.file);
    GROW(&w->gen, w->frames, w->cap_frames, w->n_frames + 1);
    u64 *numbers = w->frames[w->n_frames];
    numbers[0] = func;
    numbers[1] = file;
    numbers[2] = frame.line;
    *idmap_at(&w->frame_by_pc, pc) = w->n_frames++;
    return numbers;
}

static u64 stack_add(struct trace_writer *w, u64 key, const u64 *pcs, u32 n) {
    u8 bytes[1 + 2 * NUMBER_MAX + TRACE_MAX_FRAMES * 4 * NUMBER_MAX], *to = bytes;
    u32 id = 0;
    // The innermost frames say where, the outermost who: a deep stack loses its middle.
    u32 tail = TRACE_MAX_FRAMES / 4, n_kept = n < TRACE_MAX_FRAMES ? n : TRACE_MAX_FRAMES;
    if (n > 0) id = ++w->n_stacks;
    *idmap_at(&w->stack_by_key, key) = id;
    if (!id) return 0;
    *to++ = TRACE_EV_Stack;
    to = number_put(to, id);
    to = number_put(to, n_kept);
    for (u32 i = 0; i < n_kept; i++) {
        u64 pc = i < n_kept - tail || n == n_kept ? pcs[i] : pcs[n - n_kept + i];
        const u64 *frame = frame_of(w, pc);
        to = number_put(to, pc);
        for (u32 k = 0; k < 3; k++) to = number_put(to, frame[k]);
    }
    struct bytes piece = {bytes, (size_t)(to - bytes), sizeof bytes};
    table_add(w, &w->stacks, TRACE_EV_Stacks, &piece);
    return id;
}

u64 write_stack(struct trace_writer *w, u32 stack) {
    if (stack == U32_NONE) return 0;
    u32 known = idmap_get(&w->stack_by_key, stack), n = 0;
    if (known != U32_NONE) return known;
    const u64 *pcs = w->namer.stack(w->namer.ctx, stack, &n);
    return stack_add(w, stack, pcs, n);
}

u64 write_stack_of_pc(struct trace_writer *w, u64 pc) {
    u64 key = pc | PC_STACK;
    u32 known = idmap_get(&w->stack_by_key, key);
    if (pc == 0) return 0;
    return known != U32_NONE ? known : stack_add(w, key, &pc, 1);
}
