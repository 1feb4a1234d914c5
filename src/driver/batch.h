// driver/batch.h - many inputs made one profile, in order, a few at a time.
// Room: parallel decoding and the merge between batches. Where the bytes come from was settled
// before: sources.c. Door: driver/driver.h.
#pragma once

#include "base/base.h"

#include "driver/fetch.h"
#include "driver/load.h"
#include "driver/origins.h"
#include "driver/source.h"

enum { INPUT_NOTES_BYTES = 2048 }; // a dozen binaries with another build id; further ones are cut

// One source word on its way to a profile. Its arena owns all it became; batch_merge ends it.
struct input {
    str word;
    bool is_url;
    struct source_url url;
    struct fetch_job fetch;
    struct arena arena;
    struct profile profile; // when is_loaded
    bool is_loaded;
    struct err err;   // when not
    struct buf notes; // for people: binaries that were passed over
    char notes_bytes[INPUT_NOTES_BYTES];
};

struct batch_opts {
    struct load_opts load;
    str binary, build_id;    // of the main binary, put into each input
    struct origins *origins; // gets where the mappings of fetched inputs come from
};

struct batch_result {
    struct profile profile; // when n_loaded
    size_t n_loaded;
    bool has_remote; // some loaded input came over the network
};

// Loads inputs[0..n) by as many threads as there are processors and merges what loaded, in order. A
// single profile is passed on unmerged, as the original does. Inputs that fail keep their err. out
// owns *ret. At any time the merged profile, one input a thread and at most HOLD_BYTES of inputs
// are held.
MUST_USE bool batch_merge(struct arena *out, struct input *inputs, size_t n,
                          const struct batch_opts *opts, struct batch_result *ret, struct err *err);
