// fuzz/trace.c - bytes of any kind as an execution trace.
// Room: one libFuzzer entry; what must hold is in trace_read.h.
#include "trace_read.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    struct arena arena;
    arena_init(&arena);
    read_trace(&arena, (str){(const char *)data, size});
    arena_done(&arena);
    return 0;
}
