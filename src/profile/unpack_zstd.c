// profile/unpack_zstd.c - zstd frames, which google/pprof does not read and continuous profilers
// write.
// Room: libzstd and nothing else. Door: unpack_zstd().
#include "profile/unpack.h"

#include <zstd.h>

enum {
    // A frame's promise of its size is believed up to this many times its packed size at once;
    // profiles pack to a tenth at best, and what is larger still grows by doubling.
    BELIEVED_RATIO = 64,
};

static bool unpack_frames(ZSTD_DCtx *z, str bytes, struct unpacked *u, struct err *err) {
    ZSTD_inBuffer in = {bytes.p, bytes.len, 0};
    size_t left_in_frame = 1;
    while (in.pos < in.size || left_in_frame > 0) {
        if (u->len == u->cap && !unpacked_grow(u, err)) return false;
        ZSTD_outBuffer to = {u->p, u->cap, u->len};
        size_t pos_before = in.pos;
        left_in_frame = ZSTD_decompressStream(z, &to, &in);
        if (ZSTD_isError(left_in_frame))
            return err_set(err, ERR_MALFORMED, in.pos, "decompressing profile: zstd: %s",
                           ZSTD_getErrorName(left_in_frame));
        bool is_stuck = to.pos == u->len && in.pos == pos_before;
        u->len = to.pos;
        if (is_stuck && left_in_frame > 0)
            return err_set(err, ERR_MALFORMED, in.pos, "decompressing profile: unexpected EOF");
    }
    return true;
}

bool unpack_zstd(str bytes, struct unpacked *u, struct err *err) {
    unsigned long long promised = ZSTD_getFrameContentSize(bytes.p, bytes.len);
    bool has_promise = promised != ZSTD_CONTENTSIZE_UNKNOWN && promised != ZSTD_CONTENTSIZE_ERROR;
    if (has_promise) unpacked_reserve(u, promised + 1, (u64)bytes.len * BELIEVED_RATIO);
    ZSTD_DCtx *z = ZSTD_createDCtx();
    if (!z) return err_set(err, ERR_SYSTEM, 0, "decompressing profile: out of memory");
    bool is_ok = unpack_frames(z, bytes, u, err);
    ZSTD_freeDCtx(z);
    return is_ok;
}
