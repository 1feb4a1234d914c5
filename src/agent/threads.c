// agent/threads.c - the thread dump: every thread's stack, and what it waits for.
// Room: reading parked threads in place, asking running ones, grouping into rows. State words are
// waits.c. Door: agent/threads.h. Follows reference/native.md 0.3: no blocked thread gets a signal.
#include "agent/threads.h"

#include "agent/deadlocks.h"
#include "agent/hot/hot.h"
#include "agent/labels.h"
#include "agent/rows.h"
#include "agent/tasks.h"
#include "agent/waited.h"
#include "agent/waits.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
    PARKED_TRIES = 3,     // reads of a thread that wakes and sleeps while it is read
    CAPTURE_POLL_MS = 1,  // looks for answers of running threads
    CAPTURE_CHECK = 4,    // every so many looks: has it gone to sleep instead?
    MAPS_CHUNK = 1 << 16, // bytes of /proc/self/maps a read
    MAPS_MAX = 64 << 20,  // of it at most: 600,000 mappings, ten times the kernel's own limit
    N_LABELS = 4,         // of a row: state, thread, tid, wait
    WRITING_TRIES = 100   // of 1 ms, for a handler that was preempted
};

// The writable ranges of memory, for stacks nobody told us about.
struct stack_range {
    u64 start, end;
};

struct dump {
    struct arena *out;
    struct arena *scratch;
    struct thread_dumps ret;
    int tasks_fd; // /proc/self/task
    u32 max;      // threads to read
    u32 wait_ms;  // for running ones
    const struct wait_places *places;
    struct stack_range *ranges;
    u32 n_ranges;
    bool has_ranges;
    u64 pcs[MAX_FRAMES];
};

static u64 now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u64)now.tv_sec * 1000 + (u64)now.tv_nsec / 1000000;
}

static void sleep_ms(u32 ms) {
    struct timespec time = {.tv_nsec = (long)ms * 1000 * 1000};
    nanosleep(&time, NULL);
}

static void pcs_keep(struct dump *d, struct thread_dump *thread, const u64 *pcs,
                     struct unwound got) {
    u64 *copy = NEW(d->out, u64, got.n);
    for (u32 i = 0; i < got.n; i++) copy[i] = pcs[i];
    thread->pcs = copy;
    thread->n_pcs = got.n;
    thread->is_complete = got.end == UNWIND_COMPLETE || got.end == UNWIND_GUESSED;
}

static str maps_read(struct arena *out) {
    AUTO_CLOSE int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    char *text = NULL;
    size_t cap = 0, len = 0;
    while (fd >= 0 && len < MAPS_MAX) {
        GROW(out, text, cap, len + MAPS_CHUNK);
        ssize_t got = read(fd, text + len, MAPS_CHUNK);
        if (got <= 0) break;
        len += (size_t)got;
    }
    return (str){text, len};
}

// "7f0c8000-7f0d0000 rw-p ..."
static bool maps_line(str line, struct stack_range *ret) {
    str range, rest, start, end;
    return str_cut(line, ' ', &range, &rest) && str_cut(range, '-', &start, &end) &&
           str_starts(rest, S("rw")) && num_parse_u64(start, 16, &ret->start) &&
           num_parse_u64(end, 16, &ret->end);
}

static void ranges_read(struct dump *d) {
    struct reader r = reader_of(maps_read(d->scratch));
    size_t cap = 0;
    str line;
    while (reader_line(&r, &line)) {
        GROW(d->scratch, d->ranges, cap, d->n_ranges + 1);
        if (maps_line(line, &d->ranges[d->n_ranges])) d->n_ranges++;
    }
    d->has_ranges = true;
}

// The stack that sp points into: as pthread_create saw it, else the mapping around it (fibers, raw
// clone, the main thread of a program that was running before us).
static bool stack_find(struct dump *d, u32 tid, u64 sp, struct stack_range *ret) {
    const struct thread_slot *slot = thread_slot_of(tid);
    u64 lo = slot ? slot->stack_hi - (u64)slot->stack_kib * 1024 : 0;
    if (slot && sp >= lo && sp < slot->stack_hi) {
        *ret = (struct stack_range){lo, slot->stack_hi};
        return true;
    }
    if (fiber_of(sp, &ret->start, &ret->end)) return true;
    if (!d->has_ranges) ranges_read(d);
    for (u32 i = 0; i < d->n_ranges; i++) {
        if (sp < d->ranges[i].start || sp >= d->ranges[i].end) continue;
        *ret = d->ranges[i];
        return true;
    }
    return false;
}

