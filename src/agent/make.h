// agent/make.h - rows to a finished profile, and profiles to bytes.
// Room: mappings, names, types and comments around what a collector gathered. On the agent thread
// only.
#pragma once

#include "agent/agent.h"

// The profile of rows: types and periods from of (profiles.def), the program first among the
// mappings, functions where a symbol's size covers the address, comments. Lives in out.
struct profile make_profile(struct arena *out, const struct collector *of, const struct rows *rows);
// Whether values of this sample type only grow, unlike what is in use or exists now.
bool make_is_counter(str type);
// p1 - p0 as net/http/pprof computes a delta: every value subtracted (counters never below 0),
// samples that became all zero left out, time of p1, duration between the two. Fails: as
// profile_merge.
MUST_USE bool make_delta(struct arena *out, const struct profile *p0, const struct profile *p1,
                         struct profile *ret, struct err *err);
// The profile's gzip'd wire form.
MUST_USE bool make_bytes(struct arena *out, const struct profile *p, int level, str *ret,
                         struct err *err);
enum {
    LEVEL_SNAPSHOT = 1, // Go's BestSpeed
    LEVEL_DELTA = 6,    // Go's default
};
// Nanoseconds since 1970.
i64 time_now_ns(void);
