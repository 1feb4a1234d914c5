// agent/hot/io.c - hooks of calls that may block for the world outside.
// Room: see io.h; the functions are listed in io.def. Door: the program calls them.
//
// While no trace runs a hook is a load, a branch and a jump. A cancelled thread leaves the real
// function through our frame, which has nothing to give back. The hooks are defined under names of
// their own, since libc's headers declare some with types of no other program.
#include "agent/hot/io.h"

#include "agent/hot/resolve.h"
#include "agent/hot/thread.h"
#include "agent/hot/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))

typedef int (*open_fn)(const char *, int, ...);
typedef int (*openat_fn)(int, const char *, int, ...);

enum nature { NATURE_UNKNOWN, NATURE_BLOCKS, NATURE_CALL };

static _Atomic u8 natures[IO_DESCRIPTORS]; // enum nature; written by anybody who asked the kernel

struct real_io {
#define IO_HOOK(result, name, kind, object, parameters, arguments) result(*name) parameters;
#include "agent/hot/io.def"
#undef IO_HOOK
    open_fn open, open64;
    openat_fn openat, openat64;
};
static struct real_io real_io; // see its value below

static void find(void *ret, const char *symbol) {
    void *found = hot_resolve(symbol, NULL);
    if (found) memcpy(ret, &found, sizeof found);
}

// Idempotent; several threads that do it at once find the same.
static void find_all(void) {
#define IO_HOOK(result, name, kind, object, parameters, arguments) find(&real_io.name, #name);
#include "agent/hot/io.def"
#undef IO_HOOK
    find(&real_io.open, "open");
    find(&real_io.open64, "open64");
    find(&real_io.openat, "openat");
    find(&real_io.openat64, "openat64");
}

// Where each pointer begins: the function that finds all, then goes on.
#define IO_HOOK(result, name, kind, object, parameters, arguments)                                 \
    static result first_##name parameters {                                                        \
        find_all();                                                                                \
        return real_io.name arguments;                                                             \
    }
#include "agent/hot/io.def"
#undef IO_HOOK

static mode_t mode_of(int flags, va_list rest) {
    bool has_mode = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
    return has_mode ? va_arg(rest, mode_t) : 0;
}

// With a mode always: where none was given, nobody looks at it.
static int first_open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    find_all();
    return real_io.open(path, flags, mode);
}

static int first_open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    find_all();
    return real_io.open64(path, flags, mode);
}

static int first_openat(int folder, const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    find_all();
    return real_io.openat(folder, path, flags, mode);
}

static int first_openat64(int folder, const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    find_all();
    return real_io.openat64(folder, path, flags, mode);
}

static struct real_io real_io = {
#define IO_HOOK(result, name, kind, object, parameters, arguments) .name = first_##name,
#include "agent/hot/io.def"
#undef IO_HOOK
    .open = first_open,
    .open64 = first_open64,
    .openat = first_openat,
    .openat64 = first_openat64,
};

static bool is_traced(void) {
    return !LIKELY(!(atomic_load_explicit(&wait_uses, memory_order_relaxed) & WAIT_FOR_TRACE));
}

void io_forget(void) {
    for (u32 i = 0; i < IO_DESCRIPTORS; i++)
        atomic_store_explicit(&natures[i], NATURE_UNKNOWN, memory_order_relaxed);
}

static enum nature nature_ask(int fd) {
    struct stat st;
    int saved = errno;
    bool may_block = fstat(fd, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) &&
                     !S_ISBLK(st.st_mode) && !(fcntl(fd, F_GETFL) & O_NONBLOCK);
    errno = saved;
    return may_block ? NATURE_BLOCKS : NATURE_CALL;
}

static enum wait_kind kind_of(int fd) {
    if ((u32)fd >= IO_DESCRIPTORS) return nature_ask(fd) == NATURE_BLOCKS ? WAIT_IO : WAIT_CALL;
    u8 nature = atomic_load_explicit(&natures[fd], memory_order_relaxed);
    if (nature == NATURE_UNKNOWN) {
        nature = (u8)nature_ask(fd);
        atomic_store_explicit(&natures[fd], nature, memory_order_relaxed);
    }
    return nature == NATURE_BLOCKS ? WAIT_IO : WAIT_CALL;
}

