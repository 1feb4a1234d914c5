// profile/sweep.h - the look over the whole message that sizes every table before decoding.
// Room: counting and id lookup; private to profile/. Door: sweep_count(), ids_make().
#pragma once

#include "profile/wire.h"

// Field numbers of profile.proto that the sweep and the decoder share.
enum {
    PROFILE_SAMPLE_TYPE = 1,
    PROFILE_SAMPLE = 2,
    PROFILE_MAPPING = 3,
    PROFILE_LOCATION = 4,
    PROFILE_FUNCTION = 5,
    PROFILE_STRING_TABLE = 6,
    PROFILE_DROP_FRAMES = 7,
    PROFILE_KEEP_FRAMES = 8,
    PROFILE_TIME_NANOS = 9,
    PROFILE_DURATION_NANOS = 10,
    PROFILE_PERIOD_TYPE = 11,
    PROFILE_PERIOD = 12,
    PROFILE_COMMENT = 13,
    PROFILE_DEFAULT_SAMPLE_TYPE = 14,
    PROFILE_DOC_URL = 15,
    SAMPLE_LOCATION_ID = 1,
    SAMPLE_VALUE = 2,
    SAMPLE_LABEL = 3,
    LOCATION_LINE = 4,
};

// What ids a table uses on the wire. Dense means 1, 2, 3 ... in file order: then the index is id -
// 1 and no lookup is needed. Every writer in use makes dense ids.
struct ids {
    u64 n;
    bool is_dense;
    u32 *small; // index of each id up to n, U32_NONE where absent; NULL when dense
    struct idmap large;
};

// How much of everything a message holds.
struct sweep {
    u64 n_types, n_samples, n_stack, n_values, n_labels, n_lines, n_strings, n_comments;
    u64 n_values_first; // values of the first sample
    u64 n_values_odd;   // values of the first sample that has another number, else n_values_first
    struct ids mappings, locations, functions;
    const u8 *strings_from, *strings_to; // the part of the message that holds string texts
};

// Walks msg once. On a malformed message: false, and *bad tells where and why.
MUST_USE bool sweep_count(str msg, struct sweep *ret, struct wire *bad);
// Builds the lookup of those tables whose ids are not dense; msg has passed sweep_count.
void ids_make(struct arena *scratch, str msg, struct sweep *s);

// The index of id, or U32_NONE.
static inline u32 ids_find(const struct ids *ids, u64 id) {
    if (ids->is_dense) return id - 1 < ids->n ? (u32)(id - 1) : U32_NONE;
    if (id <= ids->n) return ids->small[id];
    return idmap_get(&ids->large, id);
}
