// formats/jemalloc.c - jemalloc's heap dumps: prof.dump, prof_final and their like.
// Room: that text. Door: formats/formats.h. Source: jemalloc's prof_data.c and jeprof.
//
//     heap_v2/524288
//       t*: 3: 12288 [0: 0]          all threads, then each thread: objects: bytes [accumulated]
//     @ 0x7f01 0x5602
//       t*: 3: 12288 [0: 0]
//       t1: 3: 12288 [0: 0]
//     MAPPED_LIBRARIES: ...
//
// What the sampled objects stand for is told from all threads of a stack, as jeprof does, and then
// shared out among the threads, so that the totals are jeprof's. Accumulated counts become alloc_*
// where the program was asked for them (prof_accum).
#include "formats/legacy.h"

#include <math.h>

enum {
    // Stack entries of all samples: 1 GiB of them. The threads of a stack share its line, so that a
    // small file of many threads could ask for far more.
    MAX_STACK_ENTRIES = 1 << 28,
};

struct dump {
    struct legacy l;
    i64 rate;
    bool has_alloc;
    // Of the stack being read: where its addresses are, and what is still to be shared out.
    u64 at;
    u32 n_addresses;
    u64 n_entries; // of all samples
    i64 counted[LEGACY_TYPES_MAX],
        left[LEGACY_TYPES_MAX];         // in file order: objects, bytes, and both
    double scale[LEGACY_TYPES_MAX / 2]; // accumulated
};

// "  t*:" or "  t12:" and four numbers; *thread is -1 for all threads together.
static bool read_counts(str line, i64 *thread, i64 counts[LEGACY_TYPES_MAX]) {
    static const str before[LEGACY_TYPES_MAX] = {{":", 1}, {":", 1}, {"[", 1}, {":", 1}};
    str digits;
    take_while(&line, is_blank);
    if (!take_text(&line, S("t"))) return false;
    *thread = -1;
    if (!take_text(&line, S("*")) &&
        !(take_digits(&line, &digits) && num_parse_i64(digits, 10, thread)))
        return false;
    for (int i = 0; i < LEGACY_TYPES_MAX; i++) {
        take_while(&line, is_blank);
        if (!take_text(&line, before[i])) return false;
        take_while(&line, is_blank);
        if (!take_digits(&line, &digits) || !num_parse_i64(digits, 10, &counts[i])) return false;
    }
    return true;
}

// How many objects one sampled object of this mean size stands for.
static double scale_of(i64 objects, i64 bytes, i64 rate) {
    if (objects == 0 || bytes == 0 || rate <= 1) return 1;
    return 1 / (1 - exp(-(double)bytes / (double)objects / (double)rate));
}

static void begin_stack(struct dump *d, const i64 counts[LEGACY_TYPES_MAX]) {
    for (int i = 0; i < LEGACY_TYPES_MAX; i++) {
        d->scale[i / 2] = scale_of(counts[i & ~1], counts[i | 1], d->rate);
        d->counted[i] = counts[i];
        d->left[i] = legacy_truncate((double)counts[i] * d->scale[i / 2]);
    }
}

static void add_sample(struct dump *d, i64 thread, const i64 values[LEGACY_TYPES_MAX], i64 size) {
    struct legacy_sample *s = legacy_sample_add(&d->l);
    s->at = d->at;
    d->n_entries += d->n_addresses;
    s->n = d->n_addresses;
    s->has_bytes = size > 0;
    s->bytes = size;
    s->has_thread = thread >= 0;
    s->thread = thread;
    i64 *inuse = s->values + (d->has_alloc ? 2 : 0);
    inuse[0] = values[0];
    inuse[1] = values[1];
    if (!d->has_alloc) return;
    s->values[0] = values[2];
    s->values[1] = values[3];
}

// Takes a thread's part; the last one gets what rounding left over.
static void add_thread(struct dump *d, i64 thread, const i64 counts[LEGACY_TYPES_MAX]) {
    i64 values[LEGACY_TYPES_MAX];
    bool is_last = true;
    for (int i = 0; i < LEGACY_TYPES_MAX; i++) {
        d->counted[i] = (i64)((u64)d->counted[i] - (u64)counts[i]);
        is_last = is_last && d->counted[i] == 0;
    }
    for (int i = 0; i < LEGACY_TYPES_MAX; i++) {
        values[i] = is_last ? d->left[i] : legacy_truncate((double)counts[i] * d->scale[i / 2]);
        d->left[i] = (i64)((u64)d->left[i] - (u64)values[i]);
    }
    add_sample(d, thread, values, counts[0] ? counts[1] / counts[0] : 0);
}

// What no thread that still lives accounts for.
static void end_stack(struct dump *d) {
    bool has_left = false;
    for (int i = 0; i < LEGACY_TYPES_MAX; i++) has_left = has_left || d->left[i] > 0;
    if (has_left) add_sample(d, -1, d->left, 0);
    for (int i = 0; i < LEGACY_TYPES_MAX; i++) d->left[i] = 0;
}

