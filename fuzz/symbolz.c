// fuzz/symbolz.c - what a symbol service may answer, and URLs it may stand at.
// Room: one libFuzzer entry. Whatever the answer, the profile stays valid.
#include "symbols/symbols.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct profile two_addresses(struct arena *arena) {
    struct profile_builder b;
    builder_init(&b, arena);
    builder_sample_type(&b, S("n"), S("count"));
    u32 m = builder_mapping(&b, &(struct mapping){.start = 0x1000, .limit = 0x2000});
    u32 stack[] = {builder_location(&b, 0x10, m, NULL, 0), builder_location(&b, 0x20, m, NULL, 0)};
    builder_sample(&b, &(i64){1}, stack, 2, NULL, 0);
    return builder_done(&b);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    struct arena arena;
    arena_init(&arena);
    str bytes = {(const char *)data, size};
    struct profile p = two_addresses(&arena), q;
    struct err err;
    (void)remote_url(&arena, bytes);
    if (remote_answer(&arena, &p, 0, 0, bytes, &q, &err) && !profile_check(&q, &err)) abort();
    arena_done(&arena);
    return 0;
}
