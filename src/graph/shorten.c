// graph/shorten.c - function names short enough for a box.
// Room: the Go, Java and C++ rules; escaping is the renderer's. Door: graph/graph.h.
// Source: reference/pprof.md section 2.8; the rules were regular expressions there and are read by
// hand here, as each is anchored and its parts cannot be confused.
#include "graph/graph.h"

static bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
static bool is_word(char c) {
    return is_lower(c) || is_upper(c) || is_digit(c) || c == '_';
}

// The end of the run of word characters (and of also, 0: none) from i on.
static size_t word_end(str s, size_t i, char also) {
    while (i < s.len && (is_word(s.p[i]) || (also && s.p[i] == also))) i++;
    return i;
}

// "/v2" up to "/v999..." followed by '.' or '/': a Go major version, cut out once.
static str drop_version(struct arena *out, str s) {
    for (size_t i = 0; i + 3 < s.len; i++) {
        if (s.p[i] != '/' || s.p[i + 1] != 'v') continue;
        size_t end = i + 2;
        while (end < s.len && is_digit(s.p[end])) end++;
        size_t n = end - (i + 2);
        bool is_version = n >= 1 && s.p[i + 2] != '0' && (n > 1 || s.p[i + 2] != '1');
        if (!is_version || end == s.len || (s.p[end] != '.' && s.p[end] != '/')) continue;
        str parts[] = {str_take(s, i), str_skip(s, end)};
        return str_join(out, parts, 2, S(""));
    }
    return s;
}

// From the last path element on that has a dot behind something: "net/http.(*conn).serve".
static bool shorten_go(str s, str *ret) {
    bool found = false;
    size_t start = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (c != '/') {
            if (!is_word(c) && c != '-' && c != '.') break;
            continue;
        }
        if (i == start) break; // an empty element
        start = i + 1;
        str rest = str_skip(s, start);
        ptrdiff_t dot = str_find_byte(rest, '.');
        if (dot < 1 || (size_t)dot + 1 >= rest.len) continue;
        *ret = rest;
        found = true;
    }
    return found;
}

// "java.util.List.add(int)" gives "List.add".
static bool shorten_java(str s, str *ret) {
    size_t at = 0;
    while (at < s.len && is_lower(s.p[at])) {
        size_t end = word_end(s, at, 0);
        if (end == s.len || s.p[end] != '.') return false;
        at = end + 1;
    }
    if (at == s.len || !is_upper(s.p[at])) return false;
    size_t method = word_end(s, at, '$');
    if (method == s.len || s.p[method] != '.') return false;
    method++;
    size_t end;
    if (str_starts(str_skip(s, method), S("<init>"))) {
        end = method + 6;
    } else {
        if (method == s.len || !is_lower(s.p[method])) return false;
        end = word_end(s, method, '$');
    }
    if (end < s.len && s.p[end] != '(') return false;
    *ret = str_take(str_skip(s, at), end - at);
    return true;
}

static bool is_class_name(str s) {
    size_t i = 0;
    while (i < s.len && s.p[i] == '_') i++;
    return i < s.len && is_upper(s.p[i]);
}

static bool starts_word(str s, size_t i) {
    return i < s.len && is_word(s.p[i]) && !is_digit(s.p[i]);
}

// Whether a "Class::method" starts at at; *end gets where it ends.
static bool class_method(str s, size_t at, size_t *end) {
    size_t i = word_end(s, at, 0);
    if (!is_class_name(str_take(str_skip(s, at), i - at)) || !str_starts(str_skip(s, i), S("::")))
        return false;
    i += 2;
    if (i < s.len && s.p[i] == '~') i++;
    if (!starts_word(s, i)) return false;
    i = word_end(s, i, 0);
    if (i < s.len && s.p[i] == '<') {
        ptrdiff_t close = str_rfind_byte(s, '>');
        if (close > (ptrdiff_t)i) i = (size_t)close + 1;
    }
    *end = i;
    return true;
}

// "space::Class::method(int)" gives "Class::method"; the innermost class that fits.
static bool shorten_cpp(str s, str *ret) {
    size_t at = 0;
    bool found = false;
    while (starts_word(s, at)) {
        size_t end = word_end(s, at, 0);
        if (!str_starts(str_skip(s, end), S("::"))) break;
        at = end + 2;
        if (!class_method(s, at, &end)) continue;
        *ret = str_take(str_skip(s, at), end - at);
        found = true;
    }
    return found;
}

str name_shorten(struct arena *out, str name) {
    name = drop_version(out, str_drop_prefix(name, S("(anonymous namespace)::")));
    str ret;
    if (shorten_go(name, &ret) || shorten_java(name, &ret) || shorten_cpp(name, &ret)) return ret;
    return name;
}
