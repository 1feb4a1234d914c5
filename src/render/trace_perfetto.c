// render/trace_perfetto.c - a trace as Perfetto's packets: its own protobuf form, which it reads as
// a stream.
// Room: layout only. Door: render/trace.h. Source: perfetto's trace_packet.proto, track_event.proto
// and track_descriptor.proto; the numbers of their fields stand below.
#include "render/trace.h"
#include "render/trace_timeline.h"

enum {
    TRACE_PACKET = 1,
    PACKET_TIMESTAMP = 8,
    PACKET_SEQUENCE = 10,
    PACKET_TRACK_EVENT = 11,
    PACKET_TRACK_DESCRIPTOR = 60,
    EVENT_TYPE = 9,
    EVENT_TRACK = 11,
    EVENT_NAME = 23,
    EVENT_COUNTER_VALUE = 30,
    EVENT_FLOWS = 47,      // fixed64
    EVENT_FLOWS_LAST = 48, // fixed64
    DESCRIPTOR_TRACK = 1,
    DESCRIPTOR_NAME = 2,
    DESCRIPTOR_PARENT = 5,
    DESCRIPTOR_COUNTER = 8,
    TYPE_BEGIN = 1,
    TYPE_END = 2,
    TYPE_INSTANT = 3,
    TYPE_COUNTER = 4,
    SEQUENCE = 1,
    MAX_PACKET = 4096, // names are cut far below
};

struct perfetto {
    struct buf *b;
    bool has_group[TIMELINE_KINDS], has_counter[TIMELINE_COUNTERS];
};

// A message being written, small enough for the stack.
struct message {
    char bytes[MAX_PACKET];
    struct buf b;
};

static void message_init(struct message *m) {
    m->b = (struct buf){.p = m->bytes, .cap = sizeof m->bytes, .max = sizeof m->bytes};
}

static void put_varint(struct buf *b, u64 x) {
    for (; x >= 0x80; x >>= 7) buf_byte(b, (char)(x | 0x80));
    buf_byte(b, (char)x);
}

static void put_number(struct buf *b, u32 field, u64 x) {
    put_varint(b, (u64)field << 3);
    put_varint(b, x);
}

static void put_fixed64(struct buf *b, u32 field, u64 x) {
    put_varint(b, (u64)field << 3 | 1);
    for (int i = 0; i < 8; i++) buf_byte(b, (char)(x >> (8 * i)));
}

static void put_bytes(struct buf *b, u32 field, str bytes) {
    put_varint(b, (u64)field << 3 | 2);
    put_varint(b, bytes.len);
    buf_put(b, bytes);
}

static void put_packet(struct perfetto *f, i64 time_ns, u32 field, const struct message *content) {
    struct message packet;
    message_init(&packet);
    if (field == PACKET_TRACK_EVENT) put_number(&packet.b, PACKET_TIMESTAMP, (u64)time_ns);
    put_number(&packet.b, PACKET_SEQUENCE, SEQUENCE);
    put_bytes(&packet.b, field, buf_str(&content->b));
    put_bytes(f->b, TRACE_PACKET, buf_str(&packet.b));
}

// Any number that no other track has; groups and counters take small ones.
static u64 track_uuid(struct timeline_track track) {
    return hash_mix((u64)track.id << 3 | (u64)track.kind) | (u64)1 << 63;
}

static u64 group_uuid(enum timeline_kind kind) {
    return 1 + (u64)kind;
}

static u64 counter_uuid(enum timeline_counter counter) {
    return 100 + (u64)counter;
}

static void describe(struct perfetto *f, u64 uuid, u64 parent, str name, bool is_counter) {
    struct message m;
    message_init(&m);
    put_number(&m.b, DESCRIPTOR_TRACK, uuid);
    put_bytes(&m.b, DESCRIPTOR_NAME, str_take(name, 300));
    if (parent) put_number(&m.b, DESCRIPTOR_PARENT, parent);
    if (is_counter) put_bytes(&m.b, DESCRIPTOR_COUNTER, S(""));
    put_packet(f, 0, PACKET_TRACK_DESCRIPTOR, &m);
}

static void perfetto_name(void *to, struct timeline_track track, str name) {
    static const str groups[TIMELINE_KINDS] = {
        [TIMELINE_PROC] = S("Processors"),       [TIMELINE_GO] = S("Goroutines"),
        [TIMELINE_REGIONS] = S("Regions"),       [TIMELINE_TASK] = S("Tasks"),
        [TIMELINE_GC] = S("Garbage collection"), [TIMELINE_STOP] = S("Stopped world")};
    struct perfetto *f = to;
    if (!f->has_group[track.kind])
        describe(f, group_uuid(track.kind), 0, groups[track.kind], false);
    f->has_group[track.kind] = true;
    describe(f, track_uuid(track), group_uuid(track.kind), name, false);
}

static void put_event(struct perfetto *f, u64 type, struct timeline_track track, i64 time_ns,
                      str name, u32 flow_field, u64 flow) {
    struct message m;
    message_init(&m);
    put_number(&m.b, EVENT_TYPE, type);
    put_number(&m.b, EVENT_TRACK, track_uuid(track));
    if (name.len) put_bytes(&m.b, EVENT_NAME, str_take(name, 600));
    if (flow) put_fixed64(&m.b, flow_field, flow);
    put_packet(f, time_ns, PACKET_TRACK_EVENT, &m);
}

static void perfetto_begin(void *to, struct timeline_track track, i64 time_ns, str name, u64 flow) {
    put_event(to, TYPE_BEGIN, track, time_ns, name, EVENT_FLOWS_LAST, flow);
}

static void perfetto_end(void *to, struct timeline_track track, i64 time_ns) {
    put_event(to, TYPE_END, track, time_ns, S(""), 0, 0);
}

static void perfetto_instant(void *to, struct timeline_track track, i64 time_ns, str name,
                             u64 flow) {
    put_event(to, TYPE_INSTANT, track, time_ns, name, EVENT_FLOWS, flow);
}

static void perfetto_count(void *to, enum timeline_counter counter, i64 time_ns, u64 value) {
    struct perfetto *f = to;
    struct message m;
    if (!f->has_counter[counter])
        describe(f, counter_uuid(counter), 0, timeline_counter_name(counter), true);
    f->has_counter[counter] = true;
    message_init(&m);
    put_number(&m.b, EVENT_TYPE, TYPE_COUNTER);
    put_number(&m.b, EVENT_TRACK, counter_uuid(counter));
    put_number(&m.b, EVENT_COUNTER_VALUE, value);
    put_packet(f, time_ns, PACKET_TRACK_EVENT, &m);
}

void render_trace_perfetto(struct buf *b, struct trace_reader *r) {
    static const struct timeline_form form = {.name = perfetto_name,
                                              .begin = perfetto_begin,
                                              .end = perfetto_end,
                                              .instant = perfetto_instant,
                                              .count = perfetto_count};
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    struct perfetto f = {.b = b};
    timeline_read(&scratch, r, &form, &f);
}
