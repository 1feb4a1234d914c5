// view/parts.h - the stages of building a view; private to view/.
// Room: what view.c calls in order. Door: view/view.h.
#pragma once

#include "view/view.h"

// An expression with its answers remembered by string id: names repeat, matching is dear.
struct matcher {
    const struct profile *p;
    struct regex *re; // NULL: not given
    u8 *memo;         // [string id]: 0 unknown, 1 no, 2 yes
};

// option: "focus" ...; an empty pattern gives a matcher without expression.
// Fails: ERR_USAGE "parsing focus regexp: ...".
MUST_USE bool matcher_init(struct arena *out, const struct profile *p, const char *option,
                           str pattern, struct matcher *ret, struct err *err);
bool matcher_matches(struct matcher *m, u32 string_id);
void matcher_done(struct matcher *m);

// What the name filters say about locations. Lines of loc_i: ids[start[loc_i] .. + count[loc_i]).
struct name_filters {
    struct matcher focus, ignore, hide, show, show_from, prune_from;
    u32 *start, *count, *ids;
    bool *is_hidden;  // NULL: nothing is hidden
    u8 *verdict;      // LOCATION_*; NULL: no focus, ignore, hide or show given
    bool *shows_from; // NULL: no show_from
    bool *cuts_below; // NULL: no prune_from
};
enum { LOCATION_PLAIN, LOCATION_FOCUSED, LOCATION_IGNORED };

MUST_USE bool name_filters_init(struct arena *out, const struct profile *p,
                                const struct view_opts *opts, struct name_filters *ret,
                                struct err *err);
void name_filters_apply(struct arena *out, const struct profile *p, struct name_filters *f,
                        struct buf *messages);
void name_filters_done(struct name_filters *f);
// The part of one stack the filters leave; false: the sample goes.
bool name_filters_cut(const struct name_filters *f, const u32 *stack, u32 n, u32 *ret_from,
                      u32 *ret_to);

// tagfocus or tagignore, compiled.
struct tag_filter {
    bool is_given, is_range;
    str key; // empty: any
    bool has_low, has_high;
    double low, high;
    str unit;
    struct regex **regexes;
    u32 n;
    struct buf text; // where "key:value" is put together
};

// Fails: ERR_USAGE. Tells messages when value was taken for a range.
MUST_USE bool tag_filter_init(struct arena *out, const char *option, str value,
                              struct buf *messages, struct tag_filter *ret, struct err *err);
bool tag_filter_matches(struct tag_filter *f, const struct view *v, u32 sample_i);
void tag_filter_done(struct tag_filter *f);

// The unit of every label key with numbers, told in messages where several were met.
void label_units(struct arena *out, const struct profile *p, struct buf *messages,
                 struct view *ret);
// p with a pseudo frame for each key of tagroot and tagleaf on every stack.
struct profile label_frames(struct arena *out, const struct profile *p,
                            const struct view_opts *opts, str unit, struct buf *messages);
// Fills ret->is_hidden_key from tagshow and taghide.
MUST_USE bool label_keys(struct arena *out, const struct view_opts *opts, struct buf *messages,
                         struct view *ret, struct err *err);

// "Focus expression matched no samples" when is_given and nothing matched.
void warn_no_match(struct buf *messages, const char *what, bool is_given, bool matched);
