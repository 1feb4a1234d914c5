// driver/viewer.c - programs that show a report.
// Room: see viewer.h. Door: driver/driver.h. Source: reference/pprof.md sections 1.5 and 2.1.
#include "driver/viewer.h"

#include "driver/files.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MAX_WORDS = 16, // of a viewer's command line: BROWSER holds a program and a few flags
    SETTLE_S = 1, // a viewer may be a wrapper that hands the file on and leaves: let it read first
};

const str *viewer_browsers(struct arena *out, size_t *n) {
    static const str usual[] = {S("chrome"), S("google-chrome"), S("chromium"), S("firefox"),
                                S("sensible-browser")};
    const char *mine = getenv("BROWSER"), *display = getenv("DISPLAY");
    str *list = NEW(out, str, countof(usual) + 2);
    *n = 0;
    if (mine && *mine) list[(*n)++] = str_of(mine);
    for (size_t i = 0; i < countof(usual); i++) list[(*n)++] = usual[i];
    if (display && *display) list[(*n)++] = S("xdg-open");
    return list;
}

bool viewer_start(struct arena *scratch, str program, str arg, int *ret_pid) {
    extern char **environ;
    char *argv[MAX_WORDS + 2];
    size_t n = 0;
    str word;
    while (program.len && n < MAX_WORDS) {
        str_cut(program, ' ', &word, &program);
        if (word.len) argv[n++] = str_z(scratch, word);
    }
    if (!n) return false;
    argv[n++] = str_z(scratch, arg);
    argv[n] = NULL;
    return posix_spawnp(ret_pid, argv[0], NULL, NULL, argv, environ) == 0;
}

static bool write_temporary(struct arena *scratch, str bytes, str suffix, struct shown_files *shown,
                            str *path, struct err *err) {
    str parts[] = {S("."), suffix};
    int fd;
    if (!file_create_numbered(scratch, folder_temporary(), S("pprof"),
                              str_join(scratch, parts, 2, S("")), path, &fd, err))
        return false;
    AUTO_CLOSE int closing = fd;
    if (shown->n < MAX_SHOWN_FILES) shown->paths[shown->n++] = str_copy(shown->arena, *path);
    return file_write(closing, bytes, err);
}

bool viewer_show(struct arena *scratch, str bytes, const struct command *command,
                 const struct ui *ui, struct shown_files *shown, struct err *err) {
    str path;
    if (!write_temporary(scratch, bytes, command->suffix, shown, &path, err)) return false;
    size_t n = 1;
    const str *programs = &command->viewer;
    bool is_browser = str_eq(command->viewer, S("browser"));
    if (is_browser) programs = viewer_browsers(scratch, &n);
    for (size_t i = 0; i < n; i++) {
        int pid, status;
        if (!viewer_start(scratch, programs[i], path, &pid)) continue;
        sleep(SETTLE_S);
        if (ui->is_shell) return true;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        return true;
    }
    if (is_browser)
        return err_set(err, ERR_NOT_FOUND, 0,
                       "no browser found to show the report (set BROWSER, or write it with "
                       "-output)");
    return err_set(err, ERR_NOT_FOUND, 0, "exec: \"" S_FMT "\": executable file not found in $PATH",
                   S_ARG(command->viewer));
}
