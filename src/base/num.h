// base/num.h - numbers as text, exactly as Go's fmt and strconv write and read them, whatever the
// locale. Room: formatting and parsing of single numbers; units and percentages are the profile's
// (profile/units). Door: base/base.h.
#pragma once

#include "base/types.h"

#include "base/str.h"

struct buf;

// Go's %.{digits}f: "0.50", "-1.20", "NaN", "+Inf" ("+Inf" as Go, not "inf").
void num_fixed(struct buf *b, double x, int digits);
// Go's %.{digits}g (digits > 0), or the shortest form that reads back the same (digits < 0), as %v
// and strconv's 'g' with precision -1 write it: exponents have two digits at least (1e+06, 1e-05)
// and begin below 1e-4 and at 1e6.
void num_general(struct buf *b, double x, int digits);
void num_i64(struct buf *b, i64 x);
void num_u64(struct buf *b, u64 x);
// Lower-case hexadecimal without prefix, at least width digits (zero filled).
void num_hex(struct buf *b, u64 x, int width);
// Go's %q of s: double quotes, \n \t \" \\ \xNN \u00e9 escapes as strconv.Quote writes them.
void num_quote(struct buf *b, str s);

// strconv.ParseInt(s, base, 64); base 0 takes 0x, 0o, 0b, a leading 0 and underscores as Go
// literals do.
MUST_USE bool num_parse_i64(str s, int base, i64 *ret);
MUST_USE bool num_parse_u64(str s, int base, u64 *ret);
// strconv.ParseFloat(s, 64): decimal and 0x floats, inf, infinity, nan in any case; no white space.
MUST_USE bool num_parse_f64(str s, double *ret);
