// tests/unit/formats_perf.c - perf.data put together by hand: a pipe's form, record by record.
// Room: claims about formats_load on it. Recorded files are seeds in fuzz/corpus/format_perf_data.
#include "unit.h"

#include "formats/formats.h"

#include <string.h>

enum { ATTR = 64, SAMPLE = 9, MMAP = 1, COMM = 3, FORK = 7, LOST = 2, KERNEL = 1, USER = 2 };
enum { MISC_EXEC = 1 << 13 };

static struct buf begin(struct unit *t) {
    struct buf b = buf_new(t->arena, 1 << 16);
    buf_put(&b, S("PERFILE2\x10\0\0\0\0\0\0\0"));
    return b;
}

static void put(struct buf *b, const void *bytes, size_t len) {
    buf_put(b, (str){bytes, len});
}

static void header(struct buf *b, u32 type, u16 misc, size_t body) {
    u16 size = (u16)(8 + body);
    put(b, &type, 4);
    put(b, &misc, 2);
    put(b, &size, 2);
}

// cpu-clock every 250 us, or page-faults: ip, tid, time, id, period, callchain in samples.
static void attr(struct buf *b, u64 config, u64 id) {
    u64 words[8] = {1 | (u64)64 << 32, config, 250000, 1 | 2 | 4 | 64 | 256 | 32, 0, 1 << 18, 0, 0};
    header(b, ATTR, 0, sizeof words + 8);
    put(b, words, sizeof words);
    put(b, &id, 8);
}

// The end of every record that is no sample: pid and tid, time, id.
static void trailer(struct buf *b, u64 time) {
    u64 words[3] = {0, time, 0};
    put(b, words, sizeof words);
}

static void map(struct buf *b, u16 mode, u32 pid, u64 start, u64 len, u64 offset, const char *name,
                u64 time) {
    char text[32] = {0};
    memcpy(text, name, strlen(name));
    u64 words[4] = {pid, start, len, offset};
    header(b, MMAP, mode, sizeof words + sizeof text + 24);
    put(b, words, sizeof words);
    put(b, text, sizeof text);
    trailer(b, time);
}

static void comm(struct buf *b, u16 misc, u32 pid, u32 tid, const char *name, u64 time) {
    char text[16] = {0};
    memcpy(text, name, strlen(name));
    u32 ids[2] = {pid, tid};
    header(b, COMM, misc, sizeof ids + sizeof text + 24);
    put(b, ids, sizeof ids);
    put(b, text, sizeof text);
    trailer(b, time);
}

static void fork_put(struct buf *b, u32 pid, u32 parent, u64 time) {
    u32 ids[4] = {pid, parent, pid, parent};
    header(b, FORK, 0, sizeof ids + 8 + 24);
    put(b, ids, sizeof ids);
    put(b, &time, 8);
    trailer(b, time);
}

static void sample(struct buf *b, u32 pid, u64 id, u64 time, const u64 *ips, u64 n) {
    u64 words[6] = {ips[n > 1], pid | (u64)pid << 32, time, id, 250000, n};
    header(b, SAMPLE, USER, sizeof words + 8 * n);
    put(b, words, sizeof words);
    put(b, ips, 8 * n);
}

static const u64 in_kernel = (u64)-128, in_user = (u64)-512;

static str file_of(const struct profile *p, u32 location_i) {
    u32 mapping_i = p->locations[location_i].mapping_i;
    return mapping_i == U32_NONE ? S("none") : profile_str(p, p->mappings[mapping_i].file);
}

