// render/trace.h - execution traces as text: the official tool's dumps, tables, other viewers'
// forms. Room: layout only; reading is trace/trace.h. Door: render/render.h.
#pragma once

#include "base/base.h"

#include "trace/trace.h"

// Texts of stacks of the current generation, which thousands of events share. Zero is empty.
struct trace_texts {
    struct arena *arena; // of the texts; emptied at each generation
    str *stacks;         // p NULL: not written yet
    u32 n, generation;
};
// One event as `go tool trace -d=parsed` writes it, stacks below it.
void render_trace_event(struct buf *b, struct trace_texts *texts, const struct trace_reader *r,
                        const struct trace_event *ev);
// One record as `go tool trace -d=wire` writes it.
void render_trace_wire(struct buf *b, const struct trace_wire *w);
// What takes the space of a trace of n_bytes, as `go tool trace -d=footprint`.
void render_trace_footprint(struct buf *b, const struct trace_footprint *f, u64 n_bytes);
// Where time went: tables of at most limit rows, by start function, goroutine, place, task, region.
void render_trace_top(struct buf *b, const struct trace_stats *s, const struct trace_groups *g,
                      u32 limit);

// All events left of r for other viewers: Chrome's trace events (JSON), Perfetto's packets.
void render_trace_chrome(struct buf *b, struct trace_reader *r);
void render_trace_perfetto(struct buf *b, struct trace_reader *r);
