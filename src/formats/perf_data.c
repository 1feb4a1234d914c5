// formats/perf_data.c - perf.data, as `perf record` writes it to a file or a pipe.
// Room: the header, the two forms, the order of records, samples. The rest is in perf_*.c, see
// formats/perf.h. Door: perf_data_decode(). Source: linux/perf_event.h and
// tools/perf/Documentation/perf.data-file-format.txt in the kernel.
//
// Records of several CPUs stand in the order their buffers were emptied: they are sorted by time
// before they are played. Each event is a sample type of its own, as in perf_script.c.
#include "formats/perf.h"

#include "formats/recognize.h"

#include <string.h>

enum {
    FILE_HEADER_BYTES = 104,
    PIPE_HEADER_BYTES = 16,
    RECORD_HEADER_BYTES = 8,
    SECTION_BYTES = 16, // offset and size
    FEATURE_WORDS = 4,  // 256 bits that say which sections there are
    // Values of all samples: 2 GiB of them. Each event adds a column, so that a small file of many
    // events could ask for far more.
    MAX_VALUES = 1 << 28,
};

// Records that carry no samples and no processes.
enum {
    RECORD_LOST = 2,
    RECORD_SAMPLE = 9,
    RECORD_LOST_SAMPLES = 13,
    RECORD_HEADER_ATTR = 64,
    RECORD_TRACING_DATA = 66,
    RECORD_BUILD_ID = 67,
    RECORD_AUXTRACE = 71,
    RECORD_EVENT_UPDATE = 78,
    RECORD_FEATURE = 80,
    RECORD_COMPRESSED = 81,
    RECORD_COMPRESSED2 = 83,
    RECORD_KERNEL_END = 64, // types below are the kernel's and bear times
    UPDATE_NAME = 2,
};

// Callchains change over at entries from here on: they are no addresses.
static const u64 context_first = (u64)-4095;
static const u64 context_kernel = (u64)-128, context_user = (u64)-512;
static const u64 context_user_deferred = (u64)-640;

struct timed {
    u64 time;
    const u8 *header;
};

struct perf {
    struct profile_builder b;
    struct arena *scratch;
    struct perf_events events;
    struct perf_facts facts;
    const struct stack_walker *walker; // NULL: stacks are not walked
    struct timed *records;             // those to be played
    size_t n_records, cap_records;
    str *pieces; // of the compressed stream
    size_t n_pieces, cap_pieces;
    u32 type_of[PERF_MAX_EVENTS]; // [event_i]: sample type, or U32_NONE
    struct perf_processes *processes;
    u32 *stack;
    size_t cap_stack;
    struct idmap counters_by_id; // to index into counters: what each counter showed last
    u64 *counters;
    u32 n_counters;
    size_t cap_counters;
    u64 first_time, last_time;
};

// A record at p, which has passed read_record.
static struct perf_record record_at(const u8 *p) {
    struct perf_record ret;
    u16 size;
    memcpy(&ret.type, p, 4);
    memcpy(&ret.misc, p + 4, 2);
    memcpy(&size, p + 6, 2);
    ret.body = (str){(const char *)p + RECORD_HEADER_BYTES, size - (size_t)RECORD_HEADER_BYTES};
    return ret;
}

static bool read_record(struct reader *r, struct perf_record *ret, struct err *err) {
    if (reader_left(r) < RECORD_HEADER_BYTES)
        return err_set(err, ERR_MALFORMED, reader_at(r), "perf.data: a record is cut off");
    u16 size;
    memcpy(&size, r->p + 6, 2);
    if (size < RECORD_HEADER_BYTES || size > reader_left(r))
        return err_set(err, ERR_MALFORMED, reader_at(r), "perf.data: a record of %u bytes", size);
    *ret = record_at(r->p);
    str skipped;
    return reader_bytes(r, size, &skipped, err);
}

static void record_keep(struct perf *f, const u8 *header, u64 time) {
    GROW(f->scratch, f->records, f->cap_records, f->n_records + 1);
    f->records[f->n_records++] = (struct timed){time, header};
}

// The ids by which samples name an event.
static bool read_ids(struct perf *f, str ids, u32 event_i, struct err *err) {
    struct reader r = reader_of(ids);
    while (reader_left(&r) > 0) {
        u64 id;
        if (!reader_u64le(&r, &id, err)) return err_in(err, "perf.data: ids");
        *idmap_at(&f->events.by_id, id) = event_i;
    }
    return true;
}

