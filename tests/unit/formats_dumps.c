// tests/unit/formats_dumps.c - jemalloc's heap dumps and OTLP profiles.
// Room: claims about formats_load on each of them.
#include "unit.h"

#include "formats/formats.h"

#define JEMALLOC_HEAD "heap_v2/4096\n  t*: 3: 12288 [0: 0]\n  t0: 3: 12288 [0: 0]\n"
#define JEMALLOC_MAP "\nMAPPED_LIBRARIES:\n5000-6000 r-xp 00001000 fe:00 1 /bin/app\n"

static i64 total(const struct profile *p, u32 type_i) {
    i64 sum = 0;
    for (u32 i = 0; i < p->n_samples; i++) sum += profile_values(p, i)[type_i];
    return sum;
}

static i64 label_num(const struct profile *p, u32 sample_i, str key) {
    u32 n;
    const struct label *labels = profile_labels(p, sample_i, &n);
    for (u32 i = 0; i < n; i++)
        if (str_eq(profile_str(p, labels[i].key), key)) return labels[i].num;
    return -1;
}

static str label_text(const struct profile *p, u32 sample_i, str key) {
    u32 n;
    const struct label *labels = profile_labels(p, sample_i, &n);
    for (u32 i = 0; i < n; i++)
        if (str_eq(profile_str(p, labels[i].key), key)) return profile_str(p, labels[i].str);
    return S("no label");
}

// 3 objects of 4096 bytes at one sample every 4096 stand for 3 / (1 - 1/e) = 4.745 objects: jeprof
// says 4.7 and 19439.6 bytes of the same file.
TEST(jemalloc_is_unsampled_and_shared_out_among_threads) {
    struct profile p;
    str file = S(JEMALLOC_HEAD "@ 0x5602 0x5101\n  t*: 3: 12288 [0: 0]\n  t0: 2: 8192 [0: 0]\n"
                               "  t7: 1: 4096 [0: 0]\n" JEMALLOC_MAP);
    CHECK(formats_load(t->arena, file, NULL, &p, &t->err));
    CHECK_EQ(p.n_types, 2);
    CHECK_EQ(p.n_samples, 2);
    CHECK_EQ(total(&p, 0), 4);
    CHECK_EQ(total(&p, 1), 19439);
    CHECK_EQ(profile_values(&p, 0)[1], 12959);
    CHECK_EQ(label_num(&p, 0, S("thread")), 0);
    CHECK_EQ(label_num(&p, 1, S("thread")), 7);
    CHECK_EQ(label_num(&p, 1, S("bytes")), 4096);
    CHECK_EQ(p.n_mappings, 1);
    u32 n;
    const u32 *stack = profile_stack(&p, 1, &n);
    CHECK_EQ(n, 2);
    CHECK_EQ(p.locations[stack[0]].address, 0x5601); // the call, not where it returns
}

TEST(jemalloc_keeps_what_ended_threads_left) {
    struct profile p;
    str file = S(JEMALLOC_HEAD "@ 0x5602\n  t*: 3: 12288 [0: 0]\n  t0: 1: 4096 [0: 0]\n");
    CHECK(formats_load(t->arena, file, NULL, &p, &t->err));
    CHECK_EQ(p.n_samples, 2);
    CHECK_EQ(total(&p, 1), 19439);
    CHECK_EQ(label_num(&p, 1, S("thread")), -1);
}

TEST(jemalloc_accumulated_counts_become_alloc_types) {
    struct profile p;
    str file = S("heap_v2/1\n  t*: 1: 10 [5: 50]\n@ 0x5602\n  t*: 1: 10 [5: 50]\n");
    CHECK(formats_load(t->arena, file, NULL, &p, &t->err));
    CHECK_EQ(p.n_types, 4);
    CHECK_STR(profile_str(&p, p.sample_types[0].type), S("alloc_objects"));
    CHECK_EQ(profile_values(&p, 0)[1], 50);
    CHECK_EQ(profile_values(&p, 0)[3], 10);
}

