// agent/hot/cfi.c - finds the FDE of a pc and runs its program up to that pc.
// Room: everything that knows the bytes of .eh_frame and .eh_frame_hdr; expressions are expr.c.
// Door: cfi_find, cfi_row_at, at the end. Follows the Linux Standard Base's description and
// DWARF 5; differences of GNU tools are said where they are met.
#include "agent/hot/cfi.h"

#include <string.h>

// What the operand of an operation is, after the register.
enum arg {
    ARG_NONE,
    ARG_LOW, // the low 6 bits of the opcode: advance_loc
    ARG_U1,
    ARG_U2,
    ARG_U4,
    ARG_ADDR, // encoded as the CIE says
    ARG_ULEB,
    ARG_ULEB_DATA, // times the data alignment, as the next two
    ARG_NEG_DATA,
    ARG_SLEB_DATA,
    ARG_EXPR,
};

// What it does.
enum effect {
    DO_FAIL, // also: codes nobody gave a meaning
    DO_NOTHING,
    DO_ADVANCE,
    DO_SET_LOC,
    DO_RULE,
    DO_RESTORE,
    DO_CFA,
    DO_CFA_REG,
    DO_CFA_OFFSET,
    DO_CFA_EXPR,
    DO_REMEMBER,
    DO_RESTORE_STATE,
    DO_NEGATE_RA,
};

struct shape {
    u8 effect;
    u8 reg; // 0: none, 1: ULEB, 2: the low 6 bits of the opcode
    u8 arg;
    u8 how; // of DO_RULE
};

// DWARF 5 table 7.29 and the GNU extensions; codes above 0x3f keep an operand in their low bits.
static const struct shape primary[4] = {
    [1] = {DO_ADVANCE, 0, ARG_LOW, 0},
    [2] = {DO_RULE, 2, ARG_ULEB_DATA, CFI_OFFSET},
    [3] = {DO_RESTORE, 2, ARG_NONE, 0},
};
static const struct shape shapes[0x40] = {
    [0x00] = {DO_NOTHING, 0, ARG_NONE, 0},
    [0x01] = {DO_SET_LOC, 0, ARG_ADDR, 0},
    [0x02] = {DO_ADVANCE, 0, ARG_U1, 0},
    [0x03] = {DO_ADVANCE, 0, ARG_U2, 0},
    [0x04] = {DO_ADVANCE, 0, ARG_U4, 0},
    [0x05] = {DO_RULE, 1, ARG_ULEB_DATA, CFI_OFFSET},
    [0x06] = {DO_RESTORE, 1, ARG_NONE, 0},
    [0x07] = {DO_RULE, 1, ARG_NONE, CFI_UNDEFINED},
    [0x08] = {DO_RULE, 1, ARG_NONE, CFI_SAME},
    [0x09] = {DO_RULE, 1, ARG_ULEB, CFI_REGISTER},
    [0x0a] = {DO_REMEMBER, 0, ARG_NONE, 0},
    [0x0b] = {DO_RESTORE_STATE, 0, ARG_NONE, 0},
    [0x0c] = {DO_CFA, 1, ARG_ULEB, 0},
    [0x0d] = {DO_CFA_REG, 1, ARG_NONE, 0},
    [0x0e] = {DO_CFA_OFFSET, 0, ARG_ULEB, 0},
    [0x0f] = {DO_CFA_EXPR, 0, ARG_EXPR, 0},
    [0x10] = {DO_RULE, 1, ARG_EXPR, CFI_EXPR},
    [0x11] = {DO_RULE, 1, ARG_SLEB_DATA, CFI_OFFSET},
    [0x12] = {DO_CFA, 1, ARG_SLEB_DATA, 0},
    [0x13] = {DO_CFA_OFFSET, 0, ARG_SLEB_DATA, 0},
    [0x14] = {DO_RULE, 1, ARG_ULEB_DATA, CFI_VAL_OFFSET},
    [0x15] = {DO_RULE, 1, ARG_SLEB_DATA, CFI_VAL_OFFSET},
    [0x16] = {DO_RULE, 1, ARG_EXPR, CFI_VAL_EXPR},
    // aarch64 toggles the signing of return addresses with it; x86 compilers never emit it.
    [0x2d] = {DO_NEGATE_RA, 0, ARG_NONE, 0},
    [0x2e] = {DO_NOTHING, 0, ARG_ULEB, 0}, // GNU_args_size
    [0x2f] = {DO_RULE, 1, ARG_NEG_DATA, CFI_OFFSET},
};

