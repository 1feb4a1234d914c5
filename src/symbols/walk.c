// symbols/walk.c - one step up a recorded stack.
// Room: rules applied to registers and bytes; reading rules is cfi.c, finding binaries is locate.c
// and running.c. Door: walker_of(). Source: DWARF 5 sections 2.5 and 6.4.
#include "symbols/walk.h"

#include "symbols/binary.h"
#include "symbols/cfi.h"
#include "symbols/local.h"
#include "symbols/running.h"

#include <dwarf.h>
#include <elf.h>
#include <string.h>

enum {
    MAX_VALUES = 16, // on an expression's stack; rules need four
    X86_BP = 6,
    ARM_FP = 29,
    USER_BITS = 48, // of an aarch64 address; above them may stand the signature of a return address
};

// What is known about a mapping's file.
struct walk_file {
    bool is_met;
    struct cfi *cfi;      // NULL: no file, or of another machine
    struct binary binary; // closed for the vDSO, whose addresses only move by shift
    u64 shift;
};

struct walker {
    struct arena *arena;
    str search_path;
    struct walk_file *files; // [mapping_i]
    size_t cap_files;
};

struct walker *walker_open(struct arena *out, str search_path) {
    struct walker *w = NEW(out, struct walker, 1);
    *w = (struct walker){.arena = out, .search_path = search_path};
    return w;
}

void walker_close(struct walker *w) {
    for (size_t i = 0; i < w->cap_files; i++) {
        cfi_close(w->files[i].cfi);
        binary_close(&w->files[i].binary);
    }
}

static bool is_of(str elf, enum walk_machine machine) {
    u16 wanted = machine == WALK_X86_64 ? EM_X86_64 : EM_AARCH64;
    Elf64_Ehdr head;
    if (elf.len < sizeof head) return false;
    memcpy(&head, elf.p, sizeof head);
    return head.e_machine == wanted;
}

// p with nothing but one mapping, its file the one that is found under the user's folders. A
// running process may have the file where nobody else sees it: its sample comes later, so a comment
// tells.
static struct profile only_mapping(struct walker *w, const struct profile *p, u32 mapping_i,
                                   u32 pid) {
    struct buf ignored = buf_new(w->arena, 0), who = buf_new(w->arena, 64);
    struct profile one = *p;
    buf_printf(&who, "pid %u on this machine", pid);
    one.comments = NEW(w->arena, u32, 1);
    one.comments[0] = profile_add_str(w->arena, &one, buf_str(&who));
    one.n_comments = 1;
    one.mappings = NEW(w->arena, struct mapping, 1);
    one.mappings[0] = p->mappings[mapping_i];
    one.n_mappings = 1;
    return w->search_path.len ? local_locate(w->arena, &one, w->search_path, &ignored) : one;
}

static void open_file(struct walker *w, const struct profile *p, u32 mapping_i,
                      const struct walk_stack *stack, enum walk_machine machine,
                      struct walk_file *ret) {
    const struct mapping *m = &p->mappings[mapping_i];
    struct err ignored;
    str path, vdso;
    ret->is_met = true;
    if (running_vdso(w->arena, p, m, &vdso, &ret->shift)) {
        if (is_of(vdso, machine)) ret->cfi = cfi_open(w->arena, vdso);
        return;
    }
    if (local_is_unsymbolizable(profile_str(p, m->file))) return;
    struct profile one = only_mapping(w, p, mapping_i, stack->pid);
    if (!mapping_open(w->arena, &one, one.mappings, false, &ret->binary, &path, &ignored)) return;
    if (is_of(ret->binary.bytes, machine)) ret->cfi = cfi_open(w->arena, ret->binary.bytes);
}

static const struct cfi_rule *find_rule(struct walker *w, const struct profile *p, u32 mapping_i,
                                        u64 address, const struct walk_stack *stack,
                                        enum walk_machine machine) {
    if (mapping_i == U32_NONE) return NULL;
    GROW(w->arena, w->files, w->cap_files, (size_t)mapping_i + 1);
    struct walk_file *file = &w->files[mapping_i];
    if (!file->is_met) open_file(w, p, mapping_i, stack, machine, file);
    if (!file->cfi) return NULL;
    u64 at = address + file->shift;
    if (file->binary.bytes.p &&
        !binary_address(&file->binary, &p->mappings[mapping_i], address, &at))
        return NULL;
    return cfi_rule_at(file->cfi, at);
}

