// tests/unit/formats_beyond.c - files google/pprof declines: folded stacks, perf script text,
// cpuprofile, speedscope.
// Room: claims about formats_load on each of them.
#include "unit.h"

#include "formats/formats.h"

static str frame_name(const struct profile *p, u32 location_i) {
    const struct line *line = &p->lines[p->locations[location_i].lines_at];
    return profile_str(p, p->functions[line->function_i].name);
}

// "leaf<caller<root value value" of one sample.
static str sample_text(struct unit *t, const struct profile *p, u32 sample_i) {
    struct buf b = buf_new(t->arena, 4096);
    u32 n;
    const u32 *stack = profile_stack(p, sample_i, &n);
    for (u32 i = 0; i < n; i++) {
        if (i) buf_byte(&b, '<');
        buf_put(&b, p->locations[stack[i]].n_lines ? frame_name(p, stack[i]) : S("?"));
    }
    for (u32 i = 0; i < p->n_types; i++) {
        buf_byte(&b, ' ');
        num_i64(&b, profile_values(p, sample_i)[i]);
    }
    return buf_str(&b);
}

static str type_text(const struct profile *p, u32 type_i) {
    return profile_str(p, p->sample_types[type_i].type);
}

TEST(folded_stacks_are_root_first_and_may_hold_blanks) {
    struct profile p;
    str file = S("# comment\n\nmain;operator new(unsigned long);read_all 42\nmain 7\n");
    CHECK(formats_load(t->arena, file, NULL, &p, &t->err));
    CHECK_EQ(p.n_samples, 2);
    CHECK_STR(sample_text(t, &p, 0), S("read_all<operator new(unsigned long)<main 42"));
    CHECK_STR(sample_text(t, &p, 1), S("main 7"));
    CHECK_EQ(p.n_functions, 3);
}

TEST(text_that_is_not_folded_stays_unrecognized) {
    struct profile p;
    CHECK(!formats_load(t->arena, S("main;read 42\nhello world\n"), NULL, &p, &t->err));
    CHECK_EQ(t->err.code, ERR_UNRECOGNIZED);
    CHECK_STR(str_of(t->err.text), S("parsing profile: unrecognized profile format"));
}

// A contention profile that had lost its first line was shown as stacks of "sampling period =".
TEST(words_and_numbers_without_any_call_are_no_folded_stacks) {
    struct profile p;
    str file = S("cycles/second = 3201000000\nsampling period = 100\n");
    CHECK(!formats_load(t->arena, file, NULL, &p, &t->err));
    CHECK_EQ(t->err.code, ERR_UNRECOGNIZED);
    CHECK(formats_load(t->arena, S("main 7\nread 3\n"), NULL, &p, &t->err));
    CHECK_EQ(p.n_samples, 2);
}

TEST(perf_script_gives_a_type_an_event_and_addresses) {
    struct profile p;
    str file = S("# captured on: today\n"
                 "my server  1234/1236  [001]  5678.123456:     250000 cpu-clock:u: \n"
                 "\t    7f0012345678 dictFind+0x18 (/usr/bin/redis-server)\n"
                 "\t    7f0012340000 [unknown] (/usr/bin/redis-server)\n"
                 "\t    55d0 main+0x5 (/usr/bin/redis-server)\n"
                 "\n"
                 "swapper     0 [000]  5679.5: page-faults: \n"
                 "\tffffffff810b asm_exc_page_fault+0x22 ([kernel.kallsyms])\n"
                 "\n");
    CHECK(formats_load(t->arena, file, NULL, &p, &t->err));
    CHECK_EQ(p.n_samples, 2);
    CHECK_STR(type_text(&p, 0), S("cpu-clock:u"));
    CHECK_STR(type_text(&p, 1), S("page-faults"));
    CHECK_STR(profile_str(&p, p.sample_types[0].unit), S("nanoseconds"));
    CHECK_STR(profile_str(&p, p.sample_types[1].unit), S("count"));
    CHECK_STR(sample_text(t, &p, 0), S("dictFind<?<main 250000 0"));
    CHECK_STR(sample_text(t, &p, 1), S("asm_exc_page_fault 0 1"));
    CHECK_EQ(p.n_mappings, 2);
    CHECK_EQ(p.locations[0].address, 0x7f0012345678);
    u32 n_labels;
    const struct label *labels = profile_labels(&p, 0, &n_labels);
    CHECK_EQ(n_labels, 2);
    CHECK_STR(profile_str(&p, labels[0].str), S("my server"));
    CHECK_EQ(labels[1].num, 1236);
}