// The flat column of every dump was one line, [libjemalloc.so.2]: Debian's has no symbols.
TEST(jemalloc_leaves_its_own_frames_out) {
    struct profile p;
    str file = S(JEMALLOC_HEAD "@ 0x9001 0x9101 0x5602 0x9201 0x5101\n  t*: 1: 4096 [0: 0]\n"
                               "@ 0x9001\n  t*: 1: 4096 [0: 0]\n" JEMALLOC_MAP
                               "9000-a000 r-xp 00000000 fe:00 2 /usr/lib/libjemalloc.so.2\n");
    CHECK(formats_load(t->arena, file, NULL, &p, &t->err));
    u32 n;
    const u32 *stack = profile_stack(&p, 0, &n);
    CHECK_EQ(n, 3);
    CHECK_EQ(p.locations[stack[0]].address, 0x5601);
    CHECK_EQ(p.locations[stack[1]].address, 0x9200); // only the innermost ones go
    profile_stack(&p, 1, &n);
    CHECK_EQ(n, 1); // a stack of nothing else stays
}

TEST(jemalloc_with_a_broken_line_is_refused) {
    struct profile p;
    CHECK(
        !formats_load(t->arena, S(JEMALLOC_HEAD "@ 0x5602\n  t*: 3: [0: 0]\n"), NULL, &p, &t->err));
    CHECK_EQ(t->err.code, ERR_MALFORMED);
}

// Written by the OpenTelemetry collector's pdata 1.70 (proto 1.10): two profiles, one resource.
static const char otlp_file[] =
    "\x12\xc5\x02\x3a\x00\x3a\x05\x0a\x03\x03\x02\x01\x3a\x04\x0a\x02\x02\x01\x32\x02"
    "\x12\x00\x32\x0c\x12\x08\x0a\x06\x61\x62\x63\x64\x31\x32\x08\x01\x32\x0c\x12\x08"
    "\x0a\x06\x77\x6f\x72\x6b\x65\x72\x08\x02\x32\x08\x18\x04\x12\x02\x18\x2a\x08\x03"
    "\x2a\x00\x2a\x1f\x70\x72\x6f\x63\x65\x73\x73\x2e\x65\x78\x65\x63\x75\x74\x61\x62"
    "\x6c\x65\x2e\x62\x75\x69\x6c\x64\x5f\x69\x64\x2e\x67\x6e\x75\x2a\x0b\x74\x68\x72"
    "\x65\x61\x64\x2e\x6e\x61\x6d\x65\x2a\x04\x77\x61\x69\x74\x2a\x02\x6d\x73\x2a\x08"
    "\x2f\x62\x69\x6e\x2f\x61\x70\x70\x2a\x04\x6d\x61\x69\x6e\x2a\x05\x61\x70\x70\x2e"
    "\x63\x2a\x04\x77\x6f\x72\x6b\x2a\x04\x6c\x65\x61\x66\x2a\x03\x63\x70\x75\x2a\x0b"
    "\x6e\x61\x6e\x6f\x73\x65\x63\x6f\x6e\x64\x73\x2a\x06\x65\x76\x65\x6e\x74\x73\x2a"
    "\x05\x63\x6f\x75\x6e\x74\x2a\x0c\x73\x65\x72\x76\x69\x63\x65\x2e\x6e\x61\x6d\x65"
    "\x2a\x04\x73\x68\x6f\x70\x22\x04\x12\x00\x0a\x00\x22\x1c\x12\x08\x09\x00\x00\x00"
    "\x00\x00\x00\x00\x0a\x10\x01\x02\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x1a\x00\x1a\x04\x18\x07\x08\x06\x1a\x04\x18\x07\x08\x08\x1a\x04\x18\x07"
    "\x08\x09\x12\x00\x12\x0d\x1a\x04\x10\x0a\x08\x01\x10\x80\x82\x80\x02\x08\x01\x12"
    "\x0d\x1a\x04\x10\x14\x08\x02\x10\x90\x82\x80\x02\x08\x01\x12\x0d\x1a\x04\x10\x1e"
    "\x08\x03\x10\xa0\x82\x80\x02\x08\x01\x0a\x00\x0a\x0f\x2a\x01\x01\x20\x05\x10\x80"
    "\x80\xc0\x02\x08\x80\x80\x80\x02\x0a\x8d\x01\x12\x80\x01\x12\x52\x3a\x00\x30\x80"
    "\xad\xe2\x04\x2a\x04\x10\x0b\x08\x0a\x20\x80\xe4\x97\xd0\x12\x19\x00\x00\x2a\x36"
    "\xfe\x9c\x97\x17\x12\x0e\x22\x04\x80\x87\xa7\x0e\x18\x01\x12\x02\x02\x03\x08\x01"
    "\x12\x1e\x2a\x10\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00"
    "\x22\x08\x80\xad\xe2\x04\x80\xda\xc4\x09\x08\x02\x0a\x04\x10\x0b\x08\x0a\x12\x28"
    "\x3a\x00\x2a\x00\x12\x1c\x2a\x18\x05\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00"
    "\x00\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x08\x01\x0a\x04\x10\x0d\x08\x0c"
    "\x0a\x00\x0a\x08\x0a\x06\x18\x0e\x12\x02\x40\x0f";

