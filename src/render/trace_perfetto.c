// render/trace_perfetto.c - a trace as Perfetto's packets: its own protobuf form, which it reads as
// a stream.
// Room: layout only. Door: render/trace.h. Source: perfetto's trace_packet.proto,
// track_event.proto, track_descriptor.proto, interned_data.proto and profile_common.proto; the
// numbers of their fields stand below.
#include "render/trace.h"
#include "render/trace_timeline.h"

enum {
    TRACE_PACKET = 1,
    PACKET_TIMESTAMP = 8,
    PACKET_SEQUENCE = 10,
    PACKET_TRACK_EVENT = 11,
    PACKET_INTERNED = 12,
    PACKET_FLAGS = 13,
    FLAG_CLEARED = 1, // numbers begin anew
    FLAG_NEEDS = 2,   // numbers of before are used
    PACKET_TRACK_DESCRIPTOR = 60,
    EVENT_TYPE = 9,
    EVENT_TRACK = 11,
    EVENT_NAME = 23,
    EVENT_COUNTER_VALUE = 30,
    EVENT_FLOWS = 47,      // fixed64
    EVENT_FLOWS_LAST = 48, // fixed64
    EVENT_CALLSTACK = 56,
    INTERNED_FUNCTION = 5,
    INTERNED_FRAME = 6,
    INTERNED_CALLSTACK = 7,
    INTERNED_PATH = 17, // of a mapping
    INTERNED_SOURCE = 18,
    INTERNED_MAPPING = 19,
    FRAME_FUNCTION = 2,
    FRAME_MAPPING = 3,
    FRAME_PC = 4,
    FRAME_SOURCE = 5,
    FRAME_LINE = 6,
    CALLSTACK_FRAME = 2, // root first
    MAPPING_PATH = 7,
    NUMBER = 1, // of everything interned
    TEXT = 2,
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
    struct trace_stacks stacks;
    struct strmap functions, sources; // texts that have a number: what strmap_at gives, plus 1
    struct idmap known_frames, known_stacks; // those that were given
    bool has_group[TIMELINE_KINDS], has_counter[TIMELINE_COUNTERS], has_begun;
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
    if (field != PACKET_TRACK_DESCRIPTOR)
        put_number(&packet.b, PACKET_FLAGS, f->has_begun ? FLAG_NEEDS : FLAG_CLEARED);
    if (field != PACKET_TRACK_DESCRIPTOR) f->has_begun = true;
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

static void intern(struct perfetto *f, u32 field, const struct message *item) {
    struct message m;
    message_init(&m);
    put_bytes(&m.b, field, buf_str(&item->b));
    put_packet(f, 0, PACKET_INTERNED, &m);
}

// The number of a text, which is written when it is new.
static u64 intern_text(struct perfetto *f, struct strmap *texts, u32 field, str text) {
    struct message m;
    u32 *at = strmap_at(texts, text);
    if (*at != U32_NONE) return *at + 1;
    *at = texts->n - 1;
    message_init(&m);
    put_number(&m.b, NUMBER, *at + 1);
    put_bytes(&m.b, TEXT, str_take(text, 1000));
    intern(f, field, &m);
    return *at + 1;
}

// Every frame belongs to a mapping there: all to this one.
static void intern_mapping(struct perfetto *f) {
    struct message m;
    message_init(&m);
    put_number(&m.b, NUMBER, 1);
    put_bytes(&m.b, TEXT, S("program"));
    intern(f, INTERNED_PATH, &m);
    message_init(&m);
    put_number(&m.b, NUMBER, 1);
    put_number(&m.b, MAPPING_PATH, 1);
    intern(f, INTERNED_MAPPING, &m);
}

static void intern_frame(struct perfetto *f, u32 frame_i) {
    const struct trace_frame *frame = &f->stacks.frames[frame_i];
    struct message m;
    u32 *known = idmap_at(&f->known_frames, frame_i);
    if (*known != U32_NONE) return;
    *known = 1;
    u64 function = intern_text(f, &f->functions, INTERNED_FUNCTION, frame->func);
    u64 source = intern_text(f, &f->sources, INTERNED_SOURCE, frame->file);
    message_init(&m);
    put_number(&m.b, NUMBER, frame_i + (u64)1);
    put_number(&m.b, FRAME_FUNCTION, function);
    put_number(&m.b, FRAME_MAPPING, 1);
    put_number(&m.b, FRAME_PC, frame->pc);
    put_number(&m.b, FRAME_SOURCE, source);
    put_number(&m.b, FRAME_LINE, frame->line);
    intern(f, INTERNED_FRAME, &m);
}

static void intern_stack(struct perfetto *f, u32 stack) {
    struct message m;
    u32 *known = idmap_at(&f->known_stacks, stack);
    if (*known != U32_NONE) return;
    *known = 1;
    u32 n = trace_stacks_depth(&f->stacks, stack);
    const u32 *frames = f->stacks.items + f->stacks.starts[stack];
    if (!f->functions.n) intern_mapping(f);
    for (u32 i = 0; i < n; i++) intern_frame(f, frames[i]);
    message_init(&m);
    put_number(&m.b, NUMBER, stack);
    for (u32 i = n; i-- > 0;) put_number(&m.b, CALLSTACK_FRAME, frames[i] + (u64)1);
    intern(f, INTERNED_CALLSTACK, &m);
}

static void put_event(struct perfetto *f, u64 type, struct timeline_track track, i64 time_ns,
                      const struct timeline_mark *mark) {
    struct message m;
    if (mark->stack) intern_stack(f, mark->stack);
    message_init(&m);
    put_number(&m.b, EVENT_TYPE, type);
    put_number(&m.b, EVENT_TRACK, track_uuid(track));
    if (mark->name.len) put_bytes(&m.b, EVENT_NAME, str_take(mark->name, 600));
    if (mark->flow)
        put_fixed64(&m.b, type == TYPE_BEGIN ? EVENT_FLOWS_LAST : EVENT_FLOWS, mark->flow);
    if (mark->stack) put_number(&m.b, EVENT_CALLSTACK, mark->stack);
    put_packet(f, time_ns, PACKET_TRACK_EVENT, &m);
}

static void perfetto_begin(void *to, struct timeline_track track, i64 time_ns,
                           struct timeline_mark mark) {
    put_event(to, TYPE_BEGIN, track, time_ns, &mark);
}

static void perfetto_end(void *to, struct timeline_track track, i64 time_ns, u32 stack) {
    struct timeline_mark mark = {.stack = stack};
    put_event(to, TYPE_END, track, time_ns, &mark);
}

static void perfetto_instant(void *to, struct timeline_track track, i64 time_ns,
                             struct timeline_mark mark) {
    put_event(to, TYPE_INSTANT, track, time_ns, &mark);
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
    trace_stacks_init(&f.stacks, &scratch);
    strmap_init(&f.functions, &scratch);
    strmap_init(&f.sources, &scratch);
    idmap_init(&f.known_frames, &scratch);
    idmap_init(&f.known_stacks, &scratch);
    timeline_read(&scratch, r, &form, &f, &f.stacks);
}
