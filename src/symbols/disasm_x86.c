// symbols/disasm_x86.c - x86-64 instructions as GNU objdump writes them.
// Room: see disasm_x86.h. capstone decodes; its own AT&T text has a suffix everywhere and decimal
// numbers, so mnemonic and operands are written anew here. Source: the output of binutils 2.40; how
// often both agree is in docs/differences.md. Door: x86_write().
#include "symbols/disasm_x86.h"

#include <string.h>

enum {
    MNEMONIC_COLUMNS = 6, // objdump pads prefixes and mnemonic to this, then one space
    MAX_MNEMONIC = 64,    // capstone's longest has 32 bytes
};

// Prefix bytes, and the shifts by one, which have no number in their bytes.
enum {
    CS_SEGMENT = 0x2e,
    NOTRACK = 0x3e,
    OPERAND_SIZE = 0x66,
    SHIFT_ONE_8 = 0xd0,
    SHIFT_ONE = 0xd1
};

static const cs_x86 *detail(const struct x86_text *x) {
    return &x->insn->detail->x86;
}

// movs, cmps, stos, lods, scas: both operands are implied, and one is at %es:(%rdi) or
// %ds:(%rsi). SSE's movsd and cmpsd share names with them and have a register of 16 bytes.
static bool is_string_insn(const struct x86_text *x, str word) {
    static const char *const words[] = {"movs", "cmps", "stos", "lods", "scas", "ins", "outs"};
    const cs_x86 *d = detail(x);
    for (size_t i = 0; i < countof(words); i++) {
        str stem = str_of(words[i]);
        if (word.len != stem.len + 1 || !str_starts(word, stem)) continue;
        if (str_find_byte(S("bwdq"), word.p[stem.len]) < 0) continue; // movsx
        for (u8 op = 0; op < d->op_count; op++) {
            if (d->operands[op].type == X86_OP_REG && d->operands[op].size > 8) return false;
        }
        return d->op_count > 0;
    }
    return false;
}

static bool is_branch(const struct x86_text *x) {
    return x->api->cs_insn_group(x->handle, x->insn, CS_GRP_JUMP) ||
           x->api->cs_insn_group(x->handle, x->insn, CS_GRP_CALL);
}

static void put_register(struct buf *b, const struct x86_text *x, unsigned reg) {
    if (!x->is_intel) buf_byte(b, '%');
    str name = str_of(x->api->cs_reg_name(x->handle, reg));
    buf_put(b, str_eq(name, S("st(0)")) ? S("st") : name);
}

static void put_hex(struct buf *b, u64 value) {
    buf_put(b, S("0x"));
    num_hex(b, value, 1);
}

static void put_signed_hex(struct buf *b, i64 value, bool has_plus) {
    if (value < 0) {
        buf_byte(b, '-');
    } else if (has_plus) {
        buf_byte(b, '+');
    }
    put_hex(b, value < 0 ? 0 - (u64)value : (u64)value);
}

static void put_segment(struct buf *b, const struct x86_text *x, const cs_x86_op *op, str word) {
    unsigned segment = op->mem.segment;
    if (segment == X86_REG_INVALID && is_string_insn(x, word))
        segment = op->mem.base == X86_REG_RDI ? X86_REG_ES : X86_REG_DS;
    if (segment == X86_REG_INVALID) return;
    // cs, ds, es and ss are prefixes without a meaning in 64-bit code; "cs nopw" says so in front.
    bool is_named = segment == X86_REG_FS || segment == X86_REG_GS || is_string_insn(x, word);
    if (!is_named) return;
    put_register(b, x, segment);
    buf_byte(b, ':');
}

