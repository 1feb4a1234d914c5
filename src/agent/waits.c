// agent/waits.c - what a blocked thread waits for, in Go's words.
// Room: tables of system calls and of libc's wait functions. Door: wait_of(), at the end.
// Source of the words: the wait reasons of Go's tracebacks (reference/go.md 2.10), so that tools
// that read goroutine dumps sort native threads the same way.
#include "agent/waits.h"

#include "agent/hot/hot.h"

#include <linux/futex.h>
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

// libc's functions that wait on a futex. The first one found in a stack decides.
static const struct {
    const char *name;
    str state;
} waiters[] = {
    {"pthread_mutex_lock", S("sync.Mutex.Lock")},
    {"pthread_mutex_timedlock", S("sync.Mutex.Lock")},
    {"pthread_mutex_clocklock", S("sync.Mutex.Lock")},
    {"pthread_rwlock_rdlock", S("sync.RWMutex.RLock")},
    {"pthread_rwlock_timedrdlock", S("sync.RWMutex.RLock")},
    {"pthread_rwlock_clockrdlock", S("sync.RWMutex.RLock")},
    {"pthread_rwlock_wrlock", S("sync.RWMutex.Lock")},
    {"pthread_rwlock_timedwrlock", S("sync.RWMutex.Lock")},
    {"pthread_rwlock_clockwrlock", S("sync.RWMutex.Lock")},
    {"pthread_cond_wait", S("sync.Cond.Wait")},
    {"pthread_cond_timedwait", S("sync.Cond.Wait")},
    {"pthread_cond_clockwait", S("sync.Cond.Wait")},
    {"cnd_wait", S("sync.Cond.Wait")},
    {"cnd_timedwait", S("sync.Cond.Wait")},
    {"pthread_join", S("sync.WaitGroup.Wait")},
    {"pthread_timedjoin_np", S("sync.WaitGroup.Wait")},
    {"thrd_join", S("sync.WaitGroup.Wait")},
    {"pthread_barrier_wait", S("sync.WaitGroup.Wait")},
    {"sem_wait", S("semacquire")},
    {"sem_timedwait", S("semacquire")},
    {"sem_clockwait", S("semacquire")},
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
        str state;
    } items[countof(waiters)];
};

struct wait_places *wait_places_find(struct arena *out) {
    struct wait_places *places = NEW(out, struct wait_places, 1);
    for (u32 i = 0; i < countof(waiters); i++) {
        struct resolved found = hot_resolve_in(waiters[i].name, NULL);
        u64 start = (u64)(uintptr_t)found.address;
        places->items[i] = (struct wait_place){start, start + found.size_bytes, waiters[i].state};
    }
    return places;
}

// The state of the innermost libc wait function on the stack; empty: none.
static str waiter_state(const struct wait_places *places, const u64 *pcs, u32 n_pcs) {
    u32 n = n_pcs < WAIT_FRAMES ? n_pcs : WAIT_FRAMES;
    for (u32 i = 0; i < n; i++) {
        for (u32 k = 0; k < countof(waiters); k++) {
            const struct wait_place *place = &places->items[k];
            if (pcs[i] >= place->start && pcs[i] < place->end) return place->state;
        }
    }
    return S("");
}

// Reads through the kernel: the lock's memory may be gone by now.
static bool word_at(u64 address, u32 *ret) {
    struct iovec to = {ret, sizeof *ret}, from = {(void *)(uintptr_t)address, sizeof *ret};
    return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)sizeof *ret;
}

// glibc's pthread_mutex_t: the lock word, a count, the owner's tid.
static str mutex_info(struct arena *out, u64 address) {
    struct buf b = buf_new(out, 128);
    u32 owner = 0;
    buf_printf(&b, "mutex 0x%llx", (unsigned long long)address);
    if (word_at(address + 8, &owner) && owner && owner <= FUTEX_PI_MASK)
        buf_printf(&b, " held by thread %u", owner);
    return buf_str(&b);
}

static struct wait futex_wait(struct arena *out, const struct wait_places *places,
                              const struct task_syscall *call, const u64 *pcs, u32 n_pcs) {
    str state = waiter_state(places, pcs, n_pcs);
    bool is_pi = ((u32)call->args[1] & FUTEX_CMD_MASK) == FUTEX_LOCK_PI;
    if (is_pi || str_eq(state, S("sync.Mutex.Lock")))
        return (struct wait){S("sync.Mutex.Lock"), mutex_info(out, call->args[0])};
    return (struct wait){state.len ? state : S("semacquire"), S("futex")};
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
            return (struct wait){channels[i].state, channel};
    return (struct wait){SYSCALL, channel};
}

static bool is_poll(i64 number) {
#ifdef SYS_poll
    if (number == SYS_poll) return true;
#endif
    return number == SYS_ppoll;
}

struct wait wait_of(struct arena *out, const struct wait_places *places,
                    const struct task_syscall *call, const u64 *pcs, u32 n_pcs) {
    if (call->number < 0) return (struct wait){S("runnable"), S("page fault or stopped")};
    if (call->number == SYS_futex) return futex_wait(out, places, call, pcs, n_pcs);
    for (u32 i = 0; i < countof(calls); i++) {
        if (calls[i].number != call->number) continue;
        struct wait wait = {calls[i].state, calls[i].name};
        if (is_poll(call->number) && call->args[1] == 0) wait.state = SLEEP;
        if (is_poll(call->number) && call->args[1] == 1) wait.state = IO_WAIT;
        return wait;
    }
    struct buf b = buf_new(out, 64);
    buf_printf(&b, "system call %lld", (long long)call->number);
    return (struct wait){SYSCALL, buf_str(&b)};
}
