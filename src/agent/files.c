// agent/files.c - profiles that a process writes into files.
// Room: see files.h.
#include "agent/files.h"

#include "agent/agent.h"
#include "agent/api.h"
#include "agent/cpu.h"
#include "agent/hot/hot.h"
#include "agent/loop.h"
#include "agent/trace.h"

#include <errno.h>
#include <event2/buffer.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    NAME_CAP = 1024,
    SIGNAL_CPU_MS = 10000, // of a CPU profile that a signal asked for
    SIGNAL_LAST = 64,
};

// Names are set by the constructor and read-only afterwards, but for a forked child's. The rest is
// the agent thread's, or atomic.
static struct {
    char cpu[NAME_CAP], heap[NAME_CAP]; // "" none
    char list[NAME_CAP];                // profiles that the signal asks for
    char prefix[NAME_CAP];
    int signo; // 0: none
    u32 hz;
    bool has_cpu;                             // the CPU profile until exit runs
    bool has_signal_cpu;                      // one that a signal asked for runs
    u32 n_signals;                            // writes so far
    _Atomic bool is_asked;                    // a signal came
    char failed[NAME_CAP + ERR_TEXT_CAP + 4]; // the last failure
} files;

static void variable(const char *name, char ret[NAME_CAP], const char *otherwise) {
    const char *text = getenv(name);
    snprintf(ret, NAME_CAP, "%s", text && text[0] ? text : otherwise);
}

// "USR2", "SIGUSR2", "12", "RTMIN+3"; 0: none of them.
static int signal_by_name(str name) {
    u64 n;
    name = str_drop_prefix(name, S("SIG"));
    if (num_parse_u64(name, 10, &n)) return n <= SIGNAL_LAST ? (int)n : 0;
    if (str_starts(name, S("RTMIN+")) && num_parse_u64(str_skip(name, 6), 10, &n))
        return n <= (u64)(SIGRTMAX - SIGRTMIN) ? SIGRTMIN + (int)n : 0;
    for (int i = 1; i < SIGNAL_LAST; i++) {
        const char *known = sigabbrev_np(i);
        if (known && str_eq(str_of(known), name)) return i;
    }
    return 0;
}

static void fail(const char *what, const char *why) {
    snprintf(files.failed, sizeof files.failed, "%s: %s", what, why);
}

static void read_signal(void) {
    str text = str_of(getenv("PPROF_SIGNAL")), name, list;
    if (!text.len) return;
    str_cut(text, ':', &name, &list);
    files.signo = signal_by_name(name);
    if (!files.signo) fail("PPROF_SIGNAL", "no such signal");
    if (!list.len) list = S("heap,goroutine");
    snprintf(files.list, sizeof files.list, S_FMT, S_ARG(list));
}

void files_read_environment(void) {
    u64 hz;
    variable("PPROF_CPU_PROFILE", files.cpu, "");
    variable("PPROF_HEAP_AT_EXIT", files.heap, "");
    variable("PPROF_SIGNAL_FILES", files.prefix, "pprof");
    if (num_parse_u64(str_of(getenv("PPROF_CPU_HZ")), 10, &hz) && hz <= CPU_HZ_MAX)
        files.hz = (u32)hz;
    read_signal();
}

bool files_are_wanted(void) {
    return files.cpu[0] || files.heap[0] || files.signo;
}

bool files_need_agent(void) {
    return files.cpu[0] || files.signo;
}

static void name_yield(char name[NAME_CAP]) {
    if (!strstr(name, "%p")) name[0] = 0;
}

// Whether libpprof is loaded into the process, by name: a wrapper such as timeout or strace is not
// profiled when only the program it starts is linked with libpprof.
static bool has_libpprof(pid_t pid) {
    enum { OVERLAP = 16 };
    char path[64], bytes[OVERLAP + 4096];
    size_t kept = 0;
    ssize_t n;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && (n = read(fd, bytes + kept, sizeof bytes - kept)) > 0) {
        str now = {bytes, kept + (size_t)n};
        if (str_contains(now, S("libpprof"))) return true;
        kept = now.len < OVERLAP ? now.len : OVERLAP;
        memmove(bytes, bytes + now.len - kept, kept);
    }
    return false;
}

