// report/gosource.c - where Go keeps sources on this machine.
// Room: see gosource.h. Door: go_source_names(). Source: `go help environment`, `go help
// module-private` and golang.org/x/mod/module's escaping of paths, tried with Go 1.26.
#include "report/gosource.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MAX_GO_MOD = 4096, // bytes of go.mod in which its module line is looked for
    MAX_PATH = 4096,
};

struct names {
    struct arena *out;
    str *items;
    u32 n;
};

static void add(struct names *names, str a, str b, str c) {
    str parts[] = {a, b, c};
    if (a.len && names->n < GO_SOURCE_NAMES)
        names->items[names->n++] = str_join(names->out, parts, countof(parts), S(""));
}

static void add_roots(struct names *names, str path) {
    add(names, str_of(getenv("GOROOT")), S("/src/"), path);
    add(names, S("/usr/local/go"), S("/src/"), path);
    add(names, S("/usr/lib/go"), S("/src/"), path);
}

// path: escaped as the module cache's folders are.
static void add_cached(struct names *names, str path) {
    str dir, rest = str_of(getenv("GOPATH"));
    add(names, str_of(getenv("GOMODCACHE")), S("/"), path);
    while (rest.len) {
        str_cut(rest, ':', &dir, &rest);
        add(names, dir, S("/pkg/mod/"), path);
    }
    add(names, str_of(getenv("HOME")), S("/go/pkg/mod/"), path);
}

// Upper-case letters of a module's path and version become "!" and the small letter; those of the
// files in it stay.
static str escape(struct arena *out, str path) {
    ptrdiff_t at = str_find_byte(path, '@');
    struct buf b = buf_new(out, 2 * MAX_PATH);
    bool in_module = true;
    for (size_t i = 0; i < path.len; i++) {
        char c = path.p[i];
        if (c == '/' && (ptrdiff_t)i > at) in_module = false;
        bool is_escaped = in_module && isupper((unsigned char)c);
        if (is_escaped) buf_byte(&b, '!');
        buf_byte(&b, (char)(is_escaped ? tolower((unsigned char)c) : c));
    }
    return buf_str(&b);
}

// "github.com/a/b@v1.2.3/c.go" without its version.
static str without_version(struct arena *out, str path) {
    str module, rest, version, file;
    if (!str_cut(path, '@', &module, &rest) || !str_cut(rest, '/', &version, &file)) return path;
    str parts[] = {module, file};
    return str_join(out, parts, 2, S("/"));
}

// What go.mod in dir calls its module; empty: there is none.
static str module_of(struct arena *out, str dir) {
    str parts[] = {dir, S("/go.mod")}, line, word, name;
    AUTO_CLOSE int fd = open(str_z(out, str_join(out, parts, 2, S(""))), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return (str){0};
    char *text = NEW(out, char, MAX_GO_MOD);
    ssize_t n = read(fd, text, MAX_GO_MOD);
    struct reader r = reader_of((str){text, n > 0 ? (size_t)n : 0});
    while (reader_line(&r, &line)) {
        if (str_cut(str_trim(line), ' ', &word, &name) && str_eq(word, S("module")))
            return str_trim(name);
    }
    return (str){0};
}

// The module that dir lies in: its own files, and those it has vendored.
static void add_module(struct names *names, str dir, str path) {
    ptrdiff_t slash;
    do {
        str module = module_of(names->out, dir);
        if (module.len) {
            bool is_own = str_starts(path, module) && path.len > module.len;
            if (is_own && path.p[module.len] == '/')
                add(names, dir, str_skip(path, module.len), S(""));
            add(names, dir, S("/vendor/"), without_version(names->out, path));
            return;
        }
        slash = str_rfind_byte(dir, '/');
        dir = str_take(dir, slash > 0 ? (size_t)slash : 0);
    } while (dir.len);
}

// What is behind the first place where between stands in path; false: nowhere.
static bool cut_behind(str path, str between, str *ret) {
    for (size_t i = 0; i + between.len <= path.len; i++) {
        if (!str_starts(str_skip(path, i), between)) continue;
        *ret = str_skip(path, i + between.len);
        return true;
    }
    return false;
}

u32 go_source_names(struct arena *out, str path, str search_path, str ret[GO_SOURCE_NAMES]) {
    struct names names = {.out = out, .items = ret};
    str rest, dir;
    if (path.len == 0 || path.len > MAX_PATH || !str_ends(path, S(".go"))) return 0;
    if (path.p[0] == '/') { // built elsewhere
        if (cut_behind(path, S("/pkg/mod/"), &rest)) add_cached(&names, rest);
        // Not every src, and not "/usr/lib/go-1.19/src": its lines are not those of another Go.
        if (cut_behind(path, S("/go/src/"), &rest)) add_roots(&names, rest);
        return names.n;
    }
    while (search_path.len) {
        str_cut(search_path, ':', &dir, &search_path);
        add_module(&names, dir, path);
    }
    if (str_contains(path, S("@")))
        add_cached(&names, escape(out, path));
    else
        add_roots(&names, path);
    return names.n;
}
