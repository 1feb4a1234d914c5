// tests/unit/symbols_elf.c - the small ELF reader.
// Room: claims about symbols/elf on files made here and on this very test program. Door: the test
// runner.
#include "unit.h"

#include "symbols/symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

// A table of symbols as DT_SYMTAB has it, with its names.
static struct elf_symbols table_of(struct unit *t, const Elf64_Sym *symbols, size_t n, str names) {
    struct elf_symbols table;
    CHECK(elf_symbols_raw(t->arena, (str){(const char *)symbols, n * sizeof *symbols}, names,
                          &table, &t->err));
    return table;
}

#define FUNC(name_at, value, size, bind)                                                           \
    {                                                                                              \
        .st_name = name_at, .st_value = value, .st_size = size, .st_shndx = 1,                     \
        .st_info = ELF64_ST_INFO(bind, STT_FUNC)                                                   \
    }

static const str names = {"\0alpha\0beta@GLIBC_2.2\0__write\0write\0outer\0inner", 53};
enum { ALPHA = 1, BETA = 7, UU_WRITE = 22, WRITE = 30, OUTER = 36, INNER = 42 };

// memcached was once shown as 100 % in "optarg": the last exported name took all code behind it.
TEST(an_address_past_a_symbols_end_has_no_name) {
    Elf64_Sym symbols[] = {FUNC(BETA, 0x200, 0x10, STB_GLOBAL),
                           FUNC(ALPHA, 0x100, 0x10, STB_GLOBAL)};
    struct elf_symbols table = table_of(t, symbols, 2, names);
    u64 start = 0;
    CHECK_STR(elf_symbol_at(&table, 0x100, &start), S("alpha"));
    CHECK_STR(elf_symbol_at(&table, 0x10f, NULL), S("alpha"));
    CHECK_STR(elf_symbol_at(&table, 0x110, NULL), S(""));
    CHECK_STR(elf_symbol_at(&table, 0xff, NULL), S(""));
    CHECK_STR(elf_symbol_at(&table, 0x20f, &start), S("beta"));
    CHECK_EQ(start, 0x200);
    CHECK_STR(elf_symbol_at(&table, 0x210, NULL), S(""));
}

TEST(of_two_names_for_one_address_the_plain_one_is_shown) {
    Elf64_Sym symbols[] = {FUNC(WRITE, 0x100, 0x10, STB_WEAK),
                           FUNC(UU_WRITE, 0x100, 0x10, STB_GLOBAL)};
    struct elf_symbols table = table_of(t, symbols, 2, names);
    CHECK_STR(elf_symbol_at(&table, 0x104, NULL), S("write"));
}

TEST(behind_a_nested_symbol_the_outer_one_goes_on) {
    Elf64_Sym symbols[] = {FUNC(OUTER, 0x100, 0x100, STB_GLOBAL),
                           FUNC(INNER, 0x120, 0x10, STB_LOCAL)};
    struct elf_symbols table = table_of(t, symbols, 2, names);
    CHECK_STR(elf_symbol_at(&table, 0x128, NULL), S("inner"));
    CHECK_STR(elf_symbol_at(&table, 0x150, NULL), S("outer"));
}

TEST(a_static_function_has_the_file_symbol_before_it) {
    Elf64_Sym symbols[] = {
        FUNC(OUTER, 0x100, 0x10, STB_LOCAL),
        {.st_name = ALPHA, .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FILE), .st_shndx = SHN_ABS},
        FUNC(INNER, 0x120, 0x10, STB_LOCAL),
        FUNC(WRITE, 0x140, 0x10, STB_GLOBAL)};
    struct elf_symbols table = table_of(t, symbols, 4, names);
    CHECK_STR(elf_symbol_source(&table, elf_symbol_find(&table, 0x100)), S(""));
    CHECK_STR(elf_symbol_source(&table, elf_symbol_find(&table, 0x120)), S("alpha"));
    CHECK_STR(elf_symbol_source(&table, elf_symbol_find(&table, 0x140)), S(""));
}

