// profile/codec.h - profile.proto to tables and back; compressed bytes to plain and back.
// Room: wire format, compression, the checks of google/pprof's CheckValid. Door: profile/profile.h.
#pragma once

#include "profile/model.h"

struct unpack_opts {
    u64 max_bytes; // refuse to unpack more than this; 0: UNPACK_MAX_BYTES
    // The caller gives the bytes away: pages of them go back to the system once they are unpacked
    // or decoded. (Afterwards they hold zeros, or the file again where they are a mapped file.)
    bool is_given;
};

// 1 GiB: the largest profile anybody reported to google/pprof was 300 MB, and unpacking may hold it
// twice for a moment; pprof's -max_megabytes raises it.
#define UNPACK_MAX_BYTES ((u64)1 << 30)

// Unpacks gzip (several members), zstd or plain bytes (returned as they are, borrowed) by their
// magic. Fails: ERR_MALFORMED "decompressing profile: ..."; ERR_LIMIT past max_bytes.
MUST_USE bool profile_unpack(struct arena *out, str bytes, const struct unpack_opts *opts, str *ret,
                             struct err *err);

// Decodes one plain profile.proto message into *ret (tables in out, strings borrowed from bytes)
// and checks it as profile_check does. Values keep file order: values[sample_i * n_types + type_i].
// Equal texts get one string id. Unknown fields are skipped. Source: profile.proto,
// reference/pprof.md section 3.1. Fails: ERR_MALFORMED (err->at = byte offset; it may be another
// format), ERR_INCONSISTENT (profile_check's sentences), ERR_UNSUPPORTED ("empty input file",
// "concatenated profiles detected"), ERR_LIMIT (a table of more than 2^32-2 entries).
MUST_USE bool profile_decode(struct arena *out, str bytes, struct profile *ret, struct err *err);

// The same for bytes the caller gives away: as decoding proceeds, their pages go back to the system
// where no string lies in them, so that bytes and tables are never both whole in memory. On failure
// bytes may hold zeros.
MUST_USE bool profile_decode_owned(struct arena *out, str bytes, struct profile *ret,
                                   struct err *err);

// For profiles made otherwise: the checks of google/pprof (reference/pprof.md section 4), one
// sentence each: ERR_INCONSISTENT.
MUST_USE bool profile_check(const struct profile *p, struct err *err);

// The plain wire form, field order and string table order as google/pprof's writer
// (reference/pprof.md section 4).
MUST_USE bool profile_encode(struct arena *out, const struct profile *p, str *ret, struct err *err);
// gzip'd bytes of any text; level 1 (fast) to 12, 0 meaning 6.
MUST_USE bool gzip_pack(struct arena *out, str plain, int level, str *ret, struct err *err);