void files_mind_parent(bool (*has)(pid_t pid, const char *name, const char *value)) {
    if ((!files.cpu[0] && !files.heap[0]) || !has_libpprof(getppid())) return;
    if (files.cpu[0] && has(getppid(), "PPROF_CPU_PROFILE", files.cpu)) name_yield(files.cpu);
    if (files.heap[0] && has(getppid(), "PPROF_HEAP_AT_EXIT", files.heap)) name_yield(files.heap);
}

// The name with %p replaced.
static void name_expand(const char *name, char ret[NAME_CAP]) {
    size_t at = 0;
    for (; *name && at + 24 < NAME_CAP; name++) {
        if (name[0] == '%' && name[1] == 'p') {
            at += (size_t)snprintf(ret + at, NAME_CAP - at, "%d", (int)getpid());
            name++;
        } else {
            ret[at++] = *name;
        }
    }
    ret[at] = 0;
}

static bool put_all(int fd, str bytes) {
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.p, bytes.len);
        if (n < 0 && errno != EINTR) return false;
        if (n > 0) bytes = str_skip(bytes, (size_t)n);
    }
    return true;
}

// Beside the file, then renamed, so that a reader never sees half of one.
static bool file_write(const char *name, str bytes, struct err *err) {
    char part[NAME_CAP + 32];
    snprintf(part, sizeof part, "%s.%d.part", name, (int)getpid());
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) return err_sys(err, "%s", name);
    bool is_written = put_all(fd, bytes);
    if (close(fd) == 0 && is_written && rename(part, name) == 0) return true;
    err_sys(err, "%s", name);
    unlink(part);
    return false;
}

// One profile into one file. On the agent thread.
static void profile_write(const struct collector *of, const char *name) {
    struct arena arena;
    struct err err;
    str bytes;
    jmp_buf no_memory;
    arena_init(&arena);
    arena.on_oom = &no_memory;
    if (setjmp(no_memory))
        fail(name, "out of memory");
    else if (!api_bytes(&arena, of, &bytes, &err) || !file_write(name, bytes, &err))
        fail(name, err.text);
    arena_done(&arena);
}

void files_begin(void *ctx) {
    struct err err;
    (void)ctx;
    if (!files.cpu[0] || files.has_cpu) return;
    files.has_cpu = api_cpu_begin(files.hz, &err);
    if (!files.has_cpu) fail("PPROF_CPU_PROFILE", err.text);
}

static void asked_name(char ret[NAME_CAP], str profile, const char *ending) {
    char prefix[NAME_CAP], plain[NAME_CAP];
    name_expand(files.prefix, prefix);
    snprintf(plain, sizeof plain, S_FMT, S_ARG(profile));
    for (char *p = plain; *p; p++)
        if (*p == '/') *p = '_';
    if (snprintf(ret, NAME_CAP, "%s.%d.%u.%s.%s", prefix, (int)getpid(), files.n_signals, plain,
                 ending) >= NAME_CAP)
        fail("PPROF_SIGNAL_FILES", "too long");
}

static void signal_cpu_end(void *ctx) {
    char name[NAME_CAP];
    (void)ctx;
    if (!files.has_signal_cpu) return;
    files.has_signal_cpu = false;
    api_cpu_end();
    asked_name(name, S("profile"), "pb.gz");
    profile_write(collector_find(S("profile")), name);
}

void files_resume(void) {
    if (files.has_signal_cpu && !loop_later(SIGNAL_CPU_MS, signal_cpu_end, NULL))
        signal_cpu_end(NULL);
}

