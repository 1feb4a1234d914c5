// profile/merge.h - many profiles into one, scaling, the rules for what may be merged.
// Room: combination only. Source: reference/pprof.md section 4 (Merge, Scale, Normalize,
// Compatibilize). Door: profile/profile.h.
#pragma once

#include "profile/model.h"

// Merges n profiles as google/pprof's Merge: equal mappings, functions, locations and samples
// become one, values are added, samples in order of first appearance, all-zero ones dropped,
// nothing unreachable kept. The result copies what it needs: the inputs' arenas may end. Fails:
// ERR_USAGE "incompatible ..." as there.
MUST_USE bool profile_merge(struct arena *out, const struct profile *const *list, size_t n,
                            struct profile *ret, struct err *err);

// Merging without holding the inputs: the same result, one profile after another. A merger lives in
// out, and what merging alone needs besides it until merger_done, which always comes.
struct merger;
struct merger *merger_new(struct arena *out, const struct profile *first);
// Adds p, which may end after that. The first one is added like the others. Fails: as
// profile_can_merge; then nothing is added.
MUST_USE bool merger_add(struct merger *m, const struct profile *p, struct err *err);
// Makes room for all of list, times over, so that no table moves while it grows.
void merger_expect(struct merger *m, const struct profile *const *list, size_t n, size_t times);
// What is merged so far, all-zero samples too; valid until the next merger_ call.
const struct profile *merger_so_far(const struct merger *m);
// Ends a group: what follows counts as merged by itself first, as google/pprof merges 128 sources
// at a time.
void merger_cut(struct merger *m);
struct profile merger_done(struct merger *m);

// Whether a and b may be merged: equal period types, equal sample types in one order. Fails:
// ERR_USAGE "incompatible ...".
MUST_USE bool profile_can_merge(const struct profile *a, const struct profile *b, struct err *err);

// The CLI's two steps before a merge: keep the sample types all have (by name, in the first one's
// order), then bring units to the finest. list[i] is replaced by a new profile in out where
// something changes. Fails: ERR_USAGE "profiles have empty common sample type list", "period type:
// incompatible types: {cpu nanoseconds 0 0} {space bytes 0 0}", "sample types: ...".
MUST_USE bool profile_make_compatible(struct arena *out, const struct profile **list, size_t n,
                                      struct err *err);

// value * ratios[type_i], rounded to nearest; samples whose scaled values all became 0 go (Q18 of
// the reference).
struct profile profile_scale(struct arena *out, const struct profile *p, const double *ratios);
// Scales p, per sample type, to base's totals (-normalize); 0 where p's total is 0.
MUST_USE bool profile_normalize(struct arena *out, const struct profile *p,
                                const struct profile *base, struct profile *ret, struct err *err);
// A copy in which every sample has string label key=value (-diff_base's pprof::base=true).
struct profile profile_with_label(struct arena *out, const struct profile *p, str key, str value);

// The id of text in p, which gets a longer table of strings in out where it has no such text.
u32 profile_add_str(struct arena *out, struct profile *p, str text);
