// view/view.h - the face of view: what part of a profile is being looked at.
//
// The idea: a view lays a few small arrays over a frozen profile: kept samples, the kept lines of
// each location, cut points of stacks, hidden label keys. The profile is never edited, so any
// number of views may share it across threads. Frames are told apart once per line of a location,
// never per sample: a report walks stacks of location indexes and finds dense frame ids behind
// each.
//
// Words: a frame is one line of one location after inlining, as finely as the granularity says; a
// stack is leaf first; a label frame is a made-up frame that names a label's value (tagroot,
// tagleaf). Lifetimes: a view lives in the arena it was built in and borrows the profile. Failures:
// bad regular expressions and sample indexes (ERR_USAGE with google/pprof's words); what matched
// nothing is told as lines in messages. Will not: count, sort or print. Source: reference/pprof.md
// sections 2.2 to 2.6, 2.10, 2.11.
#pragma once

#include "base/base.h"

#include "profile/profile.h"
#include "view/opts.h"

// What frames are told apart by. Equal frames have one id; text of equal content has one address.
struct frame {
    str name;    // function name; empty: unknown or not asked for
    str file;    // trimmed and cleaned path; empty: none or not asked for
    str object;  // file of the mapping, where object names were asked for or the name is empty
    u64 address; // 0: not asked for
    i64 start_line, line, column;
};

struct frames {
    struct frame *items;
    u32 n;
    // Location loc_i has frames ids[at[loc_i] .. at[loc_i + 1]), innermost first; a hidden location
    // has none.
    u32 *at, *ids;
    bool *may_inline; // [frame id]: it is somewhere not the outermost line of its location
    bool has_inlines; // any of them
};

struct frame_opts {
    bool has_objects;   // tell frames apart by object file and start line too
    bool has_raw_paths; // file names as they are in the profile (traces)
};

// One label key with numbers and the unit they are read in.
struct label_unit {
    u32 key; // string id
    str unit;
};

struct view {
    const struct profile *p; // with label frames appended when they were asked for
    const struct view_opts *opts;
    u32 type_i;   // the sample type looked at
    bool is_mean; // values are divided by values of type 0

    u32 n_samples;
    const u32 *sample_ids; // kept samples in file order; NULL: all of them
    const u64 *from, *to;  // cut stacks: stack_locs[from[i] .. to[i]) of kept sample i; NULL: whole

    // Kept lines: location loc_i has p->lines[line_ids[line_at[loc_i] .. line_at[loc_i + 1])].
    const u32 *line_at, *line_ids;
    const bool *is_hidden; // [loc_i]: taken out of every stack; NULL: none

    const bool *is_hidden_key; // [string id]: labels with this key are not shown; NULL: none
    const struct label_unit *units;
    u32 n_units;
    i64 total; // sum of absolute values, reference/pprof.md section 2.5
};

// Which of p's sample types an index or a name means (empty: the profile's default).
// Fails: ERR_USAGE as google/pprof says it.
MUST_USE bool view_sample_index(const struct profile *p, str sample_index, u32 *ret,
                                struct err *err);

// Lays opts over p. granularity is only looked at by view_frames and view_profile.
// unit: the -unit option, in which label frames write numbers. messages: warnings, a line each.
MUST_USE bool view_build(struct arena *out, const struct profile *p, const struct view_opts *opts,
                         str unit, struct buf *messages, struct view *ret, struct err *err);

// The frames of every location under the view's granularity, noinlines, showcolumns, trim_path.
void view_frames(struct arena *out, const struct view *v, const struct frame_opts *opts,
                 struct frames *ret);

// What a report shows as a frame: address, name, file:line, joined by one space.
str frame_name(struct arena *out, const struct frame *f);
// The same pieces, joined by sep.
void frame_name_write(struct buf *b, const struct frame *f, str sep);

// The view made into a profile of its own, for the reports that give a profile back (raw, proto).
// Shares every table it can with v->p. Nothing unreachable is removed, as there.
struct profile view_profile(struct arena *out, const struct view *v);

// path without the prefixes that trim_path and source_path name: reference/pprof.md section 5.7.
str path_trim(str path, str trim_path, str source_path);
// filepath.Clean: "a//b/./c/../d" gives "a/b/d".
str path_clean(struct arena *out, str path);

// The unit numbers of this label key are in; the key itself when nothing is known.
str view_label_unit(const struct view *v, u32 key);

// The sample of the i-th kept one.
static inline u32 view_sample(const struct view *v, u32 i) {
    return v->sample_ids ? v->sample_ids[i] : i;
}

// The stack of the i-th kept sample, as location indexes, leaf first; hidden locations are still in
// it and have no frames.
static inline const u32 *view_stack(const struct view *v, u32 i, u32 *n) {
    u32 s = view_sample(v, i);
    u64 from = v->from ? v->from[i] : v->p->stack_at[s];
    u64 to = v->to ? v->to[i] : v->p->stack_at[s + 1];
    *n = (u32)(to - from);
    return v->p->stack_locs + from;
}

// Whether anything of a stack is shown.
static inline bool frames_any(const struct frames *f, const u32 *stack, u32 n) {
    for (u32 i = 0; i < n; i++) {
        if (f->at[stack[i]] != f->at[stack[i] + 1]) return true;
    }
    return false;
}

static inline i64 view_value(const struct view *v, u32 sample_i) {
    return v->p->values[(size_t)sample_i * v->p->n_types + v->type_i];
}

// What a mean divides by; 0 when no mean is asked for.
static inline i64 view_divisor(const struct view *v, u32 sample_i) {
    return v->is_mean ? v->p->values[(size_t)sample_i * v->p->n_types] : 0;
}

// sum / div, or sum where there is nothing to divide by. INT64_MIN / -1 wraps, as Go's does.
static inline i64 mean_of(i64 sum, i64 div) {
    if (div == -1) return (i64)(0 - (u64)sum);
    return div ? sum / div : sum;
}

static inline bool label_is_text(const struct label *l) {
    return l->is_string || l->str != 0;
}

static inline bool view_shows_label(const struct view *v, const struct label *l) {
    return !v->is_hidden_key || !v->is_hidden_key[l->key];
}