TEST(what_is_no_function_and_what_has_no_size_is_left_out) {
    Elf64_Sym symbols[] = {
        {.st_name = ALPHA,
         .st_value = 0x100,
         .st_size = 8,
         .st_shndx = 1,
         .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT)},
        {.st_name = BETA,
         .st_value = 0x200,
         .st_size = 8,
         .st_shndx = SHN_UNDEF,
         .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC)},
        FUNC(WRITE, 0x300, 0, STB_GLOBAL),
        FUNC(9999, 0x400, 8, STB_GLOBAL),
        FUNC(OUTER, UINT64_MAX - 2, 8, STB_GLOBAL),
    };
    CHECK_EQ(table_of(t, symbols, 5, names).n, 0);
}

static str read_self(struct unit *t) {
    AUTO_CLOSE int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    off_t size = lseek(fd, 0, SEEK_END);
    char *bytes = arena_alloc(t->arena, (size_t)size, 8);
    CHECK_EQ(pread(fd, bytes, (size_t)size, 0), size);
    return (str){bytes, (size_t)size};
}

static int first_object(struct dl_phdr_info *info, size_t size, void *ctx) {
    (void)size;
    *(u64 *)ctx = info->dlpi_addr;
    return 1;
}

TEST(this_program_knows_its_own_functions) {
    struct elf_symbols table;
    u64 bias = 0, start;
    CHECK(elf_symbols_read(t->arena, read_self(t), &table, &t->err));
    CHECK(table.is_full);
    dl_iterate_phdr(first_object, &bias);
    CHECK_STR(elf_symbol_at(&table, (u64)(uintptr_t)&unit_register - bias + 1, &start),
              S("unit_register"));
    CHECK_EQ(start, (u64)(uintptr_t)&unit_register - bias);
}

static u64 known_variables[4];

// AddressSanitizer counts the red zone behind a variable as part of it: as much again for this one.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
enum { KNOWN_BYTES = 2 * sizeof known_variables };
#else
enum { KNOWN_BYTES = sizeof known_variables };
#endif

TEST(this_program_knows_its_own_variables) {
    u64 bias = 0, start = 0;
    dl_iterate_phdr(first_object, &bias);
    u64 address = (u64)(uintptr_t)known_variables - bias;
    CHECK_STR(elf_variable_at(read_self(t), address + 9, &start), S("known_variables"));
    CHECK_EQ(start, address);
    CHECK(!str_eq(elf_variable_at(read_self(t), address + KNOWN_BYTES, &start),
                  S("known_variables")));
    CHECK_EQ(elf_variable_at(S("no file"), address, &start).len, 0);
}

TEST(bytes_that_are_no_elf_file_are_refused) {
    struct elf_symbols table;
    CHECK(!elf_symbols_read(t->arena,
                            S("\x7f"
                              "ELF"),
                            &table, &t->err));
    CHECK_EQ(t->err.code, ERR_UNRECOGNIZED);
    CHECK_EQ(elf_file_build_id(S("")).len, 0);
}

// Every prefix and every damaged byte of the headers: nothing is read outside.
TEST(a_cut_or_damaged_file_loses_names_and_nothing_else) {
    str file = read_self(t);
    struct elf_symbols table;
    for (size_t len = 0; len < file.len; len += file.len / 61 + 1) {
        char *copy = arena_alloc(t->arena, len, 1);
        memcpy(copy, file.p, len);
        bool is_read = elf_symbols_read(t->arena, (str){copy, len}, &table, &t->err);
        if (is_read && table.n > 0) elf_symbol_at(&table, table.items[0].start, NULL);
    }
    for (size_t i = 4; i < sizeof(Elf64_Ehdr); i++) {
        char *copy = arena_alloc(t->arena, file.len, 1);
        memcpy(copy, file.p, file.len);
        copy[i] = (char)0xff;
        if (elf_symbols_read(t->arena, (str){copy, file.len}, &table, &t->err))
            CHECK(table.n == 0 || table.items != NULL);
    }
}

TEST(a_build_id_is_found_between_other_notes) {
    static const u32 notes[] = {4, 4, 1, 0x00554e47, 7,                       // GNU, ABI tag
                                4, 8, 3, 0x00554e47, 0x44332211, 0x88776655}; // GNU, build id
    str id = elf_note_build_id((str){(const char *)notes, sizeof notes});
    CHECK_STR(id, S("\x11\x22\x33\x44\x55\x66\x77\x88"));
    CHECK_EQ(elf_note_build_id((str){(const char *)notes, sizeof notes - 4}).len, 0);
    CHECK_EQ(elf_note_build_id(S("\xff\xff\xff\xff\xff\xff\xff\xff\3\0\0\0GNU")).len, 0);
}
