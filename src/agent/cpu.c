// agent/cpu.c - the CPU profile: one at a time, from start to rows.
// Room: what the agent does while a profile runs: timers of all threads, folding, accounting.
// Door: agent/cpu.h.
#include "agent/cpu.h"

#include "agent/hot/hot.h"
#include "agent/labels.h"
#include "agent/maps.h"
#include "agent/rows.h"
#include "agent/tasks.h"
#include "agent/threads.h"
#include "agent/trace.h"

#include <time.h>
#include <unistd.h>

enum {
    SWEEP_MS = 250,      // how late a thread made without pthread_create gets its timer
    SWEEP_PAUSE = 200,   // at least so many times what a sweep costs: half a percent of a CPU. 4000
                         // threads take 5 ms, so their sweeps are a second apart
    GONE_SWEEPS = 4,     // every so many sweeps, slots of threads that ended unseen are emptied
    START_TRIES = 3,     // looks at threads that are just being made when a profile begins
    OWED_USUAL = 12,     // periods: 10 ms of the slowest tick at 1000 Hz, and two under way
    DRAIN_TRIES = 50,    // of 1 ms at the end, for a writer that was preempted
    MAX_CELLS = 1 << 20, // distinct (stack, labels) of one profile: 24 MiB; further ones share the
                         // overflow stack
    NS_A_MS = 1000 * 1000
};

// A distinct stack with labels, and the periods its samples stand for.
struct cpu_cell {
    u32 stack_id, label_id;
    u64 weight;
};

static struct {
    struct arena arena; // of the profile; everything below that points somewhere points into it
    bool has_profile;   // one was started; its rows are here
    u32 hz;
    struct cpu_cell *cells;
    u32 n_cells;
    size_t cap_cells;
    struct idmap cell_by_key;
    struct idmap cell_by_tid;    // where the thread was sampled last
    struct idmap waiting_by_tid; // threads without slot, and in which sweep they were seen
    u64 placed;                  // owed weight of threads that went where they were seen or sleep
    u64 unplaced;                // owed weight of threads that have no stack
    char *scratch;               // RING_BYTES
    u32 n_without_memory;        // steps that were left
    u32 n_sweeps;
    u64 next_sweep_ns;
    i64 started_wall_ns;
    u64 started_ns, ended_ns;         // CLOCK_MONOTONIC; ended 0: it runs
    u64 started_cpu_ns, ended_cpu_ns; // of the program without the agent's threads
} cpu;                                // used by the agent thread, or under the agent's lock

static u64 clock_ns(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) return 0;
    return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}

static void sleep_ms(u32 ms) {
    struct timespec time = {.tv_nsec = (long)ms * NS_A_MS};
    nanosleep(&time, NULL);
}

// CPU time of the process, threads that ended included, less that of the agent's threads.
static u64 program_cpu_ns(void) {
    u64 total = clock_ns(CLOCK_PROCESS_CPUTIME_ID), hidden = 0;
    u32 at = 0;
    for (struct thread_slot *slot; (slot = thread_slot_next(&at));) {
        if (slot->is_hidden) hidden += clock_ns(cpu_clock_of(atomic_load(&slot->tid)));
    }
    return total > hidden ? total - hidden : 0;
}

// Gives tid a slot if it is certain that it will not take one itself: a thread made by
// pthread_create does, and two would mean two timers. See threads_starting.
static void sweep_adopt(u32 tid) {
    bool is_settled = threads_starting() == 0;
    struct thread_slot *slot = thread_slot_of(tid);
    if (!slot) {
        u32 *seen = idmap_at(&cpu.waiting_by_tid, tid);
        if (!is_settled && *seen == U32_NONE) {
            *seen = cpu.n_sweeps;
            return;
        }
        slot = thread_slot_adopt(tid);
    }
    if (slot) cpu_timer_arm(slot, tid, false);
}

// Deletes the timers of threads that ended without our destructor (exit by raw system call).
static void sweep_gone(void) {
    u32 at = 0;
    for (struct thread_slot *slot; (slot = thread_slot_next(&at));) {
        if (task_exists(atomic_load(&slot->tid))) continue;
        cpu_timer_disarm(slot);
        thread_slot_free(slot);
    }
}

