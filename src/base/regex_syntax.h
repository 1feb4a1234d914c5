// base/regex_syntax.h - RE2 syntax to PCRE2 syntax; private to base/regex*.c.
// Room: the one call between the translator and the compiler. Door: base/regex.h.
#pragma once

#include "base/types.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

// Writes pattern, checked as Go's regexp/syntax checks it, as a PCRE2 pattern to *to.
// *ret_is_literal: the pattern has no operator at all, so that searching the text is enough.
// Fails: ERR_USAGE "error parsing regexp: CODE: `PART`".
MUST_USE bool regex_translate(str pattern, struct buf *to, bool *ret_is_literal, struct err *err);

// Go's sentence for one kind of mistake.
bool regex_fail(struct err *err, const char *code, str part);

// A character class: s starts at '['. Writes it and gives what follows in *rest.
MUST_USE bool regex_class(str s, struct buf *to, str *rest, struct err *err);
// A one-character escape: s starts at the backslash.
MUST_USE bool regex_escape(str s, u32 *ret, str *rest, struct err *err);
// \d \D \s \S \w \W: writes the class (in_class: without brackets); false when s is none of them.
bool regex_perl_class(str s, bool in_class, struct buf *to, str *rest);
// \pL \p{Greek} \P{^Han}: *matched false when s is none.
MUST_USE bool regex_unicode_class(str s, struct buf *to, bool *matched, str *rest, struct err *err);
// One code point off the front of s; invalid bytes fail as Go's "invalid UTF-8".
MUST_USE bool regex_rune(str s, u32 *ret, str *rest, struct err *err);
// A code point as PCRE2 literal, valid inside and outside classes.
void regex_put_rune(struct buf *to, u32 rune);
