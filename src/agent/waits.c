// agent/waits.c - what a blocked thread waits for, in Go's words.
// Room: tables of system calls and of libc's wait functions. Door: wait_of(), at the end.
// Source of the words: the wait reasons of Go's tracebacks (reference/go.md 2.10), so that tools
// that read goroutine dumps sort native threads the same way.
#include "agent/waits.h"

#include "agent/hot/hot.h"
#include "agent/tasks.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    WAIT_FRAMES = 8, // innermost frames that may hold libc's wait function: 3 in glibc 2.36
    FUTEX_PI_MASK = 0x3fffffff // FUTEX_TID_MASK: owner bits of a priority-inheriting lock word
};

#define IO_WAIT S("IO wait")
#define SLEEP S("sleep")
#define SELECT S("select")
#define SYSCALL S("syscall")

struct call_name {
    i64 number;
    str name, state;
};

#define CALL(name, state)                                                                          \
    { SYS_##name, S(#name), state }
static const struct call_name calls[] = {
    CALL(read, IO_WAIT),
    CALL(write, IO_WAIT),
    CALL(readv, IO_WAIT),
    CALL(writev, IO_WAIT),
    CALL(pread64, IO_WAIT),
    CALL(pwrite64, IO_WAIT),
    CALL(accept, IO_WAIT),
    CALL(accept4, IO_WAIT),
    CALL(connect, IO_WAIT),
    CALL(recvfrom, IO_WAIT),
    CALL(recvmsg, IO_WAIT),
    CALL(recvmmsg, IO_WAIT),
    CALL(sendto, IO_WAIT),
    CALL(sendmsg, IO_WAIT),
    CALL(sendmmsg, IO_WAIT),
    CALL(sendfile, IO_WAIT),
    CALL(splice, IO_WAIT),
    CALL(epoll_pwait, IO_WAIT),
    CALL(io_uring_enter, IO_WAIT),
    CALL(io_getevents, IO_WAIT),
    CALL(ppoll, SELECT),
    CALL(pselect6, SELECT),
#ifdef SYS_epoll_wait
    CALL(epoll_wait, IO_WAIT),
    CALL(poll, SELECT),
    CALL(select, SELECT),
    CALL(pause, S("select (no cases)")),
#endif
#ifdef SYS_epoll_pwait2
    CALL(epoll_pwait2, IO_WAIT),
#endif
    CALL(nanosleep, SLEEP),
    CALL(clock_nanosleep, SLEEP),
    CALL(fsync, SYSCALL),
    CALL(fdatasync, SYSCALL),
    CALL(openat, SYSCALL),
    CALL(close, SYSCALL),
    CALL(flock, SYSCALL),
    CALL(fcntl, SYSCALL),
    CALL(ioctl, SYSCALL),
    CALL(wait4, SYSCALL),
    CALL(waitid, SYSCALL),
    CALL(rt_sigtimedwait, SYSCALL),
    CALL(rt_sigsuspend, S("select (no cases)")),
    CALL(semop, S("semacquire")),
    CALL(semtimedop, S("semacquire")),
    CALL(msgrcv, IO_WAIT),
    CALL(msgsnd, IO_WAIT),
    CALL(mmap, SYSCALL),
    CALL(munmap, SYSCALL),
    CALL(execve, SYSCALL),
};

// Where the word that a thread waits on lies in its lock.
enum form {
    FORM_MUTEX,
    FORM_RWLOCK,
    FORM_COND,
    FORM_SEMAPHORE,
    FORM_BARRIER,
    FORM_THREAD,
    FORM_FUTEX,
    N_FORMS
};
static const char *const form_words[N_FORMS] = {"mutex",   "rwlock", "cond", "semaphore",
                                                "barrier", "thread", "futex"};

// libc's functions that wait on a futex. The first one found in a stack decides.
static const struct {
    const char *name;
    str state;
    enum form form;
} waiters[] = {
    {"pthread_mutex_lock", S("sync.Mutex.Lock"), FORM_MUTEX},
    {"pthread_mutex_timedlock", S("sync.Mutex.Lock"), FORM_MUTEX},
    {"pthread_mutex_clocklock", S("sync.Mutex.Lock"), FORM_MUTEX},
    {"pthread_rwlock_rdlock", S("sync.RWMutex.RLock"), FORM_RWLOCK},
    {"pthread_rwlock_timedrdlock", S("sync.RWMutex.RLock"), FORM_RWLOCK},
    {"pthread_rwlock_clockrdlock", S("sync.RWMutex.RLock"), FORM_RWLOCK},
    {"pthread_rwlock_wrlock", S("sync.RWMutex.Lock"), FORM_RWLOCK},
    {"pthread_rwlock_timedwrlock", S("sync.RWMutex.Lock"), FORM_RWLOCK},
    {"pthread_rwlock_clockwrlock", S("sync.RWMutex.Lock"), FORM_RWLOCK},
    {"pthread_cond_wait", S("sync.Cond.Wait"), FORM_COND},
    {"pthread_cond_timedwait", S("sync.Cond.Wait"), FORM_COND},
    {"pthread_cond_clockwait", S("sync.Cond.Wait"), FORM_COND},
    {"cnd_wait", S("sync.Cond.Wait"), FORM_COND},
    {"cnd_timedwait", S("sync.Cond.Wait"), FORM_COND},
    {"pthread_join", S("sync.WaitGroup.Wait"), FORM_THREAD},
    {"pthread_timedjoin_np", S("sync.WaitGroup.Wait"), FORM_THREAD},
    {"pthread_clockjoin_np", S("sync.WaitGroup.Wait"), FORM_THREAD},
    {"thrd_join", S("sync.WaitGroup.Wait"), FORM_THREAD},
    {"pthread_barrier_wait", S("sync.WaitGroup.Wait"), FORM_BARRIER},
    {"sem_wait", S("semacquire"), FORM_SEMAPHORE},
    {"sem_timedwait", S("semacquire"), FORM_SEMAPHORE},
    {"sem_clockwait", S("semacquire"), FORM_SEMAPHORE},
};

// "0x7f.." or "-1" or "202": one word of the line.
static bool word_take(str *line, str *ret) {
    if (!line->len) return false;
    str_cut(*line, ' ', ret, line);
    return true;
}

static bool hex_take(str *line, u64 *ret) {
    str word;
    return word_take(line, &word) && str_starts(word, S("0x")) &&
           num_parse_u64(str_skip(word, 2), 16, ret);
}

bool task_syscall_parse(str text, struct task_syscall *ret) {
    struct task_syscall call = {0};
    str line = text, word;
    if (str_eq(text, S("running"))) {
        *ret = (struct task_syscall){.is_running = true};
        return true;
    }
    if (!word_take(&line, &word) || !num_parse_i64(word, 10, &call.number)) return false;
    if (call.number >= 0) {
        for (u32 i = 0; i < countof(call.args); i++)
            if (!hex_take(&line, &call.args[i])) return false;
    }
    if (!hex_take(&line, &call.sp) || !hex_take(&line, &call.pc) || line.len) return false;
    *ret = call;
    return true;
}

struct wait_places {
    struct wait_place {
        u64 start, end;
    } items[countof(waiters)];
};

struct wait_places *wait_places_find(struct arena *out) {
    struct wait_places *places = NEW(out, struct wait_places, 1);
    for (u32 i = 0; i < countof(waiters); i++) {
        struct resolved found = hot_resolve_in(waiters[i].name, NULL);
        u64 start = (u64)(uintptr_t)found.address;
        places->items[i] = (struct wait_place){start, start + found.size_bytes};
    }
    return places;
}

// The innermost libc wait function on the stack; countof(waiters): none.
static u32 waiter_of(const struct wait_places *places, const u64 *pcs, u32 n_pcs) {
    u32 n = n_pcs < WAIT_FRAMES ? n_pcs : WAIT_FRAMES;
    for (u32 i = 0; i < n; i++) {
        for (u32 k = 0; k < countof(waiters); k++) {
            const struct wait_place *place = &places->items[k];
            if (pcs[i] >= place->start && pcs[i] < place->end) return k;
        }
    }
    return countof(waiters);
}

// Reads through the kernel: the lock's memory may be gone by now. 0: it is.
static u32 word_at(u64 address) {
    u32 word = 0;
    struct iovec to = {&word, sizeof word}, from = {(void *)(uintptr_t)address, sizeof word};
    return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)sizeof word ? word : 0;
}

