// render/trace_chrome.c - a trace as Chrome's trace events: the JSON that chrome://tracing,
// Perfetto and others open. Room: layout only. Door: render/trace.h. Source: reference/go.md
// section 5.2.
#include "render/json.h"
#include "render/trace.h"
#include "render/trace_timeline.h"

// Processes of the form: groups of tracks. 0 to 2 are the official tool's.
enum { PID_PROCS, PID_STATS, PID_TASKS, PID_GOROUTINES, PID_REGIONS, N_PIDS };
enum { TID_GC = 1000004, TID_STOP = 1000005 }; // on PID_PROCS; the official tool's numbers

// A frame under its caller: stacks share what they have in common from the root on.
struct chrome_node {
    u32 parent; // numbers count from 1
    u32 frame_i;
};

struct chrome {
    struct buf *b;
    struct arena *arena;
    struct trace_stacks stacks;
    struct chrome_node *nodes;
    struct idmap node_ids;    // by parent and frame
    struct idmap stack_nodes; // leaf of a stack
    u32 n_nodes;
    size_t cap_nodes;
    bool has_some;
};

static u32 node_of(struct chrome *c, u32 parent, u32 frame_i) {
    u32 *at = idmap_at(&c->node_ids, (u64)parent << 32 | frame_i);
    if (*at == U32_NONE) {
        *at = ++c->n_nodes;
        GROW(c->arena, c->nodes, c->cap_nodes, (size_t)c->n_nodes + 1);
        c->nodes[*at] = (struct chrome_node){.parent = parent, .frame_i = frame_i};
    }
    return *at;
}

// The number of a stack's leaf in stackFrames; 0: no stack.
static u32 leaf_of(struct chrome *c, u32 stack) {
    u32 *known = idmap_at(&c->stack_nodes, stack);
    if (*known != U32_NONE) return *known;
    u32 node = 0;
    for (u32 i = trace_stacks_depth(&c->stacks, stack); i-- > 0;)
        node = node_of(c, node, c->stacks.items[c->stacks.starts[stack] + i]);
    *known = node;
    return node;
}

static void put_stack(struct chrome *c, u32 stack) {
    u32 leaf = leaf_of(c, stack);
    if (!leaf) return;
    buf_put(c->b, S(",\"sf\":"));
    num_u64(c->b, leaf);
}

// "name (file:line)", as few viewers show more of a frame than its name.
static void put_frames(struct chrome *c) {
    buf_put(c->b, S("\n],\"stackFrames\":{"));
    for (u32 i = 1; i <= c->n_nodes; i++) {
        AUTO_ARENA struct arena scratch = arena_sub(c->arena);
        const struct trace_frame *f = &c->stacks.frames[c->nodes[i].frame_i];
        struct buf text = buf_new(&scratch, 256);
        buf_put(&text, f->func);
        if (f->file.len)
            buf_printf(&text, " (" S_FMT ":%llu)", S_ARG(f->file), (unsigned long long)f->line);
        buf_printf(c->b, "%s\n\"%u\":{\"name\":", i > 1 ? "," : "", i);
        json_text(c->b, buf_str(&text));
        if (c->nodes[i].parent) buf_printf(c->b, ",\"parent\":%u", c->nodes[i].parent);
        buf_byte(c->b, '}');
    }
    buf_put(c->b, S("\n}}\n"));
}

static int pid_of(struct timeline_track track) {
    switch (track.kind) {
    case TIMELINE_GO:
        return PID_GOROUTINES;
    case TIMELINE_REGIONS:
        return PID_REGIONS;
    case TIMELINE_TASK:
        return PID_TASKS;
    case TIMELINE_PROC:
    case TIMELINE_GC:
    case TIMELINE_STOP:
    case TIMELINE_KINDS:
        break;
    }
    return PID_PROCS;
}

static i64 tid_of(struct timeline_track track) {
    if (track.kind == TIMELINE_GC) return TID_GC;
    return track.kind == TIMELINE_STOP ? TID_STOP : track.id;
}

