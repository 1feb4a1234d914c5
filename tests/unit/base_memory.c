// tests/unit/base_memory.c - arenas, maps, sorting, the checked reader.
// Room: claims about base/arena.h, base/map.h, base/sort.h and base/reader.h.
#include "unit.h"

#include <string.h>

TEST(arena_memory_is_zero_and_aligned) {
    for (size_t size = 1; size < 100000; size = size * 3 + 1) {
        char *p = arena_alloc(t->arena, size, 64);
        CHECK_EQ((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < size; i++) CHECK(p[i] == 0);
        memset(p, 0xff, size);
    }
}

TEST(arena_reset_gives_zeroed_memory_again) {
    memset(arena_alloc(t->arena, 5000, 8), 0xff, 5000);
    arena_reset(t->arena);
    const char *p = arena_alloc(t->arena, 5000, 8);
    for (size_t i = 0; i < 5000; i++) CHECK(p[i] == 0);
}

TEST(adopted_memory_lives_on_and_ends_with_its_new_owner) {
    for (int is_empty = 0; is_empty < 2; is_empty++) {
        struct arena a = {0}, b = {0};
        if (!is_empty) memset(arena_alloc(&a, 100, 1), 'a', 100);
        char *text = arena_alloc(&b, 100, 1);
        memset(text, 'b', 100);
        arena_adopt(&a, &b);
        CHECK_EQ(b.mapped_bytes, 0);
        arena_done(&b);
        CHECK_EQ(text[99], 'b');
        memset(arena_alloc(&a, 1 << 20, 1), 'c', 1 << 20);
        CHECK_EQ(text[0], 'b');
        arena_reset(&a);
        arena_done(&a);
    }
}

TEST(arena_grows_the_newest_piece_in_place) {
    u32 *items = NEW(t->arena, u32, 4);
    items[3] = 7;
    CHECK(arena_grow(t->arena, items, 4, 8, sizeof *items, 4) == items);
    arena_alloc(t->arena, 1, 1);
    u32 *moved = arena_grow(t->arena, items, 8, 16, sizeof *items, 4);
    CHECK(moved != items);
    CHECK_EQ(moved[3], 7);
    CHECK_EQ(moved[15], 0);
}

TEST(arena_out_of_memory_jumps_where_it_was_told) {
    jmp_buf back;
    volatile int came_back = 0;
    struct arena a;
    arena_init(&a);
    a.on_oom = &back;
    if (setjmp(back))
        came_back = 1;
    else
        arena_array(&a, SIZE_MAX, 16, 8);
    CHECK_EQ(came_back, 1);
    arena_done(&a);
}

TEST(maps_find_all_and_only_what_was_put) {
    struct idmap ids;
    idmap_init(&ids, t->arena);
    struct strmap names;
    strmap_init(&names, t->arena);
    for (u32 i = 0; i < 5000; i++) {
        *idmap_at(&ids, (u64)i << 40) = i;
        struct buf name = buf_new(t->arena, 32);
        num_u64(&name, i);
        *strmap_at(&names, buf_str(&name)) = i;
    }
    for (u32 i = 0; i < 5000; i++) CHECK_EQ(idmap_get(&ids, (u64)i << 40), i);
    CHECK_EQ(idmap_get(&ids, 1), U32_NONE);
    CHECK_EQ(strmap_get(&names, S("4999")), 4999);
    CHECK_EQ(strmap_get(&names, S("5000")), U32_NONE);
    CHECK_EQ(ids.n, 5000);
}

TEST(a_new_key_starts_as_none) {
    struct strmap names;
    strmap_init(&names, t->arena);
    CHECK_EQ(strmap_get(&names, S("a")), U32_NONE);
    CHECK_EQ(*strmap_at(&names, S("a")), U32_NONE);
}

struct pair {
    int key, order;
};

static int by_key(const void *a, const void *b, void *ctx) {
    ++*(int *)ctx;
    return ((const struct pair *)a)->key - ((const struct pair *)b)->key;
}

TEST(sort_is_stable_and_n_log_n) {
    enum { N = 10000 };
    struct pair *items = NEW(t->arena, struct pair, N);
    u64 seed = 1;
    for (int i = 0; i < N; i++) items[i] = (struct pair){(int)(hash_mix(seed += 77) % 100), i};
    int n_comparisons = 0;
    sort_stable(t->arena, items, N, sizeof *items, by_key, &n_comparisons);
    for (int i = 1; i < N; i++) {
        CHECK(items[i - 1].key <= items[i].key);
        if (items[i - 1].key == items[i].key) CHECK(items[i - 1].order < items[i].order);
    }
    CHECK(n_comparisons < N * 20);
}

TEST(sort_of_few_items_at_every_length) {
    for (int n = 0; n < 40; n++) {
        struct pair *items = NEW(t->arena, struct pair, n);
        for (int i = 0; i < n; i++) items[i].key = n - i;
        int n_comparisons = 0;
        sort_stable(t->arena, items, (size_t)n, sizeof *items, by_key, &n_comparisons);
        for (int i = 0; i < n; i++) CHECK_EQ(items[i].key, i + 1);
    }
}

TEST(varints_end_at_ten_bytes) {
    u64 x;
    struct reader r = reader_of(S("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x2a"));
    CHECK(reader_varint(&r, &x, &t->err) && x == UINT64_MAX);
    CHECK(reader_varint(&r, &x, &t->err) && x == 42);
    CHECK(!reader_varint(&r, &x, &t->err));
    CHECK_EQ(t->err.at, 11);
    r = reader_of(S("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
    CHECK(!reader_varint(&r, &x, &t->err));
    CHECK_EQ(t->err.at, 0);
}

TEST(signed_leb_extends_its_sign) {
    i64 x;
    struct reader r = reader_of(S("\x7f\x80\x7f\x3f"));
    CHECK(reader_sleb(&r, &x, &t->err) && x == -1);
    CHECK(reader_sleb(&r, &x, &t->err) && x == -128);
    CHECK(reader_sleb(&r, &x, &t->err) && x == 63);
}

TEST(nested_readers_name_the_byte_of_the_whole_input) {
    struct reader r = reader_of(S("abcdef")), inner;
    str s;
    CHECK(reader_bytes(&r, 2, &s, &t->err));
    CHECK(reader_sub(&r, 3, &inner, &t->err));
    CHECK(reader_bytes(&inner, 2, &s, &t->err));
    CHECK(!reader_bytes(&inner, 2, &s, &t->err));
    CHECK_EQ(t->err.at, 4);
    CHECK(!reader_sub(&r, 2, &inner, &t->err));
    CHECK_EQ(t->err.at, 5);
}

TEST(lines_lose_their_endings_and_the_last_needs_none) {
    struct reader r = reader_of(S("a\r\n\nb"));
    str line;
    CHECK(reader_line(&r, &line));
    CHECK_STR(line, S("a"));
    CHECK(reader_line(&r, &line));
    CHECK_STR(line, S(""));
    CHECK(reader_line(&r, &line));
    CHECK_STR(line, S("b"));
    CHECK(!reader_line(&r, &line));
}

TEST(a_failed_read_moves_nothing) {
    struct reader r = reader_of(S("\x01\x02\x03"));
    u32 word = 9;
    CHECK(!reader_u32le(&r, &word, &t->err));
    CHECK_EQ(word, 9);
    u16 half;
    CHECK(reader_u16le(&r, &half, &t->err) && half == 0x0201);
    str s;
    CHECK(!reader_cstr(&r, &s, &t->err));
    CHECK(!reader_bytes(&r, UINT64_MAX, &s, &t->err));
}
