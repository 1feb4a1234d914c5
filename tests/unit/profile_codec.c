// tests/unit/profile_codec.c - proves that profile.proto goes to tables and back unchanged, that
// hostile bytes are refused with a place and a sentence, and that packed bytes unpack within
// limits.
#include "unit.h"

#include "profile/profile.h"

#include <string.h>
#include <zstd.h>

// A wire message written by hand: wire(t, n, "...") is S() that keeps NULs.
#define W(literal) S(literal)

// sample_type {1,2}, string_table "" "cpu" "ns": what every message below starts with.
#define HEAD "\x0a\x04\x08\x01\x10\x02"
#define STRINGS                                                                                    \
    "\x32\x00\x32\x03"                                                                             \
    "cpu"                                                                                          \
    "\x32\x02"                                                                                     \
    "ns"

static bool decode(struct unit *t, str bytes, struct profile *p) {
    return profile_decode(t->arena, bytes, p, &t->err);
}

// The sentence of a message that decode or check must refuse.
static str refusal(struct unit *t, str bytes) {
    struct profile p;
    CHECK(!decode(t, bytes, &p) || !profile_check(&p, &t->err));
    return str_of(t->err.text);
}

TEST(decode_reads_samples_of_packed_and_plain_numbers) {
    struct profile p;
    CHECK(decode(t,
                 W(HEAD "\x12\x07\x0a\x03\x01\x02\x01\x10\x05" // packed stack, value 5
                        "\x12\x06\x08\x02\x12\x02\xac\x02"     // stack 2, packed value 300
                        "\x22\x04\x08\x01\x18\x10\x22\x08\x08\x02\x22\x04\x08\x09\x10\x07\x2a\x02"
                        "\x08\x09" STRINGS),
                 &p));
    CHECK_EQ(p.n_samples, 2);
    u32 n;
    const u32 *stack = profile_stack(&p, 0, &n);
    CHECK_EQ(n, 3);
    CHECK_EQ(stack[0], 0);
    CHECK_EQ(stack[1], 1);
    CHECK_EQ(stack[2], 0);
    CHECK_EQ(profile_values(&p, 0)[0], 5);
    CHECK_EQ(profile_values(&p, 1)[0], 300);
    CHECK_EQ(p.locations[0].address, 16);
    CHECK_EQ(p.lines[0].line, 7);
    CHECK_EQ(p.lines[0].function_i, 0);
    CHECK_STR(profile_str(&p, p.sample_types[0].unit), S("ns"));
}

TEST(decode_finds_ids_that_are_not_dense) {
    struct profile p;
    CHECK(decode(t,
                 W(HEAD "\x12\x0b\x0a\x07\xe8\x07\x05\xff\xff\xff\x7f\x10\x01"
                        "\x22\x02\x08\x05\x22\x03\x08\xe8\x07\x22\x05\x08\xff\xff\xff\x7f" STRINGS),
                 &p));
    u32 n;
    const u32 *stack = profile_stack(&p, 0, &n);
    CHECK_EQ(n, 3);
    CHECK_EQ(stack[0], 1);
    CHECK_EQ(stack[1], 0);
    CHECK_EQ(stack[2], 2);
    CHECK(profile_check(&p, &t->err));
}

TEST(decode_gives_equal_texts_one_id) {
    struct profile p;
    CHECK(decode(t,
                 W("\x0a\x04\x08\x01\x10\x02\x0a\x04\x08\x03\x10\x02" STRINGS "\x32\x03"
                   "cpu"),
                 &p));
    CHECK_EQ(p.sample_types[0].type, p.sample_types[1].type);
}

