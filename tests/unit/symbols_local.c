// tests/unit/symbols_local.c - proves that addresses of this very program become its functions,
// files and lines, inlined calls included, and what is said when they cannot.
#include "unit.h"

#include "symbols/symbols.h"

#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static int inlined_line, called_line;

static inline __attribute__((always_inline)) u64 here(void) {
    u64 pc;
    inlined_line = __LINE__ + 1;
    __asm__ volatile("1: lea 1b(%%rip), %0" : "=r"(pc));
    return pc;
}

__attribute__((noinline)) static u64 called(void) {
    called_line = __LINE__ + 1;
    return here();
}

static int main_bias(struct dl_phdr_info *info, size_t size, void *ret) {
    (void)size;
    *(u64 *)ret = info->dlpi_addr;
    return 1; // the program itself comes first
}

// A profile of one address of this program, mapped as its segment of code is.
static struct profile own_profile(struct unit *t, u64 pc, str file, str build_id) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    builder_sample_type(&b, S("n"), S("count"));
    u64 bias = 0;
    dl_iterate_phdr(main_bias, &bias);
    // The first page of the file is mapped at the bias; code follows at its offset in the file or
    // is in a segment of its own: the test gives the whole program as one mapping from its start.
    struct mapping m = {.start = bias, .limit = bias + (64 << 20)};
    m.file = builder_str(&b, file);
    m.build_id = builder_str(&b, build_id);
    u32 mapping_i = builder_mapping(&b, &m), l = builder_location(&b, pc, mapping_i, NULL, 0);
    builder_sample(&b, &(i64){1}, &l, 1, NULL, 0);
    return builder_done(&b);
}

static str own_path(struct unit *t) {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    CHECK(n > 0);
    return str_copy(t->arena, (str){path, (size_t)n});
}

static str messages_of(struct unit *t, const struct profile *p, struct profile *ret) {
    struct buf messages = buf_new(t->arena, 4096);
    *ret = local_symbolize(t->arena, p, &(struct local_opts){0}, &messages);
    return buf_str(&messages);
}

TEST(own_addresses_become_inlined_frames) {
    u64 pc = called();
    struct profile p = own_profile(t, pc, own_path(t), S("")), q;
    CHECK_STR(messages_of(t, &p, &q), S(""));
    CHECK(profile_check(&q, &t->err));
    const struct location *l = &q.locations[0];
    CHECK_EQ(l->n_lines, 2);
    const struct line *lines = &q.lines[l->lines_at];
    const struct function *inner = &q.functions[lines[0].function_i];
    const struct function *outer = &q.functions[lines[1].function_i];
    CHECK_STR(profile_str(&q, inner->name), S("here"));
    CHECK_STR(profile_str(&q, outer->name), S("called"));
    CHECK_STR(str_basename(profile_str(&q, inner->filename)), S("symbols_local.c"));
    CHECK_EQ(lines[0].line, inlined_line);
    CHECK_EQ(lines[1].line, called_line);
    CHECK(q.mappings[0].has_functions && q.mappings[0].has_line_numbers);
    CHECK_EQ(p.n_functions, 0); // the profile given stays as it was
}

TEST(missing_binaries_are_told_once) {
    struct profile p = own_profile(t, 1, S("/nonexistent/x"), S("abcd")), q;
    CHECK_STR(
        messages_of(t, &p, &q),
        S("Local symbolization failed for x (build ID abcd): stat /nonexistent/x: no such file "
          "or directory\nSome binary filenames not available. Symbolization may be "
          "incomplete.\nTry setting PPROF_BINARY_PATH to the search path for local "
          "binaries.\n"));
    CHECK_EQ(q.locations[0].n_lines, 0);
}

TEST(another_build_id_is_refused) {
    struct profile p = own_profile(t, called(), own_path(t), S("00ff")), q;
    str said = messages_of(t, &p, &q);
    CHECK_EQ(q.locations[0].n_lines == 0, str_contains(said, S("build ID mismatch")));
}

TEST(places_without_a_file_are_not_asked_about) {
    CHECK(local_is_unsymbolizable(S("[vdso]")));
    CHECK(local_is_unsymbolizable(S("linux-vdso.so.1")));
    CHECK(local_is_unsymbolizable(S("//anon")));
    CHECK(local_is_unsymbolizable(S("/memfd:x (deleted)")));
    CHECK(!local_is_unsymbolizable(S("/usr/bin/redis-server")));
}

TEST(binaries_are_found_under_the_search_path) {
    str path = own_path(t), name = str_basename(path);
    ptrdiff_t slash = str_rfind_byte(path, '/');
    str folder = str_take(path, (size_t)slash);
    str parts[] = {S("/elsewhere/"), name};
    struct profile p = own_profile(t, 1, str_join(t->arena, parts, 2, (str){0}), S(""));
    struct buf messages = buf_new(t->arena, 4096);
    str folders[] = {S("/nonexistent"), folder};
    struct profile q =
        local_locate(t->arena, &p, str_join(t->arena, folders, 2, S(":")), &messages);
    CHECK_STR(profile_str(&q, q.mappings[0].file), path);
    CHECK_STR(profile_str(&p, p.mappings[0].file), str_join(t->arena, parts, 2, (str){0}));
}

