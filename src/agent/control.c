// agent/control.c - what this process should do, and doing it.
// Room: environment, start, stop, children. Door: agent/control.h; the constructor at the end.
#include "agent/control.h"

#include "agent/api.h"
#include "agent/contention.h"
#include "agent/cpu.h"
#include "agent/endpoint.h"
#include "agent/files.h"
#include "agent/heap.h"
#include "agent/hot/hot.h"
#include "agent/loop.h"
#include "agent/maps.h"
#include "agent/mmaps.h"
#include "agent/names.h"
#include "agent/registry.h"
#include "agent/trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

enum {
    HTTP_CAP = 256,
    // A forked child waits so long before it takes a socket: one that execs at once never does.
    CHILD_DELAY_MS = 20,
    // Then it waits for its parent to end, as a daemon's does, and may take over its address.
    CHILD_STEP_MS = 10,
    CHILD_STEPS = 12,
    // An address that is taken is tried again, ever later: the program that this one replaces by
    // exec, or a restarted server's old process, may hold it for a moment.
    RETRY_MS = 50,
    RETRY_MS_MAX = 16000,
};

static struct {
    char http[HTTP_CAP]; // as PPROF_HTTP or pprof_serve said; "" none. Set before the thread starts
    enum children_mode children; // set by the constructor
    bool is_disabled;            // set by the constructor
    char confined[96];           // why libpprof ended; set by control_confined, "" before
    bool is_verbose;             // set by the constructor
    pid_t pid;                   // of the process that serves; 0: nobody yet
    pid_t forking;            // the process that called fork; set by every fork, to the same value
    pid_t fork_parent;        // in a forked child: its parent. Set before its thread starts
    bool is_child;            // forked, or started by a program that serves
    char was_at[ADDRESS_CAP]; // where it listened before the agent thread was stopped for a moment
    u32 n_steps, retry_ms;    // on the agent thread
    char socket_path[ADDRESS_CAP]; // written by the agent thread, read at exit
} control;

enum children_mode control_parse_children(str text) {
    if (str_eq(text, S("none"))) return CHILDREN_NONE;
    if (str_eq(text, S("exec"))) return CHILDREN_EXEC;
    if (str_eq(text, S("all"))) return CHILDREN_ALL;
    return CHILDREN_FORK;
}

const char *control_children_text(void) {
    switch (control.children) {
    case CHILDREN_NONE:
        return "none are served (PPROF_CHILDREN=none)";
    case CHILDREN_FORK:
        return "those made by fork are served, each on its own port (PPROF_CHILDREN=fork)";
    case CHILDREN_EXEC:
        return "programs it starts are served, each on its own port (PPROF_CHILDREN=exec)";
    case CHILDREN_ALL:
        return "all are served, each on its own port (PPROF_CHILDREN=all)";
    }
    return "";
}

// stderr of the program: only when asked for, and in one piece.
static void say(const char *sentence, const char *detail) {
    char text[ERR_TEXT_CAP + 128];
    if (!control.is_verbose) return;
    int len = snprintf(text, sizeof text, "pprof: pid %d %s %s\n", (int)getpid(), sentence, detail);
    char path[64];
    // The agent thread has no stderr of its own: the program's is found through the main thread.
    snprintf(path, sizeof path, "/proc/%d/fd/2", (int)getpid());
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return;
    if (write(fd, text, (size_t)len) < 0) len = 0;
    close(fd);
}

static void publish(void) {
    snprintf(control.socket_path, sizeof control.socket_path, "%s", endpoint_socket_path());
    registry_write(endpoint_address(), "");
    say("serves /debug/pprof/ on", endpoint_address());
}

// A child whose parent is still there leaves it its address.
static bool is_elsewhere(void) {
    return control.fork_parent != 0 && getppid() == control.fork_parent;
}

// After a stop for a moment: the same port again, also where the kernel chose it.
static bool open_again(struct err *err) {
    bool is_open =
        control.was_at[0] && endpoint_open(str_of(control.was_at), &(struct listen_opts){0}, err);
    control.was_at[0] = 0;
    return is_open;
}