static str file_at(int fd, char buffer[TASK_FILE_CAP]) {
    ssize_t got = fd < 0 ? 0 : pread(fd, buffer, TASK_FILE_CAP, 0);
    str text = {buffer, got > 0 ? (size_t)got : 0};
    return str_trim(text);
}

// The two files that say whether a thread has moved: what it is blocked in, and how often it ran.
struct task_look {
    char call[TASK_FILE_CAP], sched[TASK_FILE_CAP];
    str call_text, sched_text;
};

// Relative to /proc/self/task: its three components cost as much again as the file.
static int task_open(const struct dump *d, u32 tid, const char *name) {
    char path[64];
    snprintf(path, sizeof path, "%u/%s", tid, name);
    return openat(d->tasks_fd, path, O_RDONLY | O_CLOEXEC);
}

enum parked { PARKED_READ, PARKED_RUNNING, PARKED_GONE, PARKED_HIDDEN };

// The kernel shows system calls to root only once a process has changed its user, until it says
// PR_SET_DUMPABLE (nginx does). What everybody may read remains: runs or sleeps, and in which
// kernel function.
static enum parked hidden_read(struct dump *d, struct thread_dump *thread) {
    char buffer[TASK_FILE_CAP];
    AUTO_CLOSE int stat_fd = task_open(d, thread->tid, "stat");
    AUTO_CLOSE int wait_fd = task_open(d, thread->tid, "wchan");
    str stat = file_at(stat_fd, buffer);
    ptrdiff_t at = str_rfind_byte(stat, ')'); // the name before it may hold anything
    if (stat_fd < 0 || at < 0) return PARKED_GONE;
    if (str_starts(str_skip(stat, (size_t)at), S(") R"))) return PARKED_RUNNING;
    struct wait wait = wait_by_channel(str_copy(d->out, file_at(wait_fd, buffer)));
    thread->state = wait.state;
    thread->wait_info = wait.info;
    thread->object = wait.object;
    return PARKED_HIDDEN;
}

// The last word of "12345 678 9": how often it was put on a CPU.
static u64 moves_of(str sched) {
    u64 n = 0;
    str last = str_skip(sched, (size_t)(str_rfind_byte(sched, ' ') + 1));
    return num_parse_u64(last, 10, &n) ? n : 0;
}

// Unwinds a thread that sleeps, from outside. It may wake at any moment; then what was read is
// thrown away: the files differ, or their count of times it was put on a CPU.
static enum parked parked_read(struct dump *d, struct thread_dump *thread) {
    AUTO_CLOSE int sched_fd = task_open(d, thread->tid, "schedstat"); // missing: calls alone decide
    AUTO_CLOSE int call_fd = task_open(d, thread->tid, "syscall");
    struct task_look before, after;
    if (call_fd < 0 && errno != ENOENT && errno != ESRCH) return hidden_read(d, thread);
    for (u32 i = 0; i < PARKED_TRIES; i++) {
        struct task_syscall call;
        struct stack_range stack;
        before.sched_text = file_at(sched_fd, before.sched);
        before.call_text = file_at(call_fd, before.call);
        if (!task_syscall_parse(before.call_text, &call)) return PARKED_GONE;
        if (call.is_running) return PARKED_RUNNING;
        struct unwound got = {.n = 0, .end = UNWIND_LOST};
        if (stack_find(d, thread->tid, call.sp, &stack))
            got = unwind_parked(call.pc, call.sp, stack.start, stack.end, d->pcs, MAX_FRAMES);
        after.call_text = file_at(call_fd, after.call);
        after.sched_text = file_at(sched_fd, after.sched);
        if (!str_eq(before.call_text, after.call_text)) continue;
        if (!str_eq(before.sched_text, after.sched_text)) continue;
        if (!got.n) d->pcs[got.n++] = call.pc;
        pcs_keep(d, thread, d->pcs, got);
        struct wait wait = wait_of(d->out, d->places, &call, d->pcs, got.n);
        thread->state = wait.state;
        thread->wait_info = wait.info;
        thread->object = wait.object;
        thread->moves = moves_of(after.sched_text);
        return PARKED_READ;
    }
    return PARKED_RUNNING;
}

