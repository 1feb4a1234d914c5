// profile/prune.h - removal of the frames a profile itself says are uninteresting (drop_frames,
// keep_frames). Room: RemoveUninteresting and the simplified function names it matches. Door:
// profile/profile.h. Source: reference/pprof.md section 2.12.
#pragma once

#include "profile/model.h"

// p without the frames its drop_frames/keep_frames name; *ret may share tables with p.
// A bad expression in the profile leaves it as it is, as the reference does (quirk Q26).
void profile_prune(struct arena *out, const struct profile *p, struct profile *ret);
// The function name as drop_frames and prune_from match it: "std::foo(int)" gives "std::foo".
// Borrowed from name.
str function_simple_name(struct arena *out, str name);
