// base/reader.c - taking numbers and slices off foreign bytes.
// Room: see reader.h. Door: base/base.h.
#include "base/reader.h"

#include <string.h>

struct reader reader_of(str bytes) {
    const u8 *p = (const u8 *)bytes.p;
    return (struct reader){.start = p, .p = p, .end = bytes.len ? p + bytes.len : p};
}

static bool too_short(const struct reader *r, u64 need, struct err *err) {
    return err_set(err, ERR_MALFORMED, reader_at(r),
                   "input ends after %zu bytes where %llu are needed", reader_left(r),
                   (unsigned long long)need);
}

// n raw bytes, or NULL with the error set.
static const u8 *take(struct reader *r, u64 n, struct err *err) {
    if (n > reader_left(r)) {
        too_short(r, n, err);
        return NULL;
    }
    const u8 *p = r->p;
    if (n) r->p += n;
    return p;
}

bool reader_sub(struct reader *r, u64 len, struct reader *ret, struct err *err) {
    u64 at = reader_at(r);
    if (len > reader_left(r)) return too_short(r, len, err);
    *ret = (struct reader){.start = r->p, .p = r->p, .end = len ? r->p + len : r->p, .base = at};
    r->p = ret->end;
    return true;
}

bool reader_u8(struct reader *r, u8 *ret, struct err *err) {
    const u8 *p = take(r, 1, err);
    if (!p) return false;
    *ret = p[0];
    return true;
}

bool reader_u16le(struct reader *r, u16 *ret, struct err *err) {
    const u8 *p = take(r, 2, err);
    if (!p) return false;
    *ret = (u16)(p[0] | p[1] << 8);
    return true;
}

bool reader_u32le(struct reader *r, u32 *ret, struct err *err) {
    const u8 *p = take(r, 4, err);
    if (!p) return false;
    memcpy(ret, p, 4); // all our machines are little-endian
    return true;
}

bool reader_u64le(struct reader *r, u64 *ret, struct err *err) {
    const u8 *p = take(r, 8, err);
    if (!p) return false;
    memcpy(ret, p, 8);
    return true;
}

bool reader_u32be(struct reader *r, u32 *ret, struct err *err) {
    u32 word;
    if (!reader_u32le(r, &word, err)) return false;
    *ret = __builtin_bswap32(word);
    return true;
}

bool reader_u64be(struct reader *r, u64 *ret, struct err *err) {
    u64 word;
    if (!reader_u64le(r, &word, err)) return false;
    *ret = __builtin_bswap64(word);
    return true;
}

enum { VARINT_MAX = 10 }; // ceil(64 / 7) bytes

bool reader_varint(struct reader *r, u64 *ret, struct err *err) {
    u64 x = 0;
    size_t left = reader_left(r);
    for (size_t i = 0; i < VARINT_MAX && i < left; i++) {
        u8 byte = r->p[i];
        x |= (u64)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            r->p += i + 1;
            *ret = x;
            return true;
        }
    }
    if (left < VARINT_MAX)
        return err_set(err, ERR_MALFORMED, reader_at(r), "number is cut off by the end of input");
    return err_set(err, ERR_MALFORMED, reader_at(r), "number is longer than 10 bytes");
}

bool reader_sleb(struct reader *r, i64 *ret, struct err *err) {
    u64 x = 0;
    size_t left = reader_left(r);
    for (size_t i = 0; i < VARINT_MAX && i < left; i++) {
        u8 byte = r->p[i];
        x |= (u64)(byte & 0x7f) << (7 * i);
        if (byte >= 0x80) continue;
        unsigned bits = 7 * (unsigned)(i + 1);
        if ((byte & 0x40) && bits < 64) x |= ~(u64)0 << bits;
        r->p += i + 1;
        *ret = (i64)x;
        return true;
    }
    return err_set(err, ERR_MALFORMED, reader_at(r), "signed number has no end");
}

bool reader_bytes(struct reader *r, u64 len, str *ret, struct err *err) {
    const u8 *p = take(r, len, err);
    if (!p && len) return false;
    *ret = (str){(const char *)p, len};
    return true;
}

bool reader_cstr(struct reader *r, str *ret, struct err *err) {
    size_t left = reader_left(r);
    const u8 *end = left ? memchr(r->p, 0, left) : NULL;
    if (!end) return err_set(err, ERR_MALFORMED, reader_at(r), "text has no terminating NUL");
    *ret = (str){(const char *)r->p, (size_t)(end - r->p)};
    r->p = end + 1;
    return true;
}

bool reader_line(struct reader *r, str *ret) {
    size_t left = reader_left(r);
    if (left == 0) return false;
    const u8 *end = memchr(r->p, '\n', left);
    str line = {(const char *)r->p, end ? (size_t)(end - r->p) : left};
    r->p = end ? end + 1 : r->end;
    if (line.len && line.p[line.len - 1] == '\r') line.len--;
    *ret = line;
    return true;
}
