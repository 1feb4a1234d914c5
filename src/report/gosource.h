// report/gosource.h - where Go keeps sources on this machine; private to report/.
// Room: names of files that may be there; opening them is source.c. Door: go_source_names().
#pragma once

#include "base/base.h"

enum { GO_SOURCE_NAMES = 32 }; // names tried for one source

// Names that a source with this path (as a Go binary has it, with -trimpath or built elsewhere)
// may have here: in GOROOT, in the module cache, in the module that search_path (colon separated
// folders) or a folder above lies in, in its vendor folder. Gives how many of ret are filled.
u32 go_source_names(struct arena *out, str path, str search_path, str ret[GO_SOURCE_NAMES]);
