// fuzz/elf.c - bytes of any kind as an ELF file: symbol tables, variables and build ids.
// Room: one libFuzzer entry.
#include "symbols/symbols.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    struct arena arena;
    struct elf_symbols table;
    str file = {(const char *)data, size};
    arena_init(&arena);
    if (elf_symbols_read(&arena, file, &table, NULL)) {
        for (u32 i = 0; i < table.n && i < 1000; i++) {
            u64 start = 0;
            str name = elf_symbol_at(&table, table.items[i].end - 1, &start);
            if (name.len > 0 && start >= table.items[i].end) abort();
        }
    }
    u64 at = 0;
    if (elf_variable_at(file, size, &at).len > size || at > size) abort();
    if (elf_file_build_id(file).len > size || elf_note_build_id(file).len > size) abort();
    arena_done(&arena);
    return 0;
}
