// tests/unit/stacks.h - small profiles written as folded stacks, for the tests of view to render.
// "main;a+b 5": root first; a+b is one location in which b was inlined into a; a frame may carry a
// file and a line as "name@file:12". Locations of equal text are one. One sample type, n/count.
#pragma once

#include "unit.h"

#include "profile/profile.h"

static inline struct line stacks_line(struct profile_builder *b, str text) {
    str name, place, file, number;
    i64 line = 0;
    str_cut(text, '@', &name, &place);
    if (str_cut(place, ':', &file, &number)) CHECK(num_parse_i64(number, 10, &line));
    u32 function_i = builder_function(
        b, &(struct function){.name = builder_str(b, name), .filename = builder_str(b, file)});
    return (struct line){.function_i = function_i, .line = line};
}

// Lines go innermost first, which is the other way round than they are written.
static inline u32 stacks_location(struct profile_builder *b, str text) {
    struct line lines[8];
    u32 n = 0;
    str part, rest = text;
    for (bool more = true; more;) {
        more = str_cut(rest, '+', &part, &rest);
        for (u32 i = n++; i > 0; i--) lines[i] = lines[i - 1];
        lines[0] = stacks_line(b, part);
    }
    return builder_location(b, 0x1000 + str_hash(text) % 0xfffff, U32_NONE, lines, n);
}

static inline void stacks_add(struct profile_builder *b, str text, const struct label *labels,
                              u32 n_labels) {
    ptrdiff_t space = str_rfind_byte(text, ' ');
    i64 value;
    CHECK(num_parse_i64(str_skip(text, (size_t)space + 1), 10, &value));
    u32 stack[16], n = 0;
    str frame, rest = str_take(text, (size_t)space);
    for (bool more = true; more;) {
        more = str_cut(rest, ';', &frame, &rest);
        for (u32 i = n++; i > 0; i--) stack[i] = stack[i - 1];
        stack[0] = stacks_location(b, frame);
    }
    builder_sample(b, &value, stack, n, labels, n_labels);
}

static inline struct profile stacks_profile(struct unit *t, const char *const *texts, size_t n) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    builder_sample_type(&b, S("n"), S("count"));
    for (size_t i = 0; i < n; i++) stacks_add(&b, str_of(texts[i]), NULL, 0);
    return builder_done(&b);
}
#define STACKS(t, ...)                                                                             \
    stacks_profile((t), (const char *const[]){__VA_ARGS__},                                        \
                   countof(((const char *const[]){__VA_ARGS__})))
