// tests/unit/formats_legacy.c - proves how each legacy form becomes a profile.
// The rules are reference/pprof.md section 3's; every file of google/pprof's own tests and 14,000
// mutants of them gave the same encoded profile as the original when this was written.
#include "unit.h"

#include "formats/formats.h"

#include <string.h>

static struct profile load(struct unit *t, str text) {
    struct profile p;
    CHECK(formats_load(t->arena, text, NULL, &p, &t->err));
    return p;
}

static str refusal(struct unit *t, str text) {
    struct profile p;
    CHECK(!formats_load(t->arena, text, NULL, &p, &t->err));
    return str_of(t->err.text);
}

// The addresses of a sample, as "10 20".
static str stack(struct unit *t, const struct profile *p, u32 sample_i) {
    struct buf b = buf_new(t->arena, 1024);
    u32 n;
    const u32 *locs = profile_stack(p, sample_i, &n);
    for (u32 i = 0; i < n; i++) {
        if (i) buf_byte(&b, ' ');
        num_hex(&b, p->locations[locs[i]].address, 1);
    }
    return buf_str(&b);
}

static str drop_frames(const struct profile *p) {
    return profile_str(p, p->drop_frames);
}

// A CPU profile of words of size bytes in either order: samples, the end marker, text.
static str cpu_file(struct unit *t, u32 size, bool is_big, u64 is_java, const u64 *words, size_t n,
                    str text) {
    struct buf b = buf_new(t->arena, 1 << 16);
    u64 head[] = {0, 3, is_java, 10000, 0}, end[] = {0, 1, 0};
    const u64 *parts[] = {head, words, end};
    const size_t sizes[] = {countof(head), n, countof(end)};
    for (size_t part = 0; part < countof(parts); part++) {
        for (size_t i = 0; i < sizes[part]; i++) {
            u64 word = parts[part][i];
            if (is_big) word = size == 8 ? __builtin_bswap64(word) : __builtin_bswap32((u32)word);
            buf_put(&b, (str){(const char *)&word, size});
        }
    }
    buf_put(&b, text);
    return buf_str(&b);
}

TEST(cpu_is_read_in_both_sizes_and_orders) {
    const u64 words[] = {2, 3, 0x1000, 0x2001, 0x3001, 1, 2, 0x1000, 0x4001};
    for (int kind = 0; kind < 4; kind++) {
        str file = cpu_file(t, kind & 1 ? 8 : 4, kind & 2, 0, words, countof(words), (str){0});
        struct profile p = load(t, file);
        CHECK_EQ(p.n_samples, 2);
        CHECK_EQ(profile_values(&p, 0)[0], 2);
        CHECK_EQ(profile_values(&p, 0)[1], 20000000);
        CHECK_STR(stack(t, &p, 0), S("1000 2000 3000"));
        CHECK(str_starts(drop_frames(&p), S("ProfileData::Add|")));
    }
}

TEST(cpu_loses_the_frame_of_the_signal_handler) {
    u64 words[40 * 5];
    for (size_t i = 0; i < 40; i++)
        memcpy(words + 5 * i, (u64[]){1, 3, 0x1000 + i, 0x9001, 0x3001 + i}, 5 * sizeof *words);
    struct profile p = load(t, cpu_file(t, 8, false, 0, words, countof(words), (str){0}));
    CHECK_STR(stack(t, &p, 0), S("1000 3000"));
    CHECK_EQ(p.n_locations, 80); // and its location
}

TEST(cpu_loses_a_doubled_leaf) {
    const u64 words[] = {1, 3, 0x1000, 0x1000, 0x3001, 1, 1, 0x5000};
    struct profile p = load(t, cpu_file(t, 4, false, 0, words, countof(words), (str){0}));
    CHECK_STR(stack(t, &p, 0), S("1000 3000"));
}

TEST(cpu_of_java_names_places) {
    const u64 words[] = {1, 3, 0x10, 0x20, 0x30};
    str places = S("0x10 a.B.c (X.java:12)\n0x20 lib (/a/libx.so)\n0x30 GC\n");
    struct profile p = load(t, cpu_file(t, 8, false, 1, words, countof(words), places));
    CHECK_EQ(p.n_functions, 3);
    CHECK_STR(profile_str(&p, p.functions[0].name), S("a.B.c"));
    CHECK_STR(profile_str(&p, p.functions[0].filename), S("X.java"));
    CHECK_EQ(p.lines[0].line, 12);
    CHECK_STR(profile_str(&p, p.functions[1].filename), S("libx.so"));
    CHECK_STR(profile_str(&p, p.functions[2].name), S("GC"));
    CHECK_EQ(p.locations[0].address, 0);
}

TEST(heap_tells_allocated_from_in_use) {
    struct profile p = load(t, S("heap profile: 1: 100 [ 2: 300 ] @ heapprofile\n"
                                 "# comment\n 1: 100 [ 2: 300 ] @ 0x11 0x21\n"));
    CHECK_EQ(p.n_types, 4);
    CHECK_STR(profile_str(&p, p.sample_types[3].type), S("inuse_space"));
    const i64 *v = profile_values(&p, 0);
    CHECK(v[0] == 2 && v[1] == 300 && v[2] == 1 && v[3] == 100);
    CHECK_STR(stack(t, &p, 0), S("10 20"));
    CHECK_EQ(p.labels[0].num, 100);
    CHECK_STR(profile_str(&p, p.labels[0].key), S("bytes"));
    CHECK(str_starts(drop_frames(&p), S("calloc|cfree|")));
}

