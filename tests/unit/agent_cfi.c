// tests/unit/agent_cfi.c - proves that .eh_frame bytes are read as the LSB and DWARF 5 say, on
// tables written here byte by byte, and that cut or hostile ones are refused.
#include "unit.h"

#include "agent/hot/frame.h"
#include "agent/hot/rules.h"

#include <stdlib.h>
#include <string.h>

enum { BASE = 0x10000, CODE = 0x400000 };

// A table being written; offsets are addresses less BASE.
struct table {
    u8 bytes[1024];
    size_t n;
};

static void put(struct table *t, u64 value, u32 size) {
    memcpy(t->bytes + t->n, &value, size);
    t->n += size;
}

// A byte string given as a literal, which may hold NULs.
#define PUT(t, literal) put_bytes((t), "" literal, sizeof(literal) - 1)
static void put_bytes(struct table *t, const char *bytes, size_t len) {
    memcpy(t->bytes + t->n, bytes, len);
    t->n += len;
}

static size_t entry_begin(struct table *t) {
    put(t, 0, 4);
    return t->n;
}

static void entry_end(struct table *t, size_t begin) {
    u32 len = (u32)(t->n - begin);
    memcpy(t->bytes + begin - 4, &len, 4);
}

// DWARF's numbers of the machine's stack pointer, frame pointer and return column.
#if defined(__x86_64__)
#define SP "\x07"
#define FP "\x06"
#define RA "\x10"
#define OFFSET_FP "\x86"
#define RESTORE_FP "\xc6"
#define OFFSET_RA "\x90"
#define RESTORE_RA "\xd0"
enum { RA_REG = REG_PC };
#else
#define SP "\x1f"
#define FP "\x1d"
#define RA "\x1e"
#define OFFSET_FP "\x9d"
#define RESTORE_FP "\xdd"
#define OFFSET_RA "\x9e"
#define RESTORE_RA "\xde"
enum { RA_REG = REG_LINK };
#endif

#define CIE_PROGRAM "\x0c" SP "\x08" OFFSET_RA "\x01" // def_cfa sp 8; offset RA at CFA-8

// A CIE of version 1 with code alignment 1 and data alignment -8, and the given augmentation.
#define CIE(t, letters, data) cie((t), letters, sizeof(letters), data, sizeof(data) - 1)
static size_t cie(struct table *t, const char *letters, size_t n_letters, const char *data,
                  size_t n_data) {
    size_t at = t->n, begin = entry_begin(t);
    PUT(t, "\0\0\0\0\x01");
    put_bytes(t, letters, n_letters);
    PUT(t, "\x01\x78" RA);
    put(t, n_data, 1);
    put_bytes(t, data, n_data);
    PUT(t, CIE_PROGRAM);
    entry_end(t, begin);
    return at;
}

// An FDE with absolute 8-byte pointers (encoding 0) for [CODE, CODE + 0x100).
#define FDE(t, cie_at, program) fde((t), cie_at, program, sizeof(program) - 1)
static u64 fde(struct table *t, size_t cie_at, const char *program, size_t len) {
    u64 at = BASE + t->n;
    size_t begin = entry_begin(t);
    put(t, t->n - cie_at, 4);
    put(t, CODE, 8);
    put(t, 0x100, 8);
    put(t, 0, 1); // no augmentation data
    put_bytes(t, program, len);
    entry_end(t, begin);
    return at;
}

static struct cfi_bytes bytes_of(const struct table *t) {
    return (struct cfi_bytes){t->bytes, t->n, BASE};
}

static struct cfi_row row_of(const struct table *t, u64 at, u64 pc) {
    struct cfi_row row;
    struct cfi_bytes bytes = bytes_of(t);
    CHECK(cfi_row_at(&bytes, at, pc, &row));
    return row;
}