// {"ph":"B","pid":0,"tid":1 and the time, in microseconds; the caller goes on from there.
static void open_event(struct chrome *c, char phase, int pid, i64 tid, i64 time_ns) {
    buf_put(c->b, c->has_some ? S(",\n{\"ph\":\"") : S("\n{\"ph\":\""));
    c->has_some = true;
    buf_byte(c->b, phase);
    buf_put(c->b, S("\",\"pid\":"));
    num_i64(c->b, pid);
    buf_put(c->b, S(",\"tid\":"));
    num_i64(c->b, tid);
    buf_put(c->b, S(",\"ts\":"));
    num_i64(c->b, time_ns / 1000);
    i64 rest = time_ns % 1000;
    char digits[] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
                     (char)('0' + rest % 10)};
    if (rest) buf_put(c->b, (str){digits, sizeof digits});
}

static void open_on(struct chrome *c, char phase, struct timeline_track track, i64 time_ns) {
    open_event(c, phase, pid_of(track), tid_of(track), time_ns);
}

static void put_text(struct chrome *c, str key, str text) {
    buf_put(c->b, S(",\""));
    buf_put(c->b, key);
    buf_put(c->b, S("\":"));
    json_text(c->b, text);
}

static void metadata(struct chrome *c, int pid, i64 tid, str what, str name) {
    open_event(c, 'M', pid, tid, 0);
    put_text(c, S("name"), what);
    buf_put(c->b, S(",\"args\":{\"name\":"));
    json_text(c->b, name);
    buf_put(c->b, S("}}"));
}

static void chrome_name(void *to, struct timeline_track track, str name) {
    metadata(to, pid_of(track), tid_of(track), S("thread_name"), name);
}

static void put_arrow(struct chrome *c, char phase, struct timeline_track track, i64 time_ns,
                      u64 flow) {
    open_on(c, phase, track, time_ns);
    buf_put(c->b, S(",\"cat\":\"flow\",\"name\":\"wakes\",\"bp\":\"e\",\"id\":"));
    num_u64(c->b, flow);
    buf_byte(c->b, '}');
}

static void chrome_begin(void *to, struct timeline_track track, i64 time_ns,
                         struct timeline_mark mark) {
    struct chrome *c = to;
    open_on(c, 'B', track, time_ns);
    put_text(c, S("name"), mark.name);
    put_stack(c, mark.stack);
    buf_byte(c->b, '}');
    if (mark.flow) put_arrow(c, 'f', track, time_ns, mark.flow);
}

static void chrome_end(void *to, struct timeline_track track, i64 time_ns, u32 stack) {
    struct chrome *c = to;
    open_on(c, 'E', track, time_ns);
    put_stack(c, stack);
    buf_byte(c->b, '}');
}

static void chrome_instant(void *to, struct timeline_track track, i64 time_ns,
                           struct timeline_mark mark) {
    struct chrome *c = to;
    open_on(c, 'i', track, time_ns);
    put_text(c, S("name"), mark.name);
    put_stack(c, mark.stack);
    buf_put(c->b, S(",\"s\":\"t\"}"));
    if (mark.flow) put_arrow(c, 's', track, time_ns, mark.flow);
}

static void chrome_count(void *to, enum timeline_counter counter, i64 time_ns, u64 value) {
    struct chrome *c = to;
    open_event(c, 'C', PID_STATS, 0, time_ns);
    put_text(c, S("name"), timeline_counter_name(counter));
    buf_put(c->b, S(",\"args\":{\"value\":"));
    num_u64(c->b, value);
    buf_put(c->b, S("}}"));
}

void render_trace_chrome(struct buf *b, struct trace_reader *r) {
    static const struct timeline_form form = {.name = chrome_name,
                                              .begin = chrome_begin,
                                              .end = chrome_end,
                                              .instant = chrome_instant,
                                              .count = chrome_count};
    static const str pids[N_PIDS] = {[PID_PROCS] = S("PROCS"),
                                     [PID_STATS] = S("STATS"),
                                     [PID_TASKS] = S("TASKS"),
                                     [PID_GOROUTINES] = S("GOROUTINES"),
                                     [PID_REGIONS] = S("REGIONS")};
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    struct chrome c = {.b = b, .arena = &scratch};
    trace_stacks_init(&c.stacks, &scratch);
    idmap_init(&c.node_ids, &scratch);
    idmap_init(&c.stack_nodes, &scratch);
    buf_put(b, S("{\"displayTimeUnit\":\"ns\",\"traceEvents\":["));
    for (int i = 0; i < N_PIDS; i++) metadata(&c, i, 0, S("process_name"), pids[i]);
    timeline_read(&scratch, r, &form, &c, &c.stacks);
    put_frames(&c);
}
