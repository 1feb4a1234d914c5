// fuzz/legacy_form.h - the body of one fuzz target a legacy form; FORM names the decoder.
// What decodes must pass the checks or be refused by them, and encode.
#pragma once

#include "formats/legacy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    struct arena arena;
    arena_init(&arena);
    struct profile p, q;
    struct err err;
    str wire;
    if (FORM(&arena, (str){(const char *)data, size}, &p, &err) && profile_check(&p, &err)) {
        if (!profile_encode(&arena, &p, &wire, &err)) abort();
        if (!profile_decode(&arena, wire, &q, &err)) abort();
    }
    arena_done(&arena);
    return 0;
}
