// tests/unit/symbols_disasm.c - proves that instructions read as GNU objdump 2.40 writes them, in
// both syntaxes, and that functions of this very program are found with their inlined calls.
#include "unit.h"

#include "symbols/disasm.h"
#include "symbols/symbols.h"

#include <unistd.h>

static void put_address(struct buf *b, void *ctx, u64 address) {
    (void)ctx;
    num_hex(b, address, 1);
    if (address == 0x1100) buf_put(b, S(" <callee>"));
}

static str text_of(struct unit *t, enum machine machine, bool is_intel, str code) {
    struct disasm *d;
    struct buf b = buf_new(t->arena, 256);
    CHECK(disasm_open(t->arena, machine, is_intel, put_address, NULL, &d, &t->err));
    u32 len = disasm_next(d, code, 0x1000, &b);
    CHECK(len <= code.len);
    disasm_close(d);
    return buf_str(&b);
}

struct sample {
    str code;
    const char *att, *intel;
};

// What objdump -d [-M intel] says of these bytes at address 0x1000.
static const struct sample samples[] = {
    {{"\x55", 1}, "push   %rbp", "push   rbp"},
    {{"\xc3", 1}, "ret", "ret"},
    {{"\x48\x89\xe5", 3}, "mov    %rsp,%rbp", "mov    rbp,rsp"},
    {{"\xc7\x45\xfc\x01\x00\x00\x00", 7},
     "movl   $0x1,-0x4(%rbp)",
     "mov    DWORD PTR [rbp-0x4],0x1"},
    {{"\x48\x83\xc4\xf8", 4}, "add    $0xfffffffffffffff8,%rsp", "add    rsp,0xfffffffffffffff8"},
    {{"\x83\xc8\xff", 3}, "or     $0xffffffff,%eax", "or     eax,0xffffffff"},
    {{"\xe8\xfb\x00\x00\x00", 5}, "call   1100 <callee>", "call   1100 <callee>"},
    {{"\x75\xfe", 2}, "jne    1000", "jne    1000"},
    {{"\xff\xd0", 2}, "call   *%rax", "call   rax"},
    {{"\x3e\xff\xe0", 3}, "notrack jmp *%rax", "notrack jmp rax"},
    {{"\x48\x8b\x05\xf9\x00\x00\x00", 7},
     "mov    0xf9(%rip),%rax        # 1100 <callee>",
     "mov    rax,QWORD PTR [rip+0xf9]        # 1100 <callee>"},
    {{"\x64\x48\x8b\x04\x25\x28\x00\x00\x00", 9},
     "mov    %fs:0x28,%rax",
     "mov    rax,QWORD PTR fs:0x28"},
    {{"\x0f\xb6\xc0", 3}, "movzbl %al,%eax", "movzx  eax,al"},
    {{"\x48\x63\xd0", 3}, "movslq %eax,%rdx", "movsxd rdx,eax"},
    {{"\x48\x98", 2}, "cltq", "cdqe"},
    {{"\xf3\x48\xab", 3}, "rep stos %rax,%es:(%rdi)", "rep stos QWORD PTR es:[rdi],rax"},
    {{"\x48\xd1\xfe", 3}, "sar    %rsi", "sar    rsi,1"},
    {{"\xf0\x83\x00\x01", 4}, "lock addl $0x1,(%rax)", "lock add DWORD PTR [rax],0x1"},
    {{"\x66\x90", 2}, "xchg   %ax,%ax", "xchg   ax,ax"},
    {{"\x66\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00", 11},
     "data16 cs nopw 0x0(%rax,%rax,1)",
     "data16 cs nop WORD PTR [rax+rax*1+0x0]"},
    {{"\xf2\x0f\x10\x44\xc8\x08", 6},
     "movsd  0x8(%rax,%rcx,8),%xmm0",
     "movsd  xmm0,QWORD PTR [rax+rcx*8+0x8]"},
    {{"\xf2\x0f\x2a\x00", 4}, "cvtsi2sdl (%rax),%xmm0", "cvtsi2sd xmm0,DWORD PTR [rax]"},
    {{"\xdd\x45\x08", 3}, "fldl   0x8(%rbp)", "fld    QWORD PTR [rbp+0x8]"},
    {{"\x06", 1}, "(bad)", "(bad)"},
};

