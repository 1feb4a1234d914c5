// agent/hot/cpu_timer.c - a timer on each thread's CPU clock, and what happens when it expires.
// Room: timers, samples, capture cells. The signal is cpu_signal.c, its handler signals.c. Door:
// agent/hot/cpu_signal.h. Follows reference/native.md 2b.
//
// Timers expire at the kernel's ticks, so at 1000 Hz and HZ=250 a signal stands for four periods:
// si_overrun says so. What a thread used between its last tick and its end, or the profile's, no
// signal tells; its CPU clock does, and that weight is recorded as owed. On kernels with
// CONFIG_POSIX_CPU_TIMERS_TASK_WORK (5.10 on x86 and arm64) the signal is made on the way back to
// user code: no system call is ever interrupted by it.
#include "agent/hot/cpu_signal.h"

#include "agent/hot/labels.h"
#include "agent/hot/ring.h"
#include "agent/hot/signals.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct cpu_hot cpu_hot; // fields: see cpu_signal.h

enum {
    SPINS_BUSY = 1000 // sched_yields for another thread's timer_create: 1 ms and more
};

static struct capture_cell captures[N_CAPTURES] PAGE_ALIGNED; // see enum capture_state
static u32 n_cells_used;                                      // cells ever asked; the agent's

static int kernel_timer_create(u32 tid, const void *value, int *ret_id) {
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = atomic_load(&cpu_hot.signo);
    event.sigev_value.sival_ptr = (void *)(uintptr_t)value;
    event._sigev_un._tid = (pid_t)tid;
    return (int)syscall(SYS_timer_create, cpu_clock_of(tid), &event, ret_id);
}

static int kernel_timer_start(int id, int flags, u64 first_ns, u64 period_ns) {
    enum { NS = 1000000000 };
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(first_ns / NS), .tv_nsec = (long)(first_ns % NS)},
        .it_interval = {.tv_sec = (time_t)(period_ns / NS), .tv_nsec = (long)(period_ns % NS)}};
    return (int)syscall(SYS_timer_settime, id, flags, &when, NULL);
}

static u64 clock_ns(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) return 0;
    return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}

// Uniform in [1, period]: threads shorter than a period get their fair share of samples.
static u32 first_expiry(u32 tid, u64 period_ns) {
    u64 x = clock_ns(CLOCK_MONOTONIC) ^ ((u64)tid << 40);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u; // splitmix64's finalizer
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (u32)(1 + (x ^ (x >> 31)) % period_ns);
}

static bool timer_refused(struct thread_slot *slot, u32 profile_n) {
    bool is_gone = errno == EINVAL || errno == ESRCH; // the thread ended: nothing is lost
    if (!is_gone && slot->profile_n != profile_n) atomic_fetch_add(&cpu_hot.lost.no_timer, 1);
    slot->profile_n = profile_n;
    atomic_store(&slot->timer_state, TIMER_NONE);
    return is_gone;
}

bool cpu_timer_arm(struct thread_slot *slot, u32 tid, bool is_newborn) {
    u32 state = TIMER_NONE;
    if (!atomic_load(&cpu_hot.is_running) || slot->is_hidden) return true;
    if (!atomic_compare_exchange_strong(&slot->timer_state, &state, TIMER_BUSY)) return true;
    if (atomic_load(&slot->tid) != tid) { // ended since the caller looked
        atomic_store(&slot->timer_state, TIMER_NONE);
        return true;
    }
    int kept = errno;
    u32 profile_n = atomic_load(&cpu_hot.profile_n);
    u64 period_ns = atomic_load(&cpu_hot.period_ns);
    if (kernel_timer_create(tid, slot, &slot->timer_id) != 0) {
        bool is_fine = timer_refused(slot, profile_n);
        errno = kept;
        return is_fine;
    }
    slot->profile_n = profile_n;
    atomic_store(&slot->weight, 0);
    slot->cpu_due_ns = first_expiry(tid, period_ns);
    if (!is_newborn) slot->cpu_due_ns += clock_ns(cpu_clock_of(tid));
    // Before the timer starts: it can expire on the way out of the next system call.
    atomic_store(&slot->timer_state, TIMER_ARMED);
    kernel_timer_start(slot->timer_id, TIMER_ABSTIME, slot->cpu_due_ns, period_ns);
    // The profile may have ended meanwhile and passed over this slot; pairs with cpu_stop's order.
    if (!atomic_load(&cpu_hot.is_running)) cpu_timer_disarm(slot);
    errno = kept;
    return true;
}