static bool read_word(const struct walk_stack *stack, u64 address, u64 *ret) {
    u64 from = address - stack->at;
    if (address < stack->at || from > stack->bytes.len || stack->bytes.len - from < sizeof *ret)
        return false;
    memcpy(ret, stack->bytes.p + from, sizeof *ret);
    return true;
}

// An expression being evaluated.
struct machine {
    const struct walk_frame *frame;
    const struct walk_stack *stack;
    u64 cfa;
    u64 values[MAX_VALUES];
    u32 n;
};

static bool push(struct machine *m, u64 value) {
    if (m->n == MAX_VALUES) return false;
    m->values[m->n++] = value;
    return true;
}

static bool push_register(struct machine *m, u64 reg, u64 offset) {
    if (reg >= WALK_REGISTERS || !walk_knows(m->frame, (unsigned)reg)) return false;
    return push(m, m->frame->registers[reg] + offset);
}

// Takes two values and puts what the operation makes of them.
static bool binary_op(struct machine *m, unsigned atom) {
    if (m->n < 2) return false;
    u64 b = m->values[--m->n], *a = &m->values[m->n - 1];
    switch (atom) {
    case DW_OP_plus:
        *a += b;
        return true;
    case DW_OP_minus:
        *a -= b;
        return true;
    case DW_OP_mul:
        *a *= b;
        return true;
    case DW_OP_and:
        *a &= b;
        return true;
    case DW_OP_or:
        *a |= b;
        return true;
    case DW_OP_shl:
        *a = b < 64 ? *a << b : 0;
        return true;
    case DW_OP_shr:
        *a = b < 64 ? *a >> b : 0;
        return true;
    case DW_OP_ge:
        *a = (i64)*a >= (i64)b;
        return true;
    default:
        return false; // branches and the rest: no compiler's rules hold them
    }
}

static bool run_op(struct machine *m, const Dwarf_Op *op) {
    unsigned atom = op->atom;
    if (atom >= DW_OP_lit0 && atom <= DW_OP_lit31) return push(m, atom - DW_OP_lit0);
    if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31)
        return push_register(m, atom - DW_OP_breg0, op->number);
    if (atom >= DW_OP_const1u && atom <= DW_OP_consts) return push(m, op->number);
    switch (atom) {
    case DW_OP_bregx:
        return push_register(m, op->number, op->number2);
    case DW_OP_call_frame_cfa:
        return push(m, m->cfa);
    case DW_OP_plus_uconst:
        if (m->n == 0) return false;
        m->values[m->n - 1] += op->number;
        return true;
    case DW_OP_deref:
        return m->n > 0 && read_word(m->stack, m->values[m->n - 1], &m->values[m->n - 1]);
    case DW_OP_dup:
        return m->n > 0 && push(m, m->values[m->n - 1]);
    case DW_OP_nop:
        return true;
    default:
        return binary_op(m, atom);
    }
}

// *is_value: *ret is what is asked for; else the address where it is.
static bool evaluate(struct machine *m, const Dwarf_Op *ops, size_t n, u64 *ret, bool *is_value) {
    *is_value = false;
    m->n = 0;
    if (n == 1 &&
        (ops->atom == DW_OP_regx || (ops->atom >= DW_OP_reg0 && ops->atom <= DW_OP_reg31)))
        *is_value =
            push_register(m, ops->atom == DW_OP_regx ? ops->number : ops->atom - DW_OP_reg0, 0);
    for (size_t i = 0; i < n && !*is_value; i++) {
        if (ops[i].atom == DW_OP_stack_value)
            *is_value = true;
        else if (!run_op(m, &ops[i]))
            return false;
    }
    if (m->n == 0) return false;
    *ret = m->values[m->n - 1];
    return true;
}

