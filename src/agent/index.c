// agent/index.c - the index page.
// Room: one HTML page without assets or script, in the look of pprof's own pages
// (ui/common/common.css). Door: agent/index.h. Its table lists what net/http/pprof's page lists,
// and the command that opens each; behind it stands the state of each part.
#include "agent/index.h"

#include "agent/agent.h"
#include "agent/contention.h"
#include "agent/control.h"
#include "agent/cpu.h"
#include "agent/deadlocks.h"
#include "agent/endpoint.h"
#include "agent/files.h"
#include "agent/heap.h"
#include "agent/hot/hot.h"
#include "agent/labels.h"
#include "agent/loop.h"
#include "agent/maps.h"
#include "agent/mmaps.h"
#include "agent/names.h"
#include "agent/offcpu.h"
#include "agent/text.h"
#include "agent/threadcreate.h"
#include "agent/threads.h"
#include "agent/trace.h"

#include <unistd.h>

enum { PAGE_MAX = 1 << 20 }; // a page has 5 KiB; only a program's arguments could make it long

// What the page lists beside the collectors.
static const struct extra {
    const char *name, *about;
} extras[] = {
    {"cmdline", "The command line invocation of the current program"},
    {"delta_heap", "What was allocated since the last call of delta_heap, and what is in use, as "
                   "godeltaprof has it; delta_ goes before every profile that has seconds="},
    {"flightrecorder",
     "The execution trace of the last seconds, where PPROF_FLIGHT_RECORDER=10s,16MiB "
     "keeps it"},
    {"symbol", "Looks up the program counters listed in the request (0x1234+0x5678), returning a "
               "table mapping program counters to function names"},
    {"trace", "A trace of execution of the current program. You can specify the duration in the "
              "seconds GET parameter. After you get the trace file, use pprof trace (or go tool "
              "trace) to investigate it"},
};

static bool is_unix(void) {
    return str_starts(str_of(endpoint_address()), S("unix:"));
}

// What opens a profile in a browser; a socket file is fetched by curl first (put_unix).
static void put_command(struct buf *b, str name) {
    bool is_trace = str_eq(name, S("trace"));
    if (is_unix()) {
        buf_put(b, is_trace ? S("pprof trace trace.out") : S("pprof -http=: "));
        if (!is_trace) buf_html(b, name), buf_put(b, S(".pb.gz"));
        return;
    }
    // Locks are not watched until they are asked about.
    str tail = str_eq(name, S("mutex"))   ? S("?seconds=10&fraction=1")
               : str_eq(name, S("block")) ? S("?seconds=10&rate=1")
                                          : S("");
    buf_put(b, is_trace ? S("pprof trace -http=: ") : S("pprof -http=: "));
    if (tail.len > 0) buf_byte(b, '\'');
    buf_put(b, S("http://"));
    buf_html(b, str_of(endpoint_address()));
    buf_put(b, S("/debug/pprof/"));
    buf_html(b, name);
    buf_html(b, tail);
    if (tail.len > 0) buf_byte(b, '\'');
}

static void put_row(struct buf *b, u64 count, str name, str about, bool is_profile) {
    buf_printf(b, "<tr><td class=n>%llu</td><td><a href='", (unsigned long long)count);
    buf_html(b, name);
    buf_put(b, S("?debug=1'>"));
    buf_html(b, name);
    buf_put(b, S("</a></td><td>"));
    buf_html(b, about);
    if (is_profile) {
        buf_put(b, S("<br><code>"));
        put_command(b, name);
        buf_put(b, S("</code>"));
    }
    buf_put(b, S("</td></tr>\n"));
}

// Calls f for the collectors and the extras together, by name.
static void for_all(struct buf *b, void (*f)(struct buf *b, const struct collector *of,
                                             const struct extra *extra)) {
    const struct collector *of = collector_at(0);
    u32 i = 0, k = 0;
    while (of || k < countof(extras)) {
        bool is_extra =
            !of || (k < countof(extras) && str_cmp(str_of(extras[k].name), of->name) < 0);
        f(b, is_extra ? NULL : of, is_extra ? &extras[k] : NULL);
        if (is_extra)
            k++;
        else
            of = collector_at(++i);
    }
}

static void row_of(struct buf *b, const struct collector *of, const struct extra *extra) {
    if (of)
        put_row(b, collector_count(of), of->name, of->about, true);
    else
        put_row(b, 0, str_of(extra->name), str_of(extra->about), false);
}

static void put_deadlocks(struct arena *out, struct buf *b) {
    str text = deadlocks_now(out);
    if (!text.len) return;
    buf_put(b, S("<p><strong>"));
    buf_html(b, text);
    buf_put(b, S("</strong></p>\n"));
}

static void put_state(struct buf *b, const char *part, str state) {
    bool is_well = state.len == 0 || str_eq(state, S("works"));
    buf_printf(b, "<tr><td>%s</td><td%s>", part, is_well ? "" : " class=part");
    buf_html(b, is_well ? S("works") : state);
    buf_put(b, S("</td></tr>\n"));
}