TEST(decode_drops_labels_that_say_nothing) {
    struct profile p;
    // key only; key + num; key + string; key + unit
    CHECK(decode(t,
                 W(HEAD "\x12\x18\x10\x01\x1a\x02\x08\x01\x1a\x04\x08\x01\x18\x09"
                        "\x1a\x04\x08\x01\x10\x02\x1a\x04\x08\x01\x20\x02" STRINGS),
                 &p));
    u32 n;
    profile_labels(&p, 0, &n);
    const struct label *l = p.labels;
    CHECK_EQ(n, 3);
    CHECK(!l[0].is_string && l[0].num == 9);
    CHECK(l[1].is_string && l[1].str == 2);
    CHECK(!l[2].is_string && l[2].num == 0 && l[2].unit == 2);
}

TEST(decode_splits_the_kernel_relocation_symbol) {
    struct profile p;
    CHECK(decode(t, W("\x1a\x04\x08\x01\x28\x01\x32\x00\x32\x17[kernel.kallsyms]_stext"), &p));
    CHECK_STR(profile_str(&p, p.mappings[0].kernel_relocation_symbol), S("_stext"));
}

TEST(decode_skips_unknown_fields) {
    struct profile p;
    CHECK(decode(t,
                 W(HEAD "\xa0\x06\x05\xa5\x06"
                        "1234"
                        "\xa1\x06"
                        "12345678" STRINGS),
                 &p));
}

