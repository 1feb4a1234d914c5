// fuzz/regex.c - expressions that people (and profiles, in drop_frames) hand to the translator and
// to PCRE2. The first line is the expression, the rest the text. What our parser accepts PCRE2 must
// accept too, but for class names; a crash or a hang is the finding.
#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena;
    arena_init(&arena);
    str pattern, text;
    struct regex *re;
    struct err err;
    str_cut((str){(const char *)data, size}, '\n', &pattern, &text);
    if (regex_compile(&arena, pattern, &re, &err)) {
        (void)regex_match(re, text);
        regex_done(re);
    }
    arena_done(&arena);
    return 0;
}
