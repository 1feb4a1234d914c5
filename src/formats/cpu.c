// formats/cpu.c - the binary CPU profile of gperftools.
// Room: words of 32 or 64 bits in either byte order: a header, then counts and stacks, then text
// (the memory map, or for Java the places of addresses). Door: cpu_decode(). Source:
// reference/pprof.md section 3.2.
#include "formats/java.h"
#include "formats/legacy.h"

#include <string.h>

struct words {
    str rest;
    u32 size; // 4 or 8
    bool is_big;
    bool is_short; // a word was asked for that is not there; it read as 0
};

static u64 next_word(struct words *w) {
    if (w->rest.len < w->size) {
        w->rest = (str){0};
        w->is_short = true;
        return 0;
    }
    u64 word = 0;
    memcpy(&word, w->rest.p, w->size);
    w->rest = str_skip(w->rest, w->size);
    if (!w->is_big) return word;
    return w->size == 8 ? __builtin_bswap64(word) : __builtin_bswap32((u32)word);
}

struct cpu_header {
    bool is_java;
    u64 period_us;
};

// Five words: 0, 3, 0 or 1 for Java, the period, 0.
static bool read_header(struct words *w, struct cpu_header *ret) {
    u64 head[5];
    for (size_t i = 0; i < countof(head); i++) head[i] = next_word(w);
    if (w->is_short || head[0] != 0 || head[1] != 3 || head[2] > 1 || head[3] == 0 || head[4] != 0)
        return false;
    *ret = (struct cpu_header){.is_java = head[2] == 1, .period_us = head[3]};
    return true;
}

static bool is_end_marker(u64 count, const struct legacy *l, const struct legacy_sample *s) {
    return count == 0 && s->n == 1 && l->addresses[s->at] == 0;
}

// A last stack cut off by the end of the file is padded with zeros, as the original reads it.
static bool read_sample(struct words *w, struct legacy *l, bool are_returns, bool *is_end,
                        struct err *err) {
    u64 count = next_word(w), n = next_word(w);
    if (w->is_short || n > w->rest.len / 4) return legacy_unrecognized(err);
    legacy_sample_add(l);
    for (u64 i = 0; i < n; i++) legacy_address_add(l, next_word(w));
    struct legacy_sample *s = &l->samples[l->n_samples - 1];
    *is_end = is_end_marker(count, l, s);
    if (*is_end) {
        l->n_samples--;
        l->n_addresses = s->at;
        return true;
    }
    for (u64 i = 1; are_returns && i < n; i++) l->addresses[s->at + i]--;
    s->values[0] = (i64)count;
    s->values[1] = (i64)(count * (u64)l->b.p.period);
    return true;
}

static bool read_samples(struct words *w, struct legacy *l, bool are_returns, struct err *err) {
    bool is_end = false;
    while (!is_end && w->rest.len > 0) {
        if (!read_sample(w, l, are_returns, &is_end, err)) return false;
    }
    return true;
}

// The address that is second in all but every 32nd sample: the signal handler's frame.
static bool find_handler(const struct legacy *l, u64 *ret) {
    struct idmap counts;
    AUTO_ARENA struct arena scratch = arena_sub(l->scratch);
    idmap_init(&counts, &scratch);
    const u32 enough = (u32)(l->n_samples - l->n_samples / 32);
    for (size_t i = 0; i < l->n_samples; i++) {
        const struct legacy_sample *s = &l->samples[i];
        if (s->n < 2) continue;
        u32 *count = idmap_at(&counts, l->addresses[s->at + 1]);
        *count = *count == U32_NONE ? 1 : *count + 1;
        if (*count < enough) continue;
        *ret = l->addresses[s->at + 1];
        return true;
    }
    return false;
}

static void remove_second(struct legacy *l, u64 address) {
    for (size_t i = 0; i < l->n_samples; i++) {
        struct legacy_sample *s = &l->samples[i];
        if (s->n < 2 || l->addresses[s->at + 1] != address) continue;
        l->addresses[s->at + 1] = l->addresses[s->at];
        s->at++;
        s->n--;
    }
}

enum { HANDLER_FRAMES_MAX = 2 }; // the handler and what the kernel put before it

static void remove_handlers(struct legacy *l) {
    u64 address;
    for (int i = 0; i < HANDLER_FRAMES_MAX && find_handler(l, &address); i++)
        remove_second(l, address);
}

static bool decode_words(struct arena *out, struct words w, struct cpu_header head,
                         struct profile *ret, struct err *err) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct legacy l;
    legacy_init(&l, out, &scratch);
    l.b.p.period = (i64)(head.period_us * 1000);
    legacy_period_type(&l, S("cpu"), S("nanoseconds"));
    builder_sample_type(&l.b, S("samples"), S("count"));
    builder_sample_type(&l.b, S("cpu"), S("nanoseconds"));
    if (!read_samples(&w, &l, !head.is_java, err)) return false;
    if (head.is_java) {
        if (!java_read_places(&l, w.rest, err)) return false;
    } else {
        remove_handlers(&l);
        struct lines s = lines_of(w.rest);
        legacy_read_map(&l, &s);
        l.drops_doubled_leaf = true;
    }
    *ret = legacy_finish(&l);
    return true;
}

bool cpu_decode(struct arena *out, str bytes, struct profile *ret, struct err *err) {
    for (int kind = 0; kind < 4; kind++) {
        struct words w = {.rest = bytes, .size = kind < 2 ? 4 : 8, .is_big = kind % 2 == 1};
        struct cpu_header head;
        if (read_header(&w, &head)) return decode_words(out, w, head, ret, err);
    }
    return legacy_unrecognized(err);
}
