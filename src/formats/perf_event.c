// formats/perf_event.c - perf's events, and what their samples hold in which order.
// Room: perf_event_attr and the layouts that its sample_type and read_format say. Door:
// formats/perf.h. Source: linux/perf_event.h.
#include "formats/perf.h"

#include <string.h>

// The bits of sample_type up to the stack; what follows it is not read.
enum {
    HAS_IP = 1 << 0,
    HAS_TID = 1 << 1,
    HAS_TIME = 1 << 2,
    HAS_ADDR = 1 << 3,
    HAS_READ = 1 << 4,
    HAS_CALLCHAIN = 1 << 5,
    HAS_ID = 1 << 6,
    HAS_CPU = 1 << 7,
    HAS_PERIOD = 1 << 8,
    HAS_STREAM_ID = 1 << 9,
    HAS_RAW = 1 << 10,
    HAS_BRANCHES = 1 << 11,
    HAS_REGISTERS = 1 << 12,
    HAS_STACK = 1 << 13,
    HAS_IDENTIFIER = 1 << 16,
};

// The bits of read_format.
enum { READ_ENABLED = 1, READ_RUNNING = 2, READ_ID = 4, READ_GROUP = 8, READ_LOST = 16 };

// The bits of branch_sample_type that add to a sample.
enum { BRANCH_HAS_INDEX = 1 << 17, BRANCH_HAS_COUNTERS = 1 << 19 };
enum { BRANCH_BYTES = 24, BRANCH_COUNTER_BYTES = 8 };

enum { ABI_64 = 2 }; // of registers; 0: none follow, as of kernel threads

// Where later versions of perf_event_attr have these.
enum { ATTR_BRANCH_TYPE = 72, ATTR_REGISTERS = 80 };

// The bits of attr's flags.
enum { FLAG_INHERIT = 1 << 1, FLAG_FREQ = 1 << 10, FLAG_SAMPLE_ID_ALL = 1 << 18 };

enum { TYPE_HARDWARE = 0, TYPE_SOFTWARE = 1 };
enum { SOFTWARE_CPU_CLOCK = 0, SOFTWARE_TASK_CLOCK = 1, SOFTWARE_DUMMY = 9 };

static const char *const hardware_names[] = {
    "cycles",
    "instructions",
    "cache-references",
    "cache-misses",
    "branches",
    "branch-misses",
    "bus-cycles",
    "stalled-cycles-frontend",
    "stalled-cycles-backend",
    "ref-cycles",
};

static const char *const software_names[] = {
    "cpu-clock",        "task-clock",   "page-faults",  "context-switches",
    "cpu-migrations",   "minor-faults", "major-faults", "alignment-faults",
    "emulation-faults", "dummy",        "bpf-output",   "cgroup-switches",
};

static u64 u64_at(str bytes, size_t at) {
    u64 x;
    memcpy(&x, bytes.p + at, sizeof x); // all our machines are little-endian
    return x;
}

bool perf_event_add(struct perf_events *events, str attr, u32 *event_i, struct err *err) {
    struct reader r = reader_of(attr);
    struct perf_event e = {0};
    u32 size;
    u64 flags;
    bool is_whole = reader_u32le(&r, &e.type, err) && reader_u32le(&r, &size, err) &&
                    reader_u64le(&r, &e.config, err) && reader_u64le(&r, &e.period, err) &&
                    reader_u64le(&r, &e.sample_type, err) &&
                    reader_u64le(&r, &e.read_format, err) && reader_u64le(&r, &flags, err);
    if (!is_whole) return err_in(err, "perf.data: attr");
    e.is_inherited = flags & FLAG_INHERIT;
    e.is_freq = flags & FLAG_FREQ;
    e.has_sample_ids = flags & FLAG_SAMPLE_ID_ALL;
    if (attr.len >= ATTR_BRANCH_TYPE + 8) e.branch_type = u64_at(attr, ATTR_BRANCH_TYPE);
    if (attr.len >= ATTR_REGISTERS + 8) e.registers_mask = u64_at(attr, ATTR_REGISTERS);
    *event_i = events->n < PERF_MAX_EVENTS ? events->n++ : PERF_MAX_EVENTS - 1;
    events->items[*event_i] = e;
    return true;
}