TEST(otlp_profiles_become_types_and_attributes_labels) {
    struct profile p;
    str file = {otlp_file, sizeof otlp_file - 1};
    CHECK(formats_load(t->arena, file, NULL, &p, &t->err));
    CHECK_EQ(p.n_types, 2);
    CHECK_STR(profile_str(&p, p.sample_types[1].type), S("events"));
    CHECK_EQ(p.n_samples, 3);
    CHECK_EQ(total(&p, 0), 60000000); // the second sample's 10 and 20 ms are summed
    CHECK_EQ(total(&p, 1), 3);        // three times and no value
    CHECK_STR(label_text(&p, 0, S("thread.name")), S("worker"));
    CHECK_STR(label_text(&p, 0, S("span_id")), S("0900000000000000"));
    CHECK_STR(label_text(&p, 2, S("service.name")), S("shop"));
    CHECK_EQ(label_num(&p, 0, S("wait")), 42);
    CHECK_EQ(p.n_mappings, 1);
    CHECK_STR(profile_str(&p, p.mappings[0].build_id), S("abcd12"));
    CHECK_EQ(p.period, 10000000);
    CHECK_EQ(p.duration_nanos, 5000000000);
    u32 n;
    const u32 *stack = profile_stack(&p, 0, &n);
    CHECK_EQ(n, 3);
    CHECK_STR(profile_str(&p, p.functions[p.lines[p.locations[stack[0]].lines_at].function_i].name),
              S("leaf"));
}

// Before proto 1.10 a sample's values were its field 2 and attributes field 3.
TEST(otlp_samples_in_the_older_numbering_keep_their_values) {
    struct profile p;
    str file = S("\x0a\x10\x12\x0e\x12\x0c\x0a\x02\x08\x01\x12\x06\x12\x01\x07\x1a\x01\x00"
                 "\x12\x07\x2a\x00\x2a\x03"
                 "cpu");
    CHECK(formats_load(t->arena, file, NULL, &p, &t->err));
    CHECK_EQ(p.n_samples, 1);
    CHECK_EQ(profile_values(&p, 0)[0], 7);
}

TEST(otlp_with_a_stack_of_unknown_locations_is_refused) {
    struct profile p;
    str file = S("\x12\x09\x2a\x00\x3a\x00\x3a\x03\x0a\x01\x05");
    CHECK(!formats_load(t->arena, file, NULL, &p, &t->err));
    CHECK_EQ(t->err.code, ERR_MALFORMED);
}
