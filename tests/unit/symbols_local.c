// tests/unit/symbols_local.c - proves that addresses of this very program become its functions,
// files and lines, inlined calls included, and what is said when they cannot.
#include "unit.h"

#include "symbols/symbols.h"

#include <elf.h>
#include <link.h>
#include <stdio.h>
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
