// driver/load.c - bytes from files, pipes and standard input, and profiles from bytes.
// Room: see load.h. Door: driver/driver.h.
#include "driver/load.h"

#include "formats/formats.h"
#include "symbols/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_READ = 64 << 10 }; // of a pipe: its capacity, so that small profiles take one read

// Go writes errno in lower case: "no such file or directory".
static bool err_path(struct err *err, const char *call, str path) {
    char words[128];
    snprintf(words, sizeof words, "%s", strerror(errno));
    if (words[0] >= 'A' && words[0] <= 'Z') words[0] = (char)(words[0] - 'A' + 'a');
    return err_set(err, ERR_SYSTEM, 0, "%s " S_FMT ": %s", call, S_ARG(path), words);
}

static bool err_too_long(struct err *err, u64 max_bytes) {
    return err_set(err, ERR_LIMIT, 0, "longer than %llu MiB (-max_megabytes raises the limit)",
                   (unsigned long long)(max_bytes >> 20));
}

// Reads to the end; size_hint is what fstat said and may be 0 (pipes) or wrong (/proc, growing
// files).
static bool read_all(struct arena *out, int fd, size_t size_hint, str path, u64 max_bytes, str *ret,
                     struct err *err) {
    size_t cap = size_hint ? size_hint + 1 : FIRST_READ, len = 0;
    char *bytes = arena_array(out, cap, 1, 1);
    for (;;) {
        if (len == cap) {
            bytes = arena_grow(out, bytes, cap, cap * 2, 1, 1);
            cap *= 2;
        }
        ssize_t n = read(fd, bytes + len, cap - len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_path(err, "read", path);
        if (n == 0) break;
        len += (size_t)n;
        if (len > max_bytes) return err_too_long(err, max_bytes);
    }
    *ret = (str){bytes, len};
    return true;
}

bool load_bytes(struct arena *out, str path, const struct load_opts *opts, str *ret,
                struct err *err) {
    if (str_eq(path, S("-")))
        return read_all(out, STDIN_FILENO, 0, S("standard input"), opts->max_bytes, ret, err);
    const char *z = str_z(out, path);
    struct stat st;
    if (stat(z, &st) != 0) return err_path(err, "stat", path);
    AUTO_CLOSE int fd = open(z, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return err_path(err, "open", path);
    if (S_ISDIR(st.st_mode)) return errno = EISDIR, err_path(err, "read", path);
    size_t hint = S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size : 0;
    if (hint > opts->max_bytes) return err_too_long(err, opts->max_bytes);
    return read_all(out, fd, hint, path, opts->max_bytes, ret, err);
}

bool load_profile(struct arena *out, str bytes, const struct load_opts *opts, struct profile *ret,
                  struct err *err) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct walker *walker = walker_open(&scratch, opts->binary_path);
    struct stack_walker step = walker_of(walker);
    struct formats_opts o = {.unpack = {.max_bytes = opts->max_bytes, .is_given = true},
                             .walker = &step};
    bool is_loaded = formats_load(out, bytes, &o, ret, err);
    walker_close(walker);
    return is_loaded;
}
