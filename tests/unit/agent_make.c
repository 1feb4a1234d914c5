// tests/unit/agent_make.c - rows to a profile, with this process's own images and names.
// Room: claims about agent/maps, agent/names and agent/make. Door: the test runner.
#include "unit.h"

#include "agent/agent.h"
#include "agent/hot/hot.h"
#include "agent/hot/rules.h"
#include "agent/make.h"
#include "agent/maps.h"
#include "agent/names.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>

__attribute__((noinline)) static void known_function(void) {
    __asm__ volatile("nop; nop; nop; nop" ::: "memory"); // more than one byte of code
}

static u64 address_of(void *symbol) {
    return (u64)(uintptr_t)symbol;
}

TEST(the_program_and_its_libraries_are_images_with_build_ids) {
    struct image_map map = images_read(t->arena);
    CHECK(map.program && map.program->is_program && map.program->path[0] == '/');
    CHECK(image_at(&map, address_of((void *)known_function)) == map.program);
    const struct image *libc =
        image_at(&map, address_of(dlsym(RTLD_DEFAULT, "gnu_get_libc_version")));
    CHECK(libc && strstr(libc->path, "libc.so.6"));
    CHECK_EQ(libc->build_id_len, 20); // Debian's are sha1
    CHECK(image_at(&map, 4096) == NULL);
    for (u32 i = 1; i < map.n_now; i++) CHECK(map.now[i - 1]->limit <= map.now[i]->start);
}

// iconv and NSS unload libraries inside libc, past our dlclose: the cached rules of their code
// stayed, and would have been those of whatever is loaded there next.
TEST(rules_of_a_library_that_libc_unloads_itself_are_dropped) {
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    void *handle = dlopen("libthread_db.so.1", RTLD_NOW | RTLD_LOCAL);
    int (*past_our_hook)(void *) = libc ? (int (*)(void *))(uintptr_t)dlsym(libc, "dlclose") : NULL;
    if (!handle || !past_our_hook) return; // libc6 has both
    CHECK(past_our_hook != dlclose);
    u64 pc = address_of(dlsym(handle, "td_init"));
    CHECK(unwind_init());
    images_follow();
    CHECK_EQ(rule_kind(rule_of(pc)), RULE_SP);
    CHECK_EQ(past_our_hook(handle), 0);
    CHECK_EQ(rule_kind(rule_of(pc)), RULE_SP); // stale, in a cache nobody told
    images_follow();
    CHECK_EQ(rule_kind(rule_of(pc)), RULE_NONE);
}

