// tests/unit/formats_load.c - proves which bytes are recognized and with which sentence others end.
#include "unit.h"

#include "formats/formats.h"

static str refusal(struct unit *t, str bytes) {
    struct profile p;
    CHECK(!formats_load(t->arena, bytes, NULL, &p, &t->err));
    return str_of(t->err.text);
}

TEST(load_names_what_is_wrong) {
    CHECK_STR(refusal(t, S("")), S("parsing profile: empty input file"));
    CHECK_STR(refusal(t, S("no profile at all")),
              S("parsing profile: unrecognized profile format"));
    CHECK_STR(refusal(t, S("\x1f\x8b-")), S("decompressing profile: unexpected EOF"));
    CHECK_STR(refusal(t, S("\x12\x02\x10\x01\x32\x00")),
              S("malformed profile: missing sample type information"));
    CHECK_STR(refusal(t, S("\x32\x00\x22\x00")),
              S("malformed profile: found location with reserved id=0"));
    CHECK_STR(refusal(t, S("\x32\x00\x48\x01\x48\x01")),
              S("parsing profile: concatenated profiles detected"));
}

TEST(load_reads_packed_and_plain_messages) {
    str plain = S("\x0a\x04\x08\x01\x10\x02\x12\x02\x10\x07\x32\x00\x32\x01n\x32\x05"
                  "count"),
        packed;
    CHECK(gzip_pack(t->arena, plain, 0, &packed, &t->err));
    struct profile p, q;
    CHECK(formats_load(t->arena, plain, NULL, &p, &t->err));
    CHECK(formats_load(t->arena, packed, NULL, &q, &t->err));
    CHECK_EQ(profile_values(&p, 0)[0], 7);
    CHECK_EQ(profile_values(&q, 0)[0], 7);
    CHECK_STR(profile_str(&q, q.sample_types[0].unit), S("count"));
}
