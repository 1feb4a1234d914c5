// profile/labels.h - the labels of a sample in one fixed order, for writing and for comparing.
// Room: private to profile/. Door: labels_sorted().
#pragma once

#include "profile/model.h"

// Up to this many labels are sorted in the caller's array; more come only from made-up files.
enum { FEW_LABELS = 16 };

// String labels before numeric ones, each kind by key; equal keys keep their order. Borrowed: from
// p, few or scratch.
const struct label *labels_sorted(const struct profile *p, u32 sample_i, struct arena *scratch,
                                  struct label few[FEW_LABELS], u32 *n);