// Takes the answer of cell i, or gives up. False: the thread is just writing it.
static bool capture_take_back(struct dump *d, struct thread_dump *thread, u32 i) {
    if (capture_done(i)) {
        const struct capture_cell *cell = capture_cell(i);
        pcs_keep(d, thread, cell->pcs, cell->got);
        thread->state = S("running");
    }
    return capture_end(i);
}

struct question {
    struct thread_dump *thread; // NULL: answered
    u32 cell;
};

// One look at all open questions; gives how many stay open.
static u32 questions_look(struct dump *d, struct question *asked, u32 n, bool is_check) {
    u32 n_open = 0;
    for (u32 i = 0; i < n; i++) {
        struct question *q = &asked[i];
        if (!q->thread) continue;
        bool is_parked = is_check && parked_read(d, q->thread) != PARKED_RUNNING;
        if ((capture_done(q->cell) || is_parked) && capture_take_back(d, q->thread, q->cell))
            q->thread = NULL;
        if (q->thread) n_open++;
    }
    return n_open;
}

// Those that did not get a CPU in time keep the state they have.
static void questions_end(struct dump *d, struct question *asked, u32 n) {
    for (u32 i = 0; i < n; i++) {
        for (u32 k = 0; asked[i].thread && k < WRITING_TRIES; k++) {
            if (capture_take_back(d, asked[i].thread, asked[i].cell))
                asked[i].thread = NULL;
            else
                sleep_ms(CAPTURE_POLL_MS);
        }
    }
}

// Asks up to N_CAPTURES running threads at once for their stacks.
static void running_ask(struct dump *d, struct thread_dump **threads, u32 n, u64 deadline_ms) {
    struct question asked[N_CAPTURES];
    u32 n_asked = 0;
    for (u32 i = 0; i < n; i++) {
        asked[n_asked] = (struct question){threads[i], i};
        if (capture_ask(i, threads[i]->tid)) n_asked++;
    }
    for (u32 k = 1; questions_look(d, asked, n_asked, k % CAPTURE_CHECK == 0); k++) {
        if (now_ms() >= deadline_ms) break;
        sleep_ms(CAPTURE_POLL_MS);
    }
    questions_end(d, asked, n_asked);
}

static void running_read(struct dump *d) {
    struct thread_dump **running = NEW(d->scratch, struct thread_dump *, d->ret.n + 1);
    u32 n = 0;
    for (u32 i = 0; i < d->ret.n; i++)
        if (!d->ret.items[i].state.len) running[n++] = &d->ret.items[i];
    for (u32 i = 0; i < n; i++) running[i]->state = S("runnable");
    if (!n || !d->wait_ms || !cpu_signal_install()) return;
    u64 deadline_ms = now_ms() + d->wait_ms;
    for (u32 i = 0; i < n && now_ms() < deadline_ms; i += N_CAPTURES)
        running_ask(d, running + i, n - i < N_CAPTURES ? n - i : N_CAPTURES, deadline_ms);
}

static void name_read(struct dump *d, struct thread_dump *thread) {
    char buffer[TASK_FILE_CAP];
    AUTO_CLOSE int fd = task_open(d, thread->tid, "comm");
    thread->name = str_copy(d->out, file_at(fd, buffer));
}

static __attribute__((noinline)) void self_read(struct dump *d, struct thread_dump *thread) {
    pcs_keep(d, thread, d->pcs, unwind_here(d->pcs, MAX_FRAMES, 0));
    thread->state = S("running");
}

