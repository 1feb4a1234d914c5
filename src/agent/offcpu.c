// agent/offcpu.c - the off-CPU profile.
// Room: see offcpu.h.
#include "agent/offcpu.h"

#include "agent/hot/hot.h"
#include "agent/labels.h"
#include "agent/maps.h"
#include "agent/rows.h"
#include "agent/switches.h"
#include "agent/tasks.h"
#include "agent/threads.h"

#include <time.h>

enum { MAX_CELLS = 1 << 16 };

// How often a thread was found blocked in one place.
struct cell {
    u32 tid, stack_id, label_id;
    str state;
    u64 n;
};

static struct {
    struct arena arena; // of the profile; everything below that points somewhere points into it
    bool has_profile, is_running;
    struct cell *cells;
    u32 n_cells;
    size_t cap_cells;
    struct idmap cell_by_key;
    struct idmap looks_by_tid; // index in n_looks, as names
    u64 *n_looks;              // times a thread was found blocked
    str *names;
    u32 n_threads;
    size_t cap_looks, cap_names;
    u64 n_unfollowed, n_dropped, n_without_memory, n_lost;
    i64 started_wall_ns;
    u64 started_ns, ended_ns;
    struct rows rows; // of the ended profile
} off;                // used by the agent thread

static u64 clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}

static u32 thread_of(u32 tid) {
    u32 *at = idmap_at(&off.looks_by_tid, tid);
    if (*at != U32_NONE) return *at;
    char buffer[TASK_FILE_CAP];
    GROW(&off.arena, off.n_looks, off.cap_looks, off.n_threads + 1);
    GROW(&off.arena, off.names, off.cap_names, off.n_threads + 1);
    off.names[off.n_threads] = str_copy(&off.arena, task_file(tid, "comm", buffer));
    return *at = off.n_threads++;
}

static void fold(const struct thread_dump *thread) {
    u32 stack_id = stack_intern(thread->pcs, thread->n_pcs), thread_i = thread_of(thread->tid);
    u64 key = hash_mix((u64)stack_id << 32 | thread->label_id) ^ hash_mix(thread->tid) ^
              str_hash(thread->state);
    u32 *at = idmap_at(&off.cell_by_key, key);
    off.n_looks[thread_i]++;
    if (*at == U32_NONE) {
        if (off.n_cells >= MAX_CELLS) {
            off.n_dropped++;
            return;
        }
        GROW(&off.arena, off.cells, off.cap_cells, off.n_cells + 1);
        *at = off.n_cells;
        off.cells[off.n_cells++] = (struct cell){.tid = thread->tid,
                                                 .stack_id = stack_id,
                                                 .label_id = thread->label_id,
                                                 .state = str_copy(&off.arena, thread->state)};
    }
    off.cells[*at].n++;
}

static bool is_blocked(const struct thread_dump *thread) {
    return thread->n_pcs && !str_eq(thread->state, S("running")) &&
           !str_eq(thread->state, S("runnable"));
}

static void look(void) {
    AUTO_ARENA struct arena scratch = arena_sub(&off.arena);
    struct thread_dumps dumps;
    struct err err;
    switches_drain();
    images_follow();
    struct look_opts opts = {.max = MAX_SWITCHED};
    if (!threads_look(&scratch, &opts, &dumps, &err)) return;
    for (u32 i = 0; i < dumps.n; i++) {
        if (!switches_follow(dumps.items[i].tid))
            off.n_unfollowed++;
        else if (is_blocked(&dumps.items[i]))
            fold(&dumps.items[i]);
    }
    off.n_unfollowed += dumps.n_unseen;
}

static struct row *row_add(u32 stack_id, u32 label_id, str state, u32 tid) {
    GROW(&off.arena, off.rows.items, off.rows.cap, off.rows.n + 1);
    struct row *row = &off.rows.items[off.rows.n++];
    *row = (struct row){0};
    row->pcs = stack_pcs(stack_id, &row->n_pcs);
    struct row_label *labels = labels_put(&off.arena, row, label_id, 2);
    labels[0] = (struct row_label){.key = S("state"), .text = state};
    labels[1] = (struct row_label){.key = S("thread"), .text = off.names[thread_of(tid)]};
    return row;
}

