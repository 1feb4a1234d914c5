// fuzz/trace_v1.c - bytes of any kind as the events of a trace of Go 1.11, 1.19 or 1.21.
// Room: one libFuzzer entry; what must hold is in trace_read.h. The header stands in front already,
// so that all inputs get past it.
#include "trace_read.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    static const str heads[] = {S("go 1.11 trace\0\0\0"), S("go 1.19 trace\0\0\0"),
                                S("go 1.21 trace\0\0\0")};
    struct arena arena;
    arena_init(&arena);
    str parts[] = {heads[size % countof(heads)], {(const char *)data, size}};
    read_trace(&arena, str_join(&arena, parts, countof(parts), S("")));
    arena_done(&arena);
    return 0;
}
