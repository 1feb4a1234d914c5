// fuzz/kallsyms.c - any text as the kernel's list of symbols.
// Room: one libFuzzer entry. Every name of the table ends inside the text.
#include "symbols/kallsyms.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    struct arena arena;
    struct elf_symbols table;
    u64 anchor, start;
    arena_init(&arena);
    str own = str_copy(&arena, (str){(const char *)data, size}); // names are ended in place
    kallsyms_read(&arena, own, S("_text"), &table, &anchor);
    for (u32 i = 0; i < table.n && i < 1000; i++) {
        str name = elf_symbol_name(&table, &table.items[i]);
        if (name.len > size || table.items[i].end <= table.items[i].start) abort();
        (void)elf_symbol_at(&table, table.items[i].start, &start);
    }
    arena_done(&arena);
    return 0;
}