TEST(a_row_changes_where_the_location_advances) {
    struct table table = {0};
    size_t cie_at = CIE(&table, "zR", "\0");
    // advance 1; cfa offset 16; fp at CFA-16; advance1 0x20; cfa register fp
    u64 at = FDE(&table, cie_at, "\x41\x0e\x10" OFFSET_FP "\x02\x02\x20\x0d" FP);
    struct cfi_row row = row_of(&table, at, CODE);
    CHECK_EQ(row.cfa_reg, REG_STACK);
    CHECK_EQ(row.cfa_at, 8);
    CHECK_EQ(row.how[REG_FRAME], CFI_SAME);
    row = row_of(&table, at, CODE + 1);
    CHECK_EQ(row.cfa_at, 16);
    CHECK_EQ(row.how[REG_FRAME], CFI_OFFSET);
    CHECK_EQ(row.at[REG_FRAME], -16);
    CHECK_EQ(row_of(&table, at, CODE + 0x20).cfa_reg, REG_STACK);
    CHECK_EQ(row_of(&table, at, CODE + 0x21).cfa_reg, REG_FRAME);
}

TEST(a_pc_outside_of_the_fde_has_no_row) {
    struct table table = {0};
    struct cfi_row row;
    u64 at = FDE(&table, CIE(&table, "zR", "\0"), "");
    struct cfi_bytes bytes = bytes_of(&table);
    CHECK(!cfi_row_at(&bytes, at, CODE - 1, &row));
    CHECK(!cfi_row_at(&bytes, at, CODE + 0x100, &row));
    CHECK(cfi_row_at(&bytes, at, CODE + 0xff, &row));
}

TEST(remembered_states_nest_to_any_depth) {
    struct table table = {0};
    size_t cie_at = CIE(&table, "zR", "\0");
    // At each of 20 levels: remember, advance 1, cfa offset += 4; then 20 times: advance 1,
    // restore.
    u8 program[200];
    size_t n = 0;
    for (u8 i = 1; i <= 20; i++) {
        u8 level[] = {0x0a, 0x41, 0x0e, (u8)(8 + 4 * i)};
        memcpy(program + n, level, sizeof level);
        n += sizeof level;
    }
    for (u8 i = 0; i < 20; i++) {
        program[n++] = 0x41;
        program[n++] = 0x0b;
    }
    u64 at = fde(&table, cie_at, (const char *)program, n);
    for (i32 i = 0; i <= 40; i++) {
        i32 depth = i <= 20 ? i : 40 - i;
        CHECK_EQ(row_of(&table, at, CODE + (u64)i).cfa_at, 8 + 4 * depth);
    }
}

TEST(restore_state_without_remember_is_refused) {
    struct table table = {0};
    struct cfi_row row;
    u64 at = FDE(&table, CIE(&table, "zR", "\0"), "\x0b");
    struct cfi_bytes bytes = bytes_of(&table);
    CHECK(!cfi_row_at(&bytes, at, CODE, &row));
}

TEST(restore_gives_back_the_rule_of_the_cie) {
    struct table table = {0};
    size_t cie_at = CIE(&table, "zR", "\0");
    // fp at CFA-16, RA at CFA-24; advance 4; restore fp; restore RA
    u64 at = FDE(&table, cie_at, OFFSET_FP "\x02" OFFSET_RA "\x03\x44" RESTORE_FP RESTORE_RA);
    CHECK_EQ(row_of(&table, at, CODE).at[RA_REG], -24);
    struct cfi_row row = row_of(&table, at, CODE + 4);
    CHECK_EQ(row.how[REG_FRAME], CFI_SAME);
    CHECK_EQ(row.how[RA_REG], CFI_OFFSET);
    CHECK_EQ(row.at[RA_REG], -8);
}

TEST(each_fde_uses_the_alignment_of_its_own_cie) {
    struct table table = {0};
    size_t first = CIE(&table, "zR", "\0");
    u64 at_first = FDE(&table, first, "\x42" OFFSET_FP "\x02");
    size_t second = table.n, begin = entry_begin(&table);
    // code alignment 4, data alignment -4
    PUT(&table, "\0\0\0\0\x01zR\0\x04\x7c" RA "\x01\0" CIE_PROGRAM);
    entry_end(&table, begin);
    u64 at_second = FDE(&table, second, "\x42" OFFSET_FP "\x02");
    CHECK_EQ(row_of(&table, at_first, CODE + 2).at[REG_FRAME], -16);
    CHECK_EQ(row_of(&table, at_second, CODE + 7).how[REG_FRAME], CFI_SAME);
    CHECK_EQ(row_of(&table, at_second, CODE + 8).at[REG_FRAME], -8);
    CHECK_EQ(row_of(&table, at_second, CODE + 8).at[RA_REG], -4);
}

