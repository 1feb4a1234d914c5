// agent/custom.h - profiles that a program makes itself, as Go's pprof.NewProfile.
// Room: their names and rows. Their values are agent/hot/values.h's. A custom profile is a
// collector like those of profiles.def, but for its custom field. Never freed.
#pragma once

#include "agent/agent.h"

enum {
    MAX_CUSTOM = 64,       // profiles a process
    CUSTOM_NAME_MAX = 128, // bytes of a name, with its NUL
};

// A new profile. Fails: ERR_USAGE for a name that is empty, too long or taken; ERR_LIMIT.
MUST_USE bool custom_new(str name, const struct collector **ret, struct err *err);
// The i-th, in order of making; NULL: there are no more.
const struct collector *custom_at(u32 i);
// From any thread. pcs is what is to be shown, leaf first.
bool custom_add(const struct collector *of, u64 value, const u64 *pcs, u32 n);
bool custom_remove(const struct collector *of, u64 value);
u64 custom_count(const struct collector *of);
bool custom_collect(const struct collector *of, struct arena *out, struct rows *ret);
