// symbols/cfi.c - .eh_frame and .debug_frame to rules, each address once.
// Room: libdw's frames taken apart. Door: see cfi.h. Source: DWARF 5 section 6.4.
#include "symbols/cfi.h"

#include <dwarf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

enum {
    // Operations of one expression; that of signal frames has two, of PLT entries eight.
    MAX_OPS = 64,
};

struct cfi {
    struct arena *arena;
    Elf *elf;
    Dwarf *dwarf;
    Dwarf_CFI *eh, *debug; // debug is dwarf's
    struct idmap rules_by_address;
    struct cfi_rule **rules; // NULL where there is none
    u32 n_rules;
    size_t cap_rules;
};

struct cfi *cfi_open(struct arena *out, str bytes) {
    struct cfi *c = NEW(out, struct cfi, 1);
    *c = (struct cfi){.arena = out};
    idmap_init(&c->rules_by_address, out);
    elf_version(EV_CURRENT);
    c->elf = elf_memory((char *)(uintptr_t)bytes.p, bytes.len); // it is only read
    if (!c->elf) return c;
    c->eh = dwarf_getcfi_elf(c->elf);
    c->dwarf = dwarf_begin_elf(c->elf, DWARF_C_READ, NULL);
    if (c->dwarf) c->debug = dwarf_getcfi(c->dwarf);
    return c;
}

void cfi_close(struct cfi *c) {
    if (!c) return;
    if (c->eh) dwarf_cfi_end(c->eh);
    if (c->dwarf) dwarf_end(c->dwarf);
    if (c->elf) elf_end(c->elf);
}

// Operations without branches, which rules do without.
static bool copy_ops(struct arena *out, const Dwarf_Op *ops, size_t n, const Dwarf_Op **ret) {
    if (n > MAX_OPS) return false;
    Dwarf_Op *own = NEW(out, Dwarf_Op, n);
    memcpy(own, ops, n * sizeof *own);
    *ret = own;
    return true;
}

// "CFA", then perhaps an offset, then perhaps: that is the value, it is not there.
static bool read_plain(const Dwarf_Op *ops, size_t n, struct cfi_value *ret) {
    size_t at = 1;
    if (ops[0].atom != DW_OP_call_frame_cfa) return false;
    ret->kind = CFI_SAVED;
    if (at < n && ops[at].atom == DW_OP_plus_uconst) ret->offset = (i64)ops[at++].number;
    if (at < n && ops[at].atom == DW_OP_stack_value) {
        ret->kind = CFI_IS;
        at++;
    }
    return at == n;
}

static bool read_value(struct cfi *c, Dwarf_Frame *frame, u8 reg, struct cfi_value *ret) {
    Dwarf_Op few[3], *ops;
    size_t n;
    *ret = (struct cfi_value){.reg = reg};
    if (dwarf_frame_register(frame, reg, few, &ops, &n) != 0) return false;
    if (n == 0) return ops == NULL; // else it is lost
    if (read_plain(ops, n, ret)) return true;
    ret->kind = CFI_EXPRESSION;
    ret->n_ops = n;
    return copy_ops(c->arena, ops, n, &ret->ops);
}

static bool read_cfa(struct cfi *c, Dwarf_Frame *frame, struct cfi_rule *rule) {
    Dwarf_Op *ops;
    size_t n;
    if (dwarf_frame_cfa(frame, &ops, &n) != 0 || n == 0) return false;
    if (n == 1 && ops[0].atom == DW_OP_bregx && ops[0].number < WALK_REGISTERS) {
        rule->cfa_reg = (u8)ops[0].number;
        rule->cfa_offset = (i64)ops[0].number2;
        return true;
    }
    rule->n_cfa_ops = n;
    return copy_ops(c->arena, ops, n, &rule->cfa_ops);
}

static struct cfi_rule *read_rule(struct cfi *c, Dwarf_Frame *frame) {
    struct cfi_rule rule = {0};
    Dwarf_Addr start, end;
    int return_reg = dwarf_frame_info(frame, &start, &end, &rule.is_signal);
    if (return_reg < 0 || return_reg >= WALK_REGISTERS || !read_cfa(c, frame, &rule)) return NULL;
    rule.return_reg = (u8)return_reg;
    struct cfi_value values[WALK_REGISTERS];
    for (u8 reg = 0; reg < WALK_REGISTERS; reg++) {
        if (read_value(c, frame, reg, &values[rule.n_values])) rule.n_values++;
    }
    struct cfi_value *own = NEW(c->arena, struct cfi_value, rule.n_values);
    memcpy(own, values, rule.n_values * sizeof *own);
    rule.values = own;
    struct cfi_rule *ret = NEW(c->arena, struct cfi_rule, 1);
    *ret = rule;
    return ret;
}

static struct cfi_rule *find_rule(struct cfi *c, u64 address) {
    Dwarf_Frame *frame = NULL;
    bool is_found = (c->eh && dwarf_cfi_addrframe(c->eh, address, &frame) == 0) ||
                    (c->debug && dwarf_cfi_addrframe(c->debug, address, &frame) == 0);
    if (!is_found) return NULL;
    struct cfi_rule *rule = read_rule(c, frame);
    free(frame);
    return rule;
}

const struct cfi_rule *cfi_rule_at(struct cfi *c, u64 address) {
    u32 *at = idmap_at(&c->rules_by_address, address);
    if (*at != U32_NONE) return c->rules[*at];
    *at = c->n_rules;
    GROW(c->arena, c->rules, c->cap_rules, (size_t)c->n_rules + 1);
    return c->rules[c->n_rules++] = find_rule(c, address);
}