static void put_memory_att(struct buf *b, const struct x86_text *x, const cs_x86_op *op, str word) {
    const x86_op_mem *m = &op->mem;
    bool has_base = m->base != X86_REG_INVALID;
    bool has_index = m->index != X86_REG_INVALID && m->index != X86_REG_RIZ;
    bool has_sib_only = !has_base && !has_index;
    put_segment(b, x, op, word);
    if (has_sib_only) {
        put_hex(b, (u64)m->disp);
        return;
    }
    if (m->disp != 0 || detail(x)->encoding.disp_size > 0) put_signed_hex(b, m->disp, false);
    buf_byte(b, '(');
    if (has_base) put_register(b, x, m->base);
    if (has_index) {
        buf_byte(b, ',');
        put_register(b, x, m->index);
        buf_printf(b, ",%d", m->scale);
    }
    buf_byte(b, ')');
}

static str size_word(u32 size) {
    switch (size) {
    case 1:
        return S("BYTE PTR ");
    case 2:
        return S("WORD PTR ");
    case 4:
        return S("DWORD PTR ");
    case 8:
        return S("QWORD PTR ");
    case 10:
        return S("TBYTE PTR ");
    case 16:
        return S("XMMWORD PTR ");
    case 32:
        return S("YMMWORD PTR ");
    case 64:
        return S("ZMMWORD PTR ");
    default:
        return (str){0};
    }
}

// How much is read or written; capstone counts whole registers for some that read less.
static u32 memory_size(const cs_x86_op *op, str word) {
    if (str_starts(word, S("prefetch"))) return 1;
    if (str_ends(word, S("comisd"))) return 8;
    if (str_ends(word, S("comiss"))) return 4;
    return op->size;
}

static void put_memory_intel(struct buf *b, const struct x86_text *x, const cs_x86_op *op,
                             str word) {
    const x86_op_mem *m = &op->mem;
    bool has_base = m->base != X86_REG_INVALID;
    bool has_index = m->index != X86_REG_INVALID && m->index != X86_REG_RIZ;
    if (!str_eq(word, S("lea"))) buf_put(b, size_word(memory_size(op, word)));
    put_segment(b, x, op, word);
    if (!has_base && !has_index) {
        if (m->segment == X86_REG_INVALID) buf_put(b, S("ds:"));
        put_hex(b, (u64)m->disp);
        return;
    }
    buf_byte(b, '[');
    if (has_base) put_register(b, x, m->base);
    if (has_index) {
        if (has_base) buf_byte(b, '+');
        put_register(b, x, m->index);
        buf_printf(b, "*%d", m->scale);
    }
    if (m->base == X86_REG_RIP) {
        buf_byte(b, '+');
        put_hex(b, (u64)m->disp);
    } else if (m->disp != 0 || detail(x)->encoding.disp_size > 0) {
        put_signed_hex(b, m->disp, true);
    }
    buf_byte(b, ']');
}

// Numbers are shown in the width they are used in: -1 of a 32-bit instruction is 0xffffffff.
static u64 immediate(const cs_x86 *d, const cs_x86_op *op, str word) {
    u32 size = d->operands[0].size;
    bool is_count = str_starts(word, S("sh")) || str_starts(word, S("sa")) ||
                    str_starts(word, S("ro")) || str_starts(word, S("rc"));
    if (is_count || size > 8 || d->op_count > 2) size = op->size;
    if (str_eq(word, S("imul"))) size = d->operands[0].size;
    if (str_eq(word, S("push"))) size = 8;
    if (size == 0 || size >= 8) return (u64)op->imm;
    return (u64)op->imm & (((u64)1 << (8 * size)) - 1);
}

static void put_operand(struct buf *b, const struct x86_text *x, const cs_x86_op *op, str word) {
    switch (op->type) {
    case X86_OP_REG:
        put_register(b, x, op->reg);
        break;
    case X86_OP_IMM:
        if (is_branch(x)) {
            x->name(b, x->ctx, (u64)op->imm);
            break;
        }
        if (!x->is_intel) buf_byte(b, '$');
        put_hex(b, immediate(detail(x), op, word));
        break;
    case X86_OP_MEM:
        if (x->is_intel)
            put_memory_intel(b, x, op, word);
        else
            put_memory_att(b, x, op, word);
        break;
    case X86_OP_INVALID:
        break;
    }
}