static void thread_read(struct dump *d, u32 tid) {
    const struct thread_slot *slot = thread_slot_of(tid);
    if (slot && slot->is_hidden) return;
    if (d->ret.n == d->max) {
        d->ret.n_unseen++;
        return;
    }
    struct thread_dump *thread = &d->ret.items[d->ret.n];
    *thread = (struct thread_dump){.tid = tid, .object = {.fd = -1}};
    if (slot) thread->creator_pc = slot->creator_pc, thread->creator_tid = slot->creator_tid;
    thread->label_id = labels_of(slot);
    if (tid == (u32)gettid()) {
        self_read(d, thread);
    } else if (parked_read(d, thread) == PARKED_GONE) {
        if (task_exists(tid))
            thread->state = S("syscall"); // no such file here: gVisor, old kernels
        else
            return;
    }
    name_read(d, thread);
    d->ret.n++;
}

static struct dump *dump_new(struct arena *out, struct arena *scratch, int tasks_fd) {
    struct dump *d = NEW(scratch, struct dump, 1);
    *d = (struct dump){.out = out, .scratch = scratch, .tasks_fd = tasks_fd};
    d->places = wait_places_find(scratch);
    return d;
}

// PPROF_DUMPABLE=1: a process that has changed its user makes itself readable for the time of a
// dump. Not without being asked: for that time its user's other processes could attach to it, too.
static bool readable_begin(void) {
    const char *wish = getenv("PPROF_DUMPABLE");
    if (!wish || strcmp(wish, "1") != 0 || prctl(PR_GET_DUMPABLE) == 1) return false;
    return prctl(PR_SET_DUMPABLE, 1) == 0;
}

static void readable_end(bool has_begun) {
    if (has_begun) prctl(PR_SET_DUMPABLE, 0);
}

bool threads_parked(struct arena *out, u32 tid, struct thread_dump *ret) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    AUTO_CLOSE int tasks_fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct dump *d = dump_new(out, &scratch, tasks_fd);
    struct thread_dump thread = {.tid = tid};
    enum parked parked = parked_read(d, &thread);
    if (parked != PARKED_READ && parked != PARKED_HIDDEN) return false;
    *ret = thread;
    return true;
}

// A thread whose stack could not be had shows its first function, where that is known.
static void bare_fill(struct dump *d, struct thread_dump *thread) {
    const struct thread_slot *slot = thread_slot_of(thread->tid);
    if (thread->n_pcs) return;
    d->ret.n_bare++;
    d->pcs[0] = slot ? slot->start_pc : 0;
    if (d->pcs[0]) pcs_keep(d, thread, d->pcs, (struct unwound){.n = 1, .end = UNWIND_LOST});
}

static int by_tid(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct thread_dump *x = a, *y = b;
    return (x->tid > y->tid) - (x->tid < y->tid);
}

static void describe(struct dump *d) {
    struct waited waited;
    waited_init(&waited, d->out);
    for (u32 i = 0; i < d->ret.n; i++) waited_describe(&waited, &d->ret.items[i]);
}

bool threads_look(struct arena *out, const struct look_opts *opts, struct thread_dumps *ret,
                  struct err *err) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    u32 *tids, n;
    if (!unwind_init()) return err_sys(err, "memory for unwinding");
    if (!tasks_list(&scratch, &tids, &n, err)) return false;
    AUTO_CLOSE int tasks_fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct dump *d = dump_new(out, &scratch, tasks_fd);
    d->max = opts->max;
    d->wait_ms = opts->wait_ms;
    d->ret.items = NEW(out, struct thread_dump, n < d->max ? n : d->max);
    bool has_begun = readable_begin();
    for (u32 i = 0; i < n; i++) thread_read(d, tids[(opts->first + i) % n]);
    running_read(d);
    readable_end(has_begun);
    for (u32 i = 0; i < d->ret.n; i++) bare_fill(d, &d->ret.items[i]);
    if (opts->describes) describe(d);
    sort_stable(&scratch, d->ret.items, d->ret.n, sizeof *d->ret.items, by_tid, NULL);
    *ret = d->ret;
    return true;
}

bool threads_dump(struct arena *out, struct thread_dumps *ret, struct err *err) {
    return threads_look(
        out,
        &(struct look_opts){.wait_ms = DUMP_WAIT_MS, .max = MAX_DUMP_THREADS, .describes = true},
        ret, err);
}

