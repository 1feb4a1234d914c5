// symbols/disasm.h - one instruction to the text GNU objdump writes for it.
// Room: private to symbols/; operands, sizes and suffixes from capstone's details. What an address
// is called is asked of the caller. Door: disasm_open(), disasm_next(), disasm_close().
#pragma once

#include "base/base.h"

enum machine { MACHINE_X86_64, MACHINE_AARCH64 };

// Writes "401136 <main+0x10>" for an address of the object.
typedef void (*disasm_name)(struct buf *b, void *ctx, u64 address);

struct disasm;

// Fails: ERR_UNSUPPORTED without capstone, ERR_SYSTEM when it was built without the machine.
MUST_USE bool disasm_open(struct arena *out, enum machine machine, bool is_intel, disasm_name name,
                          void *ctx, struct disasm **ret, struct err *err);
void disasm_close(struct disasm *d);
// The length of the instruction at the start of code, its text in *b; code is not empty. Where none
// is, ".byte 0x.." of one byte (x86-64), ".inst 0x........" of four (aarch64).
u32 disasm_next(struct disasm *d, str code, u64 address, struct buf *b);