// The addresses of a stack go into a list of their own: several samples have them.
static bool read_stack(struct dump *d, str line, struct err *err) {
    struct legacy *l = &d->l;
    d->at = l->n_addresses;
    d->n_addresses = 0;
    str rest = str_skip(line, 1), digits;
    for (;;) {
        u64 address;
        take_while(&rest, is_blank);
        if (rest.len == 0) return true;
        if (!take_text(&rest, S("0x")) || (digits = take_while(&rest, is_lower_hex)).len == 0 ||
            !num_parse_u64(digits, 16, &address))
            return err_set(err, ERR_MALFORMED, 0, "malformed sample: " S_FMT, S_ARG(line));
        GROW(l->scratch, l->addresses, l->cap_addresses, l->n_addresses + 1);
        // All are return addresses: jemalloc's own frames are innermost.
        l->addresses[l->n_addresses++] = address - (address > 0);
        d->n_addresses++;
    }
}

static bool read_samples(struct dump *d, struct lines *s, struct err *err) {
    i64 thread, counts[LEGACY_TYPES_MAX];
    bool in_stack = false; // before the first stack stand the sums of each thread
    while (lines_next(s) && !is_map_sentinel(s->line)) {
        str line = str_trim(s->line);
        if (line.len == 0) continue;
        if (line.p[0] == '@') {
            end_stack(d);
            in_stack = true;
            if (!read_stack(d, line, err)) return false;
            continue;
        }
        if (!read_counts(line, &thread, counts))
            return err_set(err, ERR_MALFORMED, 0, "malformed sample: " S_FMT, S_ARG(line));
        if (d->n_entries > MAX_STACK_ENTRIES)
            return err_set(err, ERR_LIMIT, 0, "more than %u stack entries", MAX_STACK_ENTRIES);
        if (in_stack && thread < 0) begin_stack(d, counts);
        if (in_stack && thread >= 0) add_thread(d, thread, counts);
    }
    end_stack(d);
    return true;
}

// The sums of all threads say whether allocations were accumulated.
static bool read_header(struct lines *s, struct dump *d, struct err *err) {
    i64 thread, counts[LEGACY_TYPES_MAX];
    str first = s->line, rate = str_drop_prefix(str_trim(first), S("heap_v2/"));
    if (!num_parse_i64(rate, 10, &d->rate) || !lines_next(s) ||
        !read_counts(s->line, &thread, counts))
        return err_set(err, ERR_MALFORMED, 0, "malformed jemalloc heap dump: " S_FMT,
                       S_ARG(s->line));
    d->has_alloc = counts[2] > 0 || counts[3] > 0;
    return true;
}

static void set_types(struct dump *d) {
    struct profile_builder *b = &d->l.b;
    legacy_period_type(&d->l, S("space"), S("bytes"));
    b->p.period = d->rate;
    if (d->has_alloc) {
        builder_sample_type(b, S("alloc_objects"), S("count"));
        builder_sample_type(b, S("alloc_space"), S("bytes"));
    }
    builder_sample_type(b, d->has_alloc ? S("inuse_objects") : S("objects"), S("count"));
    builder_sample_type(b, d->has_alloc ? S("inuse_space") : S("space"), S("bytes"));
}

static bool is_allocator(const struct profile *p, u32 location_i) {
    u32 mapping_i = p->locations[location_i].mapping_i;
    if (mapping_i == U32_NONE) return false;
    return str_starts(str_basename(profile_str(p, p->mappings[mapping_i].file)), S("libjemalloc"));
}

// jemalloc's own innermost frames say nothing about the program, and a stripped library gives them
// no names that drop_frames could know.
static void cut_allocator(struct profile *p) {
    u64 to = 0;
    for (u32 i = 0; i < p->n_samples; i++) {
        u64 from = p->stack_at[i], end = p->stack_at[i + 1], first = from;
        while (first < end && is_allocator(p, p->stack_locs[first])) first++;
        if (first == end) first = from;
        p->stack_at[i] = to;
        for (; first < end; first++) p->stack_locs[to++] = p->stack_locs[first];
    }
    p->stack_at[p->n_samples] = to;
}

bool jemalloc_decode(struct arena *out, str bytes, struct profile *ret, struct err *err) {
    struct lines s = lines_of(bytes);
    if (!lines_next(&s) || !str_starts(s.line, S("heap_v2/"))) return legacy_unrecognized(err);
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct dump d = {0};
    if (!read_header(&s, &d, err)) return false;
    legacy_init(&d.l, out, &scratch);
    set_types(&d);
    if (!read_samples(&d, &s, err)) return false;
    legacy_skip_to_map(&s);
    legacy_read_map(&d.l, &s);
    *ret = legacy_finish(&d.l);
    cut_allocator(ret);
    return true;
}
