// agent/hot/expr.c - DWARF expressions, with real registers or with symbols.
// Room: one stack machine. Door: expr_eval, at the end.
#include "agent/hot/expr.h"

enum {
    MAX_DEPTH = 8,   // the deepest expression in Debian 12's libraries needs 4
    MAX_STEPS = 256, // branches may loop
};

enum {
    X_ADDR = 0x03,
    X_DEREF = 0x06,
    X_CONST1U = 0x08,
    X_CONST1S,
    X_CONST2U,
    X_CONST2S,
    X_CONST4U,
    X_CONST4S,
    X_CONST8U,
    X_CONST8S,
    X_CONSTU,
    X_CONSTS,
    X_DUP,
    X_DROP,
    X_OVER,
    X_PICK,
    X_SWAP,
    X_ROT,
    X_ABS = 0x19,
    X_AND,
    X_DIV,
    X_MINUS,
    X_MOD,
    X_MUL,
    X_NEG,
    X_NOT,
    X_OR,
    X_PLUS,
    X_PLUS_UCONST,
    X_SHL,
    X_SHR,
    X_SHRA,
    X_XOR,
    X_BRA,
    X_EQ,
    X_GE,
    X_GT,
    X_LE,
    X_LT,
    X_NE,
    X_SKIP,
    X_LIT0 = 0x30,
    X_BREG0 = 0x70,
    X_BREGX = 0x92,
    X_DEREF_SIZE = 0x94,
    X_NOP = 0x96,
};

struct machine {
    struct cfi_cursor c;
    const u8 *start;
    const struct expr_input *in;
    u32 n;
    struct expr_value stack[MAX_DEPTH];
};

static bool push(struct machine *m, enum expr_base base, u64 v) {
    if (m->n == MAX_DEPTH) return false;
    m->stack[m->n++] = (struct expr_value){v, base};
    return true;
}

static bool push_reg(struct machine *m, u64 reg, i64 offset) {
    if (m->in->regs) {
        if (reg >= N_REGS || !regs_know(m->in->regs, (u32)reg)) return false;
        return push(m, EXPR_CONST, m->in->regs->r[reg] + (u64)offset);
    }
    if (reg == REG_STACK) return push(m, EXPR_SP, (u64)offset);
    if (reg == REG_FRAME) return push(m, EXPR_FP, (u64)offset);
    if (reg == REG_PC) return push(m, EXPR_CONST, m->in->pc + (u64)offset);
    return false;
}

static bool deref(struct machine *m, u32 size) {
    if (m->n == 0) return false;
    struct expr_value *top = &m->stack[m->n - 1];
    if (size == 0 || size > 8) return false;
    if (m->in->regs) {
        if (!window_load(m->in->window, top->v, &top->v)) return false;
        if (size < 8) top->v &= ((u64)1 << 8 * size) - 1;
        return true;
    }
    if (size != 8 || (top->base != EXPR_SP && top->base != EXPR_FP)) return false;
    top->base = top->base == EXPR_SP ? EXPR_MEM_SP : EXPR_MEM_FP;
    return true;
}

// Constants: false when op is not one of them.
static bool op_constant(struct machine *m, u8 op, u64 *v) {
    struct cfi_cursor *c = &m->c;
    switch (op) {
    case X_ADDR:
    case X_CONST8U:
    case X_CONST8S:
        *v = cfi_fixed(c, 8);
        return true;
    case X_CONST1U:
        *v = cfi_fixed(c, 1);
        return true;
    case X_CONST1S:
        *v = (u64)(i64)(int8_t)cfi_fixed(c, 1);
        return true;
    case X_CONST2U:
        *v = cfi_fixed(c, 2);
        return true;
    case X_CONST2S:
        *v = (u64)(i64)(int16_t)cfi_fixed(c, 2);
        return true;
    case X_CONST4U:
        *v = cfi_fixed(c, 4);
        return true;
    case X_CONST4S:
        *v = (u64)(i64)(i32)cfi_fixed(c, 4);
        return true;
    case X_CONSTU:
        *v = cfi_uleb(c);
        return true;
    case X_CONSTS:
        *v = (u64)cfi_sleb(c);
        return true;
    default:
        break;
    }
    if (op < X_LIT0 || op > X_LIT0 + 31) return false;
    *v = op - X_LIT0;
    return true;
}

// Rearranging the stack: false when op is not that, or the stack is too short.
static bool op_stack(struct machine *m, u8 op) {
    struct expr_value *top = m->stack + m->n;
    u32 pick = op == X_PICK ? (u32)cfi_fixed(&m->c, 1) : op == X_OVER ? 1 : 0;
    switch (op) {
    case X_DUP:
    case X_OVER:
    case X_PICK:
        return pick < m->n && push(m, top[-1 - (int)pick].base, top[-1 - (int)pick].v);
    case X_DROP:
        return m->n > 0 && m->n--;
    case X_SWAP:
    case X_ROT: {
        u32 depth = op == X_SWAP ? 2 : 3;
        if (m->n < depth) return false;
        struct expr_value first = top[-1];
        for (u32 i = 1; i < depth; i++) top[-(int)i] = top[-(int)i - 1];
        top[-(int)depth] = first;
        return true;
    }
    default:
        return false;
    }
}

