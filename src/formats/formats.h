// formats/formats.h - files of any kind to a profile.
//
// The idea: bytes from a file or a server are unpacked, tried as profile.proto, then as each legacy
// form in the order of formats.def; the first that recognizes them wins. One file a format; a
// format that sees bytes of another says ERR_UNRECOGNIZED, and then the next is asked.
//
// Words: a legacy form is one of the files gperftools, old Go and Java runtimes wrote before
// profile.proto existed. Lifetimes: the profile lives in out; strings of a plain (not compressed)
// profile.proto point into bytes, which must live as long. Failures: google/pprof's sentences, see
// formats_load. Will not: read files or sockets, symbolize, merge.
#pragma once

#include "base/base.h"

#include "profile/profile.h"

struct formats_opts {
    struct unpack_opts unpack;
    // Finds callers in stacks that were recorded as registers and bytes; NULL: only their innermost
    // frames are kept.
    const struct stack_walker *walker;
};

// Unpacks bytes, finds out what they are, decodes and checks them.
// Fails: "decompressing profile: ..." (ERR_MALFORMED, ERR_LIMIT past opts->unpack.max_bytes);
// "parsing profile: unrecognized profile format" (ERR_UNRECOGNIZED), "parsing profile: empty input
// file", "parsing profile: concatenated profiles detected", "parsing profile: ..." with a legacy
// form's own sentence; "malformed profile: ..." when profile_check refuses (ERR_INCONSISTENT). opts
// may be NULL. Source: reference/pprof.md section 3.
MUST_USE bool formats_load(struct arena *out, str bytes, const struct formats_opts *opts,
                           struct profile *ret, struct err *err);
