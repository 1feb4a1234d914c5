// agent/hot/cfi.h - call frame information: .eh_frame bytes to the unwind row of one pc.
// Room: reading the tables; applying a row to registers is frame.c, remembering it is rules.c.
// The bytes come as a slice with the address they live at, so that a fuzzer can pass any bytes and
// a live caller a mapped segment. Reads never leave the slice, whatever it says. No allocation, no
// locks. base/reader.h is not used: its errors are formatted text, which a signal handler must not.
// Sources: LSB 5.0 "Exception Frames", DWARF 5 section 6.4. Door: cfi_find, cfi_row_at.
#pragma once

#include "agent/hot/arch.h"

struct cfi_bytes {
    const u8 *p;
    size_t len;
    u64 addr; // where p[0] lives in the process; p itself when live
};

// How a register of the caller is found.
enum cfi_how {
    CFI_SAME, // also: nothing was said
    CFI_UNDEFINED,
    CFI_OFFSET,     // stored at CFA + at
    CFI_VAL_OFFSET, // is CFA + at
    CFI_REGISTER,   // was in register `at`
    CFI_EXPR,       // stored at the address the expression at slice offset `at` gives
    CFI_VAL_EXPR,   // is the value of that expression
};

struct cfi_row {
    bool is_signal; // augmentation 'S': the pc in the caller is exact, not a return address
    bool cfa_is_expr;
    bool is_signed; // aarch64: the return address carries a pointer authentication code
    u8 ra_reg;
    u8 cfa_reg;
    i32 cfa_at; // offset from cfa_reg, or the expression's slice offset
    u8 how[N_REGS];
    i32 at[N_REGS];
};

// Binary search in .eh_frame_hdr (the slice starts at it) for the entry that covers pc.
// *fde_addr: the address of its FDE. False: no entry starts at or before pc, or the table is not
// sorted pairs of 32-bit offsets (every linker we know writes those).
bool cfi_find(const struct cfi_bytes *hdr, u64 pc, u64 *fde_addr);
// The row for pc from the FDE at fde_addr, which must lie in the slice.
// False: pc is outside of the FDE, or the bytes are malformed or unknown.
bool cfi_row_at(const struct cfi_bytes *bytes, u64 fde_addr, u64 pc, struct cfi_row *ret);

// A position in a slice; past the end every read gives 0 and ok turns false.
struct cfi_cursor {
    const u8 *p, *end;
    bool ok;
};
// 1, 2, 4 or 8 bytes, unsigned. Inline, so that with a constant size it is one load.
static inline u64 cfi_fixed(struct cfi_cursor *c, u32 size) {
    u64 value = 0;
    if ((size_t)(c->end - c->p) < size) {
        c->ok = false;
        return 0;
    }
    __builtin_memcpy(&value, c->p, size); // both machines are little endian
    c->p += size;
    return value;
}
u64 cfi_uleb_long(struct cfi_cursor *c);
i64 cfi_sleb(struct cfi_cursor *c);
// Unsigned LEB128; bits past the 64th are dropped. One byte is the rule.
static inline u64 cfi_uleb(struct cfi_cursor *c) {
    if (c->p < c->end && *c->p < 0x80) return *c->p++;
    return cfi_uleb_long(c);
}
// The bytes of the expression (length first) at a slice offset.
struct cfi_cursor cfi_expr_at(const struct cfi_bytes *bytes, i32 at);
