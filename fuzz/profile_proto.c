// fuzz/profile_proto.c - bytes of any kind as a profile: gzip, zstd, profile.proto.
// Room: one libFuzzer entry. What decodes must also encode and decode to the same bytes again,
// whichever way it is decoded, and survive merge and prune.
#include "formats/formats.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct profile decode_again(struct arena *arena, str wire, bool is_owned) {
    struct profile p;
    char *own = arena_alloc(arena, wire.len, 4096);
    memcpy(own, wire.p, wire.len);
    bool is_ok = is_owned ? profile_decode_owned(arena, (str){own, wire.len}, &p, NULL)
                          : profile_decode(arena, (str){own, wire.len}, &p, NULL);
    if (!is_ok) abort();
    return p;
}

static void check_profile(struct arena *arena, const struct profile *p) {
    str wire, again;
    if (!profile_encode(arena, p, &wire, NULL)) abort();
    for (int is_owned = 0; is_owned < 2; is_owned++) {
        struct profile q = decode_again(arena, wire, is_owned);
        // Labels without a word are lost on the first way through, so the second must be equal.
        if (!profile_encode(arena, &q, &again, NULL)) abort();
        struct profile r = decode_again(arena, again, is_owned);
        if (!profile_encode(arena, &r, &wire, NULL) || !str_eq(wire, again)) abort();
    }
    struct profile merged;
    if (!profile_merge(arena, (const struct profile *[]){p, p}, 2, &merged, NULL)) abort();
    if (!profile_check(&merged, NULL)) abort();
    profile_prune(arena, &merged, &merged);
    if (!profile_check(&merged, NULL)) abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    struct arena arena;
    arena_init(&arena);
    struct formats_opts opts = {.unpack.max_bytes =
                                    1 << 20}; // bombs must not fill the fuzzer's memory
    struct profile p;
    struct err err;
    if (formats_load(&arena, (str){(const char *)data, size}, &opts, &p, &err))
        check_profile(&arena, &p);
    arena_done(&arena);
    return 0;
}
