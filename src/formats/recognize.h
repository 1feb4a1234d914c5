// formats/recognize.h - the decoders of formats.def, one a file.
// Room: their declarations, made from the table. Door: formats/formats.h.
#pragma once

#include "profile/profile.h"

// Decodes plain bytes of this format into *ret. bytes: borrowed for the call only.
// walker: finds callers in recorded stacks; NULL: they are cut.
// Fails: ERR_UNRECOGNIZED when they are of another format, ERR_MALFORMED, ERR_LIMIT.
#define FORMAT(name, words)                                                                        \
    MUST_USE bool name##_decode(struct arena *out, str bytes, struct profile *ret, struct err *err);
#define FORMAT_WALKED(name, words)                                                                 \
    MUST_USE bool name##_decode(struct arena *out, str bytes, const struct stack_walker *walker,   \
                                struct profile *ret, struct err *err);
#include "formats/formats.def"
#undef FORMAT
#undef FORMAT_WALKED
