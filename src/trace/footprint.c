// trace/footprint.c - which events take how much of a trace.
// Room: counting records; layout is render/trace_footprint.c. Door: trace/trace.h.
#include "trace/trace.h"

static int by_bytes(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct trace_footprint_row *x = a, *y = b;
    return (x->bytes < y->bytes) - (x->bytes > y->bytes);
}

bool trace_footprint(struct reader *r, struct trace_footprint *ret, struct err *err) {
    struct trace_wire w;
    u64 n[256] = {0}, bytes[256] = {0};
    ret->n = 0;
    ret->n_events = 0;
    while (trace_wire_next(r, &w, err)) {
        n[w.type]++;
        bytes[w.type] += w.len;
        ret->n_events++;
    }
    for (u32 i = 0; i < countof(n); i++) {
        if (n[i])
            ret->rows[ret->n++] =
                (struct trace_footprint_row){.type = (u8)i, .n = n[i], .bytes = bytes[i]};
    }
    struct arena scratch;
    arena_init(&scratch);
    sort_stable(&scratch, ret->rows, ret->n, sizeof *ret->rows, by_bytes, NULL);
    arena_done(&scratch);
    return err->code == ERR_NONE;
}
