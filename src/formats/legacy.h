// formats/legacy.h - a profile under construction out of samples that are lists of addresses.
// Room: private to formats/: what the legacy forms have in common. A form appends samples, then
// legacy_finish gives the profile: locations numbered in sample order, mappings from the memory map
// section, the frames to drop. Source: reference/pprof.md sections 3.7 and 3.9.
#pragma once

#include "formats/recognize.h"
#include "formats/text.h"
#include "profile/profile.h"

enum { LEGACY_TYPES_MAX = 4 }; // alloc_objects, alloc_space, inuse_objects, inuse_space

struct legacy_sample {
    u64 at; // its addresses are addresses[at .. at + n), leaf first; samples may share them
    u32 n;
    i64 values[LEGACY_TYPES_MAX];
    bool has_bytes; // a numeric label "bytes", which may be 0
    i64 bytes;
    bool has_thread; // a numeric label "thread"
    i64 thread;
};

struct legacy {
    struct arena *scratch;
    struct profile_builder b; // header and strings; the rows come with legacy_finish
    struct legacy_sample *samples;
    size_t n_samples, cap_samples;
    u64 *addresses;
    size_t n_addresses, cap_addresses;
    struct mapping *mappings;
    size_t n_mappings, cap_mappings;
    // Java only: the place each address stands for. Its locations lose their addresses.
    bool is_java;
    struct idmap places_by_address;
    struct function *functions;
    i64 *line_numbers;
    size_t n_places, cap_places, cap_line_numbers;
    // The leaf may stand twice: as the signal's pc and, one less, as unwound. Then the second goes.
    bool drops_doubled_leaf;
};

void legacy_init(struct legacy *l, struct arena *out, struct arena *scratch);
void legacy_period_type(struct legacy *l, str type, str unit);
// A new sample without addresses; valid until the next one.
struct legacy_sample *legacy_sample_add(struct legacy *l);
// Appends to the newest sample.
void legacy_address_add(struct legacy *l, u64 address);
// Appends every 0x... number of text less 1: the addresses are return addresses. keep_leaf leaves
// the sample's first address as it is. Fails: ERR_MALFORMED "malformed sample: LINE: failed to
// parse as hex 64-bit number: ..."; line is only for that.
MUST_USE bool legacy_addresses_add(struct legacy *l, str text, bool keep_leaf, str line,
                                   struct err *err);

// Goes on to the line that opens the memory map section, which s may be at, or to the end.
void legacy_skip_to_map(struct lines *s);
// Takes the lines behind that one as the memory map.
void legacy_read_map(struct legacy *l, struct lines *s);

struct profile legacy_finish(struct legacy *l);

// drop_frames and keep_frames by the profile's sample types.
void legacy_set_frames(struct profile_builder *b);

// Passing on: the bytes are of another form.
bool legacy_unrecognized(struct err *err);
// A sample's number as strconv.ParseInt(text, base, 64) reads it, with its sentence.
MUST_USE bool legacy_number(str text, int base, str line, i64 *ret, struct err *err);
// What a sampled count and size stand for when allocations are sampled every rate bytes.
void legacy_unsample(i64 *count, i64 *size, i64 rate);
// Go's int64(x) on x86-64, also where x does not fit.
i64 legacy_truncate(double x);
// a / b as Go divides, also the most negative number by -1.
i64 legacy_divide(i64 a, i64 b);