enum {
    ENC_OMIT = 0xff,
    ENC_PCREL = 0x10,
    ENC_FUNCREL = 0x40,
    ENC_INDIRECT = 0x80,
    ENC_TABLE = 0x3b, // datarel | sdata4: what .eh_frame_hdr tables use
};

// A program of this many operations takes about 0.2 ms; the longest in Debian 12's libraries has
// under 3,000. More is a malformed table, and a signal handler must not spin on it.
enum { MAX_OPS = 32768 };

struct cie {
    u64 code_align;
    i64 data_align;
    u8 ra_reg, fde_enc;
    bool is_signal, has_aug_len;
    bool is_usual; // cie_is_usual's: the first row is known and program is empty
    struct cfi_cursor program;
};

struct fde {
    u64 begin, range;
    struct cfi_cursor program;
};

// One decoded operation; advances have already moved the run's location.
struct op {
    const struct shape *shape;
    u64 reg;
    i64 val; // for expressions the slice offset of their length
};

// The state of a run over one program.
struct run {
    const struct cfi_bytes *bytes;
    const struct cie *cie;
    u64 loc, func; // the current location; the function's begin, for relative encodings
    u32 ops_left;
};

u64 cfi_uleb_long(struct cfi_cursor *c) {
    u64 value = 0;
    for (u32 shift = 0; c->p < c->end; shift += 7) {
        u8 byte = *c->p++;
        if (shift < 64) value |= (u64)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return value;
    }
    c->ok = false;
    return 0;
}

i64 cfi_sleb(struct cfi_cursor *c) {
    u64 value = 0;
    for (u32 shift = 0; c->p < c->end;) {
        u8 byte = *c->p++;
        if (shift < 64) value |= (u64)(byte & 0x7f) << shift;
        shift += 7;
        if (byte & 0x80) continue;
        if (shift < 64 && (byte & 0x40)) value |= ~(u64)0 << shift;
        return (i64)value;
    }
    c->ok = false;
    return 0;
}

// A cursor over the slice from addr to its end; not ok when addr is outside.
static struct cfi_cursor cursor_at(const struct cfi_bytes *bytes, u64 addr) {
    u64 at = addr - bytes->addr;
    if (at >= bytes->len) return (struct cfi_cursor){bytes->p, bytes->p, false};
    return (struct cfi_cursor){bytes->p + at, bytes->p + bytes->len, true};
}

static u64 cursor_addr(const struct cfi_bytes *bytes, const struct cfi_cursor *c) {
    return bytes->addr + (u64)(c->p - bytes->p);
}

static void cursor_skip(struct cfi_cursor *c, u64 len) {
    if (len > (u64)(c->end - c->p)) {
        c->ok = false;
        return;
    }
    c->p += len;
}

struct cfi_cursor cfi_expr_at(const struct cfi_bytes *bytes, i32 at) {
    struct cfi_cursor c = cursor_at(bytes, bytes->addr + (u64)(u32)at);
    u64 len = cfi_uleb(&c);
    if (!c.ok || len > (u64)(c.end - c.p)) return (struct cfi_cursor){c.p, c.p, false};
    c.end = c.p + len;
    return c;
}

// A pointer in any of the DW_EH_PE encodings. The indirect ones need a load outside of the slice:
// only personality routines use them, and those are skipped; elsewhere they count as malformed.
static u64 encoded_any(const struct cfi_bytes *bytes, struct cfi_cursor *c, u8 enc, u64 func) {
    u64 here = cursor_addr(bytes, c), value = 0;
    switch (enc & 0x0f) {
    case 0x00:
    case 0x04:
    case 0x0c:
        value = cfi_fixed(c, 8);
        break;
    case 0x01:
        value = cfi_uleb(c);
        break;
    case 0x02:
        value = cfi_fixed(c, 2);
        break;
    case 0x03:
        value = cfi_fixed(c, 4);
        break;
    case 0x09:
        value = (u64)cfi_sleb(c);
        break;
    case 0x0a:
        value = (u64)(i64)(int16_t)cfi_fixed(c, 2);
        break;
    case 0x0b:
        value = (u64)(i64)(i32)cfi_fixed(c, 4);
        break;
    default:
        c->ok = false;
    }
    switch (enc & 0x70) {
    case 0x00:
        break;
    case ENC_PCREL:
        value += here;
        break;
    case ENC_FUNCREL:
        value += func;
        break;
    default:
        c->ok = false; // textrel, datarel and aligned: not on these machines
    }
    if (enc & ENC_INDIRECT) c->ok = false;
    return value;
}

