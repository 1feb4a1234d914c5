// symbols/cfi.h - the call frame rules of one binary: where, at an address, its caller's registers
// are. Room: private to symbols/; rules as data, through libdw. Using them is walk.c. Door:
// cfi_open(), cfi_rule_at(), cfi_close().
#pragma once

#include "profile/profile.h"

#include <elfutils/libdw.h>

enum cfi_kind {
    CFI_SAME,       // the callee left it as it was
    CFI_SAVED,      // in memory, offset from the canonical frame address (CFA)
    CFI_IS,         // the CFA and offset
    CFI_EXPRESSION, // as ops say
};

// A register of the caller.
struct cfi_value {
    u8 reg;
    enum cfi_kind kind;
    i64 offset;
    const Dwarf_Op *ops;
    size_t n_ops;
};

struct cfi_rule {
    bool is_signal; // the caller was interrupted, it did not call
    u8 return_reg;  // the column that holds where it goes on
    u8 cfa_reg;     // the CFA is this register and offset, where there are no ops
    i64 cfa_offset;
    const Dwarf_Op *cfa_ops;
    size_t n_cfa_ops;
    const struct cfi_value *values; // registers that are not here cannot be known
    u32 n_values;
};

struct cfi;

// bytes: an ELF file, which must live as long. A file without rules has none at any address.
struct cfi *cfi_open(struct arena *out, str bytes);
void cfi_close(struct cfi *c);
// The rule of an address of the file; NULL: there is none. It lives as long as c's arena.
const struct cfi_rule *cfi_rule_at(struct cfi *c, u64 address);
