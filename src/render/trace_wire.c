// render/trace_wire.c - records of a trace in the text form of the official test data.
// Room: layout only. Door: render/trace.h.
#include "render/trace.h"

static void put_arg(struct buf *b, const char *name, u64 x) {
    buf_put(b, str_of(name));
    buf_byte(b, '=');
    num_u64(b, x);
}

static void put_frames(struct buf *b, const struct trace_wire *w) {
    static const char *const fields[] = {"pc", "func", "file", "line"};
    struct reader r = reader_of(w->frames);
    u64 x;
    for (u64 i = 0; i < w->n_frames * countof(fields) && reader_varint(&r, &x, NULL); i++) {
        buf_put(b, i % countof(fields) ? S(" ") : S("\n\t"));
        put_arg(b, fields[i % countof(fields)], x);
    }
}

void render_trace_wire(struct buf *b, const struct trace_wire *w) {
    buf_put(b, str_of(w->spec->name));
    for (u32 i = 0; i < w->spec->n_args; i++) {
        buf_byte(b, ' ');
        put_arg(b, w->spec->args[i], w->args[i]);
    }
    if (w->spec->form == TRACE_STACK) put_frames(b, w);
    // No data at all is not written, as there.
    if (w->spec->form == TRACE_DATA && w->data.len) {
        buf_put(b, S("\n\tdata="));
        num_quote(b, w->data);
    }
    buf_byte(b, '\n');
}