// The same; sdata4, pcrel or not, is what compilers write, and is read at once.
static inline u64 encoded(const struct cfi_bytes *bytes, struct cfi_cursor *c, u8 enc, u64 func) {
    i32 value;
    if ((enc & ~ENC_PCREL) != 0x0b || c->end - c->p < 4) return encoded_any(bytes, c, enc, func);
    u64 base = enc & ENC_PCREL ? cursor_addr(bytes, c) : 0;
    memcpy(&value, c->p, 4);
    c->p += 4;
    return base + (u64)(i64)value;
}

// The cursor over one CIE or FDE after its length; *is_64 tells which form the next field has.
static struct cfi_cursor entry_at(const struct cfi_bytes *bytes, u64 addr, bool *is_64) {
    struct cfi_cursor c = cursor_at(bytes, addr);
    u64 len = cfi_fixed(&c, 4);
    *is_64 = len == 0xffffffff;
    if (*is_64) len = cfi_fixed(&c, 8);
    if (!c.ok || len == 0 || len > (u64)(c.end - c.p)) {
        c.ok = false;
        c.end = c.p;
        return c;
    }
    c.end = c.p + len;
    return c;
}

// The letters after 'z'. An unknown letter ends the reading, since the length tells where the
// program starts; GNU's unwinder does the same.
static void augmentation(const struct cfi_bytes *bytes, struct cfi_cursor *c, const u8 *letters,
                         struct cie *ret) {
    u64 len = cfi_uleb(c);
    struct cfi_cursor data = *c;
    cursor_skip(c, len);
    if (!c->ok) return;
    data.end = c->p;
    for (; *letters && data.ok; letters++) {
        switch (*letters) {
        case 'L':
            cfi_fixed(&data, 1);
            break;
        case 'R':
            ret->fde_enc = (u8)cfi_fixed(&data, 1);
            break;
        case 'S':
            ret->is_signal = true;
            break;
        case 'B':
            break; // the second key of aarch64's pointer authentication
        case 'G':
            break; // aarch64 memory tagging
        case 'P': {
            u8 enc = (u8)cfi_fixed(&data, 1);
            if (enc != ENC_OMIT) encoded(bytes, &data, enc & 0x0f, 0);
            break;
        }
        default:
            return;
        }
    }
}

static bool cie_parse(const struct cfi_bytes *bytes, u64 addr, struct cie *ret) {
    bool is_64;
    struct cfi_cursor c = entry_at(bytes, addr, &is_64);
    if ((is_64 ? cfi_fixed(&c, 8) : cfi_fixed(&c, 4)) != 0 || !c.ok) return false;
    u8 version = (u8)cfi_fixed(&c, 1);
    if (version != 1 && version != 3 && version != 4) return false;
    const u8 *letters = c.p;
    while (cfi_fixed(&c, 1) != 0) continue; // at the end of the entry it gives 0 as well
    if (!c.ok || (*letters && *letters != 'z')) return false;
    if (version == 4) cursor_skip(&c, 2); // address and segment sizes
    *ret = (struct cie){.has_aug_len = *letters == 'z'};
    ret->code_align = cfi_uleb(&c);
    ret->data_align = cfi_sleb(&c);
    u64 ra = version == 1 ? cfi_fixed(&c, 1) : cfi_uleb(&c);
    if (ra >= N_REGS) return false;
    ret->ra_reg = (u8)ra;
    if (*letters) augmentation(bytes, &c, letters + 1, ret);
    ret->program = c;
    return c.ok;
}

#if defined(__x86_64__)
// The CIE that gcc and clang write for ordinary functions, whole: "zR", code alignment 1, data
// alignment -8, return column 16, pcrel sdata4; def_cfa rsp 8, RA at CFA-8. Comparing its 24 bytes
// spares a quarter of the lookup.
static const u8 usual_cie[24] =
    "\x14\0\0\0\0\0\0\0\x01zR\0\x01\x78\x10\x01\x1b\x0c\x07\x08\x90\x01\0";

static bool cie_is_usual(const struct cfi_bytes *bytes, u64 addr, struct cie *ret) {
    struct cfi_cursor c = cursor_at(bytes, addr);
    if ((size_t)(c.end - c.p) < sizeof usual_cie) return false;
    if (memcmp(c.p, usual_cie, sizeof usual_cie) != 0) return false;
    *ret = (struct cie){.code_align = 1,
                        .data_align = -8,
                        .ra_reg = REG_PC,
                        .fde_enc = 0x1b,
                        .has_aug_len = true,
                        .is_usual = true};
    return true;
}

