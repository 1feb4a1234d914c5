// profile/model.h - the tables of a profile: what every other folder reads.
// Room: the structs and the questions answered by one look at them. Source: profile.proto, fields
// 1-15. Door: profile/profile.h.
//
// Everything is a dense table and refers to other tables by index (_i), never by the ids of the
// wire: those are kept in .id for output only. Equal texts have one string id, so ids may be
// compared. A stack is a run of location indexes, leaf first; a location has lines, innermost
// inlined function first. A profile is frozen once made: nobody edits it, everybody may share it
// across threads.
#pragma once

#include "base/base.h"

// A sample type or the period type: "cpu" in "nanoseconds". Both are string ids.
struct value_type {
    u32 type, unit;
};

struct mapping {
    u64 id; // as on the wire, never 0
    u64 start, limit, offset;
    u32 file, build_id;           // string ids
    u32 kernel_relocation_symbol; // string id: "_text" or "_stext" split off
                                  // "[kernel.kallsyms]_text", else 0
    bool has_functions, has_filenames, has_line_numbers, has_inline_frames;
};

struct function {
    u64 id;
    u32 name, system_name, filename; // string ids
    i64 start_line;
};

struct line {
    u32 function_i; // U32_NONE only before profile_check
    i64 line, column;
};

struct location {
    u64 id, address;
    u32 mapping_i; // U32_NONE: none
    u32 lines_at;  // its lines are lines[lines_at .. lines_at + n_lines)
    u32 n_lines;
    bool is_folded;
};

// One label of one sample. A string label has str != 0 or is_string set; a numeric one has num and
// a unit (0: none).
struct label {
    u32 key, str, unit; // string ids
    bool is_string;
    i64 num;
};

struct profile {
    str *strings; // strings[0] is ""
    u32 n_strings;

    struct value_type *sample_types;
    u32 n_types;

    u32 n_samples;
    i64 *values;     // [sample_i * n_types + type_i]
    u64 *stack_at;   // n_samples + 1 entries: sample_i's stack is stack_locs[stack_at[i] ..
                     // stack_at[i + 1])
    u32 *stack_locs; // location indexes, leaf first
    u32 *label_at;   // n_samples + 1 entries into labels; NULL when no sample has a label
    struct label *labels;

    struct mapping *mappings;
    u32 n_mappings;
    struct location *locations;
    u32 n_locations;
    struct line *lines;
    u32 n_lines;
    struct function *functions;
    u32 n_functions;

    u32 *comments; // string ids
    u32 n_comments;
    u32 drop_frames, keep_frames, default_sample_type, doc_url; // string ids, 0: none
    i64 time_nanos, duration_nanos, period;
    struct value_type period_type;
};

static inline str profile_str(const struct profile *p, u32 id) {
    return p->strings[id];
}

// The n_types values of one sample.
static inline const i64 *profile_values(const struct profile *p, u32 sample_i) {
    return p->values + (size_t)sample_i * p->n_types;
}

// The stack of one sample, leaf first; *n gets its depth.
static inline const u32 *profile_stack(const struct profile *p, u32 sample_i, u32 *n) {
    *n = (u32)(p->stack_at[sample_i + 1] - p->stack_at[sample_i]);
    return p->stack_locs + p->stack_at[sample_i];
}

// The labels of one sample in file order; *n gets their number.
static inline const struct label *profile_labels(const struct profile *p, u32 sample_i, u32 *n) {
    if (!p->label_at) {
        *n = 0;
        return NULL;
    }
    *n = p->label_at[sample_i + 1] - p->label_at[sample_i];
    return p->labels + p->label_at[sample_i];
}