// What looks never saw: under the thread's first function.
static u32 unseen_stack(u32 tid) {
    const struct thread_slot *slot = thread_slot_of(tid);
    u64 pcs[2] = {STACK_PC_NOT_SEEN, slot ? slot->start_pc : 0};
    return stack_intern(pcs, pcs[1] ? 2 : 1);
}

static void rows_of_thread(const struct switched *s) {
    u64 n_looks = off.n_looks[thread_of(s->tid)];
    u32 label_id = labels_of(thread_slot_of(s->tid));
    if (s->preempted_ns) {
        struct row *row = row_add(unseen_stack(s->tid), label_id, S("preempted"), s->tid);
        row->values[0] = (i64)s->n_preempts;
        row->values[1] = (i64)s->preempted_ns;
    }
    if (s->waited_ns && !n_looks) {
        struct row *row = row_add(unseen_stack(s->tid), label_id, S("waiting"), s->tid);
        row->values[0] = (i64)s->n_waits;
        row->values[1] = (i64)s->waited_ns;
    }
    for (u32 i = 0; n_looks && i < off.n_cells; i++) {
        const struct cell *cell = &off.cells[i];
        if (cell->tid != s->tid) continue;
        double share = (double)cell->n / (double)n_looks;
        struct row *row = row_add(cell->stack_id, cell->label_id, cell->state, s->tid);
        row->values[0] = (i64)((double)s->n_waits * share + 0.5);
        row->values[1] = (i64)((double)s->waited_ns * share + 0.5);
    }
}

static void finish(void) {
    const struct switched *s;
    look();
    u64 now = clock_ns(CLOCK_MONOTONIC);
    switches_drain();
    for (u32 i = 0; (s = switches_at(i, now)); i++) rows_of_thread(s);
}

// Without memory the step is left, and told.
static void with_memory(void (*step)(void)) {
    off.n_without_memory += !rows_attempt(&off.arena, step);
}

bool offcpu_start(struct err *err) {
    if (off.is_running) return err_set(err, ERR_BUSY, 0, "off-CPU profiling already in use");
    if (!stacks_init() || !unwind_init()) return err_sys(err, "memory for samples");
    arena_done(&off.arena);
    __builtin_memset(&off, 0, sizeof off);
    arena_init(&off.arena);
    str why = switches_status(&off.arena);
    if (why.len) return err_set(err, ERR_UNSUPPORTED, 0, S_FMT, S_ARG(why));
    idmap_init(&off.cell_by_key, &off.arena);
    idmap_init(&off.looks_by_tid, &off.arena);
    off.started_wall_ns = (i64)clock_ns(CLOCK_REALTIME);
    off.started_ns = clock_ns(CLOCK_MONOTONIC);
    off.has_profile = off.is_running = true;
    switches_open();
    switches_restart();
    with_memory(look);
    return true;
}

void offcpu_step(void) {
    if (off.is_running) with_memory(look);
}

void offcpu_stop(void) {
    if (!off.is_running) return;
    off.is_running = false;
    with_memory(finish);
    off.ended_ns = clock_ns(CLOCK_MONOTONIC);
    off.n_lost = switches_lost();
    switches_close();
}

bool offcpu_collect(struct arena *out, struct rows *ret, struct err *err) {
    if (!off.has_profile) return err_set(err, ERR_NOT_FOUND, 0, "no off-CPU profile was taken");
    struct rows rows = {.items = off.rows.items,
                        .n = off.rows.n,
                        .period = 1,
                        .time_nanos = off.started_wall_ns,
                        .duration_nanos = (i64)(off.ended_ns - off.started_ns)};
    rows_tell_count(
        out, &rows, "offcpu", off.n_unfollowed,
        "times a thread was left out: too many threads, or no memory to lock for its ring");
    rows_tell_count(out, &rows, "offcpu", off.n_lost, "times switches were lost: a ring was full");
    rows_tell_count(out, &rows, "offcpu", off.n_dropped,
                    "looks dropped: too many different places");
    rows_tell_count(out, &rows, "offcpu", off.n_without_memory, "looks left: memory was short");
    labels_tell(out, &rows);
    *ret = rows;
    return true;
}

str offcpu_status(struct arena *out) {
    return switches_status(out);
}

void offcpu_after_fork_child(void) {
    off.is_running = false; // the memory is a copy nobody needs; the next start gives it back
    off.has_profile = false;
    switches_forget();
}
