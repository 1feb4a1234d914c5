// agent/index.c - the index page.
// Room: one HTML page without assets. Door: agent/index.h. Its table and list follow
// net/http/pprof's page; behind them stand the state of each part and the commands to type.
#include "agent/index.h"

#include "agent/agent.h"
#include "agent/contention.h"
#include "agent/control.h"
#include "agent/cpu.h"
#include "agent/endpoint.h"
#include "agent/files.h"
#include "agent/heap.h"
#include "agent/hot/hot.h"
#include "agent/labels.h"
#include "agent/loop.h"
#include "agent/maps.h"
#include "agent/mmaps.h"
#include "agent/names.h"
#include "agent/text.h"
#include "agent/threadcreate.h"
#include "agent/threads.h"

#include <unistd.h>

enum { PAGE_MAX = 1 << 20 }; // a page has 5 KiB; only a program's arguments could make it long

// What the page lists beside the collectors.
static const struct extra {
    const char *name, *about;
} extras[] = {
    {"cmdline", "The command line invocation of the current program"},
    {"delta_heap", "What was allocated since the last call of delta_heap, and what is in use, as "
                   "godeltaprof has it; delta_ goes before every profile that has seconds="},
    {"symbol", "Looks up the program counters listed in the request (0x1234+0x5678), returning a "
               "table mapping program counters to function names"},
};

static void put_html(struct buf *b, str text) {
    for (size_t i = 0; i < text.len; i++) {
        switch (text.p[i]) {
        case '&':
            buf_put(b, S("&amp;"));
            break;
        case '<':
            buf_put(b, S("&lt;"));
            break;
        case '>':
            buf_put(b, S("&gt;"));
            break;
        case '"':
            buf_put(b, S("&#34;"));
            break;
        case '\'':
            buf_put(b, S("&#39;"));
            break;
        case 0:
            buf_byte(b, ' ');
            break;
        default:
            buf_byte(b, text.p[i]);
        }
    }
}

static void put_count(struct buf *b, u64 count, str name) {
    buf_printf(b, "<tr><td>%llu</td><td><a href='", (unsigned long long)count);
    put_html(b, name);
    buf_put(b, S("?debug=1'>"));
    put_html(b, name);
    buf_put(b, S("</a></td></tr>\n"));
}

static void put_about(struct buf *b, str name, str about) {
    buf_put(b, S("<li><div class=profile-name>"));
    put_html(b, name);
    buf_put(b, S(": </div> "));
    put_html(b, about);
    buf_put(b, S("</li>\n"));
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

static void row_count(struct buf *b, const struct collector *of, const struct extra *extra) {
    put_count(b, of ? collector_count(of) : 0, of ? of->name : str_of(extra->name));
}

static void row_about(struct buf *b, const struct collector *of, const struct extra *extra) {
    put_about(b, of ? of->name : str_of(extra->name), of ? of->about : str_of(extra->about));
}

static void put_state(struct buf *b, const char *part, str state) {
    put_about(b, str_of(part), state.len > 0 ? state : S("works"));
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
    buf_put(b, S("<p>\nHow each part stands:\n<ul>\n"));
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
    put_state(b, "creators", threadcreate_status(out));
    put_state(
        b, "endpoint",
        loop_has_private_fds()
            ? S("works")
            : S("works, with its sockets in the program's own table: the kernel gave it none of "
                "its own, so a program that closes all descriptors cuts it off"));
    put_state(b, "children", str_of(control_children_text()));
    buf_put(b, S("</ul>\n</p>\n"));
}

static void put_command(struct buf *b, const char *command, const char *tail) {
    buf_printf(b, "%s http://", command);
    put_html(b, str_of(endpoint_address()));
    buf_printf(b, "/debug/pprof/%s\n", tail);
}

static void put_commands(struct buf *b) {
    buf_put(b, S("<p>\nIn a terminal:\n<pre>\n"));
    if (str_starts(str_of(endpoint_address()), S("unix:"))) {
        buf_put(b, S("curl -o heap.pb.gz --unix-socket "));
        put_html(b, str_drop_prefix(str_of(endpoint_address()), S("unix:")));
        buf_put(b, S(" http://localhost/debug/pprof/heap\npprof -top heap.pb.gz\n"));
    } else {
        put_command(b, "pprof -top", "profile?seconds=10");
        put_command(b, "pprof -top", "heap");
        put_command(b, "pprof -top -sample_index=alloc_space", "allocs");
        put_command(b, "pprof -top", "mutex?seconds=10\\&amp;fraction=1"); // for a shell
        put_command(b, "pprof -traces", "goroutine");
        put_command(b, "pprof -traces", "threadcreate");
    }
    buf_put(b, S("</pre>\n</p>\n"));
}

struct reply index_page(struct arena *out) {
    struct buf b = buf_new(out, PAGE_MAX);
    buf_put(&b, S("<html>\n<head>\n<title>/debug/pprof/</title>\n<style>\n.profile-name{\n"
                  "\tdisplay:inline-block;\n\twidth:6rem;\n}\n</style>\n</head>\n<body>\n"
                  "/debug/pprof/<br>\n<br>\n<p>"));
    put_html(&b, text_cmdline(out));
    buf_printf(&b,
               " (pid %d)</p>\n<p>Set debug=1 as a query parameter to see a profile as text</p>\n",
               (int)getpid());
    buf_put(&b, S("Types of profiles available:\n<table>\n"
                  "<thead><td>Count</td><td>Profile</td></thead>\n"));
    for_all(&b, row_count);
    buf_put(&b, S("</table>\n<a href=\"goroutine?debug=2\">full thread stack dump</a>\n<br>\n<p>\n"
                  "Profile Descriptions:\n<ul>\n"));
    for_all(&b, row_about);
    buf_put(&b, S("</ul>\n</p>\n"));
    put_states(out, &b);
    put_commands(&b);
    buf_put(&b, S("</body>\n</html>"));
    return (struct reply){
        .status = 200, .content_type = "text/html; charset=utf-8", .body = buf_str(&b)};
}