static bool try_open(struct err *err) {
    if (open_again(err)) return true;
    struct listen_opts opts = {.is_elsewhere = is_elsewhere()};
    str address = str_of(control.http);
    if (endpoint_open(address, &opts, err)) return true;
    if (err->code != ERR_BUSY || !control.is_child || opts.is_elsewhere) return false;
    opts.is_elsewhere = true;
    return endpoint_open(address, &opts, err);
}

static void open_or_retry(void *ctx) {
    struct err err = {0};
    (void)ctx;
    if (endpoint_address()[0]) return; // pprof_serve was faster
    if (try_open(&err)) return publish();
    registry_write("", err.text);
    if (control.retry_ms == 0) say("does not serve /debug/pprof/:", err.text);
    if (err.code != ERR_BUSY) return;
    control.retry_ms = control.retry_ms == 0 ? RETRY_MS : control.retry_ms * 2;
    if (control.retry_ms > RETRY_MS_MAX) control.retry_ms = RETRY_MS_MAX;
    if (!loop_later(control.retry_ms, open_or_retry, NULL)) return;
}

static void wait_for_parent(void *ctx) {
    if (is_elsewhere() && control.n_steps++ < CHILD_STEPS &&
        loop_later(CHILD_STEP_MS, wait_for_parent, NULL))
        return;
    open_or_retry(ctx);
}

// What the agent thread does first.
static void begin(void *ctx) {
    files_begin(NULL);
    api_recorder_begin();
    if (control.http[0]) wait_for_parent(ctx);
}

struct serve_call {
    str address;
    struct err *err;
    bool is_done;
};

static void serve_now(void *ctx) {
    struct serve_call *call = ctx;
    call->is_done = endpoint_open(call->address, &(struct listen_opts){0}, call->err);
    if (!call->is_done) return;
    control.pid = getpid();
    publish();
}

bool control_serve(str address, struct err *err) {
    struct serve_call call = {.address = address, .err = err};
    if (control_is_confined()) return err_set(err, ERR_UNSUPPORTED, 0, "%s", control.confined);
    if (control.is_disabled)
        return err_set(err, ERR_UNSUPPORTED, 0, "%s",
                       getauxval(AT_SECURE) ? "a set-user-id program is not profiled"
                                            : "switched off by PPROF_DISABLE");
    if (address.len >= HTTP_CAP) return err_set(err, ERR_USAGE, 0, "address too long");
    if (!loop_call(serve_now, &call, err) || !call.is_done) return false;
    snprintf(control.http, sizeof control.http, S_FMT, S_ARG(address));
    return true;
}

static void stop_now(void *ctx) {
    (void)ctx;
    endpoint_close();
    registry_remove();
    control.socket_path[0] = 0;
    control.http[0] = 0;
    control.was_at[0] = 0;
}

void control_stop(void) {
    if (loop_is_running() && !loop_call(stop_now, NULL, NULL)) return;
}

static void pause_now(void *ctx) {
    (void)ctx;
    if (endpoint_address()[0])
        snprintf(control.was_at, sizeof control.was_at, "%s", endpoint_address());
    endpoint_close();
}

bool control_pause(void) {
    return !control_is_confined() && loop_stop(pause_now, NULL);
}

static void resume_now(void *ctx) {
    api_resume();
    files_resume();
    api_recorder_begin(); // a child that changed its user at once had no time for it
    if (!control.http[0]) return;
    // A little later: a program that changes its user does so several times in a row.
    if (!loop_later(CHILD_DELAY_MS, wait_for_parent, ctx)) open_or_retry(ctx);
}

static void confine_now(void *ctx) {
    (void)ctx;
    trace_stop();
    recorder_stop();
    cpu_stop();
    endpoint_close();
    registry_write("", control.confined);
}

bool control_is_confined(void) {
    return control.confined[0] != 0;
}

void control_confined(const char *call) {
    if (control_is_confined()) return;
    snprintf(control.confined, sizeof control.confined,
             "the program confined itself: its seccomp filter kills for %s", call);
    heap_set_rate(0);
    loop_stop_for_good(confine_now, NULL);
    threads_stop();
    wait_stop();
    pages_stop();
    control.is_disabled = true;
}

void control_resume(void) {
    struct err err;
    if (!loop_start(resume_now, NULL, &err)) say("no longer serves:", err.text);
}

