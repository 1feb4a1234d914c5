// agent/wall.c - the wall-clock profile.
// Room: see wall.h.
#include "agent/wall.h"

#include "agent/hot/hot.h"
#include "agent/labels.h"
#include "agent/maps.h"
#include "agent/rows.h"
#include "agent/threads.h"

#include <time.h>

enum {
    MAX_CELLS = 1 << 17, // distinct (stack, labels, state, name): 5 MiB; further ones are dropped
    RUNNING_MS = 12,     // three ticks at 250 Hz: a running thread answers at its next
    LOOK_PAUSE = 25,     // at least so many times what a look costs: 4 % of a CPU with many threads
};

struct cell {
    u32 stack_id, label_id;
    str state, name;
    u64 ns, n;
};

static struct {
    struct arena arena; // of the profile; everything below that points somewhere points into it
    bool has_profile, is_running;
    struct cell *cells;
    u32 n_cells;
    size_t cap_cells;
    struct idmap cell_by_key;
    struct idmap stack_by_tid; // where the thread was seen last
    struct strmap words;       // states and names, once each; value: index in word
    str *word;
    u32 n_words;
    size_t cap_words;
    u64 n_dropped, n_looks, n_unread; // cells dropped; looks; threads that gave no stack
    u64 n_guessed;                    // threads that got no CPU: their last stack stands for them
    u32 next_thread;                  // where the next look begins
    u32 n_without_memory;
    i64 started_wall_ns;
    u64 started_ns, ended_ns, looked_ns, next_ns;
} wall; // used by the agent thread

static u64 clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}

static u32 word_of(str text) {
    u32 known = strmap_get(&wall.words, text);
    if (known != U32_NONE) return known;
    str copy = str_copy(&wall.arena, text);
    GROW(&wall.arena, wall.word, wall.cap_words, wall.n_words + 1);
    wall.word[wall.n_words] = copy;
    return *strmap_at(&wall.words, copy) = wall.n_words++;
}

static struct cell *cell_of(u32 stack_id, u32 label_id, u32 state_i, u32 name_i) {
    u64 key = hash_mix((u64)stack_id << 32 | label_id) ^ ((u64)state_i << 32 | name_i);
    u32 *at = idmap_at(&wall.cell_by_key, key);
    if (*at != U32_NONE) return &wall.cells[*at];
    if (wall.n_cells >= MAX_CELLS) return NULL;
    GROW(&wall.arena, wall.cells, wall.cap_cells, wall.n_cells + 1);
    *at = wall.n_cells;
    wall.cells[wall.n_cells] = (struct cell){.stack_id = stack_id,
                                             .label_id = label_id,
                                             .state = wall.word[state_i],
                                             .name = wall.word[name_i]};
    return &wall.cells[wall.n_cells++];
}

// A thread that waits for a CPU has not moved since it was seen last.
static u32 stack_of(const struct thread_dump *thread) {
    u32 *last = idmap_at(&wall.stack_by_tid, thread->tid);
    bool is_bare = str_eq(thread->state, S("runnable"));
    if (!thread->n_pcs) wall.n_unread++;
    if (is_bare && *last != U32_NONE) {
        wall.n_guessed++;
        return *last;
    }
    u32 stack_id = stack_intern(thread->pcs, thread->n_pcs);
    if (!is_bare) *last = stack_id;
    return stack_id;
}

static void fold(const struct thread_dump *thread, u64 ns, double share) {
    u32 state_i = word_of(thread->state), name_i = word_of(thread->name);
    struct cell *cell = cell_of(stack_of(thread), thread->label_id, state_i, name_i);
    if (!cell) {
        wall.n_dropped++;
        return;
    }
    cell->n++;
    cell->ns += (u64)((double)ns * share);
}