TEST(instructions_read_as_objdump_writes_them) {
    for (size_t i = 0; i < countof(samples); i++) {
        const struct sample *s = &samples[i];
        CHECK_STR(text_of(t, MACHINE_X86_64, false, s->code), str_of(s->att));
        CHECK_STR(text_of(t, MACHINE_X86_64, true, s->code), str_of(s->intel));
    }
}

TEST(aarch64_branches_have_names) {
    CHECK_STR(text_of(t, MACHINE_AARCH64, false, S("\x40\x00\x00\x94")), S("bl\t1100 <callee>"));
    CHECK_STR(text_of(t, MACHINE_AARCH64, false, S("\xff\x43\x00\xd1")), S("sub\tsp, sp, #0x10"));
    CHECK_STR(text_of(t, MACHINE_AARCH64, false, S("\xff\xff\xff\xff")), S(".inst\t0xffffffff"));
}

static volatile u64 seed = 3;

static inline __attribute__((always_inline)) u64 disasm_inner(u64 x) {
    return x * seed;
}

__attribute__((noinline, used)) static u64 disasm_outer(u64 x) {
    return disasm_inner(x) + seed;
}

static struct object *open_self(struct unit *t) {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    CHECK(n > 0);
    struct object *o;
    CHECK(object_open(t->arena, (str){path, (size_t)n}, &o, &t->err));
    return o;
}

TEST(functions_are_found_by_name_and_by_address) {
    struct object *o = open_self(t);
    struct regex *re, *none;
    struct object_ranges ranges;
    CHECK(disasm_outer(seed) != 1);
    CHECK(regex_compile(t->arena, S("^disasm_outer$"), &re, &t->err));
    CHECK(regex_compile(t->arena, S("^no such function$"), &none, &t->err));
    object_find(t->arena, o, re, NULL, &ranges);
    CHECK_EQ(ranges.n, 1);
    CHECK_STR(ranges.items[0].names[0], S("disasm_outer"));
    u64 inside = ranges.items[0].end - 1;
    object_find(t->arena, o, none, &inside, &ranges);
    CHECK_EQ(ranges.n, 1);
    object_find(t->arena, o, none, NULL, &ranges);
    CHECK_EQ(ranges.n, 0);
    object_close(o);
    regex_done(re);
    regex_done(none);
}

TEST(instructions_know_what_was_inlined) {
    struct object *o = open_self(t);
    struct regex *re;
    struct object_ranges ranges;
    struct instructions code;
    CHECK(regex_compile(t->arena, S("^disasm_outer$"), &re, &t->err));
    object_find(t->arena, o, re, NULL, &ranges);
    const struct object_range *r = &ranges.items[0];
    CHECK(object_disasm(t->arena, o, r->start, r->end, false, &code, &t->err));
    u32 n_inlined = 0;
    for (u32 i = 0; i < code.n; i++) {
        CHECK(code.items[i].n_frames >= 1);
        if (code.items[i].n_frames < 2) continue;
        CHECK_STR(code.items[i].frames[0].function, S("disasm_inner"));
        CHECK_STR(code.items[i].frames[1].function, S("disasm_outer"));
        n_inlined++;
    }
    CHECK(n_inlined > 0);
    CHECK(!object_disasm(t->arena, o, 1, 2, false, &code, &t->err) ||
          code.n == 1); // the file's header may be mapped there
    CHECK(!object_disasm(t->arena, o, ~(u64)99, ~(u64)9, false, &code, &t->err));
    CHECK_EQ(t->err.code, ERR_NOT_FOUND);
    object_close(o);
    regex_done(re);
}
