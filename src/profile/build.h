// profile/build.h - making a profile row by row: what formats/ and the agent use.
// Room: growing tables with strings and rows interned; decoding the wire form is decode.c. Door:
// profile/profile.h.
#pragma once

#include "profile/model.h"

// A profile under construction. Set p's header fields (sample_types, period, times ...) directly
// through builder_str; rows only through the calls below. All memory is in the arena given at init.
struct profile_builder {
    struct arena *arena;
    struct profile p;
    struct strmap strings_by_text;
    struct idmap locations_by_key, functions_by_key;
    size_t cap_strings, cap_samples, cap_values, cap_stack, cap_labels, cap_label_at;
    size_t cap_mappings, cap_locations, cap_lines, cap_functions, cap_comments, cap_types;
    u64 n_stack;
    u32 n_labels;
};

void builder_init(struct profile_builder *b, struct arena *out);
// The id of text (copied into the arena when new).
u32 builder_str(struct profile_builder *b, str text);
void builder_sample_type(struct profile_builder *b, str type, str unit);
void builder_comment(struct profile_builder *b, str text);
// Rows with new wire ids (index + 1); *row's id is ignored.
u32 builder_mapping(struct profile_builder *b, const struct mapping *row);
u32 builder_function(struct profile_builder *b,
                     const struct function *row); // equal rows give the same index
// Equal rows give the same index.
u32 builder_location(struct profile_builder *b, u64 address, u32 mapping_i,
                     const struct line *lines, u32 n_lines);
// A new row even where an equal one exists: id and lines_at of *row are ignored.
u32 builder_location_new(struct profile_builder *b, const struct location *row,
                         const struct line *lines);
// Room for that many further samples, stack entries and labels at once; more may still come. Room
// not used costs address space only.
void builder_reserve(struct profile_builder *b, u64 n_samples, u64 n_stack, u64 n_labels);
// A sample: n_types values, a leaf-first stack of n location indexes, labels.
void builder_sample(struct profile_builder *b, const i64 *values, const u32 *stack, u32 n,
                    const struct label *labels, u32 n_labels);
// The finished profile; the builder must not be used after.
struct profile builder_done(struct profile_builder *b);
