// agent/rights.c - what happens when the program changes its user or groups.
// Room: hooks around the functions that do; stopping and starting is control.c's.
//
// glibc makes every thread of a process change its ids with the caller, and ends the program when
// one cannot while another could. Capabilities, though, belong to a thread: a program that was
// written for one thread may keep some, become another user and then set its groups; the agent,
// without them, would fail where the program does not. So the agent thread ends before such a call
// and a new one, with the caller's rights, begins after it: it never has more rights than the
// program, nor fewer. The address stays; clients that wait are cut off.
#include "agent/control.h"
#include "agent/hot/hot.h"

#include <grp.h>
#include <stdatomic.h>
#include <unistd.h>

// RIGHTS(name, declared parameters, arguments, types): an int function that fails with -1.
#define RIGHTS(name, parameters, arguments, types)                                                 \
    __attribute__((visibility("default"))) int name parameters {                                   \
        static _Atomic(void *) known;                                                              \
        int(*real) types = (int(*) types)atomic_load(&known);                                      \
        if (!real) {                                                                               \
            real = (int(*) types)hot_resolve(#name, NULL);                                         \
            atomic_store(&known, (void *)real);                                                    \
        }                                                                                          \
        bool was_running = control_pause();                                                        \
        int failed = real arguments;                                                               \
        if (was_running) control_resume();                                                         \
        return failed;                                                                             \
    }

RIGHTS(setuid, (uid_t u), (u), (uid_t))
RIGHTS(setgid, (gid_t g), (g), (gid_t))
RIGHTS(seteuid, (uid_t u), (u), (uid_t))
RIGHTS(setegid, (gid_t g), (g), (gid_t))
RIGHTS(setreuid, (uid_t r, uid_t e), (r, e), (uid_t, uid_t))
RIGHTS(setregid, (gid_t r, gid_t e), (r, e), (gid_t, gid_t))
RIGHTS(setresuid, (uid_t r, uid_t e, uid_t s), (r, e, s), (uid_t, uid_t, uid_t))
RIGHTS(setresgid, (gid_t r, gid_t e, gid_t s), (r, e, s), (gid_t, gid_t, gid_t))
RIGHTS(setgroups, (size_t n, const gid_t *list), (n, list), (size_t, const gid_t *))
RIGHTS(initgroups, (const char *user, gid_t group), (user, group), (const char *, gid_t))
