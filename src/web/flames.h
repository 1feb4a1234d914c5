// web/flames.h - the sorted stacks of a source, kept from one request to the next.
// Room: which index belongs to which options, and lending it. Door: web/profile.h.
#pragma once

#include "base/base.h"

#include "driver/driver.h"
#include "graph/graph.h"

struct flame_cache;
struct flame_cache *flames_new(struct arena *out);
// Nobody borrows from it any more.
void flames_done(struct flame_cache *c);

// An index with the weights of one choice of samples.
struct flame_lent {
    const struct flame_index *index;
    const struct flame_weights *weights;
    struct kept_shape *shape; // the cache's
    struct kept_weights *by;
};

// The stacks of p as the options shape them, from the root or from the leaf, weighed by v, the view
// of all options. Whoever asks for one that is being made waits for it.
// Fails: ERR_USAGE as view_build.
MUST_USE bool flames_borrow(struct flame_cache *c, const struct profile *p, const struct options *o,
                            const struct view *v, bool is_up, struct flame_lent *ret,
                            struct err *err);
void flames_return(struct flame_cache *c, const struct flame_lent *lent);
