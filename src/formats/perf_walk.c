// formats/perf_walk.c - stacks that perf recorded as registers and bytes (--call-graph dwarf).
// Room: perf's registers to DWARF's numbers, and the loop over frames; the rules of binaries are
// the walker's. Door: perf_walk(). Source: the kernel's asm/perf_regs.h of x86 and arm64.
#include "formats/perf.h"

// perf's registers of x86 by number, as DWARF numbers them; flags and segments between them are
// none.
static const u8 x86_numbers[24] = {
    0,           3,  2,  1,  4,  5,  6,  WALK_X86_SP, // ax, bx, cx, dx, si, di, bp, sp
    WALK_X86_PC, 64, 64, 64, 64, 64, 64, 64,          // ip, flags, segments
    8,           9,  10, 11, 12, 13, 14, 15,
};

// Only aarch64 has a register 32, its pc, which no stack can do without.
static enum walk_machine machine_of(u64 mask) {
    return mask >> WALK_ARM_PC & 1 ? WALK_AARCH64 : WALK_X86_64;
}

static unsigned number_of(enum walk_machine machine, unsigned perf_register) {
    if (machine == WALK_AARCH64) return perf_register;
    return perf_register < countof(x86_numbers) ? x86_numbers[perf_register] : WALK_REGISTERS;
}

static bool first_frame(const struct perf_sample *s, struct walk_frame *ret) {
    struct walk_frame frame = {.machine = machine_of(s->registers_mask), .is_exact = true};
    struct reader r = reader_of(s->registers);
    struct err ignored;
    for (unsigned i = 0; i < 64; i++) {
        u64 value;
        if (!(s->registers_mask >> i & 1)) continue;
        if (!reader_u64le(&r, &value, &ignored)) return false;
        unsigned number = number_of(frame.machine, i);
        if (number >= WALK_REGISTERS) continue;
        frame.registers[number] = value;
        frame.known |= (u64)1 << number;
    }
    *ret = frame;
    return walk_knows(&frame, walk_pc(frame.machine)) && walk_knows(&frame, walk_sp(frame.machine));
}

u32 perf_walk(struct perf_processes *all, const struct perf_sample *s,
              const struct stack_walker *walker, u32 *stack) {
    struct walk_frame frame;
    u32 n = 0;
    if (!walker || !first_frame(s, &frame)) return 0;
    unsigned pc = walk_pc(frame.machine);
    const struct walk_stack bytes = {frame.registers[walk_sp(frame.machine)], s->stack, s->pid};
    const struct profile *p = perf_profile(all);
    while (n < PERF_MAX_WALKED) {
        bool is_return = !frame.is_exact;
        // In no file and no region of code the walk has lost its way, or the kernel has just put
        // another program there. Only a program that jumped astray was really there.
        bool is_interrupted = n == 0 && s->mode == PERF_USER;
        if (!is_interrupted && !perf_is_mapped(all, s->pid, frame.registers[pc] - is_return)) break;
        u64 here = frame.registers[pc];
        u32 i = perf_location(all, s->pid, PERF_USER, here, is_return);
        stack[n++] = i;
        const struct location *at = &p->locations[i];
        if (!walker->step(walker->ctx, p, at->mapping_i, at->address, &bytes, &frame)) break;
        // What returns to the interrupted was never called: the kernel made the handler return to
        // its first instruction, and what stands before that is another function.
        if (frame.is_exact) stack[n - 1] = perf_location(all, s->pid, PERF_USER, here, false);
    }
    return n;
}