static void signal_cpu_begin(void) {
    struct err err;
    if (files.has_signal_cpu) return; // asked again: the file comes when it ends
    files.has_signal_cpu = api_cpu_begin(files.hz, &err);
    if (!files.has_signal_cpu)
        fail("profile", err.text);
    else if (!loop_later(SIGNAL_CPU_MS, signal_cpu_end, NULL))
        signal_cpu_end(NULL);
}

// What the flight recorder has.
static void recorder_file(void) {
    char name[NAME_CAP];
    struct err err = {0};
    struct evbuffer *bytes = evbuffer_new();
    asked_name(name, S("flightrecorder"), "trace");
    if (!bytes || !recorder_write(bytes, &err)) {
        fail(name, err.text);
    } else {
        size_t len = evbuffer_get_length(bytes);
        str whole = {(const char *)evbuffer_pullup(bytes, -1), len};
        if (!file_write(name, whole, &err)) fail(name, err.text);
    }
    if (bytes) evbuffer_free(bytes);
}

static void asked_write(str profile) {
    char name[NAME_CAP];
    if (str_eq(profile, S("flightrecorder"))) return recorder_file();
    const struct collector *of = collector_find(profile);
    if (!of) {
        asked_name(name, profile, "pb.gz");
        fail(name, "no such profile");
    } else if (str_eq(of->name, S("profile"))) {
        signal_cpu_begin();
    } else {
        asked_name(name, profile, "pb.gz");
        profile_write(of, name);
    }
}

// On the agent thread, woken by the handler.
static void write_asked(void *ctx) {
    (void)ctx;
    if (!atomic_exchange(&files.is_asked, false)) return;
    str list = str_of(files.list), profile;
    files.n_signals++;
    while (list.len > 0) {
        str_cut(list, ',', &profile, &list);
        asked_write(str_trim(profile));
    }
}

static bool take(const siginfo_t *info, void *context, bool is_theirs) {
    (void)info, (void)context;
    atomic_store(&files.is_asked, true);
    loop_poke();
    return !is_theirs;
}

void files_take_signal(void) {
    if (!files.signo) return;
    loop_on_poke(write_asked);
    if (!signal_guard(GUARD_FILES, files.signo, take)) fail("PPROF_SIGNAL", strerror(errno));
}

static void end_now(void *ctx) {
    char name[NAME_CAP];
    (void)ctx;
    if (files.has_cpu) {
        files.has_cpu = false;
        api_cpu_end();
        name_expand(files.cpu, name);
        profile_write(collector_find(S("profile")), name);
    }
    signal_cpu_end(NULL);
    if (!files.heap[0]) return;
    name_expand(files.heap, name);
    profile_write(collector_find(S("heap")), name);
}

void files_end(void) {
    struct err err;
    bool is_wanted = files.heap[0] || files.cpu[0] || (files.signo && loop_is_running());
    if (is_wanted && !loop_call(end_now, NULL, &err)) fail("at exit", err.text);
}

void files_after_fork_child(void) {
    if (!files_are_wanted()) return;
    files.has_cpu = files.has_signal_cpu = false;
    atomic_store(&files.is_asked, false);
    name_yield(files.cpu);
    name_yield(files.heap);
}

str files_status(struct arena *out) {
    struct buf b = buf_new(out, 1 << 14);
    if (files.failed[0]) return str_of(files.failed);
    if (files.cpu[0]) buf_printf(&b, "CPU profile at exit into %s. ", files.cpu);
    if (files.heap[0]) buf_printf(&b, "heap profile at exit into %s. ", files.heap);
    if (files.signo)
        buf_printf(&b, "SIG%s writes %s into %s.*", sigabbrev_np(files.signo) ?: "RT", files.list,
                   files.prefix);
    if (!b.len)
        buf_put(&b, S("none are written (PPROF_CPU_PROFILE, PPROF_HEAP_AT_EXIT, PPROF_SIGNAL)"));
    return buf_str(&b);
}
