// fuzz/walk.c - registers and stacks of any kind, walked by the rules of this very program.
// Room: one libFuzzer entry. Eight bytes a register, then the stack. Code addresses are taken
// modulo the program's size, so that most of them have rules.
#include "symbols/symbols.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LOAD_AT = 1 << 20, MAX_FRAMES = 1000 };

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u64 program_size(void) {
    struct stat st;
    return stat("/proc/self/exe", &st) == 0 ? (u64)st.st_size : 1;
}

static struct profile program(struct arena *arena, u64 len) {
    struct profile_builder b;
    builder_init(&b, arena);
    builder_sample_type(&b, S("n"), S("count"));
    builder_mapping(&b, &(struct mapping){.start = LOAD_AT,
                                          .limit = LOAD_AT + len,
                                          .file = builder_str(&b, S("/proc/self/exe"))});
    return builder_done(&b);
}

static void read_registers(const u8 *data, struct walk_frame *frame) {
    for (unsigned i = 0; i <= WALK_X86_PC; i++) {
        memcpy(&frame->registers[i], data + 8 * i, 8);
        frame->known |= (u64)1 << i;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    static u64 len;
    size_t head = 8 * (WALK_X86_PC + 1);
    if (size < head) return 0;
    if (!len) len = program_size();
    struct arena arena;
    arena_init(&arena);
    struct profile p = program(&arena, len);
    struct walker *walker = walker_open(&arena, S(""));
    struct stack_walker step = walker_of(walker);
    struct walk_frame frame = {.machine = WALK_X86_64, .is_exact = true};
    read_registers(data, &frame);
    struct walk_stack stack = {.at = frame.registers[WALK_X86_SP],
                               .bytes = {(const char *)data + head, size - head}};
    for (int i = 0; i < MAX_FRAMES; i++) {
        u64 pc = LOAD_AT + frame.registers[WALK_X86_PC] % len;
        u64 sp = frame.registers[WALK_X86_SP];
        bool was_exact = frame.is_exact;
        if (!step.step(step.ctx, &p, 0, pc, &stack, &frame)) break;
        if (!frame.is_exact && !was_exact && frame.registers[WALK_X86_SP] <= sp) abort();
    }
    walker_close(walker);
    arena_done(&arena);
    return 0;
}
