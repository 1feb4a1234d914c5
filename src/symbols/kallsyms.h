// symbols/kallsyms.h - the running kernel's list of its symbols as a table.
// Room: private to symbols/: that text. Door: kallsyms_read().
#pragma once

#include "symbols/elf.h"

// list: lines "ffffffff81000000 T name" or with "\t[module]" behind; it must be writable, for names
// get their NUL in it, and live as long as the table. A last line that does not end is left out.
// *anchor: where the symbol of that name lies; 0: there is none.
void kallsyms_read(struct arena *out, str list, str anchor_name, struct elf_symbols *ret,
                   u64 *anchor);