TEST(an_unloaded_library_is_remembered) {
    void *handle = dlopen("libcapstone.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!handle) handle = dlopen("libpcreposix.so.3", RTLD_NOW | RTLD_LOCAL);
    if (!handle) return; // neither library is installed
    const struct link_map *link = handle;
    u64 inside = 0;
    struct image_map map = images_read(t->arena);
    for (u32 i = 0; i < map.n_now; i++)
        if (map.now[i]->bias == link->l_addr) inside = map.now[i]->start;
    CHECK(inside != 0);
    dlclose(handle);
    map = images_read(t->arena);
    const struct image *past = image_at(&map, inside);
    CHECK(past && past->start == inside);
    CHECK_EQ(map.n_past >= 1, true);
}

TEST(names_respect_the_size_of_symbols) {
    struct image_map map = images_read(t->arena);
    u64 start = 0;
    str name =
        name_at_address(t->arena, map.program, address_of((void *)known_function) + 1, &start);
    CHECK_STR(name, S("known_function"));
    CHECK_EQ(start, address_of((void *)known_function));
    CHECK_STR(str_of(names_source(map.program)), S("symtab"));
}

static const struct collector *two_types(void) {
    return collector_find(S("profile"));
}

TEST(rows_become_samples_with_the_program_first) {
    u64 here = address_of((void *)known_function) + 1;
    u64 anywhere = address_of(mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    u64 pcs[] = {here, anywhere, STACK_TRUNCATED}, overflow[] = {STACK_PC_OVERFLOW};
    struct row_label label = {.key = S("bytes"), .num = 48};
    struct row items[] = {
        {.pcs = pcs, .n_pcs = 3, .values = {1, 10}, .labels = &label, .n_labels = 1},
        {.pcs = overflow, .n_pcs = 1, .values = {2, 20}}};
    str lost = S("3 samples were dropped");
    struct rows rows = {
        .items = items, .n = 2, .period = 10000000, .comments = &lost, .n_comments = 1};
    struct profile p = make_profile(t->arena, two_types(), &rows);
    CHECK(profile_check(&p, &t->err));
    CHECK_EQ(p.n_samples, 2);
    CHECK_EQ(p.n_types, 2);
    CHECK_STR(profile_str(&p, p.sample_types[1].type), S("cpu"));
    CHECK_STR(profile_str(&p, p.period_type.unit), S("nanoseconds"));
    CHECK_EQ(p.period, 10000000);
    CHECK(str_ends(profile_str(&p, p.mappings[0].file), S("unit_agent_make")));
    CHECK(p.mappings[0].has_functions);
    u32 n;
    const u32 *stack = profile_stack(&p, 0, &n);
    CHECK_EQ(n, 3);
    CHECK_EQ(p.locations[stack[0]].address, here);
    CHECK_EQ(p.locations[stack[1]].n_lines, 0); // no code known there
    const struct line *line = &p.lines[p.locations[stack[2]].lines_at];
    CHECK_STR(profile_str(&p, p.functions[line->function_i].name), S("[truncated]"));
    stack = profile_stack(&p, 1, &n);
    line = &p.lines[p.locations[stack[0]].lines_at];
    CHECK_STR(profile_str(&p, p.functions[line->function_i].name), S("[overflow]"));
    CHECK_STR(profile_str(&p, p.comments[1]), S("3 samples were dropped"));
    CHECK_EQ(profile_labels(&p, 0, &n)[0].num, 48);
}

TEST(a_delta_subtracts_and_leaves_out_what_did_not_change) {
    u64 here = address_of((void *)known_function) + 1, there = here + 1;
    struct row first[] = {{.pcs = &here, .n_pcs = 1, .values = {1, 10}},
                          {.pcs = &there, .n_pcs = 1, .values = {5, 50}}};
    struct row second[] = {{.pcs = &here, .n_pcs = 1, .values = {4, 7}},
                           {.pcs = &there, .n_pcs = 1, .values = {5, 50}}};
    struct profile p0 =
        make_profile(t->arena, two_types(),
                     &(struct rows){.items = first, .n = 2, .period = 1, .time_nanos = 1000});
    struct profile p1 =
        make_profile(t->arena, two_types(),
                     &(struct rows){.items = second, .n = 2, .period = 1, .time_nanos = 4000});
    struct profile delta;
    CHECK(make_delta(t->arena, &p0, &p1, &delta, &t->err));
    CHECK_EQ(delta.n_samples, 1);
    CHECK_EQ(profile_values(&delta, 0)[0], 3);
    CHECK_EQ(profile_values(&delta, 0)[1], -3);
    CHECK_EQ(delta.time_nanos, 4000);
    CHECK_EQ(delta.duration_nanos, 3000);
}

TEST(bytes_decode_to_the_same_profile) {
    u64 here = address_of((void *)known_function) + 1;
    struct row item = {.pcs = &here, .n_pcs = 1, .values = {1, 10}};
    struct profile p = make_profile(t->arena, two_types(), &(struct rows){.items = &item, .n = 1}),
                   q;
    str bytes, plain;
    CHECK(make_bytes(t->arena, &p, LEVEL_SNAPSHOT, &bytes, &t->err));
    CHECK_EQ(bytes.p[8], 4); // gzip's XFL: fastest, as Go's
    CHECK(profile_unpack(t->arena, bytes, &(struct unpack_opts){0}, &plain, &t->err));
    CHECK(profile_decode(t->arena, plain, &q, &t->err));
    CHECK_EQ(q.n_samples, 1);
    CHECK_EQ(q.n_mappings, p.n_mappings);
}
