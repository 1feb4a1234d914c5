// formats/perf_unzip.c - the records that `perf record -z` compressed.
// Room: libzstd and nothing else. Door: perf_unzip(). One stream runs through all pieces, and a
// record may begin in one and end in the next.
#include "formats/perf.h"

#include <zstd.h>

// As much as a profile may unpack to: see UNPACK_MAX_BYTES.
#define MAX_BYTES UNPACK_MAX_BYTES

enum { CHUNK = 256 << 10 }; // room made before each step; perf compresses a ring buffer at a time

static bool unzip_piece(struct arena *out, ZSTD_DStream *z, str piece, struct buf *to,
                        struct err *err) {
    ZSTD_inBuffer in = {piece.p, piece.len, 0};
    char *chunk = NEW(out, char, CHUNK);
    for (;;) {
        ZSTD_outBuffer part = {chunk, CHUNK, 0};
        size_t left = ZSTD_decompressStream(z, &part, &in);
        if (ZSTD_isError(left))
            return err_set(err, ERR_MALFORMED, in.pos, "perf.data: zstd: %s",
                           ZSTD_getErrorName(left));
        buf_put(to, (str){chunk, part.pos});
        if (to->is_full)
            return err_set(err, ERR_LIMIT, 0, "perf.data: records unpack to more than %llu MiB",
                           (unsigned long long)(MAX_BYTES >> 20));
        if (in.pos == in.size && part.pos < part.size) return true;
    }
}

bool perf_unzip(struct arena *out, const str *pieces, size_t n, str *ret, struct err *err) {
    struct buf to = buf_new(out, MAX_BYTES);
    ZSTD_DStream *z = ZSTD_createDStream();
    if (!z) return err_set(err, ERR_SYSTEM, 0, "perf.data: zstd: out of memory");
    bool is_ok = true;
    for (size_t i = 0; i < n && is_ok; i++) {
        AUTO_ARENA struct arena scratch = arena_sub(out);
        is_ok = unzip_piece(&scratch, z, pieces[i], &to, err);
    }
    ZSTD_freeDStream(z);
    if (is_ok) *ret = buf_str(&to);
    return is_ok;
}