TEST(decode_says_where_a_length_passes_the_end) {
    struct profile p;
    CHECK(!decode(t, W("\x0a\x05\x08"), &p));
    CHECK_EQ(t->err.code, ERR_MALFORMED);
    CHECK_EQ(t->err.at, 0);
    CHECK(!decode(t, W(HEAD "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), &p));
    CHECK_EQ(t->err.at, 6);
}

TEST(decode_refuses_numbers_longer_than_ten_bytes) {
    struct profile p;
    CHECK(!decode(
        t,
        W(HEAD "\x12\x10\x10\x01\x0a\x0c\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01" STRINGS),
        &p));
    CHECK_EQ(t->err.code, ERR_MALFORMED);
    CHECK(
        decode(t, W(HEAD "\x12\x0c\x12\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f" STRINGS), &p));
    CHECK_EQ(profile_values(&p, 0)[0], -1);
}

TEST(decode_refuses_groups_and_wrong_types) {
    CHECK_STR(refusal(t, W("\x0b")), S("unknown wire type (a group?)"));
    CHECK_STR(refusal(t, W("\x08\x01")), S("field has the wrong wire type"));
    CHECK_STR(refusal(t, W(STRINGS "\x4a\x00")), S("field has the wrong wire type"));
}

TEST(decode_refuses_string_indexes_out_of_range) {
    CHECK_STR(refusal(t, W("\x0a\x02\x08\x07" STRINGS)), S("string index out of range"));
    CHECK_STR(refusal(t, W(STRINGS "\x70\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")),
              S("string index out of range"));
    CHECK_STR(refusal(t, W("\x32\x01x")), S("string_table[0] must be ''"));
    CHECK_STR(refusal(t, W(HEAD)), S("no string table"));
}

TEST(decode_refuses_two_profiles_in_a_row) {
    CHECK_STR(refusal(t, W(STRINGS "\x48\x05" STRINGS "\x48\x05")),
              S("concatenated profiles detected"));
    CHECK_EQ(t->err.code, ERR_UNSUPPORTED);
    CHECK_STR(refusal(t, S("")), S("empty input file"));
}

TEST(check_uses_the_reference_sentences) {
    CHECK_STR(refusal(t, W("\x12\x02\x10\x01\x32\x00")), S("missing sample type information"));
    CHECK_STR(refusal(t, W(HEAD "\x12\x02\x10\x01\x12\x04\x10\x01\x10\x02" STRINGS)),
              S("mismatch: sample has 2 values vs. 1 types"));
    CHECK_STR(refusal(t, W(HEAD "\x12\x04\x08\x09\x10\x01" STRINGS)), S("sample has nil location"));
    CHECK_STR(refusal(t, W("\x1a\x00" STRINGS)), S("found mapping with reserved ID=0"));
    CHECK_STR(refusal(t, W("\x1a\x02\x08\x04\x1a\x02\x08\x04" STRINGS)),
              S("multiple mappings with same id: 4"));
    CHECK_STR(refusal(t, W("\x2a\x02\x08\x02\x2a\x02\x08\x01\x2a\x02\x08\x02" STRINGS)),
              S("multiple functions with same id: 2"));
    CHECK_STR(refusal(t, W("\x22\x00" STRINGS)), S("found location with reserved id=0"));
    CHECK_STR(refusal(t, W("\x22\x04\x08\x03\x22\x00" STRINGS)),
              S("location id: 3 has a line with nil function"));
}

// Types without samples must not multiply: 10,000 types times 10,000 samples would be 800 MB.
TEST(decode_allocates_no_values_that_the_wire_does_not_hold) {
    struct buf b = buf_new(t->arena, 1 << 20);
    for (int i = 0; i < 10000; i++) buf_put(&b, W("\x0a\x00\x12\x00"));
    buf_put(&b, W("\x32\x00"));
    size_t before = t->arena->mapped_bytes;
    CHECK_STR(refusal(t, buf_str(&b)), S("mismatch: sample has 0 values vs. 10000 types"));
    CHECK(t->arena->mapped_bytes - before < 1 << 20);
}

static struct profile big_profile(struct unit *t) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    builder_sample_type(&b, S("samples"), S("count"));
    struct function f = {.name = builder_str(&b, S("work"))};
    struct line line = {.function_i = builder_function(&b, &f), .line = 3};
    for (u32 i = 0; i < 30000; i++) {
        u32 stack[128];
        for (u32 k = 0; k < 128; k++)
            stack[k] =
                builder_location(&b, 0x1000 + (i * 7919 + k * 104729) % 70000, U32_NONE, &line, 1);
        struct label label = {.key = builder_str(&b, S("n")), .num = i + 1};
        builder_sample(&b, &(i64){i + 1}, stack, 128, &label, i % 3 == 0);
    }
    return builder_done(&b);
}

// Regression guard for the pages given back while decoding: strings behind and between the samples
// must keep their texts, and both ways of decoding must give one result.
TEST(decode_owned_gives_the_same_tables) {
    struct profile p = big_profile(t), q, r;
    str wire, again;
    CHECK(profile_encode(t->arena, &p, &wire, &t->err));
    CHECK(wire.len > 8 << 20);
    CHECK(profile_decode(t->arena, wire, &q, &t->err));
    CHECK(profile_encode(t->arena, &q, &again, &t->err));
    CHECK(str_eq(wire, again));
    char *own = arena_alloc(t->arena, wire.len, 4096);
    memcpy(own, wire.p, wire.len);
    CHECK(profile_decode_owned(t->arena, (str){own, wire.len}, &r, &t->err));
    CHECK(profile_encode(t->arena, &r, &again, &t->err));
    CHECK(str_eq(wire, again));
    CHECK(profile_check(&r, &t->err));
}

TEST(encode_orders_labels_and_omits_zeros_as_the_reference) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    builder_sample_type(&b, S("cpu"), S("ns"));
    u32 key_b = builder_str(&b, S("b")), key_a = builder_str(&b, S("a"));
    struct label labels[] = {{.key = key_b, .num = 4},
                             {.key = key_b, .is_string = true, .str = builder_str(&b, S("v"))},
                             {.key = key_a, .is_string = true, .str = builder_str(&b, S("w"))}};
    builder_sample(&b, &(i64){0}, NULL, 0, labels, 3);
    struct profile p = builder_done(&b);
    str wire;
    CHECK(profile_encode(t->arena, &p, &wire, &t->err));
    CHECK_STR(wire,
              W("\x0a\x04\x08\x01\x10\x02\x12\x14\x10\x00\x1a\x04\x08\x03\x10\x04\x1a\x04\x08\x05"
                "\x10\x06\x1a\x04\x08\x05\x18\x04\x32\x00\x32\x03"
                "cpu"
                "\x32\x02ns\x32\x01"
                "a\x32\x01w\x32\x01"
                "b\x32\x01v\x70\x00"));
}

TEST(unpack_joins_gzip_members) {
    str one, two, plain;
    CHECK(gzip_pack(t->arena, S("hello "), 0, &one, &t->err));
    CHECK(gzip_pack(t->arena, S("world, the longer member"), 1, &two, &t->err));
    str both = str_join(t->arena, (str[]){one, two, one}, 3, S(""));
    CHECK(profile_unpack(t->arena, both, NULL, &plain, &t->err));
    CHECK_STR(plain, S("hello world, the longer memberhello "));
}

TEST(unpack_leaves_plain_bytes_alone) {
    str plain, in = S("plain");
    CHECK(profile_unpack(t->arena, in, NULL, &plain, &t->err));
    CHECK(plain.p == in.p);
}

TEST(unpack_refuses_bombs_at_the_limit) {
    size_t size = 8 << 20;
    str zeros = {arena_alloc(t->arena, size, 1), size}, packed, plain;
    CHECK(gzip_pack(t->arena, zeros, 0, &packed, &t->err));
    struct unpack_opts opts = {.max_bytes = size - 1};
    CHECK(!profile_unpack(t->arena, packed, &opts, &plain, &t->err));
    CHECK_EQ(t->err.code, ERR_LIMIT);
    opts.max_bytes = size;
    CHECK(profile_unpack(t->arena, packed, &opts, &plain, &t->err));
    CHECK_EQ(plain.len, size);
}

// A trailer that promises 4 GiB for twenty bytes must not reserve them.
TEST(unpack_does_not_believe_a_lying_trailer) {
    str packed, plain;
    CHECK(gzip_pack(t->arena, S("x"), 0, &packed, &t->err));
    char *lie = (char *)(uintptr_t)str_copy(t->arena, packed).p;
    memset(lie + packed.len - 4, 0xff, 4);
    size_t before = t->arena->mapped_bytes;
    CHECK(!profile_unpack(t->arena, (str){lie, packed.len}, NULL, &plain, &t->err));
    CHECK_EQ(t->err.code, ERR_MALFORMED);
    CHECK(t->arena->mapped_bytes - before < 1 << 20);
}

TEST(unpack_refuses_cut_and_trailing_bytes) {
    str packed, plain;
    CHECK(gzip_pack(t->arena, S("some text that is packed"), 0, &packed, &t->err));
    for (size_t len = 2; len < packed.len; len++)
        CHECK(!profile_unpack(t->arena, str_take(packed, len), NULL, &plain, &t->err));
    str more = str_join(t->arena, (str[]){packed, S("twenty bytes of junk")}, 2, S(""));
    CHECK(!profile_unpack(t->arena, more, NULL, &plain, &t->err));
    CHECK_STR(str_of(t->err.text), S("decompressing profile: gzip: invalid header"));
}

TEST(unpack_reads_zstd_within_the_limit) {
    size_t size = 3 << 20;
    char *text = arena_alloc(t->arena, size, 1), *to = arena_alloc(t->arena, size, 1);
    for (size_t i = 0; i < size; i++) text[i] = (char)(i * i >> 7);
    size_t len = ZSTD_compress(to, size, text, size, 1);
    CHECK(!ZSTD_isError(len));
    str plain;
    CHECK(profile_unpack(t->arena, (str){to, len}, NULL, &plain, &t->err));
    CHECK(str_eq(plain, (str){text, size}));
    struct unpack_opts opts = {.max_bytes = size - 1};
    CHECK(!profile_unpack(t->arena, (str){to, len}, &opts, &plain, &t->err));
    CHECK_EQ(t->err.code, ERR_LIMIT);
    CHECK(!profile_unpack(t->arena, (str){to, len - 3}, NULL, &plain, &t->err));
    CHECK_EQ(t->err.code, ERR_MALFORMED);
}
