// symbols/disasm_x86.h - x86-64 instructions in AT&T and Intel syntax, as GNU objdump writes them.
// Room: private to symbols/. Door: x86_write().
#pragma once

#include "symbols/capstone_load.h"
#include "symbols/disasm.h"

struct x86_text {
    const struct capstone_api *api;
    const struct cs_insn *insn;
    csh handle;
    disasm_name name;
    void *ctx;
    bool is_intel;
};

// insn was decoded with details, in capstone's Intel syntax.
void x86_write(struct buf *b, const struct x86_text *x);
