// tests/unit/symbols_walk.c - a recorded stack of this process is walked to main().
// Room: claims about walker_of(): the frames are those backtrace() sees.
#include "unit.h"

#include "symbols/symbols.h"

#include <execinfo.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { STACK_BYTES = 64 << 10, MAX_FRAMES = 200 };

struct recorded {
    struct walk_frame frame;
    struct walk_stack stack;
    void *seen[MAX_FRAMES]; // by backtrace()
    int n_seen;
    char bytes[STACK_BYTES];
};

static void take_registers(const ucontext_t *at, struct walk_frame *ret) {
    *ret = (struct walk_frame){.is_exact = true};
#if defined(__x86_64__)
    static const int from[WALK_X86_PC + 1] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                              REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                              REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    ret->machine = WALK_X86_64;
    for (unsigned i = 0; i <= WALK_X86_PC; i++)
        ret->registers[i] = (u64)at->uc_mcontext.gregs[from[i]];
    ret->known = ((u64)1 << (WALK_X86_PC + 1)) - 1;
#else
    ret->machine = WALK_AARCH64;
    memcpy(ret->registers, at->uc_mcontext.regs, sizeof at->uc_mcontext.regs);
    ret->registers[WALK_ARM_SP] = at->uc_mcontext.sp;
    ret->registers[WALK_ARM_PC] = at->uc_mcontext.pc;
    ret->known = ((u64)1 << WALK_REGISTERS) - 1;
#endif
}

// As perf does at a sample. The stack is read by the kernel: AddressSanitizer forbids others.
static __attribute__((noinline)) void record(struct recorded *r) {
    ucontext_t at;
    AUTO_CLOSE int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    getcontext(&at);
    take_registers(&at, &r->frame);
    r->n_seen = backtrace(r->seen, MAX_FRAMES);
    r->stack.at = r->frame.registers[walk_sp(r->frame.machine)];
    ssize_t n = pread(memory, r->bytes, sizeof r->bytes, (off_t)r->stack.at);
    r->stack.bytes = (str){r->bytes, n > 0 ? (size_t)n : 0};
}

static __attribute__((noinline)) int record_deep(struct recorded *r, int depth) {
    volatile char frame[48] = {0};
    if (depth == 0)
        record(r);
    else
        frame[0] = (char)record_deep(r, depth - 1);
    return frame[0] + depth;
}

static struct profile own_maps(struct arena *out) {
    struct profile_builder b;
    builder_init(&b, out);
    builder_sample_type(&b, S("n"), S("count"));
    FILE *f = fopen("/proc/self/maps", "re");
    char line[4096], path[2048], may[8];
    unsigned long long start, limit, offset;
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%llx-%llx %7s %llx %*s %*s %2047s", &start, &limit, may, &offset, path) !=
                5 ||
            may[2] != 'x')
            continue;
        builder_mapping(&b, &(struct mapping){.start = start,
                                              .limit = limit,
                                              .offset = offset,
                                              .file = builder_str(&b, str_of(path))});
    }
    if (f) fclose(f);
    return builder_done(&b);
}

static u32 mapping_of(const struct profile *p, u64 address) {
    for (u32 i = 0; i < p->n_mappings; i++)
        if (address >= p->mappings[i].start && address < p->mappings[i].limit) return i;
    return U32_NONE;
}

static int walk(struct unit *t, struct recorded *r, const struct profile *p, u64 *pcs) {
    struct walker *walker = walker_open(t->arena, S(""));
    struct stack_walker step = walker_of(walker);
    unsigned pc = walk_pc(r->frame.machine);
    int n = 0;
    while (n < MAX_FRAMES) {
        u64 at = r->frame.registers[pc];
        pcs[n++] = at;
        at -= !r->frame.is_exact;
        if (!step.step(step.ctx, p, mapping_of(p, at), at, &r->stack, &r->frame)) break;
    }
    walker_close(walker);
    return n;
}

TEST(walk_finds_the_frames_that_backtrace_sees) {
    struct recorded *r = NEW(t->arena, struct recorded, 1);
    u64 pcs[MAX_FRAMES];
    record_deep(r, 50);
    struct profile p = own_maps(t->arena);
    int n = walk(t, r, &p, pcs);
    CHECK(r->n_seen > 50);
    CHECK(n >= r->n_seen - 1); // backtrace() may see one beyond _start
    // Both are in record(), at another call of it; from its caller on they are the same. A
    // sanitizer's backtrace() has a frame of its own in front.
    int own = (u64)r->seen[1] == pcs[1] ? 0 : 1;
    for (int i = 1; i < r->n_seen - 1 - own; i++) CHECK_EQ(pcs[i], (u64)r->seen[i + own]);
}

TEST(walk_ends_where_the_recorded_bytes_do) {
    struct recorded *r = NEW(t->arena, struct recorded, 1);
    u64 pcs[MAX_FRAMES];
    record_deep(r, 50);
    struct profile p = own_maps(t->arena);
    r->stack.bytes.len = 512 + (sizeof(ucontext_t) & ~(size_t)7);
    int n = walk(t, r, &p, pcs);
    CHECK(n > 1);
    CHECK(n < 50);
}

// Where there is no file, frame pointers lead on, upwards only.
TEST(walk_follows_frame_pointers_where_no_file_is) {
    struct walker *walker = walker_open(t->arena, S(""));
    struct stack_walker step = walker_of(walker);
    struct profile p = own_maps(t->arena);
    u64 words[] = {0, 0x1020, 0x4242, 0, 0x1000, 0x4343};
    struct walk_stack stack = {.at = 0x1000, .bytes = {(const char *)words, sizeof words}};
    struct walk_frame f = {.machine = WALK_X86_64, .is_exact = true};
    f.registers[6] = 0x1008;
    f.registers[WALK_X86_SP] = 0x1000;
    f.registers[WALK_X86_PC] = 0x4141;
    f.known = 1 << 6 | 1 << WALK_X86_SP | 1 << WALK_X86_PC;
    CHECK(step.step(step.ctx, &p, U32_NONE, 0x4141, &stack, &f));
    CHECK_EQ(f.registers[WALK_X86_PC], 0x4242);
    CHECK_EQ(f.registers[WALK_X86_SP], 0x1018);
    CHECK(!f.is_exact);
    CHECK(step.step(step.ctx, &p, U32_NONE, 0x4241, &stack, &f));
    CHECK_EQ(f.registers[WALK_X86_PC], 0x4343);
    CHECK(!step.step(step.ctx, &p, U32_NONE, 0x4342, &stack, &f)); // it leads back down
    walker_close(walker);
}