static void look(void) {
    AUTO_ARENA struct arena scratch = arena_sub(&wall.arena);
    struct thread_dumps dumps;
    struct err err;
    u64 before = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    images_follow();
    struct look_opts opts = {.wait_ms = RUNNING_MS, .first = wall.next_thread, .max = WALL_THREADS};
    bool is_read = threads_look(&scratch, &opts, &dumps, &err);
    u64 now = clock_ns(CLOCK_MONOTONIC), ns = now - wall.looked_ns;
    wall.looked_ns = now;
    wall.next_ns = before + (clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu) * LOOK_PAUSE;
    if (!is_read) return;
    wall.n_looks++;
    wall.next_thread = opts.first + dumps.n;
    double share = dumps.n ? (double)(dumps.n + dumps.n_unseen) / dumps.n : 0;
    for (u32 i = 0; i < dumps.n; i++) fold(&dumps.items[i], ns, share);
}

// Without memory the look is left, and told.
static void look_if_possible(void) {
    wall.n_without_memory += !rows_attempt(&wall.arena, look);
}

bool wall_start(struct err *err) {
    if (wall.is_running) return err_set(err, ERR_BUSY, 0, "wall profiling already in use");
    if (!stacks_init() || !unwind_init()) return err_sys(err, "memory for samples");
    arena_done(&wall.arena);
    __builtin_memset(&wall, 0, sizeof wall);
    arena_init(&wall.arena);
    idmap_init(&wall.cell_by_key, &wall.arena);
    idmap_init(&wall.stack_by_tid, &wall.arena);
    strmap_init(&wall.words, &wall.arena);
    wall.started_wall_ns = (i64)clock_ns(CLOCK_REALTIME);
    wall.started_ns = wall.looked_ns = clock_ns(CLOCK_MONOTONIC);
    wall.has_profile = wall.is_running = true;
    return true;
}

void wall_step(void) {
    if (wall.is_running && clock_ns(CLOCK_MONOTONIC) >= wall.next_ns) look_if_possible();
}

void wall_stop(void) {
    if (!wall.is_running) return;
    look_if_possible(); // what has passed since the last one
    wall.is_running = false;
    wall.ended_ns = clock_ns(CLOCK_MONOTONIC);
}

static void comments(struct arena *out, struct rows *rows) {
    rows_tell_count(out, rows, "wall", wall.n_looks, "looks at the threads");
    rows_tell_count(
        out, rows, "wall", wall.n_guessed,
        "times a thread waited for a CPU: the place where it was seen last stands for it");
    rows_tell_count(out, rows, "wall", wall.n_unread, "times a thread gave no stack");
    rows_tell_count(out, rows, "wall", wall.n_dropped, "samples dropped: too many different ones");
    rows_tell_count(out, rows, "wall", wall.n_without_memory, "looks left: memory was short");
    labels_tell(out, rows);
}

bool wall_collect(struct arena *out, struct rows *ret, struct err *err) {
    if (!wall.has_profile) return err_set(err, ERR_NOT_FOUND, 0, "no wall profile was taken");
    u64 end = wall.ended_ns ? wall.ended_ns : clock_ns(CLOCK_MONOTONIC);
    u64 ns = end - wall.started_ns;
    struct rows rows = {.period = (i64)(wall.n_looks ? ns / wall.n_looks : ns),
                        .time_nanos = wall.started_wall_ns,
                        .duration_nanos = (i64)ns};
    GROW(out, rows.items, rows.cap, wall.n_cells);
    for (u32 i = 0; i < wall.n_cells; i++) {
        const struct cell *cell = &wall.cells[i];
        struct row *row = &rows.items[rows.n++];
        *row = (struct row){.values = {(i64)cell->n, (i64)cell->ns}};
        row->pcs = stack_pcs(cell->stack_id, &row->n_pcs);
        struct row_label *labels = labels_put(out, row, cell->label_id, 2);
        labels[0] = (struct row_label){.key = S("state"), .text = cell->state};
        labels[1] = (struct row_label){.key = S("thread"), .text = cell->name};
    }
    comments(out, &rows);
    *ret = rows;
    return true;
}

void wall_after_fork_child(void) {
    wall.is_running = false; // the memory is a copy nobody needs; the next start gives it back
    wall.has_profile = false;
}