// Reports were titled by the dynamic linker, in which the first sample of most programs lies.
TEST(perf_script_puts_the_program_first) {
    struct profile p;
    str file = S("server 7 5.1: cpu-clock: \n\t14645 handle_amd+0x25 (/lib/ld-linux.so.2)\n\n"
                 "server 7 5.2: cpu-clock: \n\t55d0 main+0x5 (/usr/bin/server)\n\n");
    CHECK(formats_load(t->arena, file, NULL, &p, &t->err));
    CHECK_STR(profile_str(&p, p.mappings[0].file), S("/usr/bin/server"));
    CHECK_EQ(p.locations[0].mapping_i, 1);
    CHECK_EQ(p.locations[1].mapping_i, 0);
    CHECK_STR(profile_str(&p, p.sample_types[0].unit), S("count")); // no periods were printed
}

#define CPUPROFILE_NODES                                                                           \
    "{\"nodes\":["                                                                                 \
    "{\"id\":1,\"callFrame\":{\"functionName\":\"(root)\",\"url\":\"\",\"lineNumber\":-1},"        \
    "\"children\":[2]},"                                                                           \
    "{\"id\":2,\"callFrame\":{\"functionName\":\"\",\"url\":\"file:///a.js\",\"lineNumber\":0},"   \
    "\"children\":[3]},"                                                                           \
    "{\"id\":3,\"callFrame\":{\"functionName\":\"sum\",\"url\":\"file:///"                         \
    "a.js\",\"lineNumber\":9}}"

TEST(cpuprofile_samples_last_until_the_next) {
    struct profile p;
    str file = S(CPUPROFILE_NODES "],\"startTime\":1000,\"endTime\":1700,"
                                  "\"samples\":[2,3,3],\"timeDeltas\":[100,150,250]}");
    CHECK(formats_load(t->arena, file, NULL, &p, &t->err));
    CHECK_EQ(p.n_samples, 3);
    CHECK_STR(sample_text(t, &p, 0), S("(anonymous) 1 150000"));
    CHECK_STR(sample_text(t, &p, 1), S("sum<(anonymous) 1 250000"));
    CHECK_STR(sample_text(t, &p, 2), S("sum<(anonymous) 1 200000")); // until endTime
    CHECK_EQ(p.duration_nanos, 700000);
    u32 n;
    const u32 *stack = profile_stack(&p, 1, &n);
    CHECK_EQ(p.lines[p.locations[stack[0]].lines_at].line, 10);
}

TEST(cpuprofile_with_a_cycle_or_a_missing_node_is_refused) {
    struct profile p;
    str cycle = S("{\"nodes\":[{\"id\":1,\"callFrame\":{},\"children\":[2]},"
                  "{\"id\":2,\"callFrame\":{},\"children\":[1]}],\"samples\":[1]}");
    CHECK(!formats_load(t->arena, cycle, NULL, &p, &t->err));
    CHECK_EQ(t->err.code, ERR_MALFORMED);
    str missing = S(CPUPROFILE_NODES "],\"samples\":[9]}");
    CHECK(!formats_load(t->arena, missing, NULL, &p, &t->err));
    CHECK_STR(str_of(t->err.text), S("parsing profile: cpuprofile: sample 0 has no node"));
}

TEST(speedscope_sampled_profile_is_weighted) {
    struct profile p;
    str file = S("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\","
                 "\"shared\":{\"frames\":[{\"name\":\"main\"},{\"name\":\"work\",\"file\":\"w.c\","
                 "\"line\":3}]},\"profiles\":[{\"type\":\"sampled\",\"unit\":\"milliseconds\","
                 "\"samples\":[[0],[0,1]],\"weights\":[2,0.5]}]}");
    CHECK(formats_load(t->arena, file, NULL, &p, &t->err));
    CHECK_STR(sample_text(t, &p, 0), S("main 2000000"));
    CHECK_STR(sample_text(t, &p, 1), S("work<main 500000"));
}

#define SPEEDSCOPE_EVENTED(events)                                                                 \
    "{\"shared\":{\"frames\":[{\"name\":\"a\"},{\"name\":\"b\"}]},\"profiles\":[{\"type\":"        \
    "\"evented\",\"unit\":\"none\",\"startValue\":0,\"endValue\":9,\"events\":[" events "]}]}"

