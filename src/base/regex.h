// base/regex.h - RE2-like regular expressions over PCRE2.
// Room: compile, match, translate syntax; which text is matched is the caller's. Door: base/base.h.
// Not linked into libpprof: only programs that call it pull PCRE2 in.
#pragma once

#include "base/types.h"

#include "base/err.h"
#include "base/str.h"

struct arena;
struct regex; // compiled, immutable, shareable between threads

// Compiles an unanchored, case-sensitive expression in RE2 syntax (Go's regexp/syntax, Perl flags).
// Fails: ERR_USAGE with Go's words ("error parsing regexp: missing closing ): `a(b`").
// The result is freed by regex_done, or lives as long as the process.
MUST_USE bool regex_compile(struct arena *out, str pattern, struct regex **ret, struct err *err);
void regex_done(struct regex *re);
// Whether the expression matches anywhere in text. A match that passes PCRE2's match limit counts
// as no match.
bool regex_match(const struct regex *re, str text);