// The AT&T names of what Intel names by the registers implied.
static str att_word(str word) {
    static const struct {
        const char *intel, *att;
    } words[] = {
        {"cdqe", "cltq"}, {"cwde", "cwtl"}, {"cbw", "cbtw"},      {"cdq", "cltd"},
        {"cqo", "cqto"},  {"cwd", "cwtd"},  {"movsxd", "movslq"},
    };
    for (size_t i = 0; i < countof(words); i++) {
        if (str_eq(word, str_of(words[i].intel))) return str_of(words[i].att);
    }
    return word;
}

static char integer_suffix(u32 size) {
    return size == 1 ? 'b' : size == 2 ? 'w' : size == 4 ? 'l' : size == 8 ? 'q' : 0;
}

// x87's memory operands: flds, fldl, fldt; filds (16 bits), fildl, fildll.
static void put_x87_suffix(struct buf *b, str word, u32 size) {
    bool is_integer = str_starts(word, S("fi"));
    if (size == 2 && is_integer) buf_byte(b, 's');
    if (size == 4) buf_byte(b, is_integer ? 'l' : 's');
    if (size == 8) buf_put(b, is_integer ? S("ll") : S("l"));
    if (size == 10) buf_byte(b, 't');
}

// Instructions on memory whose size no operand shows, beside those of one operand or a number.
static bool takes_suffix(const struct x86_text *x, str word) {
    static const char *const words[] = {"mov",  "add",  "adc", "sub", "sbb", "and", "or",  "xor",
                                        "cmp",  "test", "inc", "dec", "neg", "not", "mul", "div",
                                        "imul", "idiv", "shl", "shr", "sar", "rol", "ror", "rcl",
                                        "rcr",  "bt",   "bts", "btr", "btc", "nop"};
    const cs_x86 *d = detail(x);
    bool is_listed = false, is_shift = false;
    for (size_t i = 0; i < countof(words); i++) is_listed |= str_eq(word, str_of(words[i]));
    is_shift = d->op_count == 2 && d->operands[1].type == X86_OP_REG && d->operands[1].size == 1 &&
               (str_starts(word, S("sh")) || str_starts(word, S("sa")) ||
                str_starts(word, S("ro")) || str_starts(word, S("rc")));
    if (!is_listed || d->op_count == 0 || d->operands[0].type != X86_OP_MEM) return false;
    return d->op_count == 1 || d->operands[1].type == X86_OP_IMM || is_shift ||
           str_eq(word, S("nop"));
}

static void put_word_att(struct buf *b, const struct x86_text *x, str word) {
    const cs_x86 *d = detail(x);
    const cs_x86_op *first = &d->operands[0];
    bool is_widening = str_eq(word, S("movzx")) || str_eq(word, S("movsx"));
    if (is_widening) {
        buf_put(b, str_take(word, 4));
        buf_byte(b, integer_suffix(d->operands[1].size));
        buf_byte(b, integer_suffix(first->size));
        return;
    }
    if (is_string_insn(x, word)) {
        bool has_register =
            first->type == X86_OP_REG || (d->op_count > 1 && d->operands[1].type == X86_OP_REG);
        buf_put(b, str_take(word, word.len - 1));
        if (!has_register) buf_byte(b, integer_suffix(first->size));
        return;
    }
    buf_put(b, att_word(word));
    if (takes_suffix(x, word)) buf_byte(b, integer_suffix(first->size));
    if (str_starts(word, S("cvtsi2s")) && d->operands[1].type == X86_OP_MEM)
        buf_byte(b, integer_suffix(d->operands[1].size));
    bool is_x87 = word.p[0] == 'f' && x->api->cs_insn_group(x->handle, x->insn, X86_GRP_FPU);
    if (d->op_count == 1 && first->type == X86_OP_MEM &&
        (is_x87 || str_starts(word, S("fld")) || str_starts(word, S("fst")) ||
         str_starts(word, S("fi"))) &&
        !str_ends(word, S("cw")) && !str_ends(word, S("env")) && !str_ends(word, S("sw")))
        put_x87_suffix(b, word, first->size);
}