TEST(speedscope_events_give_the_stretches_between_them) {
    struct profile p;
    str file = S(SPEEDSCOPE_EVENTED("{\"type\":\"O\",\"at\":0,\"frame\":0},"
                                    "{\"type\":\"O\",\"at\":2,\"frame\":1},"
                                    "{\"type\":\"C\",\"at\":5,\"frame\":1},"
                                    "{\"type\":\"C\",\"at\":9,\"frame\":0}"));
    CHECK(formats_load(t->arena, file, NULL, &p, &t->err));
    CHECK_EQ(p.n_samples, 3);
    CHECK_STR(sample_text(t, &p, 0), S("a 2"));
    CHECK_STR(sample_text(t, &p, 1), S("b<a 3"));
    CHECK_STR(sample_text(t, &p, 2), S("a 4"));
}

TEST(speedscope_that_closes_the_wrong_frame_is_refused) {
    struct profile p;
    str file = S(SPEEDSCOPE_EVENTED("{\"type\":\"O\",\"at\":0,\"frame\":0},"
                                    "{\"type\":\"C\",\"at\":2,\"frame\":1}"));
    CHECK(!formats_load(t->arena, file, NULL, &p, &t->err));
    CHECK_EQ(t->err.code, ERR_MALFORMED);
}

// Every frame of Python's "<module>" was called <unknown>, because all of it looked like the
// arguments of a template.
TEST(folded_names_that_no_linker_wrote_stay_as_they_are) {
    struct profile p;
    str file = S("<module> (a.py:7);main (<frozen site>:3);_ZN1a1bEv 5\n");
    CHECK(formats_load(t->arena, file, NULL, &p, &t->err));
    CHECK_EQ(p.n_functions, 3);
    CHECK_STR(profile_str(&p, p.functions[0].name), S("<module> (a.py:7)"));
    CHECK_EQ(p.functions[0].system_name, 0); // what is no linker's name is not demangled
    CHECK_EQ(p.functions[2].system_name, p.functions[2].name);
}

// perf puts a line for each inlined call before the frame it is in, with its address again.
TEST(perf_script_inlined_calls_are_lines_of_one_location) {
    struct profile p;
    str file = S("app  7/8 12.000001:     250000 cpu-clock: \n"
                 "\t    1621a deep+0xb8a (inlined)\n"
                 "\t    1621a middle+0xb8a (inlined)\n"
                 "\t    1621a outer+0x33 (/bin/app)\n"
                 "\t    1a303 main+0x5 (/bin/app)\n\n");
    CHECK(formats_load(t->arena, file, NULL, &p, &t->err));
    u32 n;
    const u32 *stack = profile_stack(&p, 0, &n);
    CHECK_EQ(n, 2);
    CHECK_EQ(p.n_mappings, 1);
    CHECK_EQ(p.locations[stack[0]].n_lines, 3);
    const struct line *lines = &p.lines[p.locations[stack[0]].lines_at];
    CHECK_STR(profile_str(&p, p.functions[lines[0].function_i].name), S("deep"));
    CHECK_STR(profile_str(&p, p.functions[lines[2].function_i].name), S("outer"));
}

TEST(perf_script_records_between_the_events_are_passed_over) {
    struct profile p;
    str file = S("# captured on    : now\n#\n"
                 "swapper     0     0.000000: PERF_RECORD_MMAP -1/0: [0x1(0x2) @ 0x3]: x k\n"
                 "app  7 12.000000: PERF_RECORD_COMM exec: app:7/7\n"
                 "app  7 12.000001:     250000 cpu-clock: \n"
                 "\t    1a303 main+0x5 (/bin/app)\n\n"
                 "app  7 12.000002: PERF_RECORD_FORK(8:8):(7:7)\n");
    CHECK(formats_load(t->arena, file, NULL, &p, &t->err));
    CHECK_EQ(p.n_samples, 1);
    CHECK_EQ(p.n_types, 1);
}

// perf record without -g prints the frame on the event's line and no blank lines: all events were
// one.
TEST(perf_script_without_callchains_has_a_frame_an_event) {
    struct profile p;
    str file = S("  app  7 12.000001:     250000   cpu-clock:  7f00 inner+0xa (/bin/app)\n"
                 "  app  7 12.000002:     250000   cpu-clock:  7f08 other+0x2 (/bin/app)\n"
                 "  app  7 12.000003:          1 page-faults:  7f08 other+0x2 (/bin/app)\n");
    CHECK(formats_load(t->arena, file, NULL, &p, &t->err));
    CHECK_EQ(p.n_samples, 3);
    CHECK_EQ(p.n_types, 2);
    u32 n;
    const u32 *stack = profile_stack(&p, 1, &n);
    CHECK_EQ(n, 1);
    CHECK_EQ(p.locations[stack[0]].address, 0x7f08);
}
