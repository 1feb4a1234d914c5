// driver/run.c - "pprof run": start a program with libpprof loaded into it.
// Room: finding the library and setting the environment. Door: driver/driver.h.
#include "driver/driver.h"
#include "driver/flags.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    EXIT_NOT_EXECUTABLE = 126, // as shells and env(1)
    EXIT_NOT_FOUND = 127,
    MAX_PATH_BYTES = 4096,
    MAX_HEADER_BYTES = 4096, // the program headers of every linker's output are in the first page
};

struct run_flags {
    str http, children;
};

static void show_usage(const struct ui *ui) {
    ui_text(ui,
            S("usage: pprof run [-http ADDR] [-children none|fork|exec|all] -- program args...\n"
              "  Runs the program with libpprof loaded: it answers /debug/pprof/ at ADDR\n"
              "  (host:port, unix:/path; localhost:6060 if not given).\n"
              "  -children says which child processes are profiled too.\n"));
}

// The folder pprof itself lies in; empty when /proc does not tell.
static str own_folder(struct arena *out) {
    char path[MAX_PATH_BYTES];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    if (n <= 0 || (size_t)n == sizeof path) return S("");
    str self = {path, (size_t)n};
    return str_copy(out, str_take(self, (size_t)str_rfind_byte(self, '/')));
}

static bool find_library(struct arena *out, str *ret, struct err *err) {
    // Installed, installed on Debian, beside the binary, and in a build folder.
    static const str places[] = {
        S("/../lib/libpprof.so"), S("/../lib/x86_64-linux-gnu/libpprof.so"),
        S("/../lib/aarch64-linux-gnu/libpprof.so"), S("/libpprof.so"), S("/src/agent/libpprof.so")};
    const char *mine = getenv("PPROF_LIBRARY");
    if (mine && *mine) {
        char *full = realpath(mine, NULL);
        if (!full) return err_sys(err, "PPROF_LIBRARY: %s", mine);
        *ret = str_copy(out, str_of(full));
        free(full);
        return true;
    }
    str folder = own_folder(out);
    for (size_t i = 0; i < countof(places); i++) {
        str parts[] = {folder, places[i]};
        char *full = realpath(str_z(out, str_join(out, parts, 2, S(""))), NULL);
        if (!full) continue;
        *ret = str_copy(out, str_of(full));
        free(full);
        return true;
    }
    return err_set(err, ERR_NOT_FOUND, 0,
                   "libpprof.so is not beside pprof; say where it is with PPROF_LIBRARY");
}

// Ours goes first, so that its hooks are the ones the program finds; others stay.
static bool set_environment(struct arena *out, str library, const struct run_flags *flags,
                            struct err *err) {
    if (str_find_byte(library, ':') >= 0 || str_find_byte(library, ' ') >= 0)
        return err_set(err, ERR_UNSUPPORTED, 0,
                       "the loader cannot preload a path with blanks or colons: " S_FMT,
                       S_ARG(library));
    const char *others = getenv("LD_PRELOAD");
    str parts[] = {library, str_of(others)};
    size_t n = others && *others ? 2 : 1;
    setenv("LD_PRELOAD", str_z(out, str_join(out, parts, n, S(":"))), 1);
    setenv("PPROF_HTTP", str_z(out, flags->http), 1);
    if (flags->children.len) setenv("PPROF_CHILDREN", str_z(out, flags->children), 1);
    return true;
}

// The file execvp would run; NULL: none.
static const char *find_program(struct arena *out, const char *name) {
    if (strchr(name, '/')) return name;
    str path = str_of(getenv("PATH")), folder;
    while (path.len) {
        str_cut(path, ':', &folder, &path);
        str parts[] = {folder.len ? folder : S("."), str_of(name)};
        const char *z = str_z(out, str_join(out, parts, 2, S("/")));
        if (access(z, X_OK) == 0) return z;
    }
    return NULL;
}