str perf_event_name(struct arena *out, const struct perf_event *e) {
    if (e->name.len) return e->name;
    if (e->type == TYPE_HARDWARE && e->config < countof(hardware_names))
        return str_of(hardware_names[e->config]);
    if (e->type == TYPE_SOFTWARE && e->config < countof(software_names))
        return str_of(software_names[e->config]);
    struct buf b = buf_new(out, 64);
    buf_printf(&b, "event-%u-%llx", e->type, (unsigned long long)e->config);
    return buf_str(&b);
}

bool perf_event_is_clock(const struct perf_event *e) {
    return e->type == TYPE_SOFTWARE &&
           (e->config == SOFTWARE_CPU_CLOCK || e->config == SOFTWARE_TASK_CLOCK);
}

bool perf_event_is_dummy(const struct perf_event *e) {
    return e->type == TYPE_SOFTWARE && e->config == SOFTWARE_DUMMY;
}

enum perf_mode perf_record_mode(const struct perf_record *record) {
    switch (record->misc & 7) {
    case 0:
        return PERF_UNKNOWN;
    case 1:
        return PERF_KERNEL;
    case 2:
        return PERF_USER;
    default:
        return PERF_OTHER;
    }
}

static unsigned n_words(u64 sample_type, u64 fields) {
    return (unsigned)__builtin_popcountll(sample_type & fields);
}

// Which event a sample is of: its id stands where all events of a file agree.
static u32 sample_event(const struct perf_events *events, str body) {
    u64 type = events->items[0].sample_type;
    size_t at = 0;
    if (type & HAS_IDENTIFIER) {
        at = 0;
    } else if (type & HAS_ID) {
        at = 8 * (size_t)n_words(type, HAS_IP | HAS_TID | HAS_TIME | HAS_ADDR);
    } else {
        return 0;
    }
    if (body.len < at + 8) return 0;
    u32 event_i = idmap_get(&events->by_id, u64_at(body, at));
    return event_i < events->n ? event_i : 0;
}

// The counters that PERF_SAMPLE_READ puts into samples; those of a group tell what is whose.
static bool read_counters(struct reader *r, u64 format, struct perf_sample *s, struct err *err) {
    u64 n = 1, fixed = n_words(format, READ_ENABLED | READ_RUNNING);
    u64 each = 1 + n_words(format, READ_ID | READ_LOST);
    str times, counters;
    if (format & READ_GROUP && !reader_u64le(r, &n, err)) return false;
    if (n > reader_left(r) / 8)
        return err_set(err, ERR_MALFORMED, reader_at(r), "too many counters");
    if (!reader_bytes(r, 8 * fixed, &times, err)) return false;
    if (!reader_bytes(r, 8 * n * each, &counters, err)) return false;
    if (!(format & READ_GROUP) || !(format & READ_ID)) return true;
    s->counters = counters;
    s->counter_bytes = (u32)(8 * each);
    return true;
}

static bool optional_u64(struct reader *r, bool is_there, u64 *ret, struct err *err) {
    return !is_there || reader_u64le(r, ret, err);
}

static bool read_ids(struct reader *r, u64 type, struct perf_sample *s, struct err *err) {
    u64 ignored;
    if (!optional_u64(r, type & HAS_IDENTIFIER, &ignored, err)) return false;
    if (!optional_u64(r, type & HAS_IP, &s->ip, err)) return false;
    if (type & HAS_TID && !(reader_u32le(r, &s->pid, err) && reader_u32le(r, &s->tid, err)))
        return false;
    return optional_u64(r, type & HAS_TIME, &s->time, err) &&
           optional_u64(r, type & HAS_ADDR, &ignored, err) &&
           optional_u64(r, type & HAS_ID, &ignored, err) &&
           optional_u64(r, type & HAS_STREAM_ID, &ignored, err) &&
           optional_u64(r, type & HAS_CPU, &ignored, err);
}

static bool read_callchain(struct reader *r, struct perf_sample *s, struct err *err) {
    u64 n;
    if (!reader_u64le(r, &n, err)) return false;
    if (n > reader_left(r) / 8)
        return err_set(err, ERR_MALFORMED, reader_at(r), "a callchain passes its record's end");
    return reader_bytes(r, 8 * n, &s->ips, err);
}

