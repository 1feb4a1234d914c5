// symbols/elf.h - a small ELF reader: symbol tables by address, build ids. For the agent and the
// desk. Room: bytes to tables; finding and mapping files is the caller's. No libdw here: libpprof
// carries this.
//
// Words: an address is a virtual address of the file (st_value), before the loader adds its bias.
// Lifetimes: names point into the bytes read, which must outlive the table. Failures: ERR_MALFORMED
// for bytes that are not a 64-bit little-endian ELF file; damaged sections are left out, as if
// stripped. Door: symbols/symbols.h.
#pragma once

#include "base/base.h"

struct elf_symbol {
    u64 start, end; // [start, end); never empty
    u32 name;       // offset in names
    u32 source;     // the same of a static function's source file; 0: not known
};

struct elf_symbols {
    struct elf_symbol *items; // by start; the last one of equal starts is the one to show
    u32 n;
    str names;    // the string table
    bool is_full; // from .symtab; else from .dynsym, where static functions are missing
};

enum {
    // 16 million: Chromium's unstripped binary has 1.5 million; more is damage or an attack.
    ELF_SYMBOLS_MAX = 1 << 24,
};

// Reads .symtab, or .dynsym where there is none, of a whole file's bytes: functions only.
// A file without either gives n = 0.
MUST_USE bool elf_symbols_read(struct arena *out, str file, struct elf_symbols *ret,
                               struct err *err);
// The same from raw tables: symbols is an array of Elf64_Sym, as in a loaded image's DT_SYMTAB.
MUST_USE bool elf_symbols_raw(struct arena *out, str symbols, str names, struct elf_symbols *ret,
                              struct err *err);
// The function that contains address, without its "@VERSION"; empty when none does: an address past
// a symbol's end belongs to nobody. *start (may be NULL) gets the function's first address.
str elf_symbol_at(const struct elf_symbols *table, u64 address, u64 *start);
// The function that contains address, or NULL.
const struct elf_symbol *elf_symbol_find(const struct elf_symbols *table, u64 address);
// The name of one symbol, without its "@VERSION".
str elf_symbol_name(const struct elf_symbols *table, const struct elf_symbol *symbol);
// The source file of a static function, as the linker tells it; empty: not known.
str elf_symbol_source(const struct elf_symbols *table, const struct elf_symbol *symbol);
// The value of the symbol called so, of any kind, by .symtab; false: there is none.
MUST_USE bool elf_symbol_value(str file, str name, u64 *ret);
// The variable that contains address in a whole file's bytes, by a walk over its symbols; empty:
// none. *start gets its first address.
str elf_variable_at(str file, u64 address, u64 *start);
// The GNU build id in the bytes of a PT_NOTE segment or note section, as raw bytes; empty: none.
str elf_note_build_id(str notes);
// The raw build id of a whole file's bytes; empty: none or no ELF file.
str elf_file_build_id(str file);
