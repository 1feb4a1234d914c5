// fuzz/demangle.c - names of any kind as linker names: ELF files and profiles bring them.
// Room: one libFuzzer entry. Every mode must end, within the limits demangle.c names.
#include "symbols/symbols.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    static const enum demangle_mode modes[] = {DEMANGLE_DEFAULT, DEMANGLE_TEMPLATES, DEMANGLE_FULL,
                                               DEMANGLE_NONE};
    for (size_t i = 0; i < countof(modes); i++) {
        struct arena arena;
        arena_init(&arena);
        str name = {(const char *)data, size};
        str text = demangle_name(&arena, name, modes[i]);
        if (size && text.len > ((size_t)1 << 21)) __builtin_trap();
        arena_done(&arena);
    }
    return 0;
}