static enum wait_kind kind_of_closed(int fd) {
    if ((u32)fd < IO_DESCRIPTORS)
        atomic_store_explicit(&natures[fd], NATURE_UNKNOWN, memory_order_relaxed);
    return WAIT_CALL;
}

static enum wait_kind kind_with(int fd, int flags) {
    return flags & MSG_DONTWAIT ? WAIT_CALL : kind_of(fd);
}

// n: descriptors that are waited for; a wait for none is a sleep.
static enum wait_kind kind_of_poll(u64 n, int timeout) {
    if (timeout == 0) return WAIT_CALL;
    return n == 0 ? WAIT_SLEEP : WAIT_SELECT;
}

static enum wait_kind kind_of_until(u64 n, const struct timespec *time) {
    return kind_of_poll(n, time && time->tv_sec == 0 && time->tv_nsec == 0 ? 0 : -1);
}

static enum wait_kind kind_of_select(int n, const struct timeval *time) {
    return kind_of_poll((u64)n, time && time->tv_sec == 0 && time->tv_usec == 0 ? 0 : -1);
}

// clang makes no clones.
#if defined(__clang__)
#define OUT_OF_LINE __attribute__((noinline))
#else
#define OUT_OF_LINE __attribute__((noinline, noclone))
#endif

// The hook jumps to either: the slow way's return address is the program's.
#define IO_HOOK(result, name, kind, object, parameters, arguments)                                 \
    OUT_OF_LINE static result traced_##name parameters {                                           \
        struct wait_scope scope;                                                                   \
        wait_begin(&scope, kind, (const void *)(intptr_t)(object), CALLER);                        \
        result got = real_io.name arguments;                                                       \
        wait_end(&scope, true);                                                                    \
        return got;                                                                                \
    }                                                                                              \
    EXPORT result hook_##name parameters __asm__(#name);                                           \
    EXPORT result hook_##name parameters {                                                         \
        return is_traced() ? traced_##name arguments : real_io.name arguments;                     \
    }
#include "agent/hot/io.def"
#undef IO_HOOK

static int traced_open(open_fn real, const char *path, int flags, mode_t mode, const void *caller) {
    struct wait_scope scope;
    wait_begin(&scope, WAIT_CALL, NULL, caller);
    int fd = real(path, flags, mode);
    wait_end(&scope, true);
    return fd;
}

static int traced_openat(openat_fn real, int folder, const char *path, int flags, mode_t mode,
                         const void *caller) {
    struct wait_scope scope;
    wait_begin(&scope, WAIT_CALL, NULL, caller);
    int fd = real(folder, path, flags, mode);
    wait_end(&scope, true);
    return fd;
}

#define OPEN_HOOK(name)                                                                            \
    EXPORT int hook_##name(const char *path, int flags, ...) __asm__(#name);                       \
    EXPORT int hook_##name(const char *path, int flags, ...) {                                     \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = mode_of(flags, rest);                                                        \
        va_end(rest);                                                                              \
        if (!is_traced()) return real_io.name(path, flags, mode);                                  \
        return traced_open(real_io.name, path, flags, mode, CALLER);                               \
    }
#define OPENAT_HOOK(name)                                                                          \
    EXPORT int hook_##name(int folder, const char *path, int flags, ...) __asm__(#name);           \
    EXPORT int hook_##name(int folder, const char *path, int flags, ...) {                         \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = mode_of(flags, rest);                                                        \
        va_end(rest);                                                                              \
        if (!is_traced()) return real_io.name(folder, path, flags, mode);                          \
        return traced_openat(real_io.name, folder, path, flags, mode, CALLER);                     \
    }
OPEN_HOOK(open)
OPEN_HOOK(open64)
OPENAT_HOOK(openat)
OPENAT_HOOK(openat64)
