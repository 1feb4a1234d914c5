// base/reader.h - foreign bytes, read with every bound checked.
// Room: taking numbers and slices off the front; what they mean is the caller's. Door: base/base.h.
// After a failure the reader stays where it was and *ret is untouched. err->at is the offset from
// the first byte.
#pragma once

#include "base/types.h"

#include "base/err.h"
#include "base/str.h"

struct reader {
    const u8 *start, *p, *end;
    u64 base; // offset of start in the whole input, so that errors of nested messages name the
              // right byte
};

struct reader reader_of(str bytes);
// A reader over the next len bytes of r, which r then skips; offsets continue those of r.
MUST_USE bool reader_sub(struct reader *r, u64 len, struct reader *ret, struct err *err);

static inline size_t reader_left(const struct reader *r) {
    return (size_t)(r->end - r->p);
}
static inline u64 reader_at(const struct reader *r) {
    return r->base + (u64)(r->p - r->start);
}

MUST_USE bool reader_u8(struct reader *r, u8 *ret, struct err *err);
MUST_USE bool reader_u16le(struct reader *r, u16 *ret, struct err *err);
MUST_USE bool reader_u32le(struct reader *r, u32 *ret, struct err *err);
MUST_USE bool reader_u64le(struct reader *r, u64 *ret, struct err *err);
MUST_USE bool reader_u32be(struct reader *r, u32 *ret, struct err *err);
MUST_USE bool reader_u64be(struct reader *r, u64 *ret, struct err *err);
// Unsigned LEB128 of at most 10 bytes; bits past the 64th are dropped, as Go's protobuf decoder
// does.
MUST_USE bool reader_varint(struct reader *r, u64 *ret, struct err *err);
// Signed LEB128 (DWARF).
MUST_USE bool reader_sleb(struct reader *r, i64 *ret, struct err *err);
MUST_USE bool reader_bytes(struct reader *r, u64 len, str *ret, struct err *err);
// The bytes up to and without a NUL, which is skipped.
MUST_USE bool reader_cstr(struct reader *r, str *ret, struct err *err);
// The next line without its \n or \r\n; false at the end of input (no error record: the end is not
// a failure).
MUST_USE bool reader_line(struct reader *r, str *ret);