static void row_of_usual(struct cfi_row *row) {
    row->cfa_reg = REG_STACK;
    row->cfa_at = 8;
    row->how[REG_PC] = CFI_OFFSET;
    row->at[REG_PC] = -8;
}
#else
static bool cie_is_usual(const struct cfi_bytes *bytes, u64 addr, struct cie *ret) {
    (void)bytes, (void)addr, (void)ret;
    return false;
}
static void row_of_usual(struct cfi_row *row) {
    (void)row;
}
#endif

static bool fde_parse(const struct cfi_bytes *bytes, u64 addr, struct fde *ret, struct cie *cie) {
    bool is_64;
    struct cfi_cursor c = entry_at(bytes, addr, &is_64);
    u64 id_addr = cursor_addr(bytes, &c);
    u64 to_cie = is_64 ? cfi_fixed(&c, 8) : cfi_fixed(&c, 4);
    u64 cie_addr = id_addr - to_cie;
    if (!c.ok || to_cie == 0) return false;
    if (!cie_is_usual(bytes, cie_addr, cie) && !cie_parse(bytes, cie_addr, cie)) return false;
    ret->begin = encoded(bytes, &c, cie->fde_enc, 0);
    ret->range = encoded(bytes, &c, cie->fde_enc & 0x0f, 0);
    if (cie->has_aug_len) {
        u64 len = cfi_uleb(&c);
        cursor_skip(&c, len);
    }
    ret->program = c;
    return c.ok;
}

static i64 expr_skip(const struct run *run, struct cfi_cursor *c) {
    i64 at = c->p - run->bytes->p;
    u64 len = cfi_uleb(c);
    cursor_skip(c, len);
    return at;
}

static i64 op_arg(const struct run *run, struct cfi_cursor *c, u32 arg, u8 low) {
    u64 align = (u64)run->cie->data_align;
    switch ((enum arg)arg) {
    case ARG_NONE:
        return 0;
    case ARG_LOW:
        return low;
    case ARG_U1:
        return (i64)cfi_fixed(c, 1);
    case ARG_U2:
        return (i64)cfi_fixed(c, 2);
    case ARG_U4:
        return (i64)cfi_fixed(c, 4);
    case ARG_ADDR:
        return (i64)encoded(run->bytes, c, run->cie->fde_enc, run->func);
    case ARG_ULEB:
        return (i64)cfi_uleb(c);
    case ARG_ULEB_DATA:
        return (i64)(cfi_uleb(c) * align);
    case ARG_NEG_DATA:
        return (i64)(0 - cfi_uleb(c) * align);
    case ARG_SLEB_DATA:
        return (i64)((u64)cfi_sleb(c) * align);
    case ARG_EXPR:
        return expr_skip(run, c);
    }
    return 0;
}

// Decodes the next operation; false at the end, on malformed bytes, or when the budget is spent.
static bool op_next(struct run *run, struct cfi_cursor *c, struct op *op) {
    if (c->p >= c->end || !c->ok) return false;
    if (run->ops_left == 0) {
        c->ok = false;
        return false;
    }
    run->ops_left--;
    u8 byte = *c->p++, low = byte & 0x3f;
    op->shape = byte >> 6 ? &primary[byte >> 6] : &shapes[byte];
    op->reg = op->shape->reg == 1 ? cfi_uleb(c) : low;
    op->val = op_arg(run, c, op->shape->arg, low);
    if (op->shape->effect == DO_FAIL) c->ok = false;
    if (op->shape->effect == DO_ADVANCE) run->loc += (u64)op->val * run->cie->code_align;
    if (op->shape->effect == DO_SET_LOC) run->loc = (u64)op->val;
    return c->ok;
}

// Passes operations without effect on where the matching restore_state is, as op_next would.
static void skip_quick(struct run *run, struct cfi_cursor *c, u64 pc) {
    const u8 *p = c->p, *end = c->end;
    const u64 code_align = run->cie->code_align;
    u64 loc = run->loc;
    while (end - p >= 2 && loc <= pc) {
        u8 byte = *p;
        if (byte >> 6 == 1) {
            loc += (byte & 0x3f) * code_align;
            p++;
        } else if (byte >> 6 == 3) { // restore
            p++;
        } else if (byte == 0x02) { // advance_loc1
            loc += p[1] * code_align;
            p += 2;
        } else if ((byte >> 6 == 2 || byte == 0x0e || byte == 0x0d) && p[1] < 0x80) {
            p += 2;
        } else {
            break;
        }
    }
    c->p = p;
    run->loc = loc;
}