// Where the lock begins whose word at futex is waited on, by glibc's structures: two words of a
// read-write lock and of a condition are, and the structure's alignment tells which.
static u64 lock_at(enum form form, u64 futex) {
    u64 in_rwlock = offsetof(pthread_rwlock_t, __data.__wrphase_futex);
    u64 in_cond = offsetof(pthread_cond_t, __data.__g_signals);
    switch (form) {
    case FORM_RWLOCK:
        return (futex - in_rwlock) & ~(u64)7;
    case FORM_COND:
        return (futex - in_cond) & ~(u64)7;
    case FORM_BARRIER:
        return futex & ~(u64)7;
    case FORM_MUTEX:
    case FORM_SEMAPHORE:
    case FORM_THREAD:
    case FORM_FUTEX:
    case N_FORMS:
        break;
    }
    return futex;
}

// Whom the waiter needs: a mutex's owner, a lock's writer, the thread to end. Readers are nobody.
static u32 holder_of(enum form form, u64 lock) {
    u32 tid = 0;
    if (form == FORM_MUTEX) tid = word_at(lock + offsetof(pthread_mutex_t, __data.__owner));
    if (form == FORM_RWLOCK) tid = word_at(lock + offsetof(pthread_rwlock_t, __data.__cur_writer));
    if (form == FORM_THREAD) tid = word_at(lock);
    return tid <= FUTEX_PI_MASK ? tid : 0;
}

