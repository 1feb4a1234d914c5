// base/sort.h - stable sorting with a context argument.
// Room: one merge sort; what comes first is the caller's comparison. Door: base/base.h.
#pragma once

#include "base/types.h"

struct arena;

// Negative: a first. 0: they keep their order. Positive: b first.
typedef int (*sort_cmp)(const void *a, const void *b, void *ctx);

// Sorts n elements of size bytes; a stable merge sort, n log n comparisons at worst; scratch holds
// one copy.
void sort_stable(const struct arena *scratch, void *items, size_t n, size_t size, sort_cmp cmp,
                 void *ctx);
