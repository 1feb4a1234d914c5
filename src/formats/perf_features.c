// formats/perf_features.c - what perf.data says about the machine, the command and the binaries.
// Room: the feature sections behind the records (or the records of a pipe that carry them). Door:
// formats/perf.h. Source: tools/perf/Documentation/perf.data-file-format.txt.
#include "formats/perf.h"

enum {
    FEATURE_BUILD_ID = 2,
    FEATURE_HOSTNAME = 3,
    FEATURE_OSRELEASE = 4,
    FEATURE_ARCH = 6,
    FEATURE_CMDLINE = 11,
    FEATURE_EVENT_DESC = 12,
};

enum {
    BUILD_ID_BYTES = 20,     // of SHA-1; older perf writes no length and means these
    BUILD_ID_FIELD = 24,     // with a length byte and padding
    MISC_HAS_SIZE = 1 << 15, // the length byte is meant
    // A command line longer than this is cut: it goes into a comment for people.
    MAX_COMMAND_LINE = 4096,
};

str perf_hex(struct arena *out, str bytes) {
    struct buf b = buf_new(out, 2 * bytes.len + 1);
    for (size_t i = 0; i < bytes.len; i++) num_hex(&b, (u8)bytes.p[i], 2);
    return buf_str(&b);
}

static str until_nul(str bytes) {
    ptrdiff_t end = str_find_byte(bytes, '\0');
    return end < 0 ? bytes : str_take(bytes, (size_t)end);
}

// A length, then a text with NULs behind it up to that length.
static bool read_text(struct reader *r, str *ret, struct err *err) {
    u32 len;
    str bytes;
    if (!reader_u32le(r, &len, err) || !reader_bytes(r, len, &bytes, err)) return false;
    *ret = until_nul(bytes);
    return true;
}

static bool read_command_line(struct arena *out, struct reader *r, str *ret, struct err *err) {
    u32 n;
    str word;
    struct buf b = buf_new(out, MAX_COMMAND_LINE);
    if (!reader_u32le(r, &n, err)) return false;
    for (u32 i = 0; i < n; i++) {
        if (!read_text(r, &word, err)) return false;
        if (i) buf_byte(&b, ' ');
        buf_put(&b, word);
    }
    *ret = buf_str(&b);
    return true;
}

// An event's ids tell which event of ours it is; without ids its place does.
static bool read_event_ids(struct reader *r, u32 n_ids, struct perf_events *events, u32 *event_i,
                           struct err *err) {
    for (u32 i = 0; i < n_ids; i++) {
        u64 id;
        if (!reader_u64le(r, &id, err)) return false;
        u32 known = idmap_get(&events->by_id, id);
        if (known < events->n) *event_i = known;
    }
    return true;
}

static bool read_event_names(struct reader *r, struct perf_events *events, struct err *err) {
    u32 n, attr_size, n_ids;
    if (!reader_u32le(r, &n, err) || !reader_u32le(r, &attr_size, err)) return false;
    for (u32 i = 0; i < n; i++) {
        str attr, name;
        u32 event_i = i;
        bool is_whole = reader_bytes(r, attr_size, &attr, err) && reader_u32le(r, &n_ids, err) &&
                        read_text(r, &name, err) && read_event_ids(r, n_ids, events, &event_i, err);
        if (!is_whole) return false;
        if (event_i < events->n) events->items[event_i].name = str_trim(name);
    }
    return true;
}

bool perf_build_id_read(struct arena *out, const struct perf_record *record,
                        struct perf_facts *facts, struct err *err) {
    struct reader r = reader_of(record->body);
    u32 pid;
    str id;
    if (!reader_u32le(&r, &pid, err) || !reader_bytes(&r, BUILD_ID_FIELD, &id, err))
        return err_in(err, "perf.data: build id");
    size_t len = record->misc & MISC_HAS_SIZE ? (u8)id.p[BUILD_ID_BYTES] : BUILD_ID_BYTES;
    str name = until_nul((str){(const char *)r.p, reader_left(&r)});
    if (len > BUILD_ID_BYTES) len = BUILD_ID_BYTES;
    GROW(out, facts->build_id_texts, facts->cap_build_ids, facts->n_build_ids + 1);
    *strmap_at(&facts->build_ids, name) = (u32)facts->n_build_ids;
    facts->build_id_texts[facts->n_build_ids++] = perf_hex(out, str_take(id, len));
    return true;
}

static bool read_build_ids(struct arena *out, struct reader *r, struct perf_facts *facts,
                           struct err *err) {
    while (reader_left(r) > 0) {
        struct perf_record record = {0};
        u16 size;
        if (!reader_u32le(r, &record.type, err) || !reader_u16le(r, &record.misc, err) ||
            !reader_u16le(r, &size, err))
            return false;
        if (size < 8)
            return err_set(err, ERR_MALFORMED, reader_at(r), "a record of %u bytes", size);
        if (!reader_bytes(r, size - 8u, &record.body, err)) return false;
        if (!perf_build_id_read(out, &record, facts, err)) return false;
    }
    return true;
}

static bool read_feature(struct arena *out, u32 feature, struct reader *r, struct perf_facts *facts,
                         struct perf_events *events, struct err *err) {
    switch (feature) {
    case FEATURE_BUILD_ID:
        return read_build_ids(out, r, facts, err);
    case FEATURE_HOSTNAME:
        return read_text(r, &facts->host, err);
    case FEATURE_OSRELEASE:
        return read_text(r, &facts->os_release, err);
    case FEATURE_ARCH:
        return read_text(r, &facts->arch, err);
    case FEATURE_CMDLINE:
        return read_command_line(out, r, &facts->command_line, err);
    case FEATURE_EVENT_DESC:
        return read_event_names(r, events, err);
    default:
        return true;
    }
}

bool perf_feature_read(struct arena *out, u32 feature, str section, struct perf_facts *facts,
                       struct perf_events *events, struct err *err) {
    struct reader r = reader_of(section);
    return read_feature(out, feature, &r, facts, events, err) || err_in(err, "perf.data: feature");
}