TEST(perf_data_callchains_cross_from_kernel_to_user) {
    struct profile p;
    struct buf b = begin(t);
    attr(&b, 0, 71);
    attr(&b, 2, 72);
    map(&b, KERNEL, (u32)-1, 0xffffffff81000000, 0x1000000, 0xffffffff81000000,
        "[kernel.kallsyms]_text", 0);
    comm(&b, MISC_EXEC, 5, 5, "app", 1);
    map(&b, USER, 5, 0x55000, 0x1000, 0x1000, "/bin/app", 2);
    u64 ips[] = {in_kernel, 0xffffffff81000100, 0xffffffff81000200, in_user, 0x55010, 0x55020, 0};
    sample(&b, 5, 71, 10, ips, 7);
    sample(&b, 5, 72, 20, ips + 3, 3);
    CHECK(formats_load(t->arena, buf_str(&b), NULL, &p, &t->err));
    CHECK_EQ(p.n_types, 2);
    CHECK_STR(profile_str(&p, p.sample_types[0].type), S("cpu-clock"));
    CHECK_STR(profile_str(&p, p.sample_types[0].unit), S("nanoseconds"));
    CHECK_STR(profile_str(&p, p.sample_types[1].type), S("page-faults"));
    CHECK_EQ(p.n_samples, 2);
    CHECK_EQ(profile_values(&p, 0)[0], 250000);
    CHECK_EQ(profile_values(&p, 1)[1], 250000);
    CHECK_EQ(p.duration_nanos, 10);
    u32 n;
    const u32 *stack = profile_stack(&p, 0, &n);
    CHECK_EQ(n, 4);
    // Each side's innermost address is exact, its callers are the calls before the returns.
    CHECK_EQ(p.locations[stack[0]].address, 0xffffffff81000100);
    CHECK_EQ(p.locations[stack[1]].address, 0xffffffff810001ff);
    CHECK_EQ(p.locations[stack[2]].address, 0x55010);
    CHECK_EQ(p.locations[stack[3]].address, 0x5501f);
    CHECK_STR(file_of(&p, stack[1]), S("[kernel.kallsyms]_text"));
    CHECK_STR(profile_str(&p, p.mappings[0].file), S("/bin/app")); // the program comes first
    CHECK_STR(profile_str(&p, p.mappings[1].kernel_relocation_symbol), S("_text"));
    const struct label *labels = profile_labels(&p, 0, &n);
    CHECK_EQ(n, 3);
    CHECK_STR(profile_str(&p, labels[0].str), S("app"));
    CHECK_EQ(labels[1].num, 5);
}

// Recorded with --call-graph dwarf, the stack was mapped before the program and called the program.
TEST(perf_data_program_is_a_file_and_its_text) {
    struct profile p;
    struct buf b = begin(t);
    u64 ips[] = {in_user, 0x77010, 0x56010};
    attr(&b, 0, 71);
    comm(&b, MISC_EXEC, 5, 5, "app", 1);
    map(&b, USER, 5, 0x7ff000, 0x1000, 0, "[stack]", 2);
    map(&b, USER, 5, 0x55000, 0x1000, 0, "/bin/app", 3);
    map(&b, USER, 5, 0x56000, 0x1000, 0x1000, "/bin/app", 4);
    map(&b, USER, 5, 0x77000, 0x1000, 0x1000, "/lib/libc.so.6", 5);
    sample(&b, 5, 71, 10, ips, 3);
    CHECK(formats_load(t->arena, buf_str(&b), NULL, &p, &t->err));
    CHECK_EQ(p.n_mappings, 2);
    CHECK_STR(profile_str(&p, p.mappings[0].file), S("/bin/app"));
    CHECK_EQ(p.mappings[0].start, 0x56000);
}

TEST(perf_data_records_are_played_in_time_order) {
    struct profile p;
    struct buf b = begin(t);
    u64 ips[] = {in_user, 0x55010};
    attr(&b, 0, 71);
    sample(&b, 5, 71, 30, ips, 2); // another CPU's buffer came first
    map(&b, USER, 5, 0x55000, 0x1000, 0, "/bin/app", 20);
    sample(&b, 5, 71, 10, ips, 2); // before the mapping
    CHECK(formats_load(t->arena, buf_str(&b), NULL, &p, &t->err));
    u32 n;
    CHECK_STR(file_of(&p, *profile_stack(&p, 0, &n)), S("none"));
    CHECK_STR(file_of(&p, *profile_stack(&p, 1, &n)), S("/bin/app"));
}