TEST(personality_and_lsda_are_passed_over) {
    struct table table = {0};
    // P: indirect pcrel sdata4, four bytes; L: pcrel sdata4; R: absolute
    size_t cie_at = CIE(&table, "zPLR", "\x9b\x11\x22\x33\x44\x1b\0");
    size_t begin;
    u64 at = BASE + table.n;
    begin = entry_begin(&table);
    put(&table, table.n - cie_at, 4);
    put(&table, CODE, 8);
    put(&table, 0x100, 8);
    PUT(&table, "\x04\xaa\xbb\xcc\xdd\x0e\x18"); // the LSDA pointer, then cfa offset 24
    entry_end(&table, begin);
    CHECK_EQ(row_of(&table, at, CODE).cfa_at, 24);
}

TEST(signal_frames_are_told_by_their_augmentation) {
    struct table table = {0};
    u64 plain = FDE(&table, CIE(&table, "zR", "\0"), "");
    u64 signal = FDE(&table, CIE(&table, "zRS", "\0"), "");
    CHECK(!row_of(&table, plain, CODE).is_signal);
    CHECK(row_of(&table, signal, CODE).is_signal);
}

// Writes an FDE whose begin is `value` in `size` bytes under a CIE with this pointer encoding.
static u64 fde_encoded(struct table *t, u8 enc, u64 value, u32 size) {
    char data[1] = {(char)enc};
    size_t cie_at = cie(t, "zR", 3, data, 1);
    u64 at = BASE + t->n;
    size_t begin = entry_begin(t);
    put(t, t->n - cie_at, 4);
    if (enc & 0x10) value -= BASE + t->n;
    put(t, value, size);
    put(t, 0x40, size);
    put(t, 0, 1);
    PUT(t, "\x01"); // set_loc: the same encoding again
    u64 next = enc & 0x10 ? CODE + 0x10 - (BASE + t->n) : CODE + 0x10;
    put(t, next, size);
    PUT(t, "\x0e\x20");
    entry_end(t, begin);
    return at;
}

TEST(pointers_are_read_in_every_encoding_in_use) {
    static const u8 encodings[][2] = {{0x00, 8}, {0x03, 4}, {0x04, 8}, {0x0b, 4}, {0x0c, 8},
                                      {0x10, 8}, {0x13, 4}, {0x1b, 4}, {0x1c, 8}};
    for (u32 i = 0; i < countof(encodings); i++) {
        // udata4 relative to the place wraps modulo 2^32, so the code must lie above the table.
        struct table table = {0};
        u64 at = fde_encoded(&table, encodings[i][0], CODE, encodings[i][1]);
        CHECK_EQ(row_of(&table, at, CODE + 0xf).cfa_at, 8);
        CHECK_EQ(row_of(&table, at, CODE + 0x10).cfa_at, 32);
    }
}

TEST(the_usual_cie_is_read_as_any_other) {
    // gcc's bytes, and the same with the two paddings filled by another operation.
    for (u32 i = 0; i < 2; i++) {
        struct table table = {0};
        size_t begin = entry_begin(&table);
        PUT(&table, "\0\0\0\0\x01zR\0\x01\x78" RA "\x01\x1b" CIE_PROGRAM);
        put_bytes(&table, i ? OFFSET_FP "\x02" : "\0", 2); // fp at CFA-16
        entry_end(&table, begin);
        u64 at = BASE + table.n;
        begin = entry_begin(&table);
        put(&table, table.n, 4);
        put(&table, CODE - (BASE + table.n), 4);
        put(&table, 0x20, 4);
        PUT(&table, "\0\x44\x0e\x10" OFFSET_FP "\x03\x44" RESTORE_FP RESTORE_RA);
        entry_end(&table, begin);
        struct cfi_row row = row_of(&table, at, CODE);
        CHECK_EQ(row.cfa_at, 8);
        CHECK_EQ(row.how[REG_FRAME], i ? CFI_OFFSET : CFI_SAME);
        row = row_of(&table, at, CODE + 4);
        CHECK_EQ(row.cfa_at, 16);
        CHECK_EQ(row.at[REG_FRAME], -24);
        row = row_of(&table, at, CODE + 8);
        CHECK_EQ(row.how[REG_FRAME], i ? CFI_OFFSET : CFI_SAME);
        CHECK_EQ(row.at[RA_REG], -8);
    }
}

