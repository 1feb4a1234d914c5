// driver/trace.c - "pprof trace": execution traces as text and as profiles.
// Room: flags, the bytes of the source and where the output goes; reading is trace/trace.h, layout
// render/trace.h. Door: driver/driver.h.
#include "trace/trace.h"
#include "driver/driver.h"
#include "driver/load.h"
#include "driver/source.h"
#include "render/render.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    OUT_CHUNK = 64 << 10, // bytes a write
};

// A trace is mapped or held once; anything longer than this came from a pipe by mistake.
#define MAX_TRACE_BYTES ((u64)16 << 30)

struct trace_flags {
    str dump, profile, http;
    bool no_browser;
};

struct trace_input {
    str bytes;
    void *map; // NULL: bytes lie in the arena
};

static void show_usage(const struct ui *ui) {
    ui_text(ui, S("usage: pprof trace -http=[host]:[port] source\n"
                  "       pprof trace -d=MODE source\n"
                  "       pprof trace -pprof=TYPE source > file\n"
                  "  Reads an execution trace of a Go program, version 1.22 or newer. source is a\n"
                  "  file, - or a URL (http://host:port/debug/pprof/trace?seconds=5).\n"
                  "  -http      serves a timeline and tables; -no_browser opens no browser\n"
                  "  -d=parsed  one event a line, in order, with stacks\n"
                  "  -d=wire    the records as they stand in the file\n"
                  "  -pprof=net|sync|syscall|sched  a profile of what goroutines waited for\n"));
}

static int fail(const struct ui *ui, const struct err *err) {
    ui_say(ui, "pprof trace: %s", err->text);
    return EXIT_ERROR;
}

static bool to_stdout(void *to, str bytes) {
    return fwrite(bytes.p, 1, bytes.len, to) == bytes.len;
}

static struct buf out_buf(struct arena *arena) {
    return buf_to_sink(arena, OUT_CHUNK, to_stdout, stdout);
}

static int finish(const struct ui *ui, struct buf *b, const struct err *broken) {
    struct err err = {0};
    if (!buf_flush(b) || fflush(stdout) != 0) {
        (void)err_sys(&err, "standard output");
        return fail(ui, &err);
    }
    return broken ? fail(ui, broken) : 0;
}

// The lost part is said, with the byte, after everything before it was given.
static void tell_version(const struct ui *ui, const struct trace_reader *r) {
    if (trace_is_newer(r))
        ui_say(ui,
               "pprof trace: this trace is of format go 1.%u, newer than this pprof knows; it is "
               "read as far as it can be",
               trace_version(r));
}

static struct err broken_at(const struct trace_reader *r, size_t n_bytes) {
    const struct err *why = trace_broken(r);
    struct err err = {0};
    if (why)
        err_fill(&err, why->code, why->at,
                 "the trace is broken at byte %llu of %zu, what comes before was read: %s",
                 (unsigned long long)why->at, n_bytes, why->text);
    return err;
}

static int dump_parsed(struct arena *out, str bytes, const struct ui *ui) {
    struct err err = {0};
    struct trace_reader *r;
    struct trace_event ev;
    if (!trace_open(out, bytes, &r, &err)) return fail(ui, &err);
    tell_version(ui, r);
    struct buf b = out_buf(out);
    while (!b.is_full && trace_next(r, &ev)) render_trace_event(&b, r, &ev);
    err = broken_at(r, bytes.len);
    trace_close(r);
    return finish(ui, &b, err.code ? &err : NULL);
}

static int dump_wire(struct arena *out, str bytes, const struct ui *ui) {
    struct err err = {0};
    struct reader r;
    struct trace_wire w;
    u32 version;
    if (!trace_wire_open(bytes, &r, &version, &err)) return fail(ui, &err);
    struct buf b = out_buf(out);
    while (!b.is_full && trace_wire_next(&r, &w, &err)) render_trace_wire(&b, &w);
    return finish(ui, &b, err.code ? &err : NULL);
}

// The words of -pprof, in the order of enum trace_wait.
static const str waits[] = {S("net"), S("sync"), S("syscall"), S("sched")};

static int write_profile(struct arena *out, str type, str bytes, const struct ui *ui) {
    struct err err = {0};
    struct trace_reader *r;
    struct profile p;
    str plain, packed;
    size_t wait = 0;
    while (wait < countof(waits) && !str_eq(waits[wait], type)) wait++;
    if (wait == countof(waits)) {
        err_fill(&err, ERR_USAGE, 0, "unknown pprof type " S_FMT, S_ARG(type));
        return fail(ui, &err);
    }
    if (!trace_open(out, bytes, &r, &err)) return fail(ui, &err);
    tell_version(ui, r);
    trace_blocked(out, r, (enum trace_wait)wait, &p);
    struct err broken = broken_at(r, bytes.len);
    trace_close(r);
    if (!profile_encode(out, &p, &plain, &err) || !gzip_pack(out, plain, 0, &packed, &err))
        return fail(ui, &err);
    struct buf b = out_buf(out);
    buf_put(&b, packed);
    return finish(ui, &b, broken.code ? &broken : NULL);
}