TEST(perf_data_one_file_at_two_places_is_one_mapping) {
    struct profile p;
    struct buf b = begin(t);
    u64 here[] = {in_user, 0x55010}, there[] = {in_user, 0x99010};
    attr(&b, 0, 71);
    map(&b, USER, 5, 0x55000, 0x1000, 0, "/bin/app", 1);
    map(&b, USER, 6, 0x99000, 0x1000, 0, "/bin/app", 2);
    sample(&b, 5, 71, 10, here, 2);
    sample(&b, 6, 71, 20, there, 2);
    CHECK(formats_load(t->arena, buf_str(&b), NULL, &p, &t->err));
    CHECK_EQ(p.n_mappings, 1);
    CHECK_EQ(p.n_locations, 1);
}

TEST(perf_data_forked_child_keeps_its_parents_mappings_until_it_maps_over_them) {
    struct profile p;
    struct buf b = begin(t);
    u64 low[] = {in_user, 0x55010}, high[] = {in_user, 0x55810};
    attr(&b, 0, 71);
    map(&b, USER, 5, 0x55000, 0x1000, 0, "/bin/app", 1);
    fork_put(&b, 6, 5, 2);
    map(&b, USER, 6, 0x55000, 0x800, 0, "/lib/x.so", 3);
    sample(&b, 6, 71, 10, low, 2);
    sample(&b, 6, 71, 11, high, 2);
    sample(&b, 5, 71, 12, low, 2);
    CHECK(formats_load(t->arena, buf_str(&b), NULL, &p, &t->err));
    u32 n;
    CHECK_STR(file_of(&p, *profile_stack(&p, 0, &n)), S("/lib/x.so"));
    CHECK_STR(file_of(&p, *profile_stack(&p, 1, &n)), S("/bin/app"));
    CHECK_STR(file_of(&p, *profile_stack(&p, 2, &n)), S("/bin/app"));
}

// A recording of the whole machine was titled by whatever program had been started last: processes
// that were there before perf have no exec, and a fork at time 0 gave them their parent's program.
TEST(perf_data_knows_the_program_of_processes_that_were_there_before) {
    struct profile p;
    struct buf b = begin(t);
    u64 ips[] = {in_user, 0x55010}, other[] = {in_user, 0x22010};
    attr(&b, 0, 71);
    comm(&b, 0, 4, 4, "bash", 0);
    map(&b, USER, 4, 0x22000, 0x1000, 0, "/bin/bash", 0);
    fork_put(&b, 5, 4, 0);
    comm(&b, 0, 5, 5, "server", 0);
    map(&b, USER, 5, 0x55000, 0x1000, 0, "/bin/server", 0);
    map(&b, USER, 5, 0x77000, 0x1000, 0, "/lib/libc.so.6", 0);
    sample(&b, 4, 71, 10, other, 2);
    sample(&b, 5, 71, 11, ips, 2);
    sample(&b, 5, 71, 12, ips, 2);
    CHECK(formats_load(t->arena, buf_str(&b), NULL, &p, &t->err));
    CHECK_STR(profile_str(&p, p.mappings[0].file), S("/bin/server"));
}

TEST(perf_data_lost_samples_are_said_in_a_comment) {
    struct profile p;
    struct buf b = begin(t);
    u64 lost[2] = {71, 9};
    attr(&b, 0, 71);
    header(&b, LOST, 0, sizeof lost);
    put(&b, lost, sizeof lost);
    CHECK(formats_load(t->arena, buf_str(&b), NULL, &p, &t->err));
    CHECK_EQ(p.n_comments, 1);
    CHECK_STR(profile_str(&p, p.comments[0]), S("lost samples: 9"));
}