TEST(the_long_form_of_lengths_is_read) {
    struct table table = {0};
    size_t cie_at = table.n;
    put(&table, 0xffffffff, 4);
    size_t body = table.n + 8;
    put(&table, 0, 8);
    PUT(&table, "\0\0\0\0\0\0\0\0\x01zR\0\x01\x78" RA "\x01\0" CIE_PROGRAM);
    u64 len = table.n - body;
    memcpy(table.bytes + body - 8, &len, 8);
    u64 at = BASE + table.n;
    put(&table, 0xffffffff, 4);
    body = table.n + 8;
    put(&table, 0, 8);
    put(&table, table.n - cie_at, 8);
    put(&table, CODE, 8);
    put(&table, 0x100, 8);
    PUT(&table, "\0\x0e\x30");
    len = table.n - body;
    memcpy(table.bytes + body - 8, &len, 8);
    CHECK_EQ(row_of(&table, at, CODE).cfa_at, 48);
}

// Cut anywhere, in memory of exactly that size: no row, and under a sanitizer no read past it.
TEST(tables_cut_anywhere_are_refused) {
    struct table table = {0};
    struct cfi_row row;
    u64 at =
        FDE(&table, CIE(&table, "zPLR", "\x9b\x11\x22\x33\x44\x1b\0"),
            "\x41\x0e\x10" OFFSET_FP "\x02\x0a\x42\x16\x03\x02\x77\x08\x0b\x10" FP "\x02\x76\x00");
    for (size_t n = 1; n < table.n; n++) {
        u8 *copy = malloc(n);
        CHECK(copy);
        memcpy(copy, table.bytes, n);
        struct cfi_bytes cut = {copy, n, BASE};
        CHECK(!cfi_row_at(&cut, at, CODE + 9, &row));
        free(copy);
    }
    CHECK_EQ(row_of(&table, at, CODE + 9).how[REG_FRAME], CFI_EXPR);
}

TEST(a_program_without_end_is_refused) {
    // 1,000 nested remember_states: looking ahead for each takes the budget of operations.
    struct table table = {0};
    struct cfi_row row;
    size_t cie_at = CIE(&table, "zR", "\0");
    char program[900];
    memset(program, 0x0a, sizeof program);
    u64 at = fde(&table, cie_at, program, sizeof program);
    struct cfi_bytes bytes = bytes_of(&table);
    CHECK(!cfi_row_at(&bytes, at, CODE, &row));
}

// A header of three functions: CODE, CODE + 0x100 and CODE + 0x180.
static struct table header(u8 table_enc) {
    struct table t = {0};
    PUT(&t, "\x01\x1b\x03");
    put(&t, table_enc, 1);
    put(&t, 0, 4);
    put(&t, 3, 4);
    for (u64 i = 0; i < 3; i++) {
        put(&t, CODE + (i == 2 ? 0x180 : i * 0x100) - BASE, 4);
        put(&t, 0x1000 + i, 4);
    }
    return t;
}

TEST(the_header_gives_the_last_entry_at_or_before_pc) {
    struct table table = header(0x3b);
    struct cfi_bytes bytes = bytes_of(&table);
    u64 at;
    CHECK(!cfi_find(&bytes, CODE - 1, &at));
    for (u64 pc = CODE; pc < CODE + 0x200; pc++) {
        CHECK(cfi_find(&bytes, pc, &at));
        CHECK_EQ(at, BASE + 0x1000 + (pc >= CODE + 0x180 ? 2 : pc >= CODE + 0x100));
    }
}

TEST(a_header_of_another_form_or_too_short_is_refused) {
    struct table table = header(0x1b);
    struct cfi_bytes bytes = bytes_of(&table);
    u64 at;
    CHECK(!cfi_find(&bytes, CODE, &at));
    table = header(0x3b);
    bytes.len = table.n - 1;
    CHECK(!cfi_find(&bytes, CODE, &at));
    table.bytes[0] = 2; // the version
    bytes = bytes_of(&table);
    CHECK(!cfi_find(&bytes, CODE, &at));
}