// Expiries that should have been by now, less those whose signals came.
static u64 weight_missing(const struct thread_slot *slot, u32 tid) {
    u64 now = clock_ns(cpu_clock_of(tid)), period_ns = atomic_load(&cpu_hot.period_ns);
    if (now < slot->cpu_due_ns) return 0; // also when the thread is gone: now 0
    u64 due = 1 + (now - slot->cpu_due_ns) / period_ns;
    u64 had = atomic_load(&slot->weight);
    return due > had ? due - had : 0;
}

u32 cpu_timer_disarm(struct thread_slot *slot) {
    u32 state = TIMER_ARMED;
    for (u32 i = 0; !atomic_compare_exchange_strong(&slot->timer_state, &state, TIMER_BUSY); i++) {
        if (state != TIMER_BUSY || i == SPINS_BUSY) return 0;
        sched_yield();
        state = TIMER_ARMED;
    }
    int kept = errno;
    syscall(SYS_timer_delete, slot->timer_id);
    u64 missing = weight_missing(slot, atomic_load(&slot->tid));
    atomic_store(&slot->timer_state, TIMER_NONE);
    errno = kept;
    return missing < UINT32_MAX ? (u32)missing : UINT32_MAX;
}

static void count_end(enum unwind_end end) {
    switch (end) {
    case UNWIND_COMPLETE:
        return;
    case UNWIND_TRUNCATED:
        atomic_fetch_add_explicit(&cpu_hot.lost.truncated, 1, memory_order_relaxed);
        return;
    case UNWIND_LOST:
        atomic_fetch_add_explicit(&cpu_hot.lost.partial, 1, memory_order_relaxed);
        return;
    case UNWIND_GUESSED:
        atomic_fetch_add_explicit(&cpu_hot.lost.guessed, 1, memory_order_relaxed);
        return;
    }
}

static struct ring_record *record_begin(struct ring **ret_ring, u32 tid, u32 weight) {
    struct ring_record *record = ring_reserve(ret_ring);
    if (!record) {
        atomic_fetch_add_explicit(&cpu_hot.lost.dropped, weight, memory_order_relaxed);
        return NULL;
    }
    record->tid = tid;
    record->weight = weight;
    record->time_ns = clock_ns(CLOCK_MONOTONIC);
    record->label_id = hot_thread.tid == tid ? labels_now() : LABELS_NONE;
    return record;
}

// A thread that blocked the signal was never seen: nothing says where its time went.
static u32 owed_unless_blocked(u32 owed) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    if (!owed || !sigismember(&mask, cpu_signal_number())) return owed;
    atomic_fetch_add(&cpu_hot.lost.blocked, owed);
    return 0;
}

void cpu_thread_end(void) {
    struct thread_slot *slot = hot_thread.slot;
    u32 owed = owed_unless_blocked(cpu_timer_disarm(slot));
    struct ring *ring;
    struct ring_record *record = owed ? record_begin(&ring, hot_thread.tid, owed) : NULL;
    if (!record) return;
    // Where it ran is not known: its first function gets it, over the two frames below each thread.
    u64 *pcs = record->pcs;
    struct unwound got = unwind_here(pcs, MAX_FRAMES, 0);
    u32 n_below = got.end == UNWIND_COMPLETE && got.n > 2 ? 2 : 0;
    u64 below[2] = {n_below ? pcs[got.n - 2] : 0, n_below ? pcs[got.n - 1] : 0};
    u32 n = 0;
    if (slot->start_pc) pcs[n++] = slot->start_pc;
    for (u32 i = 0; i < n_below; i++) pcs[n++] = below[i];
    ring_commit(ring, record, n);
}