static bool skip_raw(struct reader *r, struct err *err) {
    u32 size;
    str skipped;
    return reader_u32le(r, &size, err) && reader_bytes(r, size, &skipped, err);
}

static bool skip_branches(struct reader *r, u64 branch_type, struct err *err) {
    u64 n, index;
    str skipped;
    bool has_counters = branch_type & BRANCH_HAS_COUNTERS;
    if (!reader_u64le(r, &n, err) || !optional_u64(r, branch_type & BRANCH_HAS_INDEX, &index, err))
        return false;
    if (n > reader_left(r) / BRANCH_BYTES)
        return err_set(err, ERR_MALFORMED, reader_at(r), "too many branches");
    u64 each = BRANCH_BYTES + (has_counters ? BRANCH_COUNTER_BYTES : 0);
    return reader_bytes(r, n * each, &skipped, err);
}

static bool read_registers(struct reader *r, u64 mask, struct perf_sample *s, struct err *err) {
    u64 abi;
    if (!reader_u64le(r, &abi, err)) return false;
    if (abi == 0) return true;
    if (!reader_bytes(r, 8 * (size_t)__builtin_popcountll(mask), &s->registers, err)) return false;
    if (abi != ABI_64) s->registers = (str){0}; // the stack of 32-bit code is not walked
    s->registers_mask = mask;
    return true;
}

// As much of it as was asked for is there; how much of that was filled follows.
static bool read_stack(struct reader *r, struct perf_sample *s, struct err *err) {
    u64 size, filled;
    if (!reader_u64le(r, &size, err)) return false;
    if (size == 0) return true;
    if (!reader_bytes(r, size, &s->stack, err) || !reader_u64le(r, &filled, err)) return false;
    if (filled < s->stack.len) s->stack.len = (size_t)filled;
    return true;
}

static bool read_user(struct reader *r, const struct perf_event *e, struct perf_sample *s,
                      struct err *err) {
    u64 type = e->sample_type;
    if (!(type & HAS_REGISTERS) || !(type & HAS_STACK)) return true;
    return (!(type & HAS_RAW) || skip_raw(r, err)) &&
           (!(type & HAS_BRANCHES) || skip_branches(r, e->branch_type, err)) &&
           read_registers(r, e->registers_mask, s, err) && read_stack(r, s, err);
}

bool perf_sample_read(const struct perf_events *events, const struct perf_record *record,
                      struct perf_sample *ret, struct err *err) {
    struct reader r = reader_of(record->body);
    if (record->body.len < 8) return err_set(err, ERR_MALFORMED, 0, "perf.data: an empty sample");
    struct perf_sample s = {.event_i = sample_event(events, record->body),
                            .mode = perf_record_mode(record)};
    const struct perf_event *e = &events->items[s.event_i];
    // A frequency is no period; where the period was not recorded with it, samples count 1.
    s.period = e->is_freq || e->period == 0 ? 1 : e->period;
    bool is_whole = read_ids(&r, e->sample_type, &s, err) &&
                    optional_u64(&r, e->sample_type & HAS_PERIOD, &s.period, err) &&
                    (!(e->sample_type & HAS_READ) || read_counters(&r, e->read_format, &s, err)) &&
                    (!(e->sample_type & HAS_CALLCHAIN) || read_callchain(&r, &s, err)) &&
                    read_user(&r, e, &s, err);
    if (!is_whole) return err_in(err, "perf.data: sample");
    *ret = s;
    return true;
}

u64 perf_record_time(const struct perf_events *events, const struct perf_record *record) {
    const struct perf_event *e = &events->items[0];
    if (events->n == 0 || !e->has_sample_ids || !(e->sample_type & HAS_TIME)) return 0;
    size_t behind =
        8 * (size_t)n_words(e->sample_type, HAS_ID | HAS_STREAM_ID | HAS_CPU | HAS_IDENTIFIER);
    if (record->body.len < behind + 8) return 0;
    return u64_at(record->body, record->body.len - behind - 8);
}