str wait_object_text(struct arena *out, const struct wait_object *object, str name) {
    struct buf b = buf_new(out, 1024);
    bool is_thread = str_eq(str_of(object->word), str_of(form_words[FORM_THREAD]));
    if (is_thread) {
        buf_printf(&b, "thread %u", object->holder);
        return buf_str(&b);
    }
    buf_printf(&b, "%s 0x%llx", object->word, (unsigned long long)object->address);
    if (name.len > 0) buf_printf(&b, " " S_FMT, S_ARG(name));
    if (object->holder) buf_printf(&b, " held by thread %u", object->holder);
    return buf_str(&b);
}

// pthread_join leaves no frame of its own. It waits for a tid to become 0, by a futex that is not
// private, since the kernel wakes it.
static bool is_join(const struct task_syscall *call) {
    u32 tid = (u32)call->args[2];
    return !((u32)call->args[1] & FUTEX_PRIVATE_FLAG) && tid && word_at(call->args[0]) == tid &&
           task_exists(tid);
}

static enum form form_of(const struct task_syscall *call, u32 waiter) {
    if (((u32)call->args[1] & FUTEX_CMD_MASK) == FUTEX_LOCK_PI) return FORM_MUTEX;
    if (waiter < countof(waiters)) return waiters[waiter].form;
    return is_join(call) ? FORM_THREAD : FORM_FUTEX;
}

static str state_of(enum form form, u32 waiter) {
    if (waiter < countof(waiters)) return waiters[waiter].state;
    if (form == FORM_MUTEX) return S("sync.Mutex.Lock");
    return form == FORM_THREAD ? S("sync.WaitGroup.Wait") : S("semacquire");
}