// A pipe's attr says its own size; what follows it are ids.
static bool take_attr(struct perf *f, str body, struct err *err) {
    u32 size = 0, event_i;
    if (body.len >= 8) memcpy(&size, body.p + 4, 4);
    if (size < PERF_ATTR_MIN || size > body.len)
        return err_set(err, ERR_MALFORMED, 0, "perf.data: an attr of %u bytes", size);
    return perf_event_add(&f->events, str_take(body, size), &event_i, err) &&
           read_ids(f, str_skip(body, size), event_i, err);
}

static bool take_feature(struct perf *f, str body, struct err *err) {
    struct reader r = reader_of(body);
    u64 feature;
    if (!reader_u64le(&r, &feature, err)) return err_in(err, "perf.data: feature");
    if (feature >= 64 * FEATURE_WORDS) return true;
    return perf_feature_read(f->b.arena, (u32)feature, str_skip(body, 8), &f->facts, &f->events,
                             err);
}

static bool take_update(struct perf *f, str body, struct err *err) {
    struct reader r = reader_of(body);
    u64 what, id;
    if (!reader_u64le(&r, &what, err) || !reader_u64le(&r, &id, err))
        return err_in(err, "perf.data: update");
    u32 event_i = idmap_get(&f->events.by_id, id);
    str name, rest;
    str_cut(str_skip(body, 16), '\0', &name, &rest);
    if (what == UPDATE_NAME && event_i < f->events.n) f->events.items[event_i].name = name;
    return true;
}

// Data of that many bytes stands behind the record, outside of it.
static bool skip_behind(struct reader *r, str body, size_t size_bytes, struct err *err) {
    u64 size = 0;
    str skipped;
    if (body.len < size_bytes)
        return err_set(err, ERR_MALFORMED, reader_at(r), "perf.data: no size");
    memcpy(&size, body.p, size_bytes);
    if (size > reader_left(r))
        return err_set(err, ERR_MALFORMED, reader_at(r), "perf.data: data passes the end");
    u64 padded = (size + 7) & ~(u64)7; // the last one's padding may be missing
    return reader_bytes(r, padded < reader_left(r) ? padded : size, &skipped, err);
}

static void piece_keep(struct perf *f, str piece) {
    GROW(f->scratch, f->pieces, f->cap_pieces, f->n_pieces + 1);
    f->pieces[f->n_pieces++] = piece;
}

// Newer perf says how many bytes of the record are meant.
static void piece_keep_sized(struct perf *f, str body) {
    u64 size = 0;
    if (body.len >= 8) memcpy(&size, body.p, 8);
    str piece = str_skip(body, 8);
    piece_keep(f, str_take(piece, size < piece.len ? (size_t)size : piece.len));
}

static void count_lost(struct perf *f, str body, size_t at) {
    u64 n = 0;
    if (body.len >= at + 8) memcpy(&n, body.p + at, 8);
    f->facts.n_lost += n;
}

static bool take_record(struct perf *f, struct reader *r, const u8 *header,
                        const struct perf_record *record, struct err *err) {
    switch (record->type) {
    case RECORD_HEADER_ATTR:
        return take_attr(f, record->body, err);
    case RECORD_TRACING_DATA:
        return skip_behind(r, record->body, 4, err);
    case RECORD_AUXTRACE:
        return skip_behind(r, record->body, 8, err);
    case RECORD_BUILD_ID:
        return perf_build_id_read(f->b.arena, record, &f->facts, err);
    case RECORD_EVENT_UPDATE:
        return take_update(f, record->body, err);
    case RECORD_FEATURE:
        return take_feature(f, record->body, err);
    case RECORD_COMPRESSED:
        piece_keep(f, record->body);
        return true;
    case RECORD_COMPRESSED2:
        piece_keep_sized(f, record->body);
        return true;
    case RECORD_LOST:
        count_lost(f, record->body, 8);
        return true;
    case RECORD_LOST_SAMPLES:
        count_lost(f, record->body, 0);
        return true;
    case RECORD_SAMPLE: {
        struct perf_sample s;
        if (f->events.n == 0) return true;
        if (!perf_sample_read(&f->events, record, &s, err)) return false;
        record_keep(f, header, s.time);
        return true;
    }
    default:
        if (record->type < RECORD_KERNEL_END)
            record_keep(f, header, perf_record_time(&f->events, record));
        return true;
    }
}

