// driver/complete.h - what the word being typed may become.
// Room: candidates for the end of a line; showing them is terminal.c. Door: driver/driver.h.
// Source: reference/pprof.md section 2.24; listing several candidates is ours.
#pragma once

#include "base/base.h"
#include "profile/profile.h"

struct completion {
    size_t word_at;        // the byte of the line where the word begins that candidates replace
    const str *candidates; // in order; a function name is written as the expression that matches it
    size_t n;
};

// line: what stands left of the cursor. Commands and options come by prefix, functions by any part
// of their name.
void complete_line(struct arena *out, const struct profile *p, str line, struct completion *ret);
// The longest beginning all candidates share.
str completion_prefix(const struct completion *c);