static str names_state(struct arena *out) {
    struct image_map images = images_read(out);
    struct buf b = buf_new(out, PAGE_MAX);
    if (!images.program) return S("the loader lists no program");
    name_at_address(out, images.program, images.program->start, NULL);
    const char *source = names_source(images.program);
    if (str_eq(str_of(source), S("symtab"))) return S("works");
    buf_printf(&b, "only in part: " S_FMT " has %s; what has no name is shown by its address",
               S_ARG(str_basename(str_of(images.program->path))),
               str_eq(str_of(source), S("dynsym"))
                   ? "no .symtab, and .dynsym names exported functions only"
                   : "neither .symtab nor .dynsym");
    return buf_str(&b);
}

static str fibers_state(struct arena *out) {
    struct buf b = buf_new(out, 256);
    buf_printf(&b, "%u stacks are registered (pprof_stack_register)", fibers_count());
    if (fibers_lost()) buf_printf(&b, "; %u found no room", fibers_lost());
    return buf_str(&b);
}

static void put_states(struct arena *out, struct buf *b) {
    const char *heap = heap_status();
    buf_put(b, S("<h2>How each part stands</h2>\n<table>\n"));
    put_state(b, "CPU", cpu_status(out));
    put_state(b, "heap", heap ? str_of(heap) : S("works"));
    put_state(b, "fibers", fibers_state(out));
    put_state(b, "labels", labels_status(out));
    put_state(b, "mmap", mmaps_status(out));
    put_state(b, "files", files_status(out));
    put_state(b, "mutex", contention_status(out, CONTENTION_MUTEX));
    put_state(b, "block", contention_status(out, CONTENTION_BLOCK));
    put_state(b, "names", names_state(out));
    put_state(b, "threads", threads_status(out));
    put_state(b, "wall", threads_status(out));
    put_state(b, "offcpu", offcpu_status(out));
    put_state(b, "trace", trace_status(out));
    put_state(b, "creators", threadcreate_status(out));
    put_state(
        b, "endpoint",
        loop_has_private_fds()
            ? S("works")
            : S("works, with its sockets in the program's own table: the kernel gave it none of "
                "its own, so a program that closes all descriptors cuts it off"));
    put_state(b, "children", str_of(control_children_text()));
    buf_put(b, S("</table>\n"));
}

static void put_unix(struct buf *b) {
    buf_put(b, S("<p>Over this socket: <code>curl -o heap.pb.gz --unix-socket "));
    buf_html(b, str_drop_prefix(str_of(endpoint_address()), S("unix:")));
    buf_put(b, S(" http://localhost/debug/pprof/heap</code></p>\n"));
}

static const char style[] =
    ":root{color-scheme:light dark;--bg:#fff;--bg2:#f5f6f8;--line:#d3d8df;--fg:#14171a;"
    "--fg2:#4a525c;--accent:#0b5cad;--part:#8a4b00}"
    "@media(prefers-color-scheme:dark){:root{--bg:#15181c;--bg2:#1b1f25;--line:#363d47;"
    "--fg:#eceff3;--fg2:#b0b8c3;--accent:#7db7f5;--part:#f0b26b}}"
    "body{margin:24px auto;max-width:960px;padding:0 16px;background:var(--bg);color:var(--fg);"
    "font:14px/1.5 system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}"
    "h1{font-size:20px;margin:0 0 4px}h2{font-size:15px;margin:24px 0 6px}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;vertical-align:top;padding:5px 14px 5px 0;border-bottom:1px solid "
    "var(--line)}.n{text-align:right;font-variant-numeric:tabular-nums}a{color:var(--accent)}"
    "code{font:12px ui-monospace,Menlo,'DejaVu Sans Mono',monospace;background:var(--bg2);"
    "padding:1px 6px;border-radius:4px;overflow-wrap:anywhere;user-select:all}"
    "p{margin:4px 0;color:var(--fg2);overflow-wrap:anywhere}.part{color:var(--part)}";

struct reply index_page(struct arena *out) {
    struct buf b = buf_new(out, PAGE_MAX);
    buf_put(&b, S("<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
                  "<meta name=viewport content='width=device-width,initial-scale=1'>\n"
                  "<title>/debug/pprof/</title>\n<style>"));
    buf_put(&b, str_of(style));
    buf_put(&b, S("</style>\n</head>\n<body>\n<main>\n<h1>/debug/pprof/</h1>\n<p><code>"));
    buf_html(&b, text_cmdline(out));
    buf_printf(&b, "</code> (pid %d)</p>\n", (int)getpid());
    put_deadlocks(out, &b);
    buf_put(&b, S("<h2>Types of profiles available</h2>\n<p>A name shows the profile as text "
                  "(debug=1); the command beside it opens it in a browser: flame graph, graph, "
                  "source.</p>\n<table>\n<thead><tr><th class=n>Count</th><th>Profile</th>"
                  "<th>What it is</th></tr></thead>\n"));
    for_all(&b, row_of);
    buf_put(&b, S("</table>\n<p><a href=\"goroutine?debug=2\">full thread stack dump</a></p>\n"));
    if (is_unix()) put_unix(&b);
    put_states(out, &b);
    buf_put(&b, S("</main>\n</body>\n</html>"));
    return (struct reply){
        .status = 200, .content_type = "text/html; charset=utf-8", .body = buf_str(&b)};
}