static bool has_interpreter(const char *header, size_t len) {
    Elf64_Ehdr elf;
    memcpy(&elf, header, sizeof elf);
    for (size_t i = 0; i < elf.e_phnum; i++) {
        Elf64_Phdr segment;
        size_t at = elf.e_phoff + i * sizeof segment;
        if (at > len || len - at < sizeof segment) return true; // not in the first page: assume it
        memcpy(&segment, header + at, sizeof segment);
        if (segment.p_type == PT_INTERP) return true;
    }
    return false;
}

// Programs into which the loader puts nothing run on, unprofiled: that is worth a sentence.
static void warn_unloadable(const struct ui *ui, const char *program) {
    char header[MAX_HEADER_BYTES] = {0};
    struct stat st;
    AUTO_CLOSE int fd = open(program, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) return;
    ssize_t n = read(fd, header, sizeof header);
    if (n < (ssize_t)sizeof(Elf64_Ehdr) || memcmp(header, ELFMAG, SELFMAG) != 0) return;
    if (header[EI_CLASS] != ELFCLASS64)
        ui_error(ui, "%s is a 32-bit program: libpprof cannot be loaded into it", program);
    else if (!has_interpreter(header, (size_t)n))
        ui_error(ui, "%s is linked statically: libpprof cannot be loaded into it", program);
    else if (st.st_mode & (S_ISUID | S_ISGID) && geteuid() != st.st_uid)
        ui_error(ui, "%s changes its user: the loader will not load libpprof into it", program);
}

static bool read_flags(struct arena *out, int argc, char *const *argv, struct run_flags *flags,
                       int *at, struct err *err) {
    static const struct flag rows[] = {
#define RUN_FLAG(name, help) {S(#name), FLAG_STR, offsetof(struct run_flags, name)},
#define CHILDREN(...)
#include "driver/run.def"
#undef RUN_FLAG
#undef CHILDREN
    };
    static const str modes[] = {
#define RUN_FLAG(...)
#define CHILDREN(mode, help) S(#mode),
#include "driver/run.def"
#undef RUN_FLAG
#undef CHILDREN
    };
    struct flag_table table = {rows, countof(rows)};
    *flags = (struct run_flags){.http = S("localhost:6060")};
    enum flags_end end = flags_parse(out, &table, flags, argc, argv, at, err);
    if (end == FLAGS_HELP) return err_set(err, ERR_USAGE, 0, "pprof run starts a program");
    if (end != FLAGS_OK) return false;
    if (*at >= argc) return err_set(err, ERR_USAGE, 0, "no program to run");
    if (!flags->children.len) return true;
    for (size_t i = 0; i < countof(modes); i++)
        if (str_eq(modes[i], flags->children)) return true;
    return err_set(err, ERR_USAGE, 0, "-children is none, fork, exec or all, not \"" S_FMT "\"",
                   S_ARG(flags->children));
}

int driver_run(int argc, char *const *argv, const struct driver_pages *pages, const struct ui *ui) {
    (void)pages;
    AUTO_ARENA struct arena arena = {0};
    struct run_flags flags;
    struct err err = {0};
    str library;
    int at = 1;
    if (!read_flags(&arena, argc, argv, &flags, &at, &err)) {
        ui_say(ui, "pprof run: %s", err.text);
        show_usage(ui);
        return EXIT_ERROR;
    }
    const char *program = find_program(&arena, argv[at]);
    if (!program) {
        ui_say(ui, "pprof run: %s: not found", argv[at]);
        return EXIT_NOT_FOUND;
    }
    if (!find_library(&arena, &library, &err) || !set_environment(&arena, library, &flags, &err)) {
        ui_say(ui, "pprof run: %s", err.text);
        return EXIT_ERROR;
    }
    warn_unloadable(ui, program);
    execv(program, argv + at);
    int code = errno;
    ui_say(ui, "pprof run: %s: %s", program, strerror(code));
    return code == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}
