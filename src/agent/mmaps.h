// agent/mmaps.h - the mmap collector: memory that the program mapped itself, and what is still
// there. Room: turning agent/hot/mmaps.h's tables into rows. Door: agent/agent.h. Values are those
// of the heap (alloc_objects, alloc_space, inuse_objects, inuse_space), exact; the label "kind" is
// anonymous, file, shared or reserved (PROT_NONE).
#pragma once

#include "agent/agent.h"

// Begins to record. From the constructor, after stacks_init and unwind_init.
bool mmaps_init(void);
bool mmaps_collect(struct arena *out, const struct collect_opts *opts, struct rows *ret,
                   struct err *err);
u64 mmaps_count(void); // mappings since the start
str mmaps_status(struct arena *out);