#if defined(__x86_64__)
TEST(the_plts_expression_becomes_a_plain_rule) {
    struct table table = {0};
    size_t cie_at = CIE(&table, "zR", "\0");
    // What ld writes for .plt: rsp + 8 + ((rip & 15) >= 11) * 8.
    u64 at = FDE(&table, cie_at, "\x0f\x0b\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22");
    struct cfi_bytes bytes = bytes_of(&table);
    for (u64 pc = CODE; pc < CODE + 32; pc++) {
        struct cfi_row row = row_of(&table, at, pc);
        CHECK_EQ(rule_of_row(&bytes, &row, pc), rule_make(RULE_SP, pc % 16 >= 11 ? 2 : 1, 0));
    }
}

TEST(a_realigned_frame_becomes_a_rule_by_dereference) {
    struct table table = {0};
    size_t cie_at = CIE(&table, "zR", "\0");
    // gcc: CFA = word at rbp - 16; rbp stored at rbp + 0
    u64 at = FDE(&table, cie_at, "\x0f\x03\x76\x70\x06\x10\x06\x02\x76\x00");
    struct cfi_bytes bytes = bytes_of(&table);
    struct cfi_row row = row_of(&table, at, CODE);
    CHECK_EQ(rule_of_row(&bytes, &row, CODE), rule_make(RULE_FP_DEREF, 2, 0));
}

TEST(rows_a_word_cannot_say_are_applied_in_full) {
    struct table table = {0};
    size_t cie_at = CIE(&table, "zR", "\0");
    // vfork: CFA = rsp, RA in rdi. _dl_runtime_resolve: CFA = rbx + 16.
    u64 vfork_at = FDE(&table, cie_at, "\x0e\x00\x09\x10\x05");
    u64 resolve_at = FDE(&table, cie_at, "\x0c\x03\x10\x83\x02");
    struct cfi_bytes bytes = bytes_of(&table);
    u64 stack[8] = {0, 0, 0x1234, 0x5678};
    struct window window = {.lo = (u64)stack, .span = sizeof stack - 7};
    struct regs regs = {.known = ((u64)1 << N_REGS) - 1};
    regs.r[REG_STACK] = (u64)stack;
    regs.r[5] = 0x7777;
    struct cfi_row row = row_of(&table, vfork_at, CODE);
    CHECK_EQ(rule_kind(rule_of_row(&bytes, &row, CODE)), RULE_FULL);
    CHECK_EQ(frame_apply(&bytes, &row, &regs, &window), STEP_OK);
    CHECK_EQ(regs.r[REG_PC], 0x7777);
    CHECK_EQ(regs.r[REG_STACK], (u64)stack);
    CHECK(!regs_know(&regs, 5)); // rdi does not survive a call
    regs.r[REG_BX] = (u64)&stack[2];
    row = row_of(&table, resolve_at, CODE);
    CHECK_EQ(rule_kind(rule_of_row(&bytes, &row, CODE)), RULE_FULL);
    CHECK_EQ(frame_apply(&bytes, &row, &regs, &window), STEP_OK);
    CHECK_EQ(regs.r[REG_PC], 0x5678);
    CHECK_EQ(regs.r[REG_BX], 0x1234);
    CHECK_EQ(regs.r[REG_STACK], (u64)&stack[4]);
}

TEST(an_undefined_return_address_ends_the_stack) {
    struct table table = {0};
    u64 at = FDE(&table, CIE(&table, "zR", "\0"), "\x07\x10");
    struct cfi_bytes bytes = bytes_of(&table);
    struct cfi_row row = row_of(&table, at, CODE);
    CHECK_EQ(rule_kind(rule_of_row(&bytes, &row, CODE)), RULE_END);
}

TEST(an_expression_that_loops_gives_no_rule) {
    struct table table = {0};
    u64 at = FDE(&table, CIE(&table, "zR", "\0"), "\x0f\x04\x31\x2f\xfc\xff"); // lit1; skip -4
    struct cfi_bytes bytes = bytes_of(&table);
    struct cfi_row row = row_of(&table, at, CODE);
    CHECK_EQ(rule_kind(rule_of_row(&bytes, &row, CODE)), RULE_FULL);
}
#endif
