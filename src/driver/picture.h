// driver/picture.h - graphs in DOT made pictures by Graphviz, where it is installed.
// Room: running dot and what browsers need in its SVG. Door: driver/driver.h.
#pragma once

#include "base/base.h"

// "dot -Tformat" on a graph. Fails: ERR_NOT_FOUND when dot is not installed, ERR_MALFORMED with
// what dot said.
MUST_USE bool picture_make(struct arena *out, str dot, str format, str *ret, struct err *err);
// The SVG filling its window, moved by dragging and zoomed by the wheel.
str picture_add_panning(struct arena *out, str svg);
