// trace/wire.c - the records of a v2 trace as they stand in the file.
// Room: framing by events.def, nothing is interpreted. Door: trace/trace.h.
#include "trace/header.h"
#include "trace/trace.h"

bool trace_wire_open(str bytes, struct reader *ret, u32 *version, struct err *err) {
    struct reader r = reader_of(bytes);
    if (!header_read(&r, version, err)) return false;
    if (*version < TRACE_V2_LEAST)
        return err_set(err, ERR_UNSUPPORTED, 0, "the records of go 1.%u have no text form",
                       *version);
    *ret = r;
    return true;
}

// Bytes of x, written as short as it can be.
static u64 varint_len(u64 x) {
    u64 len = 1;
    for (; x >= 0x80; x >>= 7) len++;
    return len;
}

static bool take(struct reader *r, u64 *ret, u64 *len, struct err *err) {
    if (!reader_varint(r, ret, err)) return false;
    *len += varint_len(*ret);
    return true;
}

static bool take_frames(struct reader *r, struct trace_wire *w, struct err *err) {
    const u8 *start = r->p;
    u64 x;
    w->n_frames = w->args[1];
    for (u64 i = 0; i < w->n_frames; i++) {
        for (int field = 0; field < 4; field++) {
            if (!take(r, &x, &w->len, err)) return false;
        }
    }
    w->frames = (str){(const char *)start, (size_t)(r->p - start)};
    return true;
}

bool trace_wire_next(struct reader *r, struct trace_wire *ret, struct err *err) {
    err->code = ERR_NONE;
    if (reader_left(r) == 0) return false;
    struct trace_wire w = {.len = 1};
    u64 at = reader_at(r), len;
    if (!reader_u8(r, &w.type, err)) return false;
    w.spec = trace_spec(w.type);
    if (!w.spec->name) return err_set(err, ERR_MALFORMED, at, "there is no event %u", w.type);
    for (u32 i = 0; i < w.spec->n_args; i++) {
        if (!take(r, &w.args[i], &w.len, err)) return false;
    }
    if (w.spec->form == TRACE_STACK && !take_frames(r, &w, err)) return false;
    if (w.spec->form == TRACE_DATA) {
        if (!take(r, &len, &w.len, err) || !reader_bytes(r, len, &w.data, err)) return false;
        w.len += len;
    }
    *ret = w;
    return true;
}