static bool walk_records(struct perf *f, str bytes, struct err *err) {
    struct reader r = reader_of(bytes);
    while (reader_left(&r) > 0) {
        const u8 *header = r.p;
        struct perf_record record;
        if (!read_record(&r, &record, err) || !take_record(f, &r, header, &record, err))
            return false;
    }
    return true;
}

static bool walk_compressed(struct perf *f, struct err *err) {
    if (f->n_pieces == 0) return true;
    str plain;
    size_t n = f->n_pieces;
    if (!perf_unzip(f->scratch, f->pieces, n, &plain, err) || !walk_records(f, plain, err))
        return false;
    if (f->n_pieces == n) return true;
    return err_set(err, ERR_MALFORMED, 0, "perf.data: compressed records inside compressed ones");
}

// A part of the file by offset and size.
static bool section_of(str bytes, struct reader *r, str *ret, struct err *err) {
    u64 offset, size;
    if (!reader_u64le(r, &offset, err) || !reader_u64le(r, &size, err))
        return err_in(err, "perf.data: section");
    if (offset > bytes.len || size > bytes.len - offset)
        return err_set(err, ERR_MALFORMED, reader_at(r),
                       "perf.data: a section passes the end: the file is cut off");
    *ret = str_take(str_skip(bytes, (size_t)offset), (size_t)size);
    return true;
}

static bool read_attrs(struct perf *f, str bytes, str attrs, u64 attr_size, struct err *err) {
    if (attr_size < PERF_ATTR_MIN + SECTION_BYTES || attr_size > UINT16_MAX)
        return err_set(err, ERR_MALFORMED, 16, "perf.data: attrs of %llu bytes",
                       (unsigned long long)attr_size);
    struct reader r = reader_of(attrs);
    while (reader_left(&r) > 0) {
        str attr, ids;
        u32 event_i;
        if (!reader_bytes(&r, attr_size - SECTION_BYTES, &attr, err) ||
            !section_of(bytes, &r, &ids, err) || !perf_event_add(&f->events, attr, &event_i, err) ||
            !read_ids(f, ids, event_i, err))
            return false;
    }
    return true;
}

// Feature sections are listed behind the data, one for each bit that is set.
static bool read_features(struct perf *f, str bytes, str list, const u64 *bits, struct err *err) {
    struct reader r = reader_of(list);
    for (u32 feature = 0; feature < 64 * FEATURE_WORDS; feature++) {
        if (!(bits[feature / 64] >> (feature % 64) & 1)) continue;
        str section;
        if (!section_of(bytes, &r, &section, err)) return false;
        if (!perf_feature_read(f->b.arena, feature, section, &f->facts, &f->events, err))
            return false;
    }
    return true;
}

static bool read_file(struct perf *f, str bytes, struct err *err) {
    struct reader r = reader_of(bytes);
    u64 ignored, attr_size, bits[FEATURE_WORDS];
    str attrs, data, types;
    bool is_whole = reader_u64le(&r, &ignored, err) && reader_u64le(&r, &ignored, err) &&
                    reader_u64le(&r, &attr_size, err) && section_of(bytes, &r, &attrs, err) &&
                    section_of(bytes, &r, &data, err) && section_of(bytes, &r, &types, err);
    if (!is_whole) return false;
    for (u32 i = 0; i < FEATURE_WORDS; i++) {
        if (!reader_u64le(&r, &bits[i], err)) return err_in(err, "perf.data");
    }
    str behind = str_skip(bytes, (size_t)(data.p - bytes.p) + data.len);
    if (data.len == 0) { // perf was killed before it could say how much there is
        data = behind;
        memset(bits, 0, sizeof bits);
    }
    return read_attrs(f, bytes, attrs, attr_size, err) &&
           read_features(f, bytes, behind, bits, err) && walk_records(f, data, err);
}

static int by_time(const void *a, const void *b, void *ctx) {
    (void)ctx;
    u64 x = ((const struct timed *)a)->time, y = ((const struct timed *)b)->time;
    return x < y ? -1 : x > y;
}