static void sample_take(struct thread_slot *slot, u32 weight, const ucontext_t *context) {
    u32 tid = atomic_load_explicit(&slot->tid, memory_order_acquire);
    bool is_known =
        hot_thread.tid == tid; // else it shares our memory, perhaps our thread-local too
    if (atomic_load(&slot->timer_state) != TIMER_ARMED || tid == 0 ||
        (!is_known && (u32)gettid() != tid)) {
        atomic_fetch_add_explicit(&cpu_hot.lost.late, 1, memory_order_relaxed);
        return;
    }
    atomic_fetch_add_explicit(&slot->weight, weight, memory_order_relaxed);
    atomic_fetch_add_explicit(&cpu_hot.lost.n_signals, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&cpu_hot.lost.overrun, weight - 1, memory_order_relaxed);
    struct ring *ring;
    struct ring_record *record = record_begin(&ring, tid, weight);
    if (!record) return;
    struct unwound got = unwind_context(context, record->pcs, MAX_FRAMES);
    count_end(got.end);
    ring_commit(ring, record, got.n);
}

static void capture_take(struct capture_cell *cell, const ucontext_t *context) {
    u32 asked = CAPTURE_ASKED;
    if (cell->tid != (u32)gettid()) return; // late, and the cell asks somebody else by now
    if (!atomic_compare_exchange_strong(&cell->state, &asked, CAPTURE_WRITING)) return;
    cell->got = unwind_context(context, cell->pcs, MAX_FRAMES);
    atomic_store_explicit(&cell->state, CAPTURE_DONE, memory_order_release);
}

bool cpu_signal_take(const void *value, u32 weight, const ucontext_t *context) {
    uintptr_t at = (uintptr_t)value, slots = (uintptr_t)thread_slots(), cells = (uintptr_t)captures;
    if (at >= slots && at < slots + MAX_THREADS * sizeof(struct thread_slot)) {
        sample_take(thread_slots() + (at - slots) / sizeof(struct thread_slot), weight, context);
        return true;
    }
    if (at >= cells && at < cells + sizeof captures) {
        capture_take(&captures[(at - cells) / sizeof(struct capture_cell)], context);
        return true;
    }
    return false;
}

bool capture_ask(u32 i, u32 tid) {
    struct capture_cell *cell = &captures[i];
    if (atomic_load(&cell->state) != CAPTURE_FREE) return false;
    if (i >= n_cells_used) n_cells_used = i + 1;
    cell->tid = tid;
    cell->got.n = 0;
    if (kernel_timer_create(tid, cell, &cell->timer_id) != 0) return false;
    atomic_store(&cell->state, CAPTURE_ASKED);
    kernel_timer_start(cell->timer_id, 0, 1, 0);
    return true;
}

bool capture_done(u32 i) {
    return atomic_load_explicit(&captures[i].state, memory_order_acquire) == CAPTURE_DONE;
}

bool capture_end(u32 i) {
    struct capture_cell *cell = &captures[i];
    u32 state = CAPTURE_ASKED;
    if (!atomic_compare_exchange_strong(&cell->state, &state, CAPTURE_FREE)) {
        if (state == CAPTURE_WRITING) return false;
        if (state == CAPTURE_FREE) return true;
        atomic_store(&cell->state, CAPTURE_FREE);
    }
    syscall(SYS_timer_delete, cell->timer_id);
    return true;
}

const struct capture_cell *capture_cell(u32 i) {
    return &captures[i];
}

void cpu_after_fork_child(void) {
    // A cell is a page: what was never written is not written now.
    for (u32 i = 0; i < n_cells_used; i++) atomic_store(&captures[i].state, CAPTURE_FREE);
    atomic_store(&cpu_hot.is_running, false);
    memset(&cpu_hot.lost, 0, sizeof cpu_hot.lost);
    rings_reset();
    signal_after_fork_child();
    cpu_after_fork_parent();
}
