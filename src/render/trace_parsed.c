// render/trace_parsed.c - events of a trace, one a line, stacks below.
// Room: layout only. Door: render/trace.h. Source: the recorded dumps of the official tool.
#include "render/trace.h"

#include <time.h>

static void put_number(struct buf *b, str before, i64 x) {
    buf_put(b, before);
    num_i64(b, x);
}

static void put_unsigned(struct buf *b, str before, u64 x) {
    buf_put(b, before);
    num_u64(b, x);
}

static void put_quoted(struct buf *b, str before, str text) {
    buf_put(b, before);
    num_quote(b, text);
}

static void put_value(struct buf *b, u64 x) {
    put_unsigned(b, S("Value{Uint64("), x);
    buf_put(b, S(")}"));
}

static void put_scope(struct buf *b, str before, const struct trace_event *ev) {
    buf_put(b, before);
    if (ev->subject_kind == TRACE_NO_SUBJECT) {
        buf_put(b, S("None"));
        return;
    }
    put_number(b, ev->subject_kind == TRACE_PROC ? S("Proc(") : S("Goroutine("), ev->subject);
    buf_byte(b, ')');
}

// More than this is written anew each time.
enum { MAX_TEXT_BYTES = 64 << 20 };

static void put_frames(struct buf *b, const struct trace_reader *r, u32 stack) {
    u32 n = trace_depth(r, stack);
    for (u32 i = 0; i < n; i++) {
        const struct trace_frame *f = trace_frame(r, stack, i);
        buf_byte(b, '\t');
        buf_put(b, f->func);
        buf_put(b, S(" @ 0x"));
        num_hex(b, f->pc, 1);
        buf_put(b, S("\n\t\t"));
        buf_put(b, f->file);
        put_unsigned(b, S(":"), f->line);
        buf_byte(b, '\n');
    }
}

// The frames of a stack as text, written once a generation.
static str frames_text(struct trace_texts *t, const struct trace_reader *r, u32 stack) {
    GROW(t->arena, t->stacks, t->n, (size_t)stack + 1);
    str *text = &t->stacks[stack];
    if (!text->p) {
        struct buf own = buf_new(t->arena, MAX_TEXT_BYTES);
        put_frames(&own, r, stack);
        *text = own.len ? buf_str(&own) : S("");
    }
    return *text;
}

static void put_stack(struct buf *b, struct trace_texts *t, const struct trace_reader *r, str title,
                      u32 stack) {
    if (stack == U32_NONE) return;
    buf_byte(b, '\n');
    buf_put(b, title);
    buf_put(b, S("=\n"));
    if (t->arena->used_bytes < MAX_TEXT_BYTES)
        buf_put(b, frames_text(t, r, stack));
    else
        put_frames(b, r, stack);
}

static str metric_name(u8 type) {
    if (type == TRACE_EV_ProcsChange) return S("/sched/gomaxprocs:threads");
    return type == TRACE_EV_HeapAlloc ? S("/memory/classes/heap/objects:bytes")
                                      : S("/gc/heap/goal:bytes");
}

static void put_range(struct buf *b, const struct trace_event *ev) {
    buf_put(b, S(" Name="));
    switch (ev->type) {
    case TRACE_EV_STWBegin:
    case TRACE_EV_STWEnd: {
        AUTO_ARENA struct arena scratch = arena_sub(b->arena);
        str parts[] = {S("stop-the-world ("), ev->name, S(")")};
        num_quote(b, str_join(&scratch, parts, countof(parts), S("")));
        break;
    }
    case TRACE_EV_GCSweepBegin:
    case TRACE_EV_GCSweepActive:
    case TRACE_EV_GCSweepEnd:
        buf_put(b, S("\"GC incremental sweep\""));
        break;
    case TRACE_EV_GCBegin:
    case TRACE_EV_GCActive:
    case TRACE_EV_GCEnd:
        buf_put(b, S("\"GC concurrent mark phase\""));
        break;
    default:
        buf_put(b, S("\"GC mark assist\""));
    }
    put_scope(b, S(" Scope="), ev);
    if (ev->kind != TRACE_RANGE_END) return;
    buf_put(b, S(" Attributes=["));
    if (ev->type == TRACE_EV_GCSweepEnd) {
        buf_put(b, S("\"bytes swept\"="));
        put_value(b, ev->args[0]);
        buf_put(b, S(" \"bytes reclaimed\"="));
        put_value(b, ev->args[1]);
    }
    buf_byte(b, ']');
}