TEST(perf_data_with_a_callchain_past_its_record_is_refused) {
    struct profile p;
    struct buf b = begin(t);
    u64 words[6] = {1, 2, 3, 71, 5, 1000};
    attr(&b, 0, 71);
    header(&b, SAMPLE, USER, sizeof words);
    put(&b, words, sizeof words);
    CHECK(!formats_load(t->arena, buf_str(&b), NULL, &p, &t->err));
    CHECK_EQ(t->err.code, ERR_MALFORMED);
}

TEST(perf_data_of_a_big_endian_machine_is_told_so) {
    struct profile p;
    CHECK(!formats_load(t->arena, S("2ELIFREP\0\0\0\0\0\0\0\x68"), NULL, &p, &t->err));
    CHECK_EQ(t->err.code, ERR_UNSUPPORTED);
}

// --- stacks recorded as registers and bytes -----------------------------------------------------

enum { X86_MASK = 0xff0fff, N_REGISTERS = 20, STACK_BYTES = 64 }; // as perf asks for them

// cpu-clock with ip, tid, time, callchain, id, period, branches, user registers and stack.
static void attr_walked(struct buf *b, u64 id) {
    // 1 << 17 is the kind of branches that come with an index.
    u64 type = 1 | 2 | 4 | 32 | 64 | 256 | 1 << 11 | 1 << 12 | 1 << 13;
    u64 words[12] = {1 | (u64)96 << 32, 0,        250000,     type, 0, 1 << 18, 0, 0, 0,
                     1 << 17,           X86_MASK, STACK_BYTES};
    header(b, ATTR, 0, sizeof words + 8);
    put(b, words, sizeof words);
    put(b, &id, 8);
}

// ip and sp in the registers; a kernel address, one branch, n_filled bytes of the stack filled.
static void sample_walked(struct buf *b, u64 id, u64 ip, u64 sp, u64 abi, u64 n_filled) {
    u64 head[6] = {ip, 5 | (u64)5 << 32, 10, id, 250000, 2};
    u64 chain[2] = {in_kernel, 0xffffffff81000100}, branches[5] = {1, 0};
    u64 registers[N_REGISTERS] = {0}, stack[STACK_BYTES / 8] = {0x55020, 0x55030};
    registers[6] = 0x66; // bp
    registers[7] = sp;
    registers[8] = ip;
    registers[N_REGISTERS - 1] = 0x1515; // r15
    u64 size = STACK_BYTES;
    size_t n = sizeof head + sizeof chain + sizeof branches + 8 + 8 + sizeof stack + 8;
    header(b, SAMPLE, KERNEL, n + (abi ? sizeof registers : 0));
    put(b, head, sizeof head);
    put(b, chain, sizeof chain);
    put(b, branches, sizeof branches);
    put(b, &abi, 8);
    if (abi) put(b, registers, sizeof registers);
    put(b, &size, 8);
    put(b, stack, sizeof stack);
    put(b, &n_filled, 8);
}

struct seen {
    struct walk_frame first;
    struct walk_stack stack;
    u64 addresses[8];
    int n;
};

// Pops one word after the other.
static bool pop(void *ctx, const struct profile *p, u32 mapping_i, u64 address,
                const struct walk_stack *stack, struct walk_frame *frame) {
    struct seen *s = ctx;
    CHECK(mapping_i < p->n_mappings);
    if (s->n == 0) {
        s->first = *frame;
        s->stack = *stack;
    }
    s->addresses[s->n] = address;
    size_t at = 8 * (size_t)s->n++;
    if (at + 8 > stack->bytes.len) return false;
    memcpy(&frame->registers[WALK_X86_PC], stack->bytes.p + at, 8);
    frame->is_exact = false;
    return true;
}

