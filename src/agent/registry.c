// agent/registry.c - where `pprof ps` finds the processes that serve.
// Room: see agent/registry.h.
#include "agent/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FOLDER_CAP = 1024 };

static struct {
    char path[FOLDER_CAP + 32]; // of this process's file, "" when there is none
    _Atomic bool is_over;       // the process ends: a file just written goes again
    time_t started;
} registry;

// The folder, made if need be. False: it is not ours alone, so nothing may be written there.
static bool make_folder(char *ret) {
    const char *run = getenv("XDG_RUNTIME_DIR");
    struct stat st;
    if (!run || run[0] != '/') run = "/tmp";
    int len = snprintf(ret, FOLDER_CAP, "%s/pprof-%u", run, (unsigned)geteuid());
    if (len >= FOLDER_CAP) return false;
    if (mkdir(ret, 0700) && errno != EEXIST) return false;
    return lstat(ret, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
           (st.st_mode & 077) == 0;
}

// The program's file name, in one line.
static void program_name(char *ret, size_t cap) {
    ssize_t len = readlink("/proc/self/exe", ret, cap - 1);
    ret[len > 0 ? len : 0] = 0;
    for (char *p = ret; *p; p++)
        if (*p == '\n') *p = '?';
}

// Writes beside the file and renames, so that a reader never sees half of one.
static bool write_file(const char *folder, const char *text, size_t len) {
    char part[FOLDER_CAP + 32];
    snprintf(part, sizeof part, "%s/.%d", folder, (int)getpid());
    unlink(part);
    AUTO_CLOSE int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    snprintf(registry.path, sizeof registry.path, "%s/%d", folder, (int)getpid());
    bool is_written = write(fd, text, len) == (ssize_t)len && rename(part, registry.path) == 0;
    if (is_written && atomic_load(&registry.is_over)) unlink(registry.path);
    if (is_written) return true;
    unlink(part);
    registry.path[0] = 0;
    return false;
}

void registry_write(const char *address, const char *state) {
    char folder[FOLDER_CAP], program[PATH_MAX], text[PATH_MAX + 2048];
    if (!make_folder(folder)) return;
    if (!registry.started) registry.started = time(NULL);
    program_name(program, sizeof program);
    int len = snprintf(text, sizeof text, "address=%s\nprogram=%s\nstarted=%lld\nparent=%d\n",
                       address, program, (long long)registry.started, (int)getppid());
    if (state[0]) len += snprintf(text + len, sizeof text - (size_t)len, "state=%s\n", state);
    write_file(folder, text, (size_t)len);
}

void registry_remove(void) {
    if (registry.path[0]) unlink(registry.path);
    registry.path[0] = 0;
}

void registry_end(void) {
    atomic_store(&registry.is_over, true);
    if (registry.path[0]) unlink(registry.path);
}

void registry_after_fork_child(void) {
    memset(&registry, 0, sizeof registry);
}