static void sweep(void) {
    AUTO_ARENA struct arena scratch = arena_sub(&cpu.arena);
    u32 *tids, n;
    struct err err;
    if (!tasks_list(&scratch, &tids, &n, &err)) return; // no /proc: threads arm themselves
    for (u32 i = 0; i < n; i++) sweep_adopt(tids[i]);
    cpu.n_sweeps++;
    if (cpu.n_sweeps % GONE_SWEEPS == 0) sweep_gone();
    cpu_signal_check();
}

static u32 cell_of(u32 stack_id, u32 label_id) {
    if (cpu.n_cells >= MAX_CELLS) stack_id = STACK_OVERFLOW, label_id = LABELS_NONE;
    u32 *at = idmap_at(&cpu.cell_by_key, (u64)stack_id << 32 | label_id);
    if (*at == U32_NONE) {
        GROW(&cpu.arena, cpu.cells, cpu.cap_cells, cpu.n_cells + 1);
        *at = cpu.n_cells;
        cpu.cells[cpu.n_cells++] = (struct cpu_cell){.stack_id = stack_id, .label_id = label_id};
    }
    return *at;
}

static void fold(void *ctx, const struct ring_record *record) {
    (void)ctx;
    u32 stack_id = stack_intern(record->pcs, record->n);
    u32 cell = cell_of(stack_id, record->label_id);
    cpu.cells[cell].weight += record->weight;
    *idmap_at(&cpu.cell_by_tid, record->tid) = cell;
    trace_sample(record->tid, record->time_ns, stack_id);
}

struct owed {
    u32 tid, weight;
    u64 start_pc;
};

// A handful of periods is what the kernel's tick leaves; much more is a thread that blocks the
// signal, or a virtual machine that was not run for a while. The mask tells which.
static bool is_blocked(const struct owed *owed) {
    char buffer[TASK_FILE_CAP * 8];
    str status = task_file_read(owed->tid, "status", buffer, sizeof buffer), mask;
    ptrdiff_t at = str_find(status, S("SigBlk:"));
    u64 bits;
    if (at < 0) return false;
    str_cut(str_skip(status, (size_t)at + sizeof "SigBlk:" - 1), '\n', &mask, &status);
    if (!num_parse_u64(str_trim(mask), 16, &bits)) return false;
    return bits >> (cpu_signal_number() - 1) & 1;
}

// What a thread used since its last tick goes to where it was seen last, to where it sleeps now, or
// to its first function.
static void fold_owed(const struct owed *owed) {
    struct thread_dump parked;
    u32 cell = idmap_get(&cpu.cell_by_tid, owed->tid);
    if (owed->weight > OWED_USUAL && is_blocked(owed)) {
        atomic_fetch_add(&cpu_hot.lost.blocked, owed->weight);
        return;
    }
    AUTO_ARENA struct arena scratch = arena_sub(&cpu.arena);
    if (cell == U32_NONE && threads_parked(&scratch, owed->tid, &parked) && parked.n_pcs)
        cell = cell_of(stack_intern(parked.pcs, parked.n_pcs), LABELS_NONE);
    if (cell == U32_NONE && owed->start_pc)
        cell = cell_of(stack_intern(&owed->start_pc, 1), LABELS_NONE);
    if (cell == U32_NONE) {
        cpu.unplaced += owed->weight;
    } else {
        cpu.cells[cell].weight += owed->weight;
        cpu.placed += owed->weight;
    }
}

static void state_reset(u32 hz) {
    arena_done(&cpu.arena);
    __builtin_memset(&cpu, 0, sizeof cpu);
    arena_init(&cpu.arena);
    idmap_init(&cpu.cell_by_key, &cpu.arena);
    idmap_init(&cpu.cell_by_tid, &cpu.arena);
    idmap_init(&cpu.waiting_by_tid, &cpu.arena);
    cpu.hz = hz;
}

static void memory_take(void) {
    cpu.scratch = NEW(&cpu.arena, char, RING_BYTES);
    cpu.has_profile = true;
}

// Without memory the step is left, and told.
static bool with_memory(void (*step)(void)) {
    bool is_enough = rows_attempt(&cpu.arena, step);
    cpu.n_without_memory += !is_enough;
    return is_enough;
}