static bool op_unary(struct machine *m, u8 op) {
    if (m->n == 0) return false;
    struct expr_value *top = &m->stack[m->n - 1];
    if (op == X_PLUS_UCONST) {
        top->v += cfi_uleb(&m->c);
        return top->base <= EXPR_FP;
    }
    if (top->base != EXPR_CONST) return false;
    switch (op) {
    case X_ABS:
        top->v = (i64)top->v < 0 ? 0 - top->v : top->v;
        return true;
    case X_NEG:
        top->v = 0 - top->v;
        return true;
    case X_NOT:
        top->v = ~top->v;
        return true;
    default:
        return false;
    }
}

static bool numbers(u8 op, u64 a, u64 b, u64 *ret) {
    i64 sa = (i64)a, sb = (i64)b;
    switch (op) {
    case X_AND:
        *ret = a & b;
        return true;
    case X_OR:
        *ret = a | b;
        return true;
    case X_XOR:
        *ret = a ^ b;
        return true;
    case X_PLUS:
        *ret = a + b;
        return true;
    case X_MINUS:
        *ret = a - b;
        return true;
    case X_MUL:
        *ret = a * b;
        return true;
    case X_DIV:
        if (sb == 0 || sb == -1) return false;
        *ret = (u64)(sa / sb);
        return true;
    case X_MOD:
        if (b == 0) return false;
        *ret = a % b;
        return true;
    case X_SHL:
        *ret = b < 64 ? a << b : 0;
        return true;
    case X_SHR:
        *ret = b < 64 ? a >> b : 0;
        return true;
    case X_SHRA:
        *ret = (u64)(sa >> (b < 64 ? b : 63));
        return true;
    case X_EQ:
        *ret = sa == sb;
        return true;
    case X_NE:
        *ret = sa != sb;
        return true;
    case X_GE:
        *ret = sa >= sb;
        return true;
    case X_GT:
        *ret = sa > sb;
        return true;
    case X_LE:
        *ret = sa <= sb;
        return true;
    case X_LT:
        *ret = sa < sb;
        return true;
    default:
        return false;
    }
}

static bool op_binary(struct machine *m, u8 op) {
    if (m->n < 2) return false;
    struct expr_value b = m->stack[m->n - 1], *a = &m->stack[m->n - 2];
    m->n--;
    if (b.base == EXPR_CONST && a->base == EXPR_CONST) return numbers(op, a->v, b.v, &a->v);
    // A register and a number may be added in either order; nothing else has a symbolic form.
    if (op == X_PLUS && a->base == EXPR_CONST && b.base <= EXPR_FP) {
        *a = (struct expr_value){a->v + b.v, b.base};
        return true;
    }
    if (a->base > EXPR_FP || b.base != EXPR_CONST || (op != X_PLUS && op != X_MINUS)) return false;
    a->v = op == X_PLUS ? a->v + b.v : a->v - b.v;
    return true;
}

static bool op_branch(struct machine *m, u8 op) {
    i64 by = (int16_t)cfi_fixed(&m->c, 2);
    if (op == X_BRA) {
        if (m->n == 0 || m->stack[m->n - 1].base != EXPR_CONST) return false;
        if (m->stack[--m->n].v == 0) return true;
    }
    if (by < m->start - m->c.p || by > m->c.end - m->c.p) return false;
    m->c.p += by;
    return true;
}

static bool step(struct machine *m) {
    u8 op = (u8)cfi_fixed(&m->c, 1);
    u64 v;
    if (op_constant(m, op, &v)) return push(m, EXPR_CONST, v);
    if (op >= X_BREG0 && op <= X_BREG0 + 31) return push_reg(m, op - X_BREG0, cfi_sleb(&m->c));
    switch (op) {
    case X_BREGX:
        v = cfi_uleb(&m->c);
        return push_reg(m, v, cfi_sleb(&m->c));
    case X_DEREF:
        return deref(m, 8);
    case X_DEREF_SIZE:
        return deref(m, (u32)cfi_fixed(&m->c, 1));
    case X_BRA:
    case X_SKIP:
        return op_branch(m, op);
    case X_NOP:
        return true;
    case X_ABS:
    case X_NEG:
    case X_NOT:
    case X_PLUS_UCONST:
        return op_unary(m, op);
    default:
        break;
    }
    return op >= X_DUP && op <= X_ROT ? op_stack(m, op) : op_binary(m, op);
}

bool expr_eval(struct cfi_cursor code, const struct expr_input *in, struct expr_value *ret) {
    struct machine m = {.c = code, .start = code.p, .in = in};
    if (in->first) push(&m, EXPR_CONST, *in->first);
    for (u32 steps = 0; m.c.p < m.c.end; steps++) {
        if (steps == MAX_STEPS || !step(&m) || !m.c.ok) return false;
    }
    if (!m.c.ok || m.n == 0) return false;
    *ret = m.stack[m.n - 1];
    return true;
}