static struct profile walked(struct unit *t, u64 ip, u64 abi, u64 n_filled, struct seen *s) {
    struct profile p;
    struct buf b = begin(t);
    struct stack_walker walker = {s, pop};
    attr_walked(&b, 71);
    map(&b, USER, 5, 0x55000, 0x1000, 0, "/bin/app", 1);
    sample_walked(&b, 71, ip, 0x7000, abi, n_filled);
    CHECK(formats_load(t->arena, buf_str(&b), &(struct formats_opts){.walker = &walker}, &p,
                       &t->err));
    return p;
}

TEST(perf_data_recorded_stacks_are_walked_behind_the_kernels_chain) {
    struct seen s = {0};
    struct profile p = walked(t, 0x55010, 2, 16, &s);
    CHECK_EQ(s.first.registers[WALK_X86_SP], 0x7000);
    CHECK_EQ(s.first.registers[6], 0x66);
    CHECK_EQ(s.first.registers[15], 0x1515);
    CHECK(s.first.is_exact);
    CHECK_EQ(s.stack.at, 0x7000);
    CHECK_EQ(s.stack.bytes.len, 16); // what was filled, not what was asked for
    u32 n;
    const u32 *stack = profile_stack(&p, 0, &n);
    CHECK_EQ(n, 4);
    CHECK_EQ(p.locations[stack[0]].address, 0xffffffff81000100);
    CHECK_EQ(p.locations[stack[1]].address, 0x55010);
    CHECK_EQ(p.locations[stack[2]].address, 0x5501f);
    CHECK_EQ(p.locations[stack[3]].address, 0x5502f);
}

// While execve() works the registers are those of the program before, which is no more.
TEST(perf_data_walks_nothing_where_nothing_is_mapped) {
    struct seen s = {0};
    struct profile p = walked(t, 0x99010, 2, 16, &s);
    u32 n;
    profile_stack(&p, 0, &n);
    CHECK_EQ(n, 1);
    CHECK_EQ(s.n, 0);
}

TEST(perf_data_of_32_bit_code_or_kernel_threads_is_not_walked) {
    struct seen s = {0};
    walked(t, 0x55010, 1, 16, &s);
    walked(t, 0x55010, 0, 0, &s);
    CHECK_EQ(s.n, 0);
}

TEST(perf_data_of_more_stack_than_was_recorded_is_cut) {
    struct seen s = {0};
    walked(t, 0x55010, 2, 1 << 20, &s);
    CHECK_EQ(s.stack.bytes.len, STACK_BYTES);
}

// --- events sampled together (-e '{a,b}:S')
// -------------------------------------------------------

static void attr_group(struct buf *b, u64 config, u64 id) {
    u64 words[8] = {1 | (u64)64 << 32, config, 250000, 1 | 2 | 4 | 16 | 64, 4 | 8, 1 << 18, 0, 0};
    header(b, ATTR, 0, sizeof words + 8);
    put(b, words, sizeof words);
    put(b, &id, 8);
}

static void sample_group(struct buf *b, u64 time, u64 clock, u64 faults) {
    u64 words[9] = {0x55010, 5 | (u64)5 << 32, time, 71, 2, clock, 71, faults, 72};
    header(b, SAMPLE, USER, sizeof words);
    put(b, words, sizeof words);
}

// Only the leader had values: those of the others are in its samples, as counters that go on.
TEST(perf_data_events_sampled_together_have_the_steps_of_their_counters) {
    struct profile p;
    struct buf b = begin(t);
    attr_group(&b, 0, 71);
    attr_group(&b, 2, 72);
    sample_group(&b, 10, 250100, 3);
    sample_group(&b, 20, 500000, 10);
    CHECK(formats_load(t->arena, buf_str(&b), NULL, &p, &t->err));
    CHECK_EQ(p.n_types, 2);
    CHECK_EQ(p.n_samples, 2);
    CHECK_EQ(profile_values(&p, 0)[0], 250100);
    CHECK_EQ(profile_values(&p, 0)[1], 3);
    CHECK_EQ(profile_values(&p, 1)[0], 249900);
    CHECK_EQ(profile_values(&p, 1)[1], 7);
}