static bool cpu_prepare(struct err *err) {
    if (!stacks_init() || !unwind_init() || !rings_init())
        return err_sys(err, "memory for samples");
    if (!cpu_signal_install()) return err_sys(err, "no signal is free for the CPU profile");
    return true;
}

static void forget_sample(void *ctx, const struct ring_record *record) {
    (void)ctx, (void)record;
}

// Throws away what came after the last profile's end. No timer exists now, so whoever still holds a
// ring will not let go of it.
static void rings_empty(void) {
    for (u32 i = 0; rings_drain(cpu.scratch, forget_sample, NULL); i++) {
        if (i == DRAIN_TRIES) {
            rings_reset();
            return;
        }
        sleep_ms(1);
    }
}

bool cpu_start(u32 hz, struct err *err) {
    if (!hz) hz = CPU_HZ_DEFAULT;
    if (cpu_is_running()) return err_set(err, ERR_BUSY, 0, "cpu profiling already in use");
    if (hz > CPU_HZ_MAX)
        return err_set(err, ERR_USAGE, 0, "hz=%u is out of range: 1 to %d", hz, CPU_HZ_MAX);
    if (!cpu_prepare(err)) return false;
    state_reset(hz);
    if (!with_memory(memory_take)) return err_set(err, ERR_SYSTEM, 0, "no memory for a profile");
    rings_empty();
    __builtin_memset(&cpu_hot.lost, 0, sizeof cpu_hot.lost);
    cpu.started_wall_ns = (i64)clock_ns(CLOCK_REALTIME);
    cpu.started_ns = clock_ns(CLOCK_MONOTONIC);
    cpu.started_cpu_ns = program_cpu_ns();
    atomic_store(&cpu_hot.period_ns, 1000000000u / hz);
    atomic_fetch_add(&cpu_hot.profile_n, 1);
    atomic_store(&cpu_hot.is_running, true); // new threads arm themselves from here on
    with_memory(sweep);
    for (u32 i = 1; i < START_TRIES && cpu.waiting_by_tid.n; i++) {
        sleep_ms(1);
        with_memory(sweep);
    }
    cpu.next_sweep_ns = cpu.started_ns + SWEEP_MS * (u64)NS_A_MS;
    return true;
}

static void drain(void) {
    images_follow();
    rings_drain(cpu.scratch, fold, NULL);
    u64 now = clock_ns(CLOCK_MONOTONIC);
    if (now < cpu.next_sweep_ns) return;
    u64 before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    cpu.next_sweep_ns = now + SWEEP_MS * (u64)NS_A_MS; // also when memory runs out below
    sweep();
    u64 pause = (clock_ns(CLOCK_THREAD_CPUTIME_ID) - before) * SWEEP_PAUSE;
    if (pause > SWEEP_MS * (u64)NS_A_MS) cpu.next_sweep_ns = now + pause;
}

void cpu_drain(void) {
    if (cpu_is_running()) with_memory(drain);
}

// Deletes every timer first, then folds the rings, then what is owed: a thread's last stack may
// still be in a ring.
static void finish(void) {
    struct owed *owed = NULL;
    u32 n = 0, at = 0;
    size_t cap = 0;
    for (struct thread_slot *slot; (slot = thread_slot_next(&at));) {
        GROW(&cpu.arena, owed, cap, n + 1);
        owed[n] = (struct owed){.tid = atomic_load(&slot->tid), .start_pc = slot->start_pc};
        owed[n].weight = cpu_timer_disarm(slot);
        n += owed[n].weight != 0;
    }
    for (u32 i = 0; rings_drain(cpu.scratch, fold, NULL) && i < DRAIN_TRIES; i++) sleep_ms(1);
    for (u32 i = 0; i < n; i++) fold_owed(&owed[i]);
}

static void disarm_all(void) {
    u32 at = 0;
    for (struct thread_slot *slot; (slot = thread_slot_next(&at));) cpu_timer_disarm(slot);
}

void cpu_stop(void) {
    if (!cpu_is_running()) return;
    atomic_store(&cpu_hot.is_running, false);
    if (!with_memory(finish)) disarm_all();
    cpu.ended_ns = clock_ns(CLOCK_MONOTONIC);
    cpu.ended_cpu_ns = program_cpu_ns();
    sweep_gone();
}

bool cpu_is_running(void) {
    return atomic_load(&cpu_hot.is_running);
}