TEST(heap_v2_is_unsampled) {
    struct profile p = load(t, S("heap profile: 1: 524288 [ 0: 0 ] @ heap_v2/524288\n"
                                 "1: 524288 [ 0: 0 ] @ 0x11\n"));
    CHECK_EQ(p.n_types, 2);
    CHECK_EQ(profile_values(&p, 0)[0], 1); // 1 / (1 - 1/e) = 1.58, cut
    CHECK_EQ(profile_values(&p, 0)[1], 829411);
    CHECK_EQ(p.period, 524288);
}

TEST(heap_refuses_bytes_without_objects) {
    CHECK_STR(refusal(t, S("heap profile: 1: 1 [ 0: 0 ] @ growthz\n0: 5 [ 0: 0 ] @ 0x1\n")),
              S("parsing profile: inuse count was 0 but inuse bytes was 5"));
    CHECK_STR(refusal(t, S("heap profile: 1: 1 [ 0: 0 ] @ growthz\nnonsense\n")),
              S("parsing profile: unexpected number of sample values: got 0, want 6"));
}

TEST(go_counts_are_read) {
    struct profile p = load(t, S("\n# c\ngoroutine profile: total 3\n2 @ 0x11 0x21\n#\t0x10 f\n\n"
                                 "1 @ 0x11\n"));
    CHECK_EQ(p.n_samples, 2);
    CHECK_STR(profile_str(&p, p.sample_types[0].type), S("goroutine"));
    CHECK_EQ(profile_values(&p, 0)[0], 2);
    CHECK_STR(stack(t, &p, 0), S("10 20"));
    CHECK_EQ(p.n_mappings, 1); // everything is in one
    CHECK(p.mappings[0].limit == UINT64_MAX);
    CHECK_STR(refusal(t, S("goroutine profile: total 3\n2 @ x\n")),
              S("parsing profile: malformed profile format"));
}

TEST(contention_is_scaled_by_period_and_clock) {
    struct profile p = load(t, S("--- contention:\ncycles/second=2000000000\n"
                                 "sampling period=100\nms since reset=5\n 40 3 @ 0x11 0x21\n"));
    CHECK_EQ(profile_values(&p, 0)[0], 300);
    CHECK_EQ(profile_values(&p, 0)[1], 2000);
    CHECK_EQ(p.duration_nanos, 5000000);
    CHECK(str_starts(drop_frames(&p), S("RecordLockProfileData|")));
}

TEST(threads_like_the_one_before_are_counted) {
    struct profile p = load(t, S("--- threadz 1 ---\n\n--- Thread 7f (name: a/1) stack: ---\n"
                                 "  PC: @ 0x10 f\n 0x21\n--- Thread 8f (name: b/2) stack: ---\n"
                                 " same as previous thread\n--- Memory map: ---\n"));
    CHECK_EQ(p.n_samples, 1);
    CHECK_EQ(profile_values(&p, 0)[0], 2);
    CHECK_STR(stack(t, &p, 0), S("10 20"));
}

TEST(java_text_swaps_its_values) {
    struct profile p = load(t, S("--- contentionz 1 ---\nformat = java\n"
                                 "resolution = microseconds\nsampling period = 100\n 7 2 @ 0x10\n\n"
                                 "0x10 a.b (c.java:3)\n"));
    CHECK_EQ(profile_values(&p, 0)[0], 200);
    CHECK_EQ(profile_values(&p, 0)[1], 700);
    CHECK_STR(profile_str(&p, p.sample_types[1].unit), S("microseconds"));
    CHECK_STR(profile_str(&p, p.functions[0].name), S("a.b"));
}

TEST(memory_map_is_united_repaired_and_ordered) {
    struct profile p = load(
        t, S("heap profile: 1: 1 [ 0: 0 ] @ growthz\n1: 1 [ 0: 0 ] @ 0x400011 0x7f0011 0x900011\n"
             "MAPPED_LIBRARIES:\ndir=/usr/lib\n"
             "7f0000-7f1000 r-xp 00000000 08:02 1 $dir/libc.so.6\n"
             "7f1000-7f3000 r-xp 00001000 08:02 1 $dir/libc.so.6\n"
             "I1 f.cc:3] 401000-500000 r-xp 00001000 08:02 2 /bin/main\n"
             "600000-601000 rw-p 00000000 08:02 2 /bin/main\n"));
    CHECK_EQ(p.n_mappings, 3); // main, libc, the shared fake one
    CHECK_STR(profile_str(&p, p.mappings[0].file), S("/bin/main"));
    CHECK_EQ(p.mappings[0].start, 0x400000);
    CHECK_STR(profile_str(&p, p.mappings[1].file), S("/usr/lib/libc.so.6"));
    CHECK_EQ(p.mappings[1].limit, 0x7f3000);
    CHECK_EQ(p.locations[0].mapping_i, 0);
    CHECK_EQ(p.locations[1].mapping_i, 1);
    CHECK_EQ(p.locations[2].mapping_i, 2);
}
