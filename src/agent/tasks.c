// agent/tasks.c - the threads of this process, as the kernel lists them.
// Room: /proc/self/task only. Door: agent/tasks.h.
#include "agent/tasks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LIST_CHUNK = 32768 }; // a thousand entries a system call

static bool tid_of_name(const char *name, u32 *ret) {
    u64 tid;
    if (!num_parse_u64(str_of(name), 10, &tid) || tid == 0 || tid > INT32_MAX) return false;
    *ret = (u32)tid;
    return true;
}

bool tasks_list(struct arena *out, u32 **ret, u32 *ret_n, struct err *err) {
    AUTO_CLOSE int fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return err_sys(err, "list threads");
    u32 *tids = NULL, n = 0;
    size_t cap = 0;
    char *chunk = NEW(out, char, LIST_CHUNK);
    for (;;) {
        long got = syscall(SYS_getdents64, fd, chunk, LIST_CHUNK);
        if (got < 0) return err_sys(err, "list threads");
        if (got == 0) break;
        for (long at = 0; at < got;) {
            const struct dirent64 *entry = (const struct dirent64 *)(const void *)(chunk + at);
            at += entry->d_reclen;
            GROW(out, tids, cap, n + 1);
            if (tid_of_name(entry->d_name, &tids[n])) n++;
        }
    }
    *ret = tids;
    *ret_n = n;
    return true;
}

str task_file_read(u32 tid, const char *name, char *buffer, size_t cap) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%u/%s", tid, name);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return S("");
    ssize_t got = read(fd, buffer, cap);
    str text = {buffer, got > 0 ? (size_t)got : 0};
    while (text.len && text.p[text.len - 1] == '\n') text.len--;
    return text;
}

str task_file(u32 tid, const char *name, char buffer[TASK_FILE_CAP]) {
    return task_file_read(tid, name, buffer, TASK_FILE_CAP);
}

bool task_exists(u32 tid) {
    return syscall(SYS_tgkill, getpid(), tid, 0) == 0 || errno != ESRCH;
}
