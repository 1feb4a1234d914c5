// driver/trace_source.c - see trace_source.h.
// Room: mapping, spooling and giving back. Door: trace_input_open().
#include "driver/trace_source.h"

#include "driver/fetch.h"
#include "driver/files.h"
#include "driver/load.h"
#include "driver/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SPOOL_CHUNK = 1 << 20,
    PROGRESS_LEAST = 200 << 20, // bytes; smaller traces are read in a second
};

// Anything longer came from a pipe by mistake.
#define MAX_TRACE_BYTES ((u64)64 << 30)

struct spool {
    int fd;
    u64 n;
    struct err err;
};

static bool spool_put(void *to, str bytes) {
    struct spool *s = to;
    if (bytes.len > MAX_TRACE_BYTES - s->n)
        return err_set(&s->err, ERR_LIMIT, 0, "the trace is longer than %llu GiB",
                       (unsigned long long)(MAX_TRACE_BYTES >> 30));
    s->n += bytes.len;
    return file_write(s->fd, bytes, &s->err);
}

// A file without a name, so that it ends with the process however that ends.
static int spool_open(struct arena *out, struct err *err) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    str dir = folder_temporary();
    int fd = open(str_z(&scratch, dir), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) return fd;
    str parts[] = {dir, S("/pprof.trace.XXXXXX")}; // file systems without O_TMPFILE
    char *path = str_z(&scratch, str_join(&scratch, parts, countof(parts), S("")));
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        (void)err_sys(err, "a temporary file in " S_FMT, S_ARG(dir));
        return -1;
    }
    unlink(path);
    return fd;
}

static bool map_fd(int fd, u64 n, struct trace_input *ret, struct err *err) {
    if (n == 0) return true; // an empty trace is told by its reader
    void *map = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) return err_sys(err, "mapping the trace");
    ret->map = map;
    ret->bytes = (str){map, n};
    return true;
}

static bool spool_fd(struct arena *out, int from, str name, struct spool *s, struct err *err) {
    char *chunk = NEW(out, char, SPOOL_CHUNK);
    for (;;) {
        ssize_t n = read(from, chunk, SPOOL_CHUNK);
        if (n == 0) return true;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_sys(err, "read " S_FMT, S_ARG(name));
        if (!spool_put(s, (str){chunk, (size_t)n})) {
            *err = s->err;
            return false;
        }
    }
}

static bool spool_url(struct arena *out, const struct source_url *url, struct spool *s,
                      struct err *err) {
    struct fetch_job job = {.url = url, .out = out, .sink = spool_put, .sink_to = s};
    struct fetch_opts opts = {.max_bytes = MAX_TRACE_BYTES};
    if (!fetch_all(&job, 1, &opts, err)) return false;
    if (job.is_done) return true;
    *err = s->err.code ? s->err : job.err;
    return false;
}

static bool open_spooled(struct arena *out, int from, str word, const struct source_url *url,
                         struct trace_input *ret, struct err *err) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct spool s = {.fd = spool_open(&scratch, err)};
    if (s.fd < 0) return false;
    bool is_ok = url ? spool_url(&scratch, url, &s, err) : spool_fd(&scratch, from, word, &s, err);
    is_ok = is_ok && map_fd(s.fd, s.n, ret, err);
    close(s.fd);
    return is_ok;
}

bool trace_input_open(struct arena *out, str word, const struct ui *ui, struct trace_input *ret,
                      struct err *err) {
    struct source_url url;
    struct stat st;
    *ret = (struct trace_input){.ui = ui, .tells_progress = isatty(STDERR_FILENO) == 1};
    if (str_eq(word, S("-"))) return open_spooled(out, STDIN_FILENO, word, NULL, ret, err);
    char *path = str_z(out, word);
    bool is_file = access(path, F_OK) == 0;
    if (!is_file && source_url_parse(out, word, (struct source_time){0}, &url))
        return open_spooled(out, -1, word, &url, ret, err);
    struct load_opts none = {0};
    if (!is_file) return load_bytes(out, word, &none, &ret->bytes, err); // which says so as always
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) return err_sys(err, "open %s", path);
    if (S_ISREG(st.st_mode)) return map_fd(fd, (u64)st.st_size, ret, err);
    return open_spooled(out, fd, word, NULL, ret, err);
}

bool trace_input_is_url(struct arena *out, str word) {
    struct source_url url;
    return !str_eq(word, S("-")) && access(str_z(out, word), F_OK) != 0 &&
           source_url_parse(out, word, (struct source_time){0}, &url);
}

bool trace_input_again(struct arena *out, str word, i64 seconds, str *ret, struct err *err) {
    struct source_url url;
    struct trace_input input = {0};
    if (!source_url_parse(out, word, (struct source_time){.seconds = seconds}, &url))
        return err_set(err, ERR_USAGE, 0, "no URL: " S_FMT, S_ARG(word));
    if (!open_spooled(out, -1, word, &url, &input, err)) return false;
    if (!input.map) return err_set(err, ERR_MALFORMED, 0, "the answer is empty");
    *ret = input.bytes;
    return true;
}

void trace_input_close(struct trace_input *input) {
    if (input->map) munmap(input->map, input->bytes.len);
    input->map = NULL;
}

void trace_input_behind(void *to, u64 at) {
    struct trace_input *input = to;
    u64 page = (u64)sysconf(_SC_PAGESIZE), end = at / page * page;
    if (input->map && end > input->n_released) {
        madvise((char *)input->map + input->n_released, end - input->n_released, MADV_DONTNEED);
        input->n_released = end;
    }
    if (input->tells_progress && input->bytes.len >= PROGRESS_LEAST)
        ui_progress(input->ui, "pprof trace", (double)at / (double)input->bytes.len);
}
