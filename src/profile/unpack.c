// profile/unpack.c - which compression bytes have, and the gzip part of it.
// Room: magic numbers, gzip members, the limit against bombs. zstd has a file of its own, so that
// an archive whose user never unpacks does not pull libzstd in. Door: profile_unpack().
#include "profile/unpack.h"

#include "profile/codec.h"

#include <libdeflate.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    // Deflate cannot do better than 258 bytes for two bits and a bit: 1032 to 1. A trailer that
    // promises more lies.
    DEFLATE_RATIO_MAX = 1032,
    GZIP_MEMBER_MIN = 18, // header and trailer
    FIRST_BYTES = 64 << 10,
};

bool unpacked_grow(struct unpacked *u, struct err *err) {
    if (u->cap >= u->max)
        return err_set(err, ERR_LIMIT, u->max,
                       "decompressing profile: unpacks to more than %llu MiB (-max_megabytes "
                       "raises the limit)",
                       (unsigned long long)(u->max >> 20));
    size_t cap = u->cap > u->max / 2 ? u->max : u->cap * 2;
    if (cap < FIRST_BYTES) cap = u->max < FIRST_BYTES ? u->max : FIRST_BYTES;
    u->p = arena_grow(u->arena, u->p, u->cap, cap, 1, UNPACKED_ALIGN);
    u->cap = cap;
    return true;
}

void unpacked_reserve(struct unpacked *u, u64 expected, u64 at_most) {
    u64 cap = expected < at_most ? expected : at_most;
    if (cap > u->max) cap = u->max;
    if (cap <= u->cap) return;
    u->p = arena_grow(u->arena, u->p, u->cap, cap, 1, UNPACKED_ALIGN);
    u->cap = cap;
}

static bool is_gzip(str bytes) {
    return str_starts(bytes, S("\x1f\x8b"));
}

static bool bad_gzip(struct err *err, u64 at, const char *why) {
    return err_set(err, ERR_MALFORMED, at, "decompressing profile: %s", why);
}

// Unpacks the member at the front of bytes, again with more room while it does not fit; at is its
// offset in the file.
static bool unpack_member(struct libdeflate_decompressor *z, str bytes, u64 at, struct unpacked *u,
                          size_t *member_len, struct err *err) {
    if (bytes.len < GZIP_MEMBER_MIN) return bad_gzip(err, at, "unexpected EOF");
    if (!is_gzip(bytes)) return bad_gzip(err, at, "gzip: invalid header");
    for (;;) {
        size_t len = 0;
        enum libdeflate_result result = libdeflate_gzip_decompress_ex(
            z, bytes.p, bytes.len, u->p + u->len, u->cap - u->len, member_len, &len);
        if (result == LIBDEFLATE_SUCCESS) {
            u->len += len;
            return true;
        }
        if (result != LIBDEFLATE_INSUFFICIENT_SPACE)
            return bad_gzip(err, at, "gzip: the data is corrupt or cut off");
        if (!unpacked_grow(u, err)) return false;
    }
}

static bool unpack_members(struct libdeflate_decompressor *z, str bytes, struct unpacked *u,
                           struct err *err) {
    for (size_t at = 0; at < bytes.len;) {
        size_t member_len = 0;
        if (!unpack_member(z, str_skip(bytes, at), at, u, &member_len, err)) return false;
        at += member_len;
    }
    return true;
}

// The last four bytes of a gzip file hold the length of its last member, modulo 2^32.
static u64 promised_bytes(str bytes) {
    u32 len = 0;
    if (bytes.len >= GZIP_MEMBER_MIN) memcpy(&len, bytes.p + bytes.len - sizeof len, sizeof len);
    return len;
}

static bool unpack_gzip(str bytes, struct unpacked *u, struct err *err) {
    struct libdeflate_decompressor *z = libdeflate_alloc_decompressor();
    if (!z) return err_set(err, ERR_SYSTEM, 0, "decompressing profile: out of memory");
    // One byte more than promised, so that an empty member has a place.
    unpacked_reserve(u, promised_bytes(bytes) + 1, (u64)bytes.len * DEFLATE_RATIO_MAX);
    bool is_ok = unpack_members(z, bytes, u, err);
    libdeflate_free_decompressor(z);
    return is_ok;
}

static void give_back(str bytes) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t)bytes.p + page - 1) & ~(page - 1);
    uintptr_t end = ((uintptr_t)bytes.p + bytes.len) & ~(page - 1);
    // A failure costs memory, nothing else.
    if (first < end) (void)madvise((void *)first, end - first, MADV_DONTNEED);
}

bool profile_unpack(struct arena *out, str bytes, const struct unpack_opts *opts, str *ret,
                    struct err *err) {
    bool is_zstd = str_starts(bytes, S("\x28\xb5\x2f\xfd"));
    if (!is_gzip(bytes) && !is_zstd) {
        *ret = bytes;
        return true;
    }
    struct unpacked u = {.arena = out,
                         .max = opts && opts->max_bytes ? opts->max_bytes : UNPACK_MAX_BYTES};
    if (!(is_zstd ? unpack_zstd(bytes, &u, err) : unpack_gzip(bytes, &u, err))) return false;
    if (opts && opts->is_given) give_back(bytes);
    *ret = (str){u.p, u.len};
    return true;
}
