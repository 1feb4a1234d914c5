// graph/flame_parts.h - sorting stacks; private to graph/.
// Room: see flame_sort.c. Door: graph/flame.h.
#pragma once

#include "base/base.h"

// Stack i is keys[at[i] .. at[i + 1]). Fills order[0 .. n) with stacks in order, a stack before
// those it begins.
void flame_sort(struct arena *scratch, const u64 *at, const u32 *keys, u32 *order, u32 n);
