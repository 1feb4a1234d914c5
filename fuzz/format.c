// fuzz/format.c - any bytes through one decoder of formats.def, then through the checks.
// Room: one target a format; meson.build names the decoder in DECODE.
#include "base/base.h"

#include "formats/recognize.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t len);

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t len) {
    struct arena arena;
    arena_init(&arena);
    struct profile p;
    struct err err;
    // What a decoder accepts must pass the checks that stand before every report.
    if (DECODE(&arena, (str){(const char *)bytes, len}, &p, &err) && !profile_check(&p, &err))
        __builtin_trap();
    arena_done(&arena);
    return 0;
}