// Each event's sample type; events of one name share one.
static void make_types(struct perf *f) {
    struct profile *p = &f->b.p;
    for (u32 i = 0; i < f->events.n; i++) {
        const struct perf_event *e = &f->events.items[i];
        f->type_of[i] = U32_NONE;
        if (perf_event_is_dummy(e)) continue;
        str name = perf_event_name(f->b.arena, e);
        for (u32 t = 0; t < p->n_types; t++) {
            if (str_eq(profile_str(p, p->sample_types[t].type), name)) f->type_of[i] = t;
        }
        if (f->type_of[i] != U32_NONE) continue;
        f->type_of[i] = p->n_types;
        builder_sample_type(&f->b, name, perf_event_is_clock(e) ? S("nanoseconds") : S("count"));
    }
}

// What the recording asked for: the first event's period, where one can tell.
static void set_period(struct perf *f) {
    struct profile *p = &f->b.p;
    const struct perf_event *e = &f->events.items[0];
    if (p->n_types == 0) return;
    p->period_type = p->sample_types[0];
    p->default_sample_type = p->sample_types[0].type;
    if (e->period > 1000000000 && e->is_freq) return;
    if (!e->is_freq && e->period <= INT64_MAX) p->period = (i64)e->period;
    if (e->is_freq && perf_event_is_clock(e) && e->period) p->period = 1000000000 / (i64)e->period;
}

static u32 make_stack(struct perf *f, const struct perf_sample *s) {
    size_t n_ips = s->ips.len / 8;
    u32 n = 0;
    bool is_walked = f->walker && s->registers.len > 0;
    GROW(f->scratch, f->stack, f->cap_stack, n_ips + 1 + (is_walked ? PERF_MAX_WALKED : 0));
    enum perf_mode mode = s->mode;
    bool is_exact = true; // the first address of each mode is where it was, not where it returns
    for (size_t i = 0; i < n_ips; i++) {
        u64 ip;
        memcpy(&ip, s->ips.p + 8 * i, 8);
        if (ip == context_user_deferred) break; // a cookie follows, and its stack in another record
        if (ip >= context_first) {
            mode = ip == context_kernel ? PERF_KERNEL : ip == context_user ? PERF_USER : PERF_OTHER;
            is_exact = true;
            continue;
        }
        if (ip == 0) continue; // where frame pointers led nowhere
        if (is_walked && mode == PERF_USER) continue;
        f->stack[n++] = perf_location(f->processes, s->pid, mode, ip, !is_exact);
        is_exact = false;
    }
    if (is_walked) n += perf_walk(f->processes, s, f->walker, f->stack + n);
    if (n == 0 && s->ip) f->stack[n++] = perf_location(f->processes, s->pid, s->mode, s->ip, false);
    return n;
}

// How far a counter came since the sample before; nothing before its first.
static u64 counter_delta(struct perf *f, u64 id, u64 value) {
    u32 *at = idmap_at(&f->counters_by_id, id);
    if (*at == U32_NONE) {
        *at = f->n_counters;
        GROW(f->scratch, f->counters, f->cap_counters, (size_t)f->n_counters + 1);
        f->counters[f->n_counters++] = 0;
    }
    u64 before = f->counters[*at];
    f->counters[*at] = value;
    return value > before ? value - before : 0;
}

// Events sampled together: only their leader's samples are recorded, with the counters of all.
static void group_values(struct perf *f, const struct perf_sample *s, i64 *values) {
    for (size_t at = 0; at + s->counter_bytes <= s->counters.len; at += s->counter_bytes) {
        u64 words[2];
        memcpy(words, s->counters.p + at, sizeof words);
        u64 thread = f->events.items[s->event_i].is_inherited ? hash_mix(s->tid) : 0;
        u64 delta = counter_delta(f, words[1] ^ thread, words[0]);
        u32 event_i = idmap_get(&f->events.by_id, words[1]);
        u32 type_i = event_i < f->events.n ? f->type_of[event_i] : U32_NONE;
        if (type_i != U32_NONE && delta <= INT64_MAX) values[type_i] = (i64)delta;
    }
}

