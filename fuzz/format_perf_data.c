// fuzz/format_perf_data.c - any bytes as perf.data, its recorded stacks walked by the binaries they
// name. Room: one libFuzzer entry.
#include "formats/recognize.h"
#include "symbols/symbols.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t len);

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t len) {
    struct arena arena;
    arena_init(&arena);
    struct walker *walker = walker_open(&arena, S(""));
    struct stack_walker step = walker_of(walker);
    struct profile p;
    struct err err;
    // What is accepted must pass the checks that stand before every report.
    if (perf_data_decode(&arena, (str){(const char *)bytes, len}, &step, &p, &err) &&
        !profile_check(&p, &err))
        __builtin_trap();
    walker_close(walker);
    arena_done(&arena);
    return 0;
}
