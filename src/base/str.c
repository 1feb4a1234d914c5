// base/str.c - the questions asked of borrowed slices.
// Room: see str.h. Door: base/base.h.
#include "base/str.h"

#include "base/arena.h"

#include <string.h>

str str_of(const char *z) {
    return (str){z, z ? strlen(z) : 0};
}

bool str_eq(str a, str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

int str_cmp(str a, str b) {
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    if (order != 0) return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool str_starts(str s, str prefix) {
    return s.len >= prefix.len && str_eq(str_take(s, prefix.len), prefix);
}

bool str_ends(str s, str suffix) {
    return s.len >= suffix.len && str_eq(str_skip(s, s.len - suffix.len), suffix);
}

bool str_contains(str s, str part) {
    return str_find(s, part) >= 0;
}

ptrdiff_t str_find_byte(str s, char c) {
    const char *at = s.len ? memchr(s.p, c, s.len) : NULL;
    return at ? at - s.p : -1;
}

ptrdiff_t str_rfind_byte(str s, char c) {
    const char *at = s.len ? memrchr(s.p, c, s.len) : NULL;
    return at ? at - s.p : -1;
}

ptrdiff_t str_find(str s, str part) {
    if (part.len == 0) return 0;
    const char *at = s.len ? memmem(s.p, s.len, part.p, part.len) : NULL;
    return at ? at - s.p : -1;
}

str str_skip(str s, size_t n) {
    if (n > s.len) n = s.len;
    return n ? (str){s.p + n, s.len - n} : s;
}

str str_take(str s, size_t n) {
    return (str){s.p, n < s.len ? n : s.len};
}

bool str_cut(str s, char sep, str *before, str *after) {
    ptrdiff_t at = str_find_byte(s, sep);
    *before = at < 0 ? s : str_take(s, (size_t)at);
    *after = at < 0 ? (str){0} : str_skip(s, (size_t)at + 1);
    return at >= 0;
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

str str_trim(str s) {
    while (s.len && is_space(s.p[0])) s = str_skip(s, 1);
    while (s.len && is_space(s.p[s.len - 1])) s.len--;
    return s;
}

str str_drop_prefix(str s, str prefix) {
    return str_starts(s, prefix) ? str_skip(s, prefix.len) : s;
}

str str_drop_suffix(str s, str suffix) {
    return str_ends(s, suffix) ? str_take(s, s.len - suffix.len) : s;
}

str str_basename(str path) {
    if (path.len == 0) return S(".");
    while (path.len > 0 && path.p[path.len - 1] == '/') path.len--;
    if (path.len == 0) return S("/");
    return str_skip(path, (size_t)(str_rfind_byte(path, '/') + 1));
}

str str_copy(struct arena *out, str s) {
    if (s.len == 0) return (str){0};
    char *copy = arena_alloc(out, s.len, 1);
    memcpy(copy, s.p, s.len);
    return (str){copy, s.len};
}

char *str_z(struct arena *out, str s) {
    char *copy = arena_alloc(out, s.len + 1, 1);
    if (s.len) memcpy(copy, s.p, s.len);
    return copy;
}

str str_join(struct arena *out, const str *parts, size_t n, str sep) {
    size_t len = n ? (n - 1) * sep.len : 0;
    for (size_t i = 0; i < n; i++) len += parts[i].len;
    char *text = arena_alloc(out, len, 1);
    char *at = text;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && sep.len) at = (char *)memcpy(at, sep.p, sep.len) + sep.len;
        if (parts[i].len) at = (char *)memcpy(at, parts[i].p, parts[i].len) + parts[i].len;
    }
    return (str){text, len};
}

// Eight bytes a step: multiply-and-fold, the mixing step of wyhash's family; names are short, so
// the tail matters most.
u64 str_hash(str s) {
    const u64 k = 0x9e3779b97f4a7c15u; // 2^64 / golden ratio: odd and without pattern
    u64 h = k ^ (s.len * k);
    const char *p = s.p;
    size_t left = s.len;
    for (; left >= 8; left -= 8, p += 8) {
        u64 word;
        memcpy(&word, p, 8);
        __uint128_t product = (__uint128_t)(h ^ word) * k;
        h = (u64)product ^ (u64)(product >> 64);
    }
    if (left > 0) {
        u64 word = 0;
        memcpy(&word, p, left);
        __uint128_t product = (__uint128_t)(h ^ word) * k;
        h = (u64)product ^ (u64)(product >> 64);
    }
    return h ^ (h >> 29);
}