static void thread_labels(struct arena *out, struct row *row, const struct thread_dump *thread) {
    u32 n = thread->wait_info.len > 0 ? N_LABELS : N_LABELS - 1;
    struct row_label *labels = labels_put(out, row, thread->label_id, n);
    labels[0] = (struct row_label){.key = S("state"), .text = thread->state};
    labels[1] = (struct row_label){.key = S("thread"), .text = thread->name};
    labels[2] = (struct row_label){.key = S("tid"), .num = thread->tid};
    if (n == N_LABELS) labels[3] = (struct row_label){.key = S("wait"), .text = thread->wait_info};
}

static void rows_add(struct arena *out, struct rows *rows, const struct thread_dump *thread) {
    GROW(out, rows->items, rows->cap, rows->n + 1);
    struct row *row = &rows->items[rows->n++];
    *row = (struct row){.pcs = thread->pcs, .n_pcs = thread->n_pcs, .values = {1}};
}

// Whether system calls of this process may be read at all.
static bool is_readable(void) {
    return access("/proc/self/task", R_OK) == 0 && access("/proc/self/syscall", R_OK) == 0;
}

static const char hidden_words[] =
    "blocked threads show no stacks: the program changed its user, so the kernel hides them; "
    "PPROF_DUMPABLE=1 shows them";

static void comment_unseen(struct arena *out, struct rows *rows, const struct thread_dumps *dumps) {
    struct buf b = buf_new(out, 256);
    if (dumps->n_bare && !is_readable())
        buf_printf(&b, "%u %s", dumps->n_bare, hidden_words);
    else if (dumps->n_bare)
        buf_printf(&b, "%u threads got no CPU in time: no stack", dumps->n_bare);
    if (dumps->n_unseen) buf_printf(&b, "%u threads more, not read", dumps->n_unseen);
    rows_tell(out, rows, "goroutine", buf_str(&b));
}

// What rows are told apart by: labels and stack.
static str stack_key(struct arena *out, const struct thread_dump *thread) {
    u64 *key = NEW(out, u64, thread->n_pcs + 1);
    key[0] = thread->label_id;
    for (u32 i = 0; i < thread->n_pcs; i++) key[i + 1] = thread->pcs[i];
    return (str){(const char *)key, (thread->n_pcs + 1) * sizeof(u64)};
}

bool threads_collect(struct arena *out, bool by_thread, struct rows *ret, struct err *err) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct rows rows = {.period = 1};
    struct thread_dumps dumps;
    struct strmap row_by_stack;
    if (!threads_dump(out, &dumps, err)) return false;
    strmap_init(&row_by_stack, &scratch);
    for (u32 i = 0; i < dumps.n; i++) {
        const struct thread_dump *thread = &dumps.items[i];
        str key = stack_key(&scratch, thread);
        u32 *at = by_thread ? NULL : strmap_at(&row_by_stack, key);
        if (at && *at != U32_NONE) {
            rows.items[*at].values[0]++;
            continue;
        }
        if (at) *at = rows.n;
        rows_add(out, &rows, thread);
        if (by_thread)
            thread_labels(out, &rows.items[rows.n - 1], thread);
        else
            labels_put(out, &rows.items[rows.n - 1], thread->label_id, 0);
    }
    comment_unseen(out, &rows, &dumps);
    rows_comment(out, &rows, deadlocks_text(out, &dumps));
    *ret = rows;
    return true;
}

u64 threads_count(void) {
    struct arena scratch;
    struct err err;
    jmp_buf no_memory;
    volatile u64 n_shown = 0;
    u32 *tids, n;
    arena_init(&scratch);
    scratch.on_oom = &no_memory;
    if (setjmp(no_memory) == 0 && tasks_list(&scratch, &tids, &n, &err)) {
        for (u32 i = 0; i < n; i++) {
            const struct thread_slot *slot = thread_slot_of(tids[i]);
            n_shown += !(slot && slot->is_hidden);
        }
    }
    arena_done(&scratch);
    return n_shown;
}

str threads_status(struct arena *out) {
    (void)out;
    const char *wish = getenv("PPROF_DUMPABLE");
    if (is_readable() || (wish && strcmp(wish, "1") == 0)) return S("");
    return str_of(hidden_words);
}