static bool find_cfa(struct machine *m, const struct cfi_rule *rule, u64 *ret) {
    bool ignored;
    if (rule->n_cfa_ops) return evaluate(m, rule->cfa_ops, rule->n_cfa_ops, ret, &ignored);
    if (!walk_knows(m->frame, rule->cfa_reg)) return false;
    *ret = m->frame->registers[rule->cfa_reg] + (u64)rule->cfa_offset;
    return true;
}

static bool find_value(struct machine *m, const struct cfi_value *v, u64 *ret) {
    bool is_value;
    switch (v->kind) {
    case CFI_SAME:
        *ret = m->frame->registers[v->reg];
        return walk_knows(m->frame, v->reg);
    case CFI_SAVED:
        return read_word(m->stack, m->cfa + (u64)v->offset, ret);
    case CFI_IS:
        *ret = m->cfa + (u64)v->offset;
        return true;
    case CFI_EXPRESSION:
        return evaluate(m, v->ops, v->n_ops, ret, &is_value) &&
               (is_value || read_word(m->stack, *ret, ret));
    }
    return false;
}

static void set(struct walk_frame *frame, unsigned reg, u64 value) {
    frame->registers[reg] = value;
    frame->known |= (u64)1 << reg;
}

// Makes pc the caller's; false where there is none.
static bool set_pc(struct walk_frame *caller, unsigned return_reg) {
    if (!walk_knows(caller, return_reg)) return false;
    u64 pc = caller->registers[return_reg];
    if (caller->machine == WALK_AARCH64) pc &= ((u64)1 << USER_BITS) - 1;
    set(caller, walk_pc(caller->machine), pc);
    return pc != 0;
}

// Only an innermost function may have put nothing on the stack (aarch64), and signals may come from
// another stack.
static bool is_above(const struct walk_frame *caller, const struct walk_frame *frame, unsigned sp) {
    u64 up = caller->registers[sp], here = frame->registers[sp];
    return frame->is_exact ? up >= here : up > here;
}

static bool use_rule(const struct cfi_rule *rule, const struct walk_stack *stack,
                     struct walk_frame *frame) {
    struct machine m = {.frame = frame, .stack = stack};
    struct walk_frame caller = {.machine = frame->machine, .is_exact = rule->is_signal};
    unsigned sp = walk_sp(frame->machine);
    if (!find_cfa(&m, rule, &m.cfa)) return false;
    for (u32 i = 0; i < rule->n_values; i++) {
        u64 value;
        if (find_value(&m, &rule->values[i], &value)) set(&caller, rule->values[i].reg, value);
    }
    if (!walk_knows(&caller, sp)) set(&caller, sp, m.cfa);
    if (!rule->is_signal && !is_above(&caller, frame, sp)) return false;
    if (!set_pc(&caller, rule->return_reg)) return false;
    *frame = caller;
    return true;
}

// Both machines push the caller's frame pointer and the return address above it.
static bool follow_pointer(const struct walk_stack *stack, struct walk_frame *frame) {
    unsigned fp = frame->machine == WALK_X86_64 ? X86_BP : ARM_FP;
    unsigned sp = walk_sp(frame->machine), pc = walk_pc(frame->machine);
    u64 at = frame->registers[fp], up, back;
    struct walk_frame caller = {.machine = frame->machine};
    if (!walk_knows(frame, fp) || at < frame->registers[sp] || at % 8) return false;
    if (!read_word(stack, at, &up) || !read_word(stack, at + 8, &back)) return false;
    set(&caller, fp, up);
    set(&caller, sp, at + 16);
    set(&caller, pc, back);
    if (!set_pc(&caller, pc)) return false;
    *frame = caller;
    return true;
}

static bool walker_step(void *ctx, const struct profile *p, u32 mapping_i, u64 address,
                        const struct walk_stack *stack, struct walk_frame *frame) {
    struct walker *w = ctx;
    const struct cfi_rule *rule = find_rule(w, p, mapping_i, address, stack, frame->machine);
    return rule ? use_rule(rule, stack, frame) : follow_pointer(stack, frame);
}

struct stack_walker walker_of(struct walker *w) {
    return (struct stack_walker){w, walker_step};
}
