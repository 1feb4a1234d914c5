// base/str.h - borrowed slices of bytes, and the questions asked of them.
// Room: looking at text; making new text is buf.h, numbers in text are num.h. Door: base/base.h.
#pragma once

#include "base/types.h"

struct arena;

// Bytes somebody else owns: p may be NULL when len is 0, and no NUL follows. Passed by value.
typedef struct {
    const char *p;
    size_t len;
} str;

// A slice of a string literal; S_FMT and S_ARG print one: printf("x=" S_FMT, S_ARG(s)).
#define S(literal) ((str){"" literal, sizeof(literal) - 1})
#define S_FMT "%.*s"
#define S_ARG(s) (int)(s).len, (s).p ? (s).p : ""

// The slice of a NUL-terminated string; NULL gives the empty slice.
str str_of(const char *z);

bool str_eq(str a, str b);
// Byte-wise order, shorter first on a common prefix: negative, 0 or positive, as Go compares
// strings.
int str_cmp(str a, str b);
bool str_starts(str s, str prefix);
bool str_ends(str s, str suffix);
bool str_contains(str s, str part);
// The index of the first byte c or first part; -1 when absent. str_rfind_byte looks from the end.
ptrdiff_t str_find_byte(str s, char c);
ptrdiff_t str_rfind_byte(str s, char c);
ptrdiff_t str_find(str s, str part);

// s without its first n bytes, or its first n bytes only; n past the end is the whole.
str str_skip(str s, size_t n);
str str_take(str s, size_t n);
// Cuts s at the first sep: *before and *after get the halves. Without sep: false, *before = s,
// *after empty.
bool str_cut(str s, char sep, str *before, str *after);
// s without white space (as Go's unicode.IsSpace sees ASCII) at both ends.
str str_trim(str s);
// s without prefix (or suffix) when it has it, else s.
str str_drop_prefix(str s, str prefix);
str str_drop_suffix(str s, str suffix);
// The part after the last '/', as filepath.Base: "" gives ".", "/" gives "/", trailing slashes are
// ignored.
str str_basename(str path);

// Copies: a slice in the arena, and one with a terminating NUL (cut at a NUL inside s).
str str_copy(struct arena *out, str s);
char *str_z(struct arena *out, str s);
// The concatenation of n parts.
str str_join(struct arena *out, const str *parts, size_t n, str sep);

// 64 well mixed bits of the bytes; the same in every run.
u64 str_hash(str s);
