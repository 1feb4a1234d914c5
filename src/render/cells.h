// render/cells.h - the columns that annotated listings share; private to render/.
// Room: one value in its column, one line of sums. Door: render/render.h.
#pragma once

#include "report/report.h"

// The value in ten columns and a blank; dot_for_zero: "." for none.
void cell_value(struct buf *b, const struct value_style *style, i64 value, bool dot_for_zero);
// "FLAT CUM (flat, cum) P of Total" and a line end.
void cell_total(struct buf *b, const struct summary *s, i64 flat, i64 cum);