static void add_sample(struct perf *f, const struct perf_sample *s) {
    u32 type_i = f->type_of[s->event_i], n_labels = 0;
    if (type_i == U32_NONE) return;
    i64 values[PERF_MAX_EVENTS] = {0};
    values[type_i] = s->period <= INT64_MAX ? (i64)s->period : INT64_MAX;
    if (s->counters.len) group_values(f, s, values);
    struct label labels[3];
    u32 comm = perf_comm(f->processes, s->pid, s->tid);
    if (comm)
        labels[n_labels++] =
            (struct label){.key = builder_str(&f->b, S("comm")), .str = comm, .is_string = true};
    labels[n_labels++] = (struct label){.key = builder_str(&f->b, S("pid")), .num = (i32)s->pid};
    labels[n_labels++] = (struct label){.key = builder_str(&f->b, S("tid")), .num = (i32)s->tid};
    u32 n = make_stack(f, s);
    builder_sample(&f->b, values, f->stack, n, labels, n_labels);
    perf_sample_counted(f->processes, s->pid);
    if (f->first_time == 0) f->first_time = s->time;
    f->last_time = s->time;
}

static bool play_records(struct perf *f, struct err *err) {
    if (f->b.p.n_types > 0 && f->n_records > MAX_VALUES / f->b.p.n_types)
        return err_set(err, ERR_LIMIT, 0, "perf.data: more than %u values", MAX_VALUES);
    sort_stable(f->scratch, f->records, f->n_records, sizeof *f->records, by_time, NULL);
    f->processes = perf_processes_new(f->scratch, &f->b, &f->facts);
    for (size_t i = 0; i < f->n_records; i++) {
        struct perf_record record = record_at(f->records[i].header);
        struct perf_sample s;
        if (record.type != RECORD_SAMPLE) {
            if (!perf_processes_take(f->processes, &record, err)) return false;
            continue;
        }
        if (!perf_sample_read(&f->events, &record, &s, err)) return false;
        add_sample(f, &s);
    }
    perf_main_first(f->processes);
    u64 duration = f->last_time - f->first_time;
    if (duration <= INT64_MAX) f->b.p.duration_nanos = (i64)duration;
    return true;
}

static void add_comment(struct perf *f, str what, str text) {
    if (text.len == 0) return;
    str parts[] = {what, text};
    builder_comment(&f->b, str_join(f->scratch, parts, 2, S(": ")));
}

static void add_comments(struct perf *f) {
    add_comment(f, S("perf command"), f->facts.command_line);
    str host[] = {f->facts.host, f->facts.os_release, f->facts.arch};
    if (f->facts.host.len) add_comment(f, S("host"), str_join(f->scratch, host, 3, S(" ")));
    if (f->facts.n_lost == 0) return;
    struct buf b = buf_new(f->scratch, 64);
    num_u64(&b, f->facts.n_lost);
    add_comment(f, S("lost samples"), buf_str(&b));
}

static bool recognize(str bytes, bool *is_pipe, struct err *err) {
    if (str_starts(bytes, S("2ELIFREP")))
        return err_set(err, ERR_UNSUPPORTED, 0, "perf.data of a big-endian machine");
    struct reader r = reader_of(bytes);
    u64 magic, header_bytes;
    if (!str_starts(bytes, S("PERFILE2")))
        return err_set(err, ERR_UNRECOGNIZED, 0, "not perf.data");
    if (!reader_u64le(&r, &magic, err) || !reader_u64le(&r, &header_bytes, err)) return false;
    *is_pipe = header_bytes == PIPE_HEADER_BYTES;
    if (*is_pipe || header_bytes == FILE_HEADER_BYTES) return true;
    return err_set(err, ERR_MALFORMED, 8, "perf.data: a header of %llu bytes",
                   (unsigned long long)header_bytes);
}

bool perf_data_decode(struct arena *out, str bytes, const struct stack_walker *walker,
                      struct profile *ret, struct err *err) {
    bool is_pipe;
    if (!recognize(bytes, &is_pipe, err)) return false;
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct perf f = {.scratch = &scratch, .walker = walker};
    builder_init(&f.b, out);
    idmap_init(&f.events.by_id, &scratch);
    idmap_init(&f.counters_by_id, &scratch);
    strmap_init(&f.facts.build_ids, &scratch);
    bool is_whole = is_pipe ? walk_records(&f, str_skip(bytes, PIPE_HEADER_BYTES), err)
                            : read_file(&f, bytes, err);
    if (!is_whole || !walk_compressed(&f, err)) return false;
    make_types(&f);
    set_period(&f);
    if (!play_records(&f, err)) return false;
    add_comments(&f);
    *ret = builder_done(&f.b);
    return true;
}