static int trace_dump(struct arena *out, str mode, str bytes, const struct ui *ui) {
    struct err err = {0};
    if (str_eq(mode, S("parsed"))) return dump_parsed(out, bytes, ui);
    if (str_eq(mode, S("wire"))) return dump_wire(out, bytes, ui);
    err_fill(&err, ERR_USAGE, 0, "invalid debug mode " S_FMT ", want one of: parsed, wire",
             S_ARG(mode));
    return fail(ui, &err);
}

// A regular file is mapped, so that memory does not grow with it.
static bool map_file(str path, struct trace_input *ret) {
    AUTO_ARENA struct arena scratch = {0};
    struct stat st;
    AUTO_CLOSE int fd = open(str_z(&scratch, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0) return false;
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) return false;
    *ret = (struct trace_input){.map = map, .bytes = {map, (size_t)st.st_size}};
    return true;
}

static bool fetch_trace(struct arena *out, const struct source_url *url, str *ret,
                        struct err *err) {
    struct fetch_job job = {.url = url, .out = out};
    struct fetch_opts opts = {.max_bytes = MAX_TRACE_BYTES};
    if (!fetch_all(&job, 1, &opts, err)) return false;
    if (!job.is_done) {
        *err = job.err;
        return false;
    }
    *ret = job.body;
    return true;
}

static bool read_source(struct arena *out, str word, struct trace_input *ret, struct err *err) {
    struct load_opts opts = {.max_bytes = MAX_TRACE_BYTES};
    struct source_url url;
    *ret = (struct trace_input){0};
    bool is_file = access(str_z(out, word), F_OK) == 0 || str_eq(word, S("-"));
    if (!is_file && source_url_parse(out, word, (struct source_time){0}, &url))
        return fetch_trace(out, &url, &ret->bytes, err);
    if (map_file(word, ret)) return true;
    return load_bytes(out, word, &opts, &ret->bytes, err);
}

static bool read_flags(struct arena *out, int argc, char *const *argv, struct trace_flags *flags,
                       str *source, struct err *err) {
    static const struct flag rows[] = {
        {S("d"), FLAG_STR, offsetof(struct trace_flags, dump)},
        {S("pprof"), FLAG_STR, offsetof(struct trace_flags, profile)},
        {S("http"), FLAG_STR, offsetof(struct trace_flags, http)},
        {S("no_browser"), FLAG_BOOL, offsetof(struct trace_flags, no_browser)},
    };
    struct flag_table table = {rows, countof(rows)};
    int at = 1;
    enum flags_end end = flags_parse(out, &table, flags, argc, argv, &at, err);
    if (end == FLAGS_HELP) return err_set(err, ERR_USAGE, 0, "reads execution traces");
    if (end != FLAGS_OK) return false;
    if (at + 1 != argc) return err_set(err, ERR_USAGE, 0, "one source is needed");
    if ((flags->dump.len > 0) + (flags->profile.len > 0) + (flags->http.len > 0) != 1)
        return err_set(err, ERR_USAGE, 0, "one of -http, -d and -pprof is needed");
    *source = str_of(argv[at]);
    return true;
}

static int serve(const struct trace_flags *flags, str name, str bytes,
                 const struct driver_pages *pages, const struct ui *ui) {
    struct err err = {0};
    struct traced t = {.name = name,
                       .bytes = bytes,
                       .address = flags->http,
                       .opens_browser = !flags->no_browser && ui->is_terminal};
    if (pages) return pages->trace(&t, ui);
    err_fill(&err, ERR_UNSUPPORTED, 0, "-http: this pprof was built without web pages");
    return fail(ui, &err);
}

int driver_trace(int argc, char *const *argv, const struct driver_pages *pages,
                 const struct ui *ui) {
    AUTO_ARENA struct arena arena = {0};
    struct trace_flags flags = {0};
    struct trace_input input;
    struct err err = {0};
    str source;
    if (!read_flags(&arena, argc, argv, &flags, &source, &err)) {
        ui_say(ui, "pprof trace: %s", err.text);
        show_usage(ui);
        return EXIT_ERROR;
    }
    if (!read_source(&arena, source, &input, &err)) return fail(ui, &err);
    int status = flags.http.len   ? serve(&flags, source, input.bytes, pages, ui)
                 : flags.dump.len ? trace_dump(&arena, flags.dump, input.bytes, ui)
                                  : write_profile(&arena, flags.profile, input.bytes, ui);
    if (input.map) munmap(input.map, input.bytes.len);
    return status;
}
