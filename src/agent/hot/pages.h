// agent/hot/pages.h - memory for libpprof's own tables, taken while the program runs.
// Room: pages from the kernel, past the hooks of mmaps.h, so that the program's profile does not
// hold them. Door: agent/hot/hot.h.
#pragma once

#include "base/types.h"

// Zeroed pages; NULL: no memory, or pages_stop was called. munmap gives them back.
void *map_own(size_t bytes);
// From now on nothing that needs pages or unwinds by the program's own calls is done: the program
// has confined itself (agent/confine.h). For good.
void pages_stop(void);
bool pages_are_stopped(void);
