// render/trace.h - execution traces as text: the official tool's two dumps.
// Room: layout only; reading is trace/trace.h. Door: render/render.h.
#pragma once

#include "base/base.h"

#include "trace/trace.h"

// One event as `go tool trace -d=parsed` writes it, stacks below it.
void render_trace_event(struct buf *b, const struct trace_reader *r, const struct trace_event *ev);
// One record as `go tool trace -d=wire` writes it.
void render_trace_wire(struct buf *b, const struct trace_wire *w);
