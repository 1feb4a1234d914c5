// profile/profile.h - the face of profile: the model of a profile and everything that makes, checks
// or combines one.
//
// The idea: a profile is decoded in one pass from the wire into dense tables (model.h) and never
// edited after that. What looks like an edit (merge, scale, prune, symbolize) makes a new profile
// in an arena; unchanged tables may be shared with the old one, so the old one's arena must outlive
// the new one unless the function says it copies.
//
// Words: see docs/GLOSSARY.md: sample, sample type, stack, location, line, function, mapping,
// label, period. Lifetimes: a profile lives in the arena it was made in; profile_decode copies
// nothing it can point at, so the bytes it was decoded from must live as long (profile_load takes
// care of that by unpacking into the arena). Failures: ERR_MALFORMED with the byte, ERR_LIMIT,
// ERR_UNRECOGNIZED; the texts follow google/pprof's. Will not: read files or sockets, symbolize,
// filter, print.
#pragma once

#include "base/base.h"

#include "profile/build.h"
#include "profile/codec.h"
#include "profile/merge.h"
#include "profile/model.h"
#include "profile/prune.h"
#include "profile/units.h"
#include "profile/walk.h"