void control_before_fork(void) {
    // A daemon's parent may be gone before the child can ask for it.
    pid_t self = getpid();
    if (control.forking != self) control.forking = self; // a write costs a page after each fork
}

void control_after_fork_child(void) {
    endpoint_after_fork_child();
    loop_after_fork_child();
    names_after_fork_child();
    registry_after_fork_child();
    files_after_fork_child();
    control.fork_parent = control.forking;
    control.is_child = true;
    control.pid = 0;
    control.n_steps = 0;
    control.retry_ms = 0;
    control.socket_path[0] = 0;
}

void control_child_begins(void) {
    bool is_wanted = control.children == CHILDREN_FORK || control.children == CHILDREN_ALL;
    struct err err;
    if (control.is_disabled || !is_wanted || !(control.http[0] || files_are_wanted())) return;
    control.pid = getpid();
    if (!control.http[0] && !files_need_agent()) return;
    if (!loop_start_after(CHILD_DELAY_MS, begin, NULL, &err)) control.pid = 0;
}

static bool env_is_set(const char *name) {
    const char *value = getenv(name);
    return value && value[0];
}

// Whether the environment of process pid, as it was started, has a variable with this value.
static bool environment_has(pid_t pid, const char *name, const char *value) {
    // Before main there is one thread; an environment is rarely a tenth of it.
    static char bytes[1 << 16] PAGE_ALIGNED;
    char path[64], want[1100];
    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    int want_len = snprintf(want, sizeof want, "%s=%s", name, value);
    if (want_len >= (int)sizeof want) return false;
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    size_t len = 0;
    ssize_t n;
    while (len < sizeof bytes - 1 && (n = read(fd, bytes + len, sizeof bytes - 1 - len)) > 0)
        len += (size_t)n;
    for (size_t at = 0; at < len; at += strlen(bytes + at) + 1)
        if (strncmp(bytes + at, want, (size_t)want_len + 1) == 0) return true;
    return false;
}

// Loaded by LD_PRELOAD into a program that may not know of us, as opposed to linked by one that
// does.
static bool is_preloaded(void) {
    const char *list = getenv("LD_PRELOAD");
    return list && strstr(list, "libpprof");
}

static void read_environment(void) {
    const char *http = getenv("PPROF_HTTP");
    control.children = control_parse_children(str_of(getenv("PPROF_CHILDREN")));
    control.is_verbose = env_is_set("PPROF_VERBOSE");
    control.is_disabled = env_is_set("PPROF_DISABLE");
    if (http) snprintf(control.http, sizeof control.http, "%s", http);
    files_read_environment();
    api_recorder_read_environment();
}

// What a program started by one that is served does: nothing, unless PPROF_CHILDREN names it.
static void mind_parent(void) {
    files_mind_parent(environment_has);
    if (!control.http[0] || !environment_has(getppid(), "PPROF_HTTP", control.http)) return;
    control.is_child = true;
    if (control.children == CHILDREN_EXEC || control.children == CHILDREN_ALL) return;
    control.http[0] = 0;
}

static void start_collecting(void) {
    threads_init();
    stacks_init();
    unwind_init();
    heap_init();
    mmaps_init();
    contention_begin();
}

// Before main. Costs a preloaded program that is not served a few getenv.
__attribute__((constructor)) static void control_begin(void) {
    struct err err;
    if (getauxval(AT_SECURE)) {
        control.is_disabled = true; // never open sockets with rights that are not the user's
        return;
    }
    read_environment();
    if (!control.is_disabled) mind_parent();
    bool is_wanted = control.http[0] || files_are_wanted() || !is_preloaded();
    if (control.is_disabled || !is_wanted) return;
    hot_thread.depth++;
    start_collecting();
    hot_thread.depth--;
    control.pid = getpid();
    files_take_signal();
    if (!control.http[0] && !files_need_agent()) return;
    if (!loop_start(begin, NULL, &err)) say("does not serve:", err.text);
}

__attribute__((destructor)) static void control_end(void) {
    if (control_is_confined() || control.pid != getpid()) return;
    hot_thread.depth++; // nothing of this is the program's
    files_end();
    hot_thread.depth--;
    if (control.socket_path[0]) unlink(control.socket_path);
    registry_end();
}
