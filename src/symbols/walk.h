// symbols/walk.h - the callers of a recorded stack, by the call frame rules of its binaries.
//
// The idea: .eh_frame (or .debug_frame) tells for every address of a binary where its caller's
// registers are. libdw reads the rules; each is kept by its address, for samples repeat them. Where
// a binary has none, or code is in no file, the frame pointer is followed if it leads upwards into
// the recorded bytes. Lifetimes: files stay mapped until walker_close(). Will not: read the running
// process's memory, trust a stack: each frame lies above the one before, or the walk ends.
// Door: symbols/symbols.h.
#pragma once

#include "profile/profile.h"

struct walker;

// search_path: folders with binaries, as local_locate() takes them; must live as long.
struct walker *walker_open(struct arena *out, str search_path);
void walker_close(struct walker *w);
// Good for one profile, whose mappings may grow but not change.
struct stack_walker walker_of(struct walker *w);