static str hex_of(struct unit *t, str raw) {
    struct buf hex = buf_new(t->arena, 256);
    for (size_t i = 0; i < raw.len; i++) num_hex(&hex, (u8)raw.p[i], 2);
    return buf_str(&hex);
}

static str own_build_id(struct unit *t) {
    char *bytes = NEW(t->arena, char, 64 << 20);
    FILE *f = fopen("/proc/self/exe", "r");
    CHECK(f);
    size_t n = fread(bytes, 1, 64 << 20, f);
    fclose(f);
    return hex_of(t, elf_file_build_id((str){bytes, n}));
}

static void add_comment(struct unit *t, struct profile *p, const char *text) {
    u32 id = profile_add_str(t->arena, p, str_of(text));
    p->comments = NEW(t->arena, u32, 1);
    p->comments[0] = id;
    p->n_comments = 1;
}

// A binary that was deleted or lies in a container is read where its process still has it.
TEST(a_file_that_is_gone_is_found_through_its_process) {
    str id = own_build_id(t);
    if (id.len == 0) return; // linked without one
    struct profile p = own_profile(t, called(), S("/nonexistent/gone"), id), q;
    CHECK(str_contains(messages_of(t, &p, &q), S("no such file")));
    char text[64];
    snprintf(text, sizeof text, "pid %d on here: gone", getpid());
    add_comment(t, &p, text);
    CHECK_STR(messages_of(t, &p, &q), S(""));
    CHECK_EQ(q.locations[0].n_lines, 2);
    CHECK_STR(profile_str(&q, q.mappings[0].file), S("/nonexistent/gone")); // still its name
    CHECK(str_starts(local_path(t->arena, &p, 0), S("/proc/")));
    // Another build than the profile's is no help.
    p = own_profile(t, called(), S("/nonexistent/gone"), S("0123456789"));
    add_comment(t, &p, text);
    CHECK(str_contains(messages_of(t, &p, &q), S("no such file")));
}

// A profile of one address in a mapping called so.
static struct profile named_profile(struct unit *t, const struct mapping *where, str file, str id,
                                    str relocation, u64 pc) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    builder_sample_type(&b, S("n"), S("count"));
    struct mapping m = *where;
    m.file = builder_str(&b, file);
    m.build_id = builder_str(&b, id);
    m.kernel_relocation_symbol = builder_str(&b, relocation);
    u32 mapping_i = builder_mapping(&b, &m), l = builder_location(&b, pc, mapping_i, NULL, 0);
    builder_sample(&b, &(i64){1}, &l, 1, NULL, 0);
    return builder_done(&b);
}

static str first_name(const struct profile *p) {
    const struct location *l = &p->locations[0];
    if (l->n_lines == 0) return S("");
    return profile_str(p, p->functions[p->lines[l->lines_at].function_i].name);
}

// The kernel of then lay 0x200000 lower: its symbols are those of now, moved.
TEST(kernel_addresses_get_the_running_kernels_names) {
    char notes[4096], line[512], name[256], type;
    unsigned long long address, text = 0, schedule = 0;
    FILE *f = fopen("/sys/kernel/notes", "r");
    if (!f) return;
    size_t n = fread(notes, 1, sizeof notes, f);
    fclose(f);
    str id = hex_of(t, elf_note_build_id((str){notes, n}));
    f = fopen("/proc/kallsyms", "r");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%llx %c %255s", &address, &type, name) != 3) continue;
        if (!strcmp(name, "_text")) text = address;
        if (!strcmp(name, "schedule")) schedule = address;
    }
    if (f) fclose(f);
    if (!text || !schedule || !id.len) return; // the list is for root, or hides addresses
    u64 moved = 0x200000;
    struct mapping m = {.start = text - moved, .limit = UINT64_MAX, .offset = text - moved};
    struct profile q,
        p = named_profile(t, &m, S("[kernel.kallsyms]"), id, S("_text"), schedule + 1 - moved);
    CHECK_STR(messages_of(t, &p, &q), S(""));
    CHECK_STR(first_name(&q), S("schedule"));
    p = named_profile(t, &m, S("[kernel.kallsyms]"), S("00ff"), S("_text"), schedule + 1 - moved);
    CHECK_STR(messages_of(t, &p, &q), S(""));
    CHECK_STR(first_name(&q), S(""));
}

TEST(vdso_addresses_get_its_names) {
    u64 image = getauxval(AT_SYSINFO_EHDR);
    if (!image) return;
    const Elf64_Ehdr *head = (const void *)(uintptr_t)image;
    str bytes = {(const char *)(uintptr_t)image,
                 head->e_shoff + (size_t)head->e_shnum * head->e_shentsize};
    struct elf_symbols symbols;
    CHECK(elf_symbols_read(t->arena, bytes, &symbols, &t->err));
    if (symbols.n == 0) return;
    u64 start = symbols.items[symbols.n - 1].start;
    struct mapping m = {.start = 0x7fff0000, .limit = 0x7fff2000};
    struct profile q, p = named_profile(t, &m, S("[vdso]"), hex_of(t, elf_file_build_id(bytes)),
                                        S(""), 0x7fff0000 + start);
    CHECK_STR(messages_of(t, &p, &q), S(""));
    CHECK_STR(first_name(&q), elf_symbol_at(&symbols, start, NULL));
}