// RFC 3339 in the local zone, nanoseconds without trailing zeros, as Go's RFC3339Nano.
static void put_wall(struct buf *b, u64 seconds, u64 ns) {
    seconds += ns / 1000000000;
    ns %= 1000000000;
    time_t t = (time_t)seconds;
    struct tm tm;
    if (!localtime_r(&t, &tm)) return;
    buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
               tm.tm_hour, tm.tm_min, tm.tm_sec);
    if (ns) {
        int digits = 9;
        for (; ns % 10 == 0; ns /= 10) digits--;
        buf_printf(b, ".%0*llu", digits, (unsigned long long)ns);
    }
    if (tm.tm_gmtoff == 0) {
        buf_byte(b, 'Z');
        return;
    }
    long minutes = tm.tm_gmtoff / 60;
    long size = minutes < 0 ? -minutes : minutes;
    buf_printf(b, "%c%02ld:%02ld", minutes < 0 ? '-' : '+', size / 60, size % 60);
}

static void put_sync(struct buf *b, const struct trace_event *ev) {
    put_unsigned(b, S(" N="), ev->args[0]);
    if (!ev->has_clock) return;
    put_number(b, S(" Trace="), (i64)ev->args[1]);
    put_unsigned(b, S(" Mono="), ev->args[2]);
    buf_put(b, S(" Wall="));
    put_wall(b, ev->args[3], ev->args[4]);
}

static void put_experimental(struct buf *b, const struct trace_event *ev) {
    const struct trace_spec *spec = trace_spec(ev->type);
    buf_put(b, S(" Name="));
    buf_put(b, str_of(spec->name));
    buf_put(b, S(" Args=["));
    for (u32 i = 1; i < spec->n_args; i++) {
        if (i > 1) buf_put(b, S(", "));
        buf_put(b, str_of(spec->args[i]));
        buf_byte(b, '=');
        put_value(b, ev->args[i - 1]);
    }
    buf_byte(b, ']');
}

static void put_transition(struct buf *b, struct trace_texts *t, const struct trace_reader *r,
                           const struct trace_event *ev) {
    put_number(b, ev->subject_kind == TRACE_PROC ? S(" ProcID=") : S(" GoID="), ev->subject);
    buf_byte(b, ' ');
    buf_put(b, trace_state_name(ev->from));
    buf_put(b, S("->"));
    buf_put(b, trace_state_name(ev->to));
    put_quoted(b, S(" Reason="), ev->name);
    put_stack(b, t, r, S("TransitionStack"), ev->subject_stack);
}

static void put_details(struct buf *b, struct trace_texts *t, const struct trace_reader *r,
                        const struct trace_event *ev) {
    switch ((enum trace_kind)ev->kind) {
    case TRACE_STRUCTURE:
    case TRACE_SAMPLE:
        break;
    case TRACE_SYNC:
        put_sync(b, ev);
        break;
    case TRACE_METRIC:
        put_quoted(b, S(" Name="), metric_name(ev->type));
        buf_put(b, S(" Value="));
        put_value(b, ev->args[0]);
        break;
    case TRACE_LABEL:
        put_quoted(b, S(" Label="), ev->name);
        put_scope(b, S(" Resource="), ev);
        break;
    case TRACE_RANGE_BEGIN:
    case TRACE_RANGE_ACTIVE:
    case TRACE_RANGE_END:
        put_range(b, ev);
        break;
    case TRACE_TASK_BEGIN:
    case TRACE_TASK_END:
        put_unsigned(b, S(" ID="), ev->args[0]);
        put_unsigned(b, S(" Parent="), ev->args[1]);
        put_quoted(b, S(" Type="), ev->name);
        break;
    case TRACE_REGION_BEGIN:
    case TRACE_REGION_END:
        put_unsigned(b, S(" Task="), ev->args[0]);
        put_quoted(b, S(" Type="), ev->name);
        break;
    case TRACE_LOG:
        put_unsigned(b, S(" Task="), ev->args[0]);
        put_quoted(b, S(" Category="), ev->name);
        put_quoted(b, S(" Message="), ev->value);
        break;
    case TRACE_TRANSITION:
        put_transition(b, t, r, ev);
        break;
    case TRACE_EXPERIMENTAL:
        put_experimental(b, ev);
        break;
    }
}

void render_trace_event(struct buf *b, struct trace_texts *t, const struct trace_reader *r,
                        const struct trace_event *ev) {
    if (t->generation != ev->generation) {
        arena_reset(t->arena);
        t->stacks = NULL;
        t->n = 0;
        t->generation = ev->generation;
    }
    put_number(b, S("M="), ev->m);
    put_number(b, S(" P="), ev->p);
    put_number(b, S(" G="), ev->g);
    buf_byte(b, ' ');
    buf_put(b, trace_kind_name(ev->kind));
    put_number(b, S(" Time="), ev->time_ns);
    put_details(b, t, r, ev);
    put_stack(b, t, r, S("Stack"), ev->stack);
    buf_byte(b, '\n');
}