// After a remember_state: if its restore_state comes at or before pc, everything between has no
// effect but moving the location, so the run jumps behind it. That makes a stack of remembered
// rows, and a limit on its depth, unnecessary.
static void skip_remembered(struct run *run, struct cfi_cursor *c, u64 pc) {
    struct cfi_cursor ahead = *c;
    u64 loc = run->loc;
    struct op op;
    for (u32 depth = 1;;) {
        skip_quick(run, &ahead, pc);
        if (run->loc > pc || !op_next(run, &ahead, &op) || run->loc > pc) break;
        if (op.shape->effect == DO_REMEMBER) depth++;
        if (op.shape->effect == DO_RESTORE_STATE && --depth == 0) {
            c->p = ahead.p;
            return;
        }
    }
    if (run->ops_left == 0) c->ok = false; // the budget ran out while looking ahead
    run->loc = loc;
}

static void row_set(struct cfi_row *row, u64 reg, u32 how, i64 at, bool *ok) {
    if (reg >= N_REGS) return; // vector registers: no business of ours
    if (at != (i32)at) *ok = false;
    row->how[reg] = (u8)how;
    row->at[reg] = (i32)at;
}

static void cfa_set(struct cfi_row *row, u64 reg, i64 at, bool *ok) {
    if (reg >= N_REGS || at != (i32)at) *ok = false;
    row->cfa_is_expr = false;
    row->cfa_reg = (u8)reg;
    row->cfa_at = (i32)at;
}

// Restores the rule the CIE gave; first is NULL while the CIE's own program runs.
static void row_restore(struct cfi_row *row, const struct cfi_row *first, u64 reg, bool *ok) {
    if (reg >= N_REGS) return;
    bool is_ruled = first && first->how[reg] != CFI_SAME; // else first->at was never set
    row_set(row, reg, is_ruled ? first->how[reg] : CFI_SAME, is_ruled ? first->at[reg] : 0, ok);
}

static void op_apply(const struct op *op, const struct cfi_row *first, struct cfi_row *row,
                     bool *ok) {
    switch ((enum effect)op->shape->effect) {
    case DO_RULE:
        row_set(row, op->reg, op->shape->how, op->val, ok);
        break;
    case DO_RESTORE:
        row_restore(row, first, op->reg, ok);
        break;
    case DO_CFA:
        cfa_set(row, op->reg, op->val, ok);
        break;
    case DO_CFA_REG:
        cfa_set(row, op->reg, row->cfa_at, ok);
        break;
    case DO_CFA_OFFSET:
        cfa_set(row, row->cfa_reg, op->val, ok);
        break;
    case DO_CFA_EXPR:
        cfa_set(row, 0, op->val, ok);
        row->cfa_is_expr = true;
        break;
    case DO_NEGATE_RA:
        row->is_signed = !row->is_signed;
        break;
    case DO_FAIL:
    case DO_RESTORE_STATE:
        *ok = false;
        break; // nothing was remembered: see skip_remembered
    case DO_NOTHING:
    case DO_ADVANCE:
    case DO_SET_LOC:
    case DO_REMEMBER:
        break;
    }
}

// The ones of quick_ops that are followed by one byte; false: not quick.
static inline bool quick_op(u8 byte, u8 next, i32 data_align, struct cfi_row *row) {
    u8 low = byte & 0x3f;
    if (next >= 0x80) return false;
    if (byte >> 6 == 2 && low < N_REGS) {
        row->how[low] = CFI_OFFSET;
        row->at[low] = next * data_align;
    } else if (byte == 0x0e) { // def_cfa_offset
        row->cfa_at = next;
    } else if (byte == 0x0d && next < N_REGS) { // def_cfa_register
        row->cfa_reg = next;
    } else {
        return false;
    }
    row->cfa_is_expr &= byte >> 6 == 2;
    return true;
}

