// formats/recognize.h - the decoders of formats.def, one a file.
// Room: their declarations, made from the table. Door: formats/formats.h.
#pragma once

#include "profile/profile.h"

// Decodes plain bytes of this format into *ret. bytes: borrowed for the call only.
// Fails: ERR_UNRECOGNIZED when they are of another format, ERR_MALFORMED, ERR_LIMIT.
#define FORMAT(name, words)                                                                        \
    MUST_USE bool name##_decode(struct arena *out, str bytes, struct profile *ret, struct err *err);
#include "formats/formats.def"
#undef FORMAT
