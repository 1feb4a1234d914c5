// profile/gzip_pack.c - plain bytes to one gzip member.
// Room: packing only; libpprof links this and never the unpacking. Door: gzip_pack().
#include "profile/codec.h"

#include <libdeflate.h>

enum { DEFAULT_LEVEL = 6 }; // what Go's gzip writer uses

bool gzip_pack(struct arena *out, str plain, int level, str *ret, struct err *err) {
    struct libdeflate_compressor *z =
        libdeflate_alloc_compressor(level > 0 ? level : DEFAULT_LEVEL);
    if (!z) return err_set(err, ERR_SYSTEM, 0, "compressing profile: out of memory");
    size_t cap = libdeflate_gzip_compress_bound(z, plain.len);
    char *p = arena_alloc(out, cap, 1);
    size_t len = libdeflate_gzip_compress(z, plain.p, plain.len, p, cap);
    libdeflate_free_compressor(z);
    if (len == 0) return err_set(err, ERR_SYSTEM, 0, "compressing profile: no room in its bound");
    *ret = (str){p, len};
    return true;
}
