// web/trace_flame.h - stacks with weights as a tree and as a profile.
// Room: private to web/trace_*.c. Door: web/trace_view.h.
#pragma once

#include "web/trace_ask.h"

// weights[stack]: samples, or nanoseconds. Writes {"total", "names": [...], "nodes": [depth, name,
// total, self, ...]}, nodes in order of a walk from the root, heaviest child first; what has less
// than a 2000th of the total is left out of the walk and stays in its parent's total.
void put_flame(const struct trace_ask *a, const char *key, const i64 *weights);
// The same as a profile.
void flame_profile(struct arena *out, const struct trace_view *v, const i64 *weights,
                   const i64 *counts, str type, str unit, struct profile *ret);
