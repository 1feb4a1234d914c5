// render/dot.h - what dot.c and dot_tags.c share; private to render/.
// Room: escaping and the boxes of one node. Door: render/render.h.
#pragma once

#include "report/report.h"

// Quotes and backslashes escaped, line breaks left-justified.
void dot_escape(struct buf *b, str s);
// Draws the tags of a node as boxes below it; id: the N of its name. Gives whether there were any.
bool dot_tags(struct buf *b, const struct summary *s, const struct graph *g, u32 node_i, u32 id);
