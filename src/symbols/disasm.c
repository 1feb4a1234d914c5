// symbols/disasm.c - bytes to instructions through capstone.
// Room: see disasm.h. x86-64 operands are written by disasm_x86.c; aarch64's are capstone's own but
// for addresses, which get names. Door: disasm_next().
#include "symbols/disasm.h"

#include "symbols/capstone_load.h"
#include "symbols/disasm_x86.h"

#include <string.h>

struct disasm {
    struct capstone_api api;
    csh handle;
    cs_insn *insn;
    enum machine machine;
    bool is_intel;
    disasm_name name;
    void *ctx;
};

bool disasm_open(struct arena *out, enum machine machine, bool is_intel, disasm_name name,
                 void *ctx, struct disasm **ret, struct err *err) {
    struct disasm *d = NEW(out, struct disasm, 1);
    *d = (struct disasm){.machine = machine, .is_intel = is_intel, .name = name, .ctx = ctx};
    if (!capstone_load(&d->api, err)) return false;
    bool is_x86 = machine == MACHINE_X86_64;
    cs_err code = d->api.cs_open(is_x86 ? CS_ARCH_X86 : CS_ARCH_ARM64,
                                 is_x86 ? CS_MODE_64 : CS_MODE_ARM, &d->handle);
    if (code != CS_ERR_OK)
        return err_set(err, ERR_SYSTEM, 0, "capstone: %s", d->api.cs_strerror(code));
    d->api.cs_option(d->handle, CS_OPT_DETAIL, CS_OPT_ON);
    d->insn = d->api.cs_malloc(d->handle);
    *ret = d;
    return true;
}

void disasm_close(struct disasm *d) {
    if (!d) return;
    if (d->insn) d->api.cs_free(d->insn, 1);
    d->api.cs_close(&d->handle);
}

// aarch64: "#0x401000" at the end of a branch or adr becomes the address with its name.
static void write_aarch64(struct disasm *d, struct buf *b) {
    const cs_insn *insn = d->insn;
    const cs_arm64 *a = &insn->detail->arm64;
    str text = str_of(insn->op_str);
    buf_put(b, str_of(insn->mnemonic));
    if (text.len) buf_byte(b, '\t');
    bool is_target = d->api.cs_insn_group(d->handle, insn, CS_GRP_JUMP) ||
                     d->api.cs_insn_group(d->handle, insn, CS_GRP_CALL) ||
                     insn->id == ARM64_INS_BL || insn->id == ARM64_INS_ADR ||
                     insn->id == ARM64_INS_ADRP;
    bool has_address =
        is_target && a->op_count > 0 && a->operands[a->op_count - 1].type == ARM64_OP_IMM;
    ptrdiff_t at = has_address ? str_rfind_byte(text, '#') : -1;
    buf_put(b, at < 0 ? text : str_take(text, (size_t)at));
    if (at >= 0) d->name(b, d->ctx, (u64)a->operands[a->op_count - 1].imm);
}

static u32 write_bad(struct disasm *d, str code, struct buf *b) {
    u32 word;
    if (d->machine == MACHINE_AARCH64 && code.len >= sizeof word) {
        memcpy(&word, code.p, sizeof word);
        buf_printf(b, ".inst\t0x%08x", word);
        return sizeof word;
    }
    if (d->machine == MACHINE_X86_64) {
        buf_put(b, S("(bad)"));
    } else {
        buf_printf(b, ".byte\t0x%02x", (u8)code.p[0]);
    }
    return 1;
}

u32 disasm_next(struct disasm *d, str code, u64 address, struct buf *b) {
    const u8 *at = (const u8 *)code.p;
    size_t left = code.len;
    u64 next = address;
    if (!d->insn || !d->api.cs_disasm_iter(d->handle, &at, &left, &next, d->insn))
        return write_bad(d, code, b);
    if (d->machine == MACHINE_AARCH64) {
        write_aarch64(d, b);
    } else {
        x86_write(b, &(struct x86_text){&d->api, d->insn, d->handle, d->name, d->ctx, d->is_intel});
    }
    return d->insn->size;
}
