// web/sources.h - the profiles at hand: what the command line loaded, its refreshed fetches, and
// differences of any two. Room: keeping, lending and dropping them. Door: web/web.h.
//
// A source is frozen once it is listed. Requests borrow it; an old one goes when nobody has it.
#pragma once

#include "web/web.h"

enum { MAX_SOURCES = 8 }; // fetches kept: a heap of 100 MB taken every few minutes still fits

struct source {
    i64 id;
    struct profile profile;
    i64 fetched_nanos;
    i64 total; // of the default sample type
    struct flame_cache *flames;
};

struct source_info {
    i64 id, fetched_nanos, total;
    u32 n_samples;
    bool is_newest;
};
struct source_list {
    struct source_info items[MAX_SOURCES];
    size_t n;
    bool is_refreshing;
    str error; // of the last refresh
};

struct sources_kept;

// Takes the profile the command line loaded as the first one; p NULL: none yet.
MUST_USE bool kept_init(struct arena *out, const struct cli *cli, const struct profile *p,
                        const struct ui *ui, struct sources_kept **ret, struct err *err);
// Takes one more, a copy of *p; *ret_id is its number. The oldest goes when there are too many.
MUST_USE bool kept_add(struct sources_kept *k, const struct profile *p, i64 *ret_id,
                       struct err *err);
// Lends a source: id 0 is the newest, base_id 0 none; base_id is subtracted as -diff_base is.
// Fails: ERR_NOT_FOUND; what merging says.
MUST_USE bool kept_borrow(struct sources_kept *k, i64 id, i64 base_id, bool normalize,
                          const struct source **ret, struct err *err);
void kept_return(struct sources_kept *k, const struct source *s);
// Loads the command line's sources once more, on a thread of its own. False: it is doing so.
bool kept_refresh(struct sources_kept *k);
void kept_list(struct sources_kept *k, struct arena *out, struct source_list *ret);
