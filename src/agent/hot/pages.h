// agent/hot/pages.h - memory for libpprof's own tables, taken while the program runs.
// Room: pages from the kernel, past the hooks of mmaps.h, so that the program's profile does not
// hold them. Door: agent/hot/hot.h.
#pragma once

#include "base/types.h"

// Zeroed pages; NULL: no memory. munmap gives them back.
void *map_own(size_t bytes);
