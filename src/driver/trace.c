// driver/trace.c - "pprof trace": execution traces as text, as profiles, for other viewers.
// Room: flags and where the output goes; the bytes come from trace_source.h, reading is
// trace/trace.h, layout render/trace.h. Door: driver/driver.h.
#include "trace/trace.h"
#include "driver/driver.h"
#include "driver/trace_source.h"
#include "render/render.h"

#include <stdio.h>
#include <sys/mman.h>

enum {
    OUT_CHUNK = 64 << 10, // bytes a write
};

// Tables of -top show this many rows unless -n says otherwise.
#define TOP_ROWS 20

struct trace_flags {
    str dump, profile, http;
    bool no_browser, is_top, is_json, is_perfetto;
    i64 n_rows;
};

// One run: what is asked, of which bytes, and where it goes.
struct trace_run {
    struct arena *out;
    const struct trace_flags *flags;
    str source;
    struct trace_input input;
    const struct driver_pages *pages;
    const struct ui *ui;
    struct trace_reader *r;
    struct buf b;
};

static void usage_row(struct buf *b, const char *name, const char *word, const char *help) {
    char flag[64];
    snprintf(flag, sizeof flag, "-%s%s%s", name, *word ? "=" : "", word);
    buf_printf(b, "  %-16s %s\n", flag, help);
}

static void show_usage(const struct ui *ui) {
    AUTO_ARENA struct arena arena = {0};
    struct buf b = buf_new(&arena, 8 << 10);
    buf_put(&b,
            S("usage: pprof trace [-top [-n=N]] source\n"
              "       pprof trace -http=ADDR source\n"
              "       pprof trace -d=MODE source\n"
              "       pprof trace -pprof=TYPE|-json|-perfetto source > file\n"
              "  Reads an execution trace of a Go program, version 1.11 or newer, or of a native\n"
              "  one. source is a file, - or a URL\n"
              "  (http://host:port/debug/pprof/trace?seconds=5).\n"));
#define TRACE_FLAG(type, name, field, word, help) usage_row(&b, #name, word, help);
#define DUMP(name, help) usage_row(&b, "d", #name, help);
#define WAIT(name, help) usage_row(&b, "pprof", #name, help);
#include "driver/trace.def"
#undef TRACE_FLAG
#undef DUMP
#undef WAIT
    ui_text(ui, buf_str(&b));
}

static int fail(const struct ui *ui, const struct err *err) {
    ui_say(ui, "pprof trace: %s", err->text);
    return EXIT_ERROR;
}

static bool to_stdout(void *to, str bytes) {
    return fwrite(bytes.p, 1, bytes.len, to) == bytes.len;
}

static int finish(struct trace_run *run, const struct err *broken) {
    struct err err = {0};
    if (!buf_flush(&run->b) || fflush(stdout) != 0) {
        (void)err_sys(&err, "standard output");
        return fail(run->ui, &err);
    }
    return broken && broken->code ? fail(run->ui, broken) : 0;
}

static bool open_reader(struct trace_run *run, struct err *err) {
    if (!trace_open(run->out, run->input.bytes, &run->r, err)) return false;
    trace_on_generation(run->r, trace_input_behind, &run->input);
    if (trace_is_newer(run->r))
        ui_say(run->ui,
               "pprof trace: this trace is of format go 1.%u, newer than this pprof knows; it is "
               "read as far as it can be",
               trace_version(run->r));
    return true;
}

// Closes the reader. The lost part is said, with the byte, after everything before it was given.
static int finish_reader(struct trace_run *run) {
    const struct err *why = trace_broken(run->r);
    struct err err = {0};
    if (why)
        err_fill(&err, why->code, why->at,
                 "the trace is broken at byte %llu of %zu, what comes before was read: %s",
                 (unsigned long long)why->at, run->input.bytes.len, why->text);
    trace_close(run->r);
    trace_input_behind(&run->input, run->input.bytes.len); // all of it: the progress line goes
    return finish(run, &err);
}

static int show_parsed(struct trace_run *run) {
    AUTO_ARENA struct arena scratch = arena_sub(run->out);
    struct trace_texts texts = {.arena = &scratch};
    struct trace_event ev;
    while (!run->b.is_full && trace_next(run->r, &ev))
        render_trace_event(&run->b, &texts, run->r, &ev);
    return finish_reader(run);
}

static int show_top(struct trace_run *run) {
    struct trace_stats stats;
    struct trace_groups groups;
    i64 n = run->flags->n_rows;
    trace_stats_read(run->out, run->r, &stats);
    trace_groups_build(run->out, &stats, &groups);
    render_trace_top(&run->b, &stats, &groups, n > 0 && n < UINT32_MAX ? (u32)n : TOP_ROWS);
    return finish_reader(run);
}

static int show_json(struct trace_run *run) {
    render_trace_chrome(&run->b, run->r);
    return finish_reader(run);
}

static int show_perfetto(struct trace_run *run) {
    render_trace_perfetto(&run->b, run->r);
    return finish_reader(run);
}

static int show_wire(struct trace_run *run) {
    struct err err = {0};
    struct reader r;
    struct trace_wire w;
    u32 version;
    if (!trace_wire_open(run->input.bytes, &r, &version, &err)) return fail(run->ui, &err);
    while (!run->b.is_full && trace_wire_next(&r, &w, &err)) render_trace_wire(&run->b, &w);
    return finish(run, &err);
}

