// agent/fork.c - what happens when the program makes a process.
// Room: the fork handlers and the hooks of fork's family. Policy is control.c's.
//
// Two steps. The fork handlers, which glibc runs inside every fork, only forget: they allocate
// nothing, since another library's handler may still have to unlock its allocator. The child's
// agent is started by the hooks, after fork has returned and all handlers have run. A child made by
// vfork, posix_spawn or a bare clone shares or keeps everything and is left alone.
#include "agent/api.h"
#include "agent/contention.h"
#include "agent/control.h"
#include "agent/cpu.h"
#include "agent/delta.h"
#include "agent/heap.h"
#include "agent/hot/hot.h"
#include "agent/offcpu.h"
#include "agent/trace.h"
#include "agent/wall.h"

#include <pthread.h>
#include <pty.h>
#include <stdatomic.h>
#include <unistd.h>

static void before(void) {
    if (control_is_confined()) return;
    control_before_fork();
    cpu_before_fork();
}

static void in_parent(void) {
    if (control_is_confined()) return;
    cpu_after_fork_parent();
}

static void in_child(void) {
    if (control_is_confined()) return;
    cpu_after_fork_child();
    threads_after_fork_child();
    cpu_drop_after_fork_child();
    heap_after_fork_child();
    wall_after_fork_child();
    offcpu_after_fork_child();
    trace_after_fork_child();
    api_trace_after_fork_child();
    delta_after_fork_child();
    contention_after_fork_child();
    control_after_fork_child();
}

__attribute__((constructor)) static void register_handlers(void) {
    pthread_atfork(before, in_parent, in_child);
}

#define EXPORT __attribute__((visibility("default")))

// The function behind our hook; found once.
static void *real_of(_Atomic(void *) *known, const char *name) {
    void *real = atomic_load(known);
    if (real) return real;
    real = hot_resolve(name, NULL);
    atomic_store(known, real);
    return real;
}

EXPORT pid_t fork(void) {
    static _Atomic(void *) known;
    pid_t (*real)(void) = (pid_t(*)(void))real_of(&known, "fork");
    pid_t pid = real();
    if (pid == 0) control_child_begins();
    return pid;
}

// The parent ends inside the real one; what returns is the child.
EXPORT int daemon(int keep_folder, int keep_fds) {
    static _Atomic(void *) known;
    int (*real)(int, int) = (int (*)(int, int))real_of(&known, "daemon");
    int failed = real(keep_folder, keep_fds);
    if (!failed) control_child_begins();
    return failed;
}

EXPORT pid_t forkpty(int *master, char *name, const struct termios *modes,
                     const struct winsize *size) {
    static _Atomic(void *) known;
    pid_t (*real)(int *, char *, const struct termios *, const struct winsize *) =
        (pid_t(*)(int *, char *, const struct termios *, const struct winsize *))real_of(&known,
                                                                                         "forkpty");
    pid_t pid = real(master, name, modes, size);
    if (pid == 0) control_child_begins();
    return pid;
}
