// symbols/remote.h - names from the server a profile came from: the text of its symbol service.
// Room: which URL, which question, what the answer means; the request itself is the driver's. Door:
// symbols/symbols.h. Source: reference/pprof.md section 5.4.
#pragma once

#include "base/base.h"

#include "profile/profile.h"

// The symbol service beside the profile at source; empty when source is no URL with a host.
str remote_url(struct arena *out, str source);
// What to POST: "0xA+0xB" of every address of the mapping without lines, offset added; empty: there
// is none. offset is where the source maps the file less where the profile does. Fails: ERR_LIMIT
// when an address would wrap.
MUST_USE bool remote_question(struct arena *out, const struct profile *p, u32 mapping_i, i64 offset,
                              str *ret, struct err *err);
// p with the names of the answer's lines "0xADDRESS NAME"; the mapping counts as having functions.
MUST_USE bool remote_answer(struct arena *out, const struct profile *p, u32 mapping_i, i64 offset,
                            str answer, struct profile *ret, struct err *err);