static struct wait futex_wait(struct arena *out, const struct wait_places *places,
                              const struct task_syscall *call, const u64 *pcs, u32 n_pcs) {
    u32 waiter = waiter_of(places, pcs, n_pcs);
    enum form form = form_of(call, waiter);
    u64 lock = lock_at(form, call->args[0]);
    struct wait wait = {.state = state_of(form, waiter)};
    wait.object = (struct wait_object){form_words[form], lock, holder_of(form, lock), -1};
    wait.info = wait_object_text(out, &wait.object, S(""));
    return wait;
}

// Parts of names of kernel functions, as Linux 5.10 to 6.18 have them; the first that fits decides.
static const struct {
    str part, state;
} channels[] = {
    {S("futex"), S("semacquire")},
    {S("nanosleep"), SLEEP},
    {S("epoll"), IO_WAIT},
    {S("ep_poll"), IO_WAIT},
    {S("poll_schedule"), SELECT},
    {S("pause"), S("select (no cases)")},
    {S("sigsuspend"), S("select (no cases)")},
    {S("pipe"), IO_WAIT},
    {S("unix_stream"), IO_WAIT},
    {S("skb"), IO_WAIT},
    {S("sk_"), IO_WAIT},
    {S("sock"), IO_WAIT},
    {S("accept"), IO_WAIT},
    {S("tcp"), IO_WAIT},
    {S("io_"), IO_WAIT},
    {S("sem"), S("semacquire")},
};

struct wait wait_by_channel(str channel) {
    for (u32 i = 0; i < countof(channels); i++)
        if (str_contains(channel, channels[i].part))
            return (struct wait){.state = channels[i].state, .info = channel, .object = {.fd = -1}};
    return (struct wait){.state = SYSCALL, .info = channel, .object = {.fd = -1}};
}

static bool is_poll(i64 number) {
#ifdef SYS_poll
    if (number == SYS_poll) return true;
#endif
    return number == SYS_ppoll;
}

// Of poll: the descriptor, where it is one.
static i32 polled_fd(const struct task_syscall *call) {
    return call->args[1] == 1 ? (i32)word_at(call->args[0]) : -1;
}

// Calls of these states have a descriptor for their first argument, but for two of processes and
// memory.
static i32 fd_of(const struct task_syscall *call, str state) {
    if (is_poll(call->number)) return polled_fd(call);
    if (str_eq(state, IO_WAIT) || call->number == SYS_fsync || call->number == SYS_fdatasync ||
        call->number == SYS_flock || call->number == SYS_fcntl || call->number == SYS_ioctl)
        return (i32)call->args[0];
    return -1;
}

static bool has_no_fd(i64 number) {
    return number == SYS_msgrcv || number == SYS_msgsnd || number == SYS_io_getevents;
}

struct wait wait_of(struct arena *out, const struct wait_places *places,
                    const struct task_syscall *call, const u64 *pcs, u32 n_pcs) {
    struct wait wait = {.state = SYSCALL, .object = {.fd = -1}};
    if (call->number < 0) {
        wait.state = S("runnable");
        wait.info = S("page fault or stopped");
        return wait;
    }
    if (call->number == SYS_futex) return futex_wait(out, places, call, pcs, n_pcs);
    for (u32 i = 0; i < countof(calls); i++) {
        if (calls[i].number != call->number) continue;
        wait.state = calls[i].state;
        wait.info = calls[i].name;
        if (is_poll(call->number) && call->args[1] == 0) wait.state = SLEEP;
        if (is_poll(call->number) && call->args[1] == 1) wait.state = IO_WAIT;
        if (!has_no_fd(call->number)) wait.object.fd = fd_of(call, wait.state);
        return wait;
    }
    struct buf b = buf_new(out, 64);
    buf_printf(&b, "system call %lld", (long long)call->number);
    wait.info = buf_str(&b);
    return wait;
}
