// driver/registry.c - the running programs that answer /debug/pprof/.
// Room: see registry.h. Door: driver/driver.h. Source: docs/agent-files.md.
// Folders in /tmp are anybody's to make: ownership is checked before a name in them is believed.
#include "driver/registry.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAX_ENTRY_BYTES = 8192, // docs/agent-files.md
    MAX_STAT_BYTES = 1024,  // /proc/PID/stat is one line of about 300
    STARTTIME_FIELD = 22,
    MAX_PROC_STAT_BYTES = 1 << 20, // /proc/stat has a line a processor and one of all interrupts
    CLOCK_SLACK_S = 2,             // both times are rounded to seconds
};

bool registry_entry_read(str text, struct running *ret) {
    struct running r = {0};
    str line, name, value;
    while (text.len) {
        str_cut(text, '\n', &line, &text);
        if (!str_cut(line, '=', &name, &value)) continue;
        if (str_eq(name, S("address"))) r.address = value;
        if (str_eq(name, S("program"))) r.program = value;
        if (str_eq(name, S("started")) && !num_parse_i64(value, 10, &r.started_s)) r.started_s = 0;
        if (str_eq(name, S("parent")) && !num_parse_i64(value, 10, &r.parent)) r.parent = 0;
        if (str_eq(name, S("state"))) r.state = value;
    }
    if (!r.address.len && !r.state.len) return false;
    *ret = r;
    return true;
}

static str read_small(struct arena *out, int dir, const char *name, size_t max) {
    AUTO_CLOSE int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    char *bytes = arena_alloc(out, max, 1);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, max);
    return n < 0 ? S("") : (str){bytes, (size_t)n};
}

// When the machine started, in seconds since 1970; 0: not told.
static i64 boot_time(struct arena *scratch) {
    str stat = read_small(scratch, AT_FDCWD, "/proc/stat", MAX_PROC_STAT_BYTES);
    ptrdiff_t at = str_find(stat, S("\nbtime "));
    str text, rest;
    i64 seconds;
    if (at < 0) return 0;
    str_cut(str_skip(stat, (size_t)at + 7), '\n', &text, &rest);
    return num_parse_i64(text, 10, &seconds) ? seconds : 0;
}

// When a process started, in seconds since 1970; 0: not told.
static i64 process_start(struct arena *scratch, int pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    str stat = read_small(scratch, AT_FDCWD, path, MAX_STAT_BYTES), field = S("");
    // The second field is the program's name in parentheses and may hold blanks and parentheses.
    ptrdiff_t end = str_rfind_byte(stat, ')');
    if (end < 0) return 0;
    stat = str_skip(stat, (size_t)end + 2);
    for (int i = 3; i <= STARTTIME_FIELD; i++) str_cut(stat, ' ', &field, &stat);
    i64 ticks, boot = boot_time(scratch);
    return boot && num_parse_i64(field, 10, &ticks) ? boot + ticks / sysconf(_SC_CLK_TCK) : 0;
}

static bool is_alive(struct arena *scratch, int pid, uid_t owner, i64 started_s) {
    char path[64];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%d", pid);
    if (stat(path, &st) != 0 || st.st_uid != owner) return false;
    return !started_s || process_start(scratch, pid) <= started_s + CLOCK_SLACK_S;
}

// A folder of ours to read: of one user, writable by that user only.
static int folder_open(const char *path, uid_t *owner) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd < 0) return -1;
    bool is_ok = fstat(fd, &st) == 0 && !(st.st_mode & 022);
    is_ok = is_ok && (st.st_uid == geteuid() || geteuid() == 0);
    if (is_ok) return *owner = st.st_uid, fd;
    close(fd);
    return -1;
}

static void take_entry(struct arena *out, int dir, const char *name, uid_t owner,
                       struct running_list *ret) {
    i64 pid;
    struct stat st;
    if (!num_parse_i64(str_of(name), 10, &pid) || pid <= 0 || pid > INT32_MAX) return;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (!S_ISREG(st.st_mode) || st.st_uid != owner) return;
    struct running r;
    if (!registry_entry_read(read_small(out, dir, name, MAX_ENTRY_BYTES), &r)) return;
    if (!is_alive(out, (int)pid, owner, r.started_s)) {
        unlinkat(dir, name, 0);
        return;
    }
    r.pid = (int)pid;
    GROW(out, ret->items, ret->cap, ret->n + 1);
    ret->items[ret->n++] = r;
}

static void take_folder(struct arena *out, const char *path, struct running_list *ret) {
    uid_t owner;
    int fd = folder_open(path, &owner);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) return;
    struct dirent *entry;
    while ((entry = readdir(dir))) take_entry(out, dirfd(dir), entry->d_name, owner, ret);
    closedir(dir);
}

// Every pprof-UID in a folder anybody may write: one user's, or for root all.
static void take_users(struct arena *out, const char *parent, struct running_list *ret) {
    char path[4096];
    if (geteuid() != 0) {
        snprintf(path, sizeof path, "%s/pprof-%u", parent, geteuid());
        take_folder(out, path, ret);
        return;
    }
    DIR *dir = opendir(parent);
    if (!dir) return;
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        if (strncmp(entry->d_name, "pprof-", 6) != 0) continue;
        snprintf(path, sizeof path, "%s/%s", parent, entry->d_name);
        take_folder(out, path, ret);
    }
    closedir(dir);
}

static int running_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct running *x = a, *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

static void take_run_user(struct arena *out, struct running_list *ret) {
    char path[64];
    DIR *dir = geteuid() == 0 ? opendir("/run/user") : NULL;
    if (!dir) {
        snprintf(path, sizeof path, "/run/user/%u", geteuid());
        take_users(out, path, ret);
        return;
    }
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/run/user/%.32s", entry->d_name);
        take_users(out, path, ret);
    }
    closedir(dir);
}

void registry_list(struct arena *out, struct running_list *ret) {
    struct running_list all = {0};
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    // A service and a login of one user can differ in XDG_RUNTIME_DIR, so all places are looked at.
    take_users(out, "/tmp", &all);
    take_run_user(out, &all);
    if (runtime && runtime[0] == '/' && strncmp(runtime, "/run/user/", 10) != 0 &&
        strcmp(runtime, "/tmp") != 0)
        take_users(out, runtime, &all);
    sort_stable(out, all.items, all.n, sizeof *all.items, running_order, NULL);
    *ret = all;
}
