// view/path.c - source paths cleaned and trimmed.
// Room: text of paths; no file is looked at. Door: view/view.h.
// Source: reference/pprof.md section 5.7.
#include "view/view.h"

// path behind the first "/basename(dir)/" it contains; false when it has none.
static bool cut_at_dir(str path, str dir, str *ret) {
    str base = str_basename(dir);
    for (size_t i = 0; i + base.len + 2 <= path.len; i++) {
        bool is_at = path.p[i] == '/' && path.p[i + 1 + base.len] == '/' &&
                     str_eq(str_take(str_skip(path, i + 1), base.len), base);
        if (!is_at) continue;
        *ret = str_skip(path, i + base.len + 2);
        return true;
    }
    return false;
}

static bool cut_prefix(str path, str prefix, str *ret) {
    str bare = str_drop_suffix(prefix, S("/"));
    if (!str_starts(path, bare) || path.len <= bare.len || path.p[bare.len] != '/') return false;
    *ret = str_skip(path, bare.len + 1);
    return true;
}

str path_trim(str path, str trim_path, str source_path) {
    str dir, rest = source_path, cut;
    bool more = trim_path.len == 0 && source_path.len > 0;
    while (more) {
        more = str_cut(rest, ':', &dir, &rest);
        if (cut_at_dir(path, dir, &cut)) return cut;
    }
    rest = trim_path;
    more = trim_path.len > 0;
    while (more) {
        more = str_cut(rest, ':', &dir, &rest);
        if (cut_prefix(path, dir, &cut)) return cut;
    }
    if (cut_prefix(path, S("/proc/self/cwd/./"), &cut)) return cut;
    if (cut_prefix(path, S("/proc/self/cwd/"), &cut)) return cut;
    return path;
}

static bool is_clean(str path) {
    if (path.len > 1 && path.p[path.len - 1] == '/') return false;
    for (size_t i = 0; i < path.len; i++) {
        if (path.p[i] != '.' && path.p[i] != '/') continue;
        bool starts = i == 0 || path.p[i - 1] == '/';
        if (starts && !(i == 0 && path.p[0] == '/')) return false;
    }
    return path.len > 0;
}

struct parts {
    str *items;
    u32 n;
    bool is_rooted;
};

static void add_part(struct parts *parts, str part) {
    if (part.len == 0 || str_eq(part, S("."))) return;
    bool goes_up = str_eq(part, S(".."));
    bool has_dir = parts->n > 0 && !str_eq(parts->items[parts->n - 1], S(".."));
    if (goes_up && has_dir) {
        parts->n--;
    } else if (!goes_up || !parts->is_rooted) {
        parts->items[parts->n++] = part;
    }
}

str path_clean(struct arena *out, str path) {
    if (is_clean(path)) return path;
    if (path.len == 0) return S(".");
    u32 n = 2;
    for (size_t i = 0; i < path.len; i++) n += path.p[i] == '/';
    struct parts parts = {.items = NEW(out, str, n), .is_rooted = path.p[0] == '/'};
    str part, rest = path;
    bool more = true;
    while (more) {
        more = str_cut(rest, '/', &part, &rest);
        add_part(&parts, part);
    }
    str joined = str_join(out, parts.items, parts.n, S("/"));
    if (!parts.is_rooted) return joined.len ? joined : S(".");
    str rooted[] = {S("/"), joined};
    return str_join(out, rooted, 2, S(""));
}