static int show_footprint(struct trace_run *run) {
    struct err err = {0};
    struct reader r;
    struct trace_footprint f;
    u32 version;
    if (!trace_wire_open(run->input.bytes, &r, &version, &err)) return fail(run->ui, &err);
    bool is_whole = trace_footprint(&r, &f, &err);
    render_trace_footprint(&run->b, &f, run->input.bytes.len);
    return finish(run, is_whole ? NULL : &err);
}

// The words of -pprof, in the order of enum trace_wait.
static const str waits[] = {
#define TRACE_FLAG(...)
#define DUMP(...)
#define WAIT(name, help) S(#name),
#include "driver/trace.def"
#undef TRACE_FLAG
#undef DUMP
#undef WAIT
};

static size_t wait_of(str type) {
    size_t wait = 0;
    while (wait < countof(waits) && !str_eq(waits[wait], type)) wait++;
    return wait;
}

static int show_profile(struct trace_run *run) {
    struct err err = {0};
    struct profile p;
    str plain, packed;
    trace_blocked(run->out, run->r, (enum trace_wait)wait_of(run->flags->profile), NULL, &p);
    if (!profile_encode(run->out, &p, &plain, &err) ||
        !gzip_pack(run->out, plain, 0, &packed, &err)) {
        trace_close(run->r);
        return fail(run->ui, &err);
    }
    buf_put(&run->b, packed);
    return finish_reader(run);
}

static bool record(const struct traced *t, i64 seconds, str *ret, struct err *err) {
    AUTO_ARENA struct arena scratch = {0};
    return trace_input_again(&scratch, t->name, seconds, ret, err);
}

static void forget(str bytes) {
    munmap((void *)(uintptr_t)bytes.p, bytes.len);
}

static int serve(struct trace_run *run) {
    struct err err = {0};
    struct traced t = {.name = run->source,
                       .bytes = run->input.bytes,
                       .address = run->flags->http,
                       .opens_browser = !run->flags->no_browser && run->ui->is_terminal,
                       .record = trace_input_is_url(run->out, run->source) ? record : NULL,
                       .forget = forget};
    if (run->pages) return run->pages->trace(&t, run->ui);
    err_fill(&err, ERR_UNSUPPORTED, 0, "-http: this pprof was built without web pages");
    return fail(run->ui, &err);
}

static bool read_flags(struct arena *out, int argc, char *const *argv, struct trace_flags *flags,
                       str *source, struct err *err) {
    static const struct flag rows[] = {
#define TRACE_FLAG(type, name, field, word, help)                                                  \
    {S(#name), FLAG_##type, offsetof(struct trace_flags, field)},
#define DUMP(...)
#define WAIT(...)
#include "driver/trace.def"
#undef TRACE_FLAG
#undef DUMP
#undef WAIT
    };
    struct flag_table table = {rows, countof(rows)};
    int at = 1;
    enum flags_end end = flags_parse(out, &table, flags, argc, argv, &at, err);
    if (end == FLAGS_HELP) return err_set(err, ERR_USAGE, 0, "reads execution traces");
    if (end != FLAGS_OK) return false;
    if (at + 1 != argc) return err_set(err, ERR_USAGE, 0, "one source is needed");
    int n = (flags->dump.len > 0) + (flags->profile.len > 0) + flags->is_top + flags->is_json +
            flags->is_perfetto + (flags->http.len > 0);
    if (n > 1) return err_set(err, ERR_USAGE, 0, "one form at a time");
    *source = str_of(argv[at]);
    return true;
}

typedef int (*trace_show)(struct trace_run *run);

// What is asked for; *needs_reader: of events, not of records. NULL: a word nobody knows.
static trace_show choose(const struct trace_flags *flags, bool *needs_reader, struct err *err) {
    *needs_reader = flags->http.len == 0; // the pages open one themselves
    if (flags->http.len) return serve;
    if (flags->is_json) return show_json;
    if (flags->is_perfetto) return show_perfetto;
    if (flags->profile.len) {
        if (wait_of(flags->profile) < countof(waits)) return show_profile;
        err_fill(err, ERR_USAGE, 0, "unknown pprof type " S_FMT, S_ARG(flags->profile));
        return NULL;
    }
    if (flags->dump.len == 0) return show_top;
    if (str_eq(flags->dump, S("parsed"))) return show_parsed;
    *needs_reader = false;
    if (str_eq(flags->dump, S("wire"))) return show_wire;
    if (str_eq(flags->dump, S("footprint"))) return show_footprint;
    err_fill(err, ERR_USAGE, 0,
             "invalid debug mode " S_FMT ", want one of: parsed, wire, footprint",
             S_ARG(flags->dump));
    return NULL;
}

int driver_trace(int argc, char *const *argv, const struct driver_pages *pages,
                 const struct ui *ui) {
    AUTO_ARENA struct arena arena = {0};
    struct trace_flags flags = {0};
    struct trace_run run = {.out = &arena, .flags = &flags, .pages = pages, .ui = ui};
    struct err err = {0};
    bool needs_reader;
    if (!read_flags(&arena, argc, argv, &flags, &run.source, &err)) {
        ui_say(ui, "pprof trace: %s", err.text);
        show_usage(ui);
        return EXIT_ERROR;
    }
    trace_show show = choose(&flags, &needs_reader, &err);
    if (!show || !trace_input_open(&arena, run.source, ui, &run.input, &err)) return fail(ui, &err);
    run.b = buf_to_sink(&arena, OUT_CHUNK, to_stdout, stdout);
    bool is_open = !needs_reader || open_reader(&run, &err);
    int status = is_open ? show(&run) : fail(ui, &err);
    trace_input_close(&run.input);
    return status;
}
