// driver/load.h - bytes from files, pipes and standard input, and profiles from bytes.
// Room: one source at a time; several are sources.c. Door: driver/driver.h.
#pragma once

#include "base/base.h"
#include "profile/profile.h"

struct load_opts {
    u64 max_bytes;   // of the file, and of what it unpacks to
    str binary_path; // folders to look for binaries in, whose rules tell how stacks go on
};

// The whole of a file; "-" is standard input. Pipes and process substitution are read once, to
// their end. Fails: ERR_SYSTEM in Go's words ("stat x: no such file or directory"), ERR_LIMIT.
MUST_USE bool load_bytes(struct arena *out, str path, const struct load_opts *opts, str *ret,
                         struct err *err);
// A checked profile of any format. bytes are given away: their pages may be returned to the system,
// and what is left of them must live as long as *ret.
MUST_USE bool load_profile(struct arena *out, str bytes, const struct load_opts *opts,
                           struct profile *ret, struct err *err);
