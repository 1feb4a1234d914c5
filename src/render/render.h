// render/render.h - the face of render: rows to bytes.
//
// The idea: one small file a format; each takes a report's data and a buffer and only lays out,
// pads and escapes. Nothing is computed here that another format would have to compute again.
//
// Words: see report/report.h. Lifetimes: nothing is kept. Failures: the buffer remembers them
// (buf_flush). Source: reference/pprof.md sections 2.13 to 2.23.
#pragma once

#include "base/base.h"

#include "render/flame.h"
#include "render/json.h"
#include "render/trace.h"
#include "report/report.h"

void render_lines(struct buf *b, const struct lines *lines);
void render_top(struct buf *b, const struct summary *s, const struct lines *legend,
                const struct top *top);
void render_tree(struct buf *b, const struct summary *s, const struct lines *legend,
                 const struct tree *tree, bool has_nodes);
void render_tags(struct buf *b, const struct summary *s, const struct tags *tags);
void render_traces(struct buf *b, const struct summary *s, const struct lines *legend,
                   const struct frames *frames);
void render_list(struct buf *b, const struct summary *s, const struct list *list);
void render_disasm(struct buf *b, const struct summary *s, const struct disasm_listing *listing);
// A whole page; code of a line is shown by a click on it.
void render_weblist(struct buf *b, const struct summary *s, const struct lines *legend,
                    const struct weblist *list);
void render_raw(struct buf *b, const struct profile *p);
void render_comments(struct buf *b, const struct profile *p);
void render_dot(struct buf *b, const struct summary *s, const struct lines *legend,
                const struct graph *g);
void render_callgrind(struct buf *b, const struct summary *s, const struct graph *g);
void render_folded(struct buf *b, const struct summary *s, const struct frames *frames);
void render_speedscope(struct buf *b, const struct summary *s, const struct frames *frames);
// The same rows for programs: docs/outputs.md.
void render_top_json(struct buf *b, const struct summary *s, const struct top *top);
void render_tree_json(struct buf *b, const struct summary *s, const struct tree *tree);
void render_tags_json(struct buf *b, const struct summary *s, const struct tags *tags);
void render_traces_json(struct buf *b, const struct summary *s, const struct frames *frames);
void render_list_json(struct buf *b, const struct summary *s, const struct list *list);
void render_disasm_json(struct buf *b, const struct summary *s,
                        const struct disasm_listing *listing);
void render_weblist_json(struct buf *b, const struct summary *s, const struct weblist *list);
void render_graph_json(struct buf *b, const struct summary *s, const struct graph *g);
void render_comments_json(struct buf *b, const struct summary *s);
void render_top_csv(struct buf *b, const struct summary *s, const struct top *top);
void render_tree_csv(struct buf *b, const struct summary *s, const struct tree *tree);
void render_traces_csv(struct buf *b, const struct summary *s, const struct frames *frames);
void render_comments_csv(struct buf *b, const struct profile *p);
void render_tags_csv(struct buf *b, const struct summary *s, const struct tags *tags);
void render_list_csv(struct buf *b, const struct summary *s, const struct list *list);
void render_disasm_csv(struct buf *b, const struct summary *s,
                       const struct disasm_listing *listing);