// Compilers lengthen nop with prefixes: one 0x66 belongs to its size, the others are named.
static void put_nop_prefixes(struct buf *b, const struct cs_insn *insn) {
    u16 n_sizes = 0;
    while (n_sizes < insn->size && insn->bytes[n_sizes] == OPERAND_SIZE) n_sizes++;
    for (u16 i = 1; i < n_sizes; i++) buf_put(b, S("data16 "));
    if (n_sizes < insn->size && insn->bytes[n_sizes] == CS_SEGMENT) buf_put(b, S("cs "));
}

// Prefixes, then the mnemonic padded to its column. *word: the Intel mnemonic without prefixes.
static void put_mnemonic(struct buf *b, const struct x86_text *x, str *word) {
    char space[MAX_MNEMONIC];
    struct buf text = {.p = space, .cap = sizeof space, .max = sizeof space};
    str rest = str_of(x->insn->mnemonic), prefix, more;
    const cs_x86 *d = detail(x);
    if (str_eq(rest, S("nop"))) put_nop_prefixes(&text, x->insn);
    // CET: a jump through a register that may land anywhere; capstone leaves it out.
    bool is_free_jump = x->insn->bytes[0] == NOTRACK && x->insn->size > 1 && is_branch(x) &&
                        d->operands[0].type != X86_OP_IMM;
    if (is_free_jump && !str_starts(rest, S("notrack"))) buf_put(&text, S("notrack "));
    while (str_cut(rest, ' ', &prefix, &more)) {
        bool is_repz = str_eq(prefix, S("rep")) &&
                       (str_starts(more, S("cmps")) || str_starts(more, S("scas")));
        buf_put(&text, is_repz                      ? S("repz")
                       : str_eq(prefix, S("repne")) ? S("repnz")
                       : str_eq(prefix, S("repe"))  ? S("repz")
                                                    : prefix);
        buf_byte(&text, ' ');
        rest = more;
    }
    *word = rest;
    if (x->is_intel) {
        buf_put(&text, is_string_insn(x, rest) ? str_take(rest, rest.len - 1) : rest);
    } else {
        put_word_att(&text, x, rest);
    }
    buf_put(b, buf_str(&text));
    if (d->op_count == 0) return;
    if (text.len < MNEMONIC_COLUMNS) buf_fill(b, ' ', MNEMONIC_COLUMNS - text.len);
    buf_byte(b, ' ');
}

// What an operand relative to the instruction stands for.
static void put_target(struct buf *b, const struct x86_text *x) {
    const cs_x86 *d = detail(x);
    for (u8 i = 0; i < d->op_count; i++) {
        const cs_x86_op *op = &d->operands[i];
        if (op->type != X86_OP_MEM || op->mem.base != X86_REG_RIP) continue;
        buf_put(b, S("        # "));
        x->name(b, x->ctx, x->insn->address + x->insn->size + (u64)op->mem.disp);
        return;
    }
}

void x86_write(struct buf *b, const struct x86_text *x) {
    const cs_x86 *d = detail(x);
    str word;
    if (x->insn->id == X86_INS_NOP && x->insn->size == 2 && x->insn->bytes[0] == 0x66) {
        buf_put(b, x->is_intel ? S("xchg   ax,ax") : S("xchg   %ax,%ax"));
        return;
    }
    put_mnemonic(b, x, &word);
    bool is_indirect = is_branch(x) && d->op_count == 1 && d->operands[0].type != X86_OP_IMM;
    if (is_indirect && !x->is_intel) buf_byte(b, '*');
    bool is_by_one = d->op_count == 2 && (d->opcode[0] == SHIFT_ONE || d->opcode[0] == SHIFT_ONE_8);
    if (is_by_one) {
        put_operand(b, x, &d->operands[0], word);
        if (x->is_intel) buf_put(b, S(",1"));
    }
    for (u8 i = 0; i < d->op_count && !is_by_one; i++) {
        if (i > 0) buf_byte(b, ',');
        put_operand(b, x, &d->operands[x->is_intel ? i : d->op_count - 1 - i], word);
    }
    put_target(b, x);
}
