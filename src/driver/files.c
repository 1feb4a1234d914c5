// driver/files.c - files pprof writes.
// Room: see files.h. Door: driver/driver.h.
#include "driver/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_NUMBER = 9999 }; // the original gives up there too

bool file_create_numbered(struct arena *out, str dir, str prefix, str suffix, str *path,
                          int *ret_fd, struct err *err) {
    struct buf b = buf_new(out, 4096);
    for (int i = 1; i <= MAX_NUMBER; i++) {
        b.len = 0;
        buf_put(&b, dir);
        if (dir.len && dir.p[dir.len - 1] != '/') buf_byte(&b, '/');
        buf_put(&b, prefix);
        buf_printf(&b, "%03d", i);
        buf_put(&b, suffix);
        const char *z = str_z(out, buf_str(&b));
        int fd = open(z, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) {
            *path = str_of(z);
            *ret_fd = fd;
            return true;
        }
        if (errno != EEXIST) return err_sys(err, "open %s", z);
    }
    return err_set(err, ERR_LIMIT, 0, "could not create file of the form " S_FMT "001" S_FMT,
                   S_ARG(prefix), S_ARG(suffix));
}

bool file_write(int fd, str bytes, struct err *err) {
    while (bytes.len) {
        ssize_t n = write(fd, bytes.p, bytes.len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_sys(err, "write");
        bytes = str_skip(bytes, (size_t)n);
    }
    return true;
}

bool folder_make(struct arena *scratch, str path, struct err *err) {
    char *z = str_z(scratch, path);
    for (char *p = z + 1; *p; p++) {
        if (*p != '/') continue;
        *p = 0;
        if (mkdir(z, 0755) != 0 && errno != EEXIST) return err_sys(err, "mkdir %s", z);
        *p = '/';
    }
    struct stat st;
    if (mkdir(z, 0755) != 0 && errno != EEXIST) return err_sys(err, "mkdir %s", z);
    if (stat(z, &st) == 0 && !S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return err_sys(err, "mkdir %s", z);
    }
    return true;
}

str folder_temporary(void) {
    const char *dir = getenv("TMPDIR");
    return dir && *dir ? str_of(dir) : S("/tmp");
}