// Runs the operations that make up nine tenths of all programs without the tables and with
// everything in registers: twice as fast. Stops before any other operation, at the end, or behind
// pc.
static void quick_ops(struct run *run, struct cfi_cursor *c, u64 pc, struct cfi_row *row) {
    const u8 *p = c->p, *end = c->end;
    const u64 code_align = run->cie->code_align;
    const i32 data_align = (i32)run->cie->data_align;
    u64 loc = run->loc;
    while (p < end && loc <= pc) {
        u8 byte = *p, next = end - p > 1 ? p[1] : 0xff;
        if (byte >> 6 == 1) {
            loc += (byte & 0x3f) * code_align;
            p++;
        } else if (byte == 0) {
            p++;                                                                  // padding
        } else if (byte == 0x0c && end - p > 2 && next < N_REGS && p[2] < 0x80) { // def_cfa
            row->cfa_is_expr = false;
            row->cfa_reg = next;
            row->cfa_at = p[2];
            p += 3;
        } else if (byte == 0x02 && end - p > 1) { // advance_loc1
            loc += next * code_align;
            p += 2;
        } else if (quick_op(byte, next, data_align, row)) {
            p += 2;
        } else {
            break;
        }
    }
    c->p = p;
    run->loc = loc;
}

// A data alignment of one byte's worth keeps every product of quick_ops inside an i32.
static bool data_fits(const struct cie *cie) {
    return cie->data_align >= -128 && cie->data_align <= 127;
}

// Runs one program as far as pc.
static bool program_run(struct run *run, struct cfi_cursor c, u64 pc, const struct cfi_row *first,
                        struct cfi_row *row) {
    struct op op;
    bool ok = true, has_quick = data_fits(run->cie);
    while (ok && c.ok) {
        if (has_quick) quick_ops(run, &c, pc, row);
        if (run->loc > pc || !op_next(run, &c, &op) || run->loc > pc) break;
        if (op.shape->effect == DO_REMEMBER) {
            skip_remembered(run, &c, pc);
        } else {
            op_apply(&op, first, row, &ok);
        }
    }
    return ok && c.ok;
}

// Only what is read before it is set: clearing all of it takes a tenth of the whole lookup.
static void row_clear(struct cfi_row *row, const struct cie *cie) {
    row->is_signal = cie->is_signal;
    row->is_signed = row->cfa_is_expr = false;
    row->ra_reg = cie->ra_reg;
    row->cfa_reg = N_REGS; // none yet
    row->cfa_at = 0;
    memset(row->how, CFI_SAME, sizeof row->how);
}

bool cfi_row_at(const struct cfi_bytes *bytes, u64 fde_addr, u64 pc, struct cfi_row *ret) {
    struct cie cie;
    struct fde fde;
    struct cfi_row first;
    if (!fde_parse(bytes, fde_addr, &fde, &cie) || pc - fde.begin >= fde.range) return false;
    struct run run = {
        .bytes = bytes, .cie = &cie, .loc = fde.begin, .func = fde.begin, .ops_left = MAX_OPS};
    row_clear(&first, &cie);
    // A CIE's program has no locations; U64_MAX lets it run to its end.
    if (cie.is_usual) {
        row_of_usual(&first);
    } else if (!program_run(&run, cie.program, UINT64_MAX, NULL, &first)) {
        return false;
    }
    *ret = first;
    run.loc = fde.begin;
    return program_run(&run, fde.program, pc, &first, ret) &&
           (ret->cfa_is_expr || ret->cfa_reg < N_REGS);
}

bool cfi_find(const struct cfi_bytes *hdr, u64 pc, u64 *fde_addr) {
    struct cfi_cursor c = {hdr->p, hdr->p + hdr->len, true};
    u32 encs = (u32)cfi_fixed(&c, 4); // version, eh_frame_ptr, fde_count, table
    u8 ptr_enc = (u8)(encs >> 8), count_enc = (u8)(encs >> 16), table_enc = (u8)(encs >> 24);
    if ((u8)encs != 1 || count_enc == ENC_OMIT || table_enc != ENC_TABLE) return false;
    if (ptr_enc != ENC_OMIT) encoded(hdr, &c, ptr_enc, 0);
    u64 count = encoded(hdr, &c, count_enc, 0);
    if (!c.ok || count == 0 || count > (u64)(c.end - c.p) / 8) return false;
    const u8 *table = c.p;
    i64 want = (i64)(pc - hdr->addr); // both columns are relative to the header
    i32 pair[2];
    u64 lo = 0, hi = count; // the last entry whose start is <= want
    while (lo < hi) {
        u64 mid = lo + (hi - lo) / 2;
        memcpy(&pair[0], table + mid * 8, 4);
        if (pair[0] <= want) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    if (lo == 0) return false;
    memcpy(pair, table + (lo - 1) * 8, 8);
    *fde_addr = hdr->addr + (u64)(i64)pair[1];
    return true;
}
