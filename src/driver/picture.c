// driver/picture.c - graphs in DOT made pictures by Graphviz.
// Room: see picture.h. Door: driver/driver.h. Source: reference/pprof.md section 2.1 (SVG massage);
// the script is ours.
#include "driver/picture.h"

#include "driver/files.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_PICTURE_BYTES ((size_t)1 << 30) // dot's memory ends before that
enum { READ_BYTES = 64 << 10, MAX_TOLD_BYTES = 512 };

// A file without a name that holds bytes, read from its start.
static int memory_file(str bytes, struct err *err) {
    int fd = memfd_create("pprof", MFD_CLOEXEC);
    if (fd < 0) return err_sys(err, "memfd_create"), -1;
    if (bytes.len && !file_write(fd, bytes, err)) return close(fd), -1;
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static str read_file(struct arena *out, int fd) {
    struct buf b = buf_new(out, MAX_PICTURE_BYTES);
    char bytes[READ_BYTES];
    lseek(fd, 0, SEEK_SET);
    for (;;) {
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return buf_str(&b);
        buf_put(&b, (str){bytes, (size_t)n});
    }
}

static bool run_dot(const char *flag, int in, int to, int told, int *status, struct err *err) {
    extern char **environ;
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, to, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, told, STDERR_FILENO);
    char name[] = "dot", arg[32];
    snprintf(arg, sizeof arg, "%s", flag);
    char *argv[] = {name, arg, NULL};
    pid_t pid;
    int code = posix_spawnp(&pid, "dot", &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    if (code == ENOENT)
        return err_set(err, ERR_NOT_FOUND, 0,
                       "failed to execute dot. Is Graphviz installed? Error: exec: \"dot\": "
                       "executable file not found in $PATH (pages draw graphs without it: -http=:, "
                       "or -flamegraph as one file)");
    if (code) return errno = code, err_sys(err, "failed to execute dot");
    while (waitpid(pid, status, 0) < 0)
        if (errno != EINTR) return err_sys(err, "waiting for dot");
    return true;
}

bool picture_make(struct arena *out, str dot, str format, str *ret, struct err *err) {
    AUTO_CLOSE int in = memory_file(dot, err);
    AUTO_CLOSE int to = memory_file(S(""), err);
    AUTO_CLOSE int told = memory_file(S(""), err);
    if (in < 0 || to < 0 || told < 0) return false;
    char flag[32];
    snprintf(flag, sizeof flag, "-T" S_FMT, S_ARG(format));
    int status;
    if (!run_dot(flag, in, to, told, &status, err)) return false;
    // The original asks "Is Graphviz installed?" here too, when it is (Q34).
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        str why = str_trim(str_take(read_file(out, told), MAX_TOLD_BYTES));
        return err_set(err, ERR_MALFORMED, 0, "dot could not draw the graph: " S_FMT, S_ARG(why));
    }
    *ret = read_file(out, to);
    return true;
}

static const char panning_script[] =
    "<script type=\"text/ecmascript\"><![CDATA[\n"
    "(function () {\n"
    "  var svg = document.documentElement, view, x = 0, y = 0, scale = 0.5, from = null;\n"
    "  function place() {\n"
    "    view = view || document.getElementById('viewport');\n"
    "    view.setAttribute('transform', 'translate(' + x + ',' + y + ') scale(' + scale + ')');\n"
    "  }\n"
    "  svg.addEventListener('wheel', function (e) {\n"
    "    var by = Math.pow(1.2, e.deltaY < 0 ? 1 : -1);\n"
    "    x = e.clientX - (e.clientX - x) * by;\n"
    "    y = e.clientY - (e.clientY - y) * by;\n"
    "    scale *= by;\n"
    "    place();\n"
    "    e.preventDefault();\n"
    "  }, { passive: false });\n"
    "  svg.addEventListener('mousedown', function (e) { from = [e.clientX - x, e.clientY - y]; "
    "});\n"
    "  svg.addEventListener('mousemove', function (e) {\n"
    "    if (!from || !e.buttons) return;\n"
    "    x = e.clientX - from[0];\n"
    "    y = e.clientY - from[1];\n"
    "    place();\n"
    "  });\n"
    "  svg.addEventListener('mouseup', function () { from = null; });\n"
    "})();\n"
    "]]></script>\n"
    "<g id=\"viewport\" transform=\"scale(0.5)\">\n";

// Where the quoted value of an attribute ends, from its name's start; svg.len when it does not.
static size_t attribute_end(str svg, size_t at) {
    ptrdiff_t open = str_find_byte(str_skip(svg, at), '"');
    if (open < 0) return svg.len;
    size_t value = at + (size_t)open + 1;
    ptrdiff_t close = str_find_byte(str_skip(svg, value), '"');
    return close < 0 ? svg.len : value + (size_t)close + 1;
}

str picture_add_panning(struct arena *out, str svg) {
    ptrdiff_t size_at = str_find(svg, S("<svg width=")), box_at = str_find(svg, S("viewBox="));
    ptrdiff_t graph_at = str_find(svg, S("<g id=\"graph")), end_at = str_find(svg, S("</svg>"));
    if (size_at < 0 || box_at < size_at || graph_at < box_at || end_at < graph_at) return svg;
    size_t box_end = attribute_end(svg, (size_t)box_at);
    if (box_end > (size_t)graph_at) return svg;
    str parts[] = {
        str_take(svg, (size_t)size_at),
        S("<svg width=\"100%\" height=\"100%\""),
        str_skip(str_take(svg, (size_t)graph_at), box_end),
        str_of(panning_script),
        str_skip(str_take(svg, (size_t)end_at), (size_t)graph_at),
        S("</g>\n"),
        str_skip(svg, (size_t)end_at),
    };
    return str_join(out, parts, countof(parts), S(""));
}
