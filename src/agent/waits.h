// agent/waits.h - what a blocked thread waits for, in Go's words.
// Room: from a system call and the functions above it to a state word. Door: agent/threads.h.
#pragma once

#include "base/base.h"

// A line of /proc/self/task/TID/syscall.
struct task_syscall {
    bool is_running; // "running": the thread is on a CPU or waits for one; nothing else is known
    i64 number;      // -1: blocked, but not in a system call (page fault)
    u64 args[6];
    u64 sp, pc;
};

// Fails on a text that is none of the kernel's three forms; *ret is then untouched.
MUST_USE bool task_syscall_parse(str text, struct task_syscall *ret);

// What is waited for, as far as the call tells.
struct wait_object {
    const char *
        word; // "mutex", "rwlock", "cond", "semaphore", "barrier", "thread", "futex"; NULL: no lock
    u64 address; // of the lock; 0: none
    u32 holder;  // tid of the thread that has the lock, or that is joined; 0: not known
    i32 fd;      // descriptor; -1: none
};

struct wait {
    str state; // IO wait, sleep, select, semacquire, sync.Mutex.Lock, sync.Cond.Wait ..., syscall
    str info;  // name of the system call; for a lock, wait_object_text
    struct wait_object object;
};

// Where libc's wait functions are; looked up once a dump.
struct wait_places;
struct wait_places *wait_places_find(struct arena *out);

// What call means for a thread with this stack: the wait functions of libc among its innermost
// frames tell mutexes from conditions. Texts are static or in out.
struct wait wait_of(struct arena *out, const struct wait_places *places,
                    const struct task_syscall *call, const u64 *pcs, u32 n_pcs);

// "mutex 0x7f10 cache_lock held by thread 4711". name: what the lock is called, or empty.
str wait_object_text(struct arena *out, const struct wait_object *object, str name);

// The same, less exactly, from the kernel function a thread sleeps in (/proc/self/task/TID/wchan):
// for processes whose system calls may not be read. info is channel itself.
struct wait wait_by_channel(str channel);