static void comment_time(struct arena *out, struct rows *rows, u64 weight) {
    u64 until = cpu.ended_ns ? cpu.ended_cpu_ns : program_cpu_ns();
    u64 used = until > cpu.started_cpu_ns ? until - cpu.started_cpu_ns : 0;
    double seen_s = (double)weight / cpu.hz, used_s = (double)used / 1e9;
    struct buf b = buf_new(out, 256);
    buf_printf(&b, "samples stand for ");
    num_fixed(&b, seen_s, 3);
    buf_printf(&b, "s of ");
    num_fixed(&b, used_s, 3);
    buf_printf(&b, "s CPU time (");
    num_fixed(&b, used_s > 0 ? 100 * seen_s / used_s : 0, 1);
    buf_printf(&b, "%%), %llu signals", (unsigned long long)atomic_load(&cpu_hot.lost.n_signals));
    rows_tell(out, rows, "cpu", buf_str(&b));
}

static void comments(struct arena *out, struct rows *rows, u64 weight) {
    const struct cpu_lost *lost = &cpu_hot.lost;
    comment_time(out, rows, weight);
    rows_tell_count(out, rows, "cpu", atomic_load(&lost->overrun),
                    "samples added as weight: the kernel's timers are coarser than the rate");
    rows_tell_count(out, rows, "cpu", atomic_load(&lost->dropped), "samples dropped: rings full");
    rows_tell_count(out, rows, "cpu", atomic_load(&lost->truncated),
                    "stacks truncated at 512 frames");
    rows_tell_count(out, rows, "cpu", atomic_load(&lost->partial),
                    "stacks did not reach their thread's first frame");
    rows_tell_count(out, rows, "cpu", atomic_load(&lost->guessed), "stacks with a guessed frame");
    rows_tell_count(out, rows, "cpu", atomic_load(&lost->no_timer),
                    "threads without timers: the kernel refused them (RLIMIT_SIGPENDING)");
    rows_tell_count(out, rows, "cpu", threads_without_slot(),
                    "threads without timers: too many threads");
    rows_tell_count(out, rows, "cpu", atomic_load(&lost->blocked),
                    "samples lost in threads that block the profiling signal");
    rows_tell_count(out, rows, "cpu", cpu.n_without_memory,
                    "times memory was short: samples were lost");
    rows_tell_count(
        out, rows, "cpu", cpu.placed,
        "samples between two ticks of the kernel, put where their threads were last seen "
        "or sleep");
    rows_tell_count(out, rows, "cpu", cpu.unplaced,
                    "samples lost: threads that ran between two ticks only");
}

bool cpu_collect(struct arena *out, struct rows *ret, struct err *err) {
    if (!cpu.has_profile) return err_set(err, ERR_NOT_FOUND, 0, "no CPU profile was taken");
    i64 period = (i64)(1000000000u / cpu.hz);
    u64 end = cpu.ended_ns ? cpu.ended_ns : clock_ns(CLOCK_MONOTONIC), weight = 0;
    struct rows rows = {.period = period,
                        .time_nanos = cpu.started_wall_ns,
                        .duration_nanos = (i64)(end - cpu.started_ns)};
    GROW(out, rows.items, rows.cap, cpu.n_cells);
    for (u32 i = 0; i < cpu.n_cells; i++) {
        const struct cpu_cell *cell = &cpu.cells[i];
        struct row *row = &rows.items[rows.n++];
        row->pcs = stack_pcs(cell->stack_id, &row->n_pcs);
        row->values[0] = (i64)cell->weight;
        row->values[1] = (i64)cell->weight * period;
        labels_put(out, row, cell->label_id, 0);
        weight += cell->weight;
    }
    comments(out, &rows, weight);
    labels_tell(out, &rows);
    *ret = rows;
    return true;
}

str cpu_status(struct arena *out) {
    struct buf b = buf_new(out, 256);
    u32 refused = atomic_load(&cpu_hot.lost.no_timer), slotless = threads_without_slot();
    if (refused || slotless)
        buf_printf(&b, "%u threads without timers (RLIMIT_SIGPENDING, or too many threads)",
                   refused + slotless);
    return buf_str(&b);
}

void cpu_drop_after_fork_child(void) {
    cpu.has_profile = false; // the memory is a copy nobody else needs; the next start gives it back
}
