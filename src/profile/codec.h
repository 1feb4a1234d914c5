// profile/codec.h - profile.proto to tables and back; compressed bytes to plain and back.
// Room: wire format, compression, the checks of google/pprof's CheckValid. Door: profile/profile.h.
#pragma once

#include "profile/model.h"

struct unpack_opts {
    u64 max_bytes; // refuse to unpack more than this; 0: UNPACK_MAX_BYTES
};

// 4 GiB: the largest profile anybody reported to google/pprof was 300 MB; a flag raises it.
#define UNPACK_MAX_BYTES ((u64)4 << 30)

// Unpacks gzip (several members), zstd or plain bytes (returned as they are, borrowed) by their
// magic. Fails: ERR_MALFORMED "decompressing profile: ..."; ERR_LIMIT past max_bytes.
MUST_USE bool profile_unpack(struct arena *out, str bytes, const struct unpack_opts *opts, str *ret,
                             struct err *err);

// Decodes one plain profile.proto message into *ret (tables in out, strings borrowed from bytes).
// Values keep file order: values[sample_i * n_types + type_i]. Unknown fields are skipped; fields
// of a wrong wire type, indices out of range and a second time_nanos ("concatenated profiles
// detected") fail. Fails: ERR_MALFORMED (err->at = byte offset), ERR_LIMIT (more than 2^32-2
// entries).
MUST_USE bool profile_decode(struct arena *out, str bytes, struct profile *ret, struct err *err);

// The checks of google/pprof (reference/pprof.md section 4), one sentence each.
MUST_USE bool profile_check(const struct profile *p, struct err *err);

// The plain wire form, field order and string table order as google/pprof's writer
// (reference/pprof.md section 4).
MUST_USE bool profile_encode(struct arena *out, const struct profile *p, str *ret, struct err *err);
// gzip'd bytes of any text; level 1 (fast) to 12, 0 meaning 6.
MUST_USE bool gzip_pack(struct arena *out, str plain, int level, str *ret, struct err *err);
