// report/source.c - source files by the names a profile gives them.
// Room: see source.h. Door: report/report.h. Source: reference/pprof.md section 5.7.
#include "report/source.h"

#include "report/gosource.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAX_SOURCE_BYTES = 256 << 20, // generated files reach tens of megabytes; more is no source
    MAX_ERROR = PATH_MAX + 256,   // bytes of a sentence about one file
};

void source_reader_init(struct source_reader *r, struct arena *out, str search_path,
                        str trim_path) {
    *r = (struct source_reader){.arena = out, .search_path = search_path, .trim_path = trim_path};
    strmap_init(&r->by_path, out);
    char here[PATH_MAX];
    if (search_path.len == 0 && getcwd(here, sizeof here))
        r->search_path = str_copy(out, str_of(here));
}

static bool read_all(struct arena *out, int fd, str *ret) {
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size > MAX_SOURCE_BYTES) return false;
    size_t cap = (size_t)st.st_size, len = 0;
    char *p = arena_alloc(out, cap, 1);
    while (len < cap) {
        ssize_t n = read(fd, p + len, cap - len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        len += (size_t)n;
    }
    *ret = (str){p, len};
    return true;
}

static void cut_lines(struct arena *out, str text, struct source_file *f) {
    u32 n = 1;
    for (size_t i = 0; i < text.len; i++) n += text.p[i] == '\n';
    f->lines = NEW(out, str, n);
    struct reader r = reader_of(text);
    while (reader_line(&r, &f->lines[f->n_lines])) f->n_lines++;
}

static bool open_at(struct source_reader *r, str path, struct source_file *f) {
    AUTO_CLOSE int fd = open(str_z(r->arena, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    f->is_found = true;
    str text = {0};
    // What opens and cannot be read (a folder) has no lines, and nobody is told, as in the
    // reference.
    if (read_all(r->arena, fd, &text)) cut_lines(r->arena, text, f);
    return true;
}

static str join_path(struct arena *out, str dir, str path) {
    str parts[] = {dir, path};
    return path_clean(out, str_join(out, parts, 2, S("/")));
}

static str parent_of(str dir) {
    ptrdiff_t slash = str_rfind_byte(dir, '/');
    if (slash < 0) return S(".");
    return slash == 0 ? S("/") : str_take(dir, (size_t)slash);
}

// dir/path, then the same below every folder above dir.
static bool open_below(struct source_reader *r, str dir, str path, struct source_file *f) {
    for (;;) {
        if (open_at(r, join_path(r->arena, dir, path), f)) return true;
        str parent = parent_of(dir);
        if (str_eq(parent, dir)) return false;
        dir = parent;
    }
}

static void tell_open_error(struct source_reader *r, str path, int code, struct source_file *f) {
    struct buf b = buf_new(r->arena, MAX_ERROR);
    char words[128];
    const char *text = strerror_r(code, words, sizeof words);
    buf_printf(&b, "open " S_FMT ": %c%s", S_ARG(path), text[0] | 32, text + 1);
    f->error = buf_str(&b);
}

// Beyond the reference, which knows nothing of Go's folders.
static bool open_go(struct source_reader *r, str path, struct source_file *f) {
    str names[GO_SOURCE_NAMES];
    u32 n = go_source_names(r->arena, path, r->search_path, names);
    for (u32 i = 0; i < n; i++) {
        if (open_at(r, names[i], f)) return true;
    }
    return false;
}

static void read_file(struct source_reader *r, struct source_file *f) {
    str path = path_trim(f->path, r->trim_path, r->search_path);
    if (str_starts(path, S("/"))) {
        if (open_at(r, path, f)) return;
        int code = errno;
        if (!open_go(r, path, f)) tell_open_error(r, path, code, f);
        return;
    }
    str dir, rest = r->search_path;
    bool more = true;
    while (more) {
        more = str_cut(rest, ':', &dir, &rest);
        if (open_below(r, dir, path, f)) return;
    }
    if (open_go(r, path, f)) return;
    struct buf b = buf_new(r->arena, MAX_ERROR);
    buf_printf(&b, "could not find file " S_FMT " on path " S_FMT, S_ARG(path),
               S_ARG(r->search_path));
    f->error = buf_str(&b);
}

const struct source_file *source_reader_file(struct source_reader *r, str path) {
    u32 *at = strmap_at(&r->by_path, path);
    if (*at != U32_NONE) return r->files[*at];
    GROW(r->arena, r->files, r->cap, r->n + 1);
    struct source_file *f = NEW(r->arena, struct source_file, 1);
    f->path = path;
    read_file(r, f);
    r->files[r->n] = f;
    *at = r->n++;
    return f;
}

const struct source_file *source_reader_known(const struct source_reader *r, str path) {
    u32 i = strmap_get(&r->by_path, path);
    return i == U32_NONE ? NULL : r->files[i];
}
