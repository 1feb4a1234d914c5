// symbols/edit.h - a profile whose locations get new lines.
// Room: private to symbols/: a copy with growing tables of strings, functions and lines. Door:
// edit_init() to edit_done().
#pragma once

#include "profile/profile.h"

struct edit {
    struct arena *arena;
    struct profile p; // mappings and locations may be written
    struct strmap strings_by_text;
    struct idmap functions_by_key; // of the functions added only, as the original
    size_t cap_strings, cap_functions, cap_lines;
    u64 last_function_id;
};

// Starts a copy of p in out; what is not changed is shared.
void edit_init(struct edit *e, struct arena *out, const struct profile *p);
u32 edit_str(struct edit *e, str text);
// The index of a function; equal rows among those added are one. row->id is ignored.
u32 edit_function(struct edit *e, const struct function *row);
// Gives a location n new lines in place of those it had.
void edit_lines(struct edit *e, u32 location_i, const struct line *lines, u32 n);
