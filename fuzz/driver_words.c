// fuzz/driver_words.c - what people and other processes write: source words, shell lines, entries
// of pprof ps. Room: one libFuzzer entry. The first byte chooses the reader.
#include "driver/complete.h"
#include "driver/registry.h"
#include "driver/shell_line.h"
#include "driver/source.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

// A URL that was made must be read as the same URL again.
static void read_source(struct arena *arena, str word) {
    struct source_url url, again;
    struct source_time time = {.seconds = word.len % 3};
    if (!source_url_parse(arena, word, time, &url)) return;
    if (!source_url_parse(arena, url.text, time, &again)) abort();
    if (!str_eq(url.text, again.text) || !str_eq(url.fetch, again.fetch)) abort();
}

static struct profile small_profile(struct arena *arena) {
    struct profile_builder b;
    builder_init(&b, arena);
    builder_sample_type(&b, S("samples"), S("count"));
    builder_sample_type(&b, S("cpu"), S("nanoseconds"));
    struct function f = {.name = builder_str(&b, S("std::map<int, x>::find(int)"))};
    builder_function(&b, &f);
    return builder_done(&b);
}

static void read_shell(struct arena *arena, str text) {
    struct profile p = small_profile(arena);
    struct options session = options_default();
    str expanded[MAX_EXPANSION];
    size_t n = shell_expand(arena, &p, text, expanded);
    for (size_t i = 0; i < n; i++) {
        struct shell_line line;
        struct err err = {0};
        if (!shell_line_read(arena, &p, &session, expanded[i], &line, &err) && !err.text[0])
            abort();
    }
    struct completion c;
    complete_line(arena, &p, text, &c);
    if (c.word_at > text.len) abort();
    completion_prefix(&c);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    if (!size) return 0;
    struct arena arena;
    arena_init(&arena);
    str text = {(const char *)data + 1, size - 1};
    struct running r;
    switch (data[0] % 3) {
    case 0:
        read_source(&arena, text);
        break;
    case 1:
        read_shell(&arena, text);
        break;
    default:
        if (registry_entry_read(text, &r) && !r.address.len && !r.state.len) abort();
    }
    arena_done(&arena);
    return 0;
}
