// agent/hot/threads.c - threads as they are made and end: their slots, their creators' stacks.
// Room: pthread_create and thrd_create in front of libc's, the slot table, the creator table.
// Door: agent/hot/thread.h. Follows reference/native.md 2b: enumerate after hooking, arm in the
// new thread, end in a TLS destructor.
#include "agent/hot/thread.h"

#include "agent/hot/cpu_signal.h"
#include "agent/hot/labels.h"
#include "agent/hot/pages.h"
#include "agent/hot/resolve.h"
#include "agent/hot/stacks.h"
#include "agent/hot/trace.h"
#include "agent/hot/unwind.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <threads.h>
#include <unistd.h>

// The model is said again: gcc 12 forgets the declaration's, and a dynamic one would allocate.
__thread struct hot_thread hot_thread
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

_Static_assert(4096 % sizeof(struct thread_slot) == 0, "slots fill pages");

enum {
    SLOTS_A_PAGE = 4096 / sizeof(struct thread_slot),
    N_SLOT_PAGES = MAX_THREADS / SLOTS_A_PAGE,
    N_BIRTHS = 256,          // threads between pthread_create and their first instruction; more use
                             // a page of their own
    END_ROUNDS = 1,          // how often the end key is set again, to end after the program's keys
    MAIN_STACK_MAX = 1 << 30 // bound of a main stack without limit
};

// What a new thread finds about itself; filled by its creator.
struct birth {
    _Atomic u32 is_used; // pairs release in birth_free with acquire in birth_take
    bool is_mapped;      // a page of its own, not one of births
    void *(*start)(void *);
    int (*start_c11)(void *);
    void *arg;
    struct label_set *labels; // held
    size_t stack_bytes;
    u64 creator_pc;
    u32 creator_tid;
};

// What a forked child begins without. The kernel leaves these pages out of its copy, so that a fork
// pays for none of them; written back to zero by the child, they cost it a page fault each.
static struct {
    struct thread_slot slots[MAX_THREADS];        // see thread.h
    struct thread_creator creators[MAX_CREATORS]; // lock-free, only grows
    struct birth births[N_BIRTHS];                // see is_used
    _Atomic bool is_touched[N_SLOT_PAGES];        // some slot of that page was in use
} tables PAGE_ALIGNED;

static struct {
    bool is_wiped;                                   // the kernel empties tables; by threads_init
    _Atomic u32 birth_hint;                          // where to look for a free one
    _Atomic u32 n_starting;                          // threads made but not yet registered
    _Atomic u32 n_slotless;                          // threads that found no slot
    pthread_key_t end_key;                           // set by threads_init
    bool is_ready;                                   // set last by threads_init
    __typeof__(&pthread_create) _Atomic real_create; // set on first use
    __typeof__(&thrd_create) _Atomic real_thrd_create;
} all;

struct thread_slot *thread_slots(void) {
    return tables.slots;
}

const struct thread_creator *thread_creators(void) {
    return tables.creators;
}

u32 threads_without_slot(void) {
    return atomic_load_explicit(&all.n_slotless, memory_order_relaxed);
}

u32 threads_starting(void) {
    return atomic_load(&all.n_starting);
}

struct thread_slot *thread_slot_of(u32 tid) {
    for (u32 i = 0; i < THREAD_PROBES; i++) {
        struct thread_slot *slot = &tables.slots[(tid + i) % MAX_THREADS];
        if (atomic_load_explicit(&slot->tid, memory_order_acquire) == tid) return slot;
    }
    return NULL;
}

struct thread_slot *thread_slot_next(u32 *at) {
    while (*at < MAX_THREADS) {
        if (*at % SLOTS_A_PAGE == 0 && !atomic_load(&tables.is_touched[*at / SLOTS_A_PAGE])) {
            *at += SLOTS_A_PAGE;
            continue;
        }
        struct thread_slot *slot = &tables.slots[(*at)++];
        if (atomic_load_explicit(&slot->tid, memory_order_acquire)) return slot;
    }
    return NULL;
}

struct thread_slot *thread_slot_adopt(u32 tid) {
    struct thread_slot *found = thread_slot_of(tid);
    if (found) return found;
    for (u32 i = 0; i < THREAD_PROBES; i++) {
        struct thread_slot *slot = &tables.slots[(tid + i) % MAX_THREADS];
        u32 none = 0;
        if (atomic_compare_exchange_strong(&slot->tid, &none, tid)) {
            atomic_store(&tables.is_touched[(slot - tables.slots) / SLOTS_A_PAGE], true);
            return slot;
        }
    }
    atomic_fetch_add_explicit(&all.n_slotless, 1, memory_order_relaxed);
    return NULL;
}

void thread_slot_free(struct thread_slot *slot) {
    u32 none = TIMER_NONE;
    // Busy or armed: the agent has just made a timer for it. Its next sweep finds the thread gone.
    if (!atomic_compare_exchange_strong(&slot->timer_state, &none, TIMER_BUSY)) return;
    slot->is_hidden = false;
    slot->stack_hi = slot->start_pc = slot->creator_pc = 0;
    slot->creator_tid = slot->stack_kib = slot->profile_n = 0;
    atomic_store(&slot->labels, NULL);
    atomic_store_explicit(&slot->tid, 0, memory_order_release);
    atomic_store_explicit(&slot->timer_state, TIMER_NONE, memory_order_release);
}

static void stack_of_main(void) {
    extern void *__libc_stack_end; // ld.so's: where the kernel put argc
    struct rlimit limit;
    u64 size = MAIN_STACK_MAX;
    if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < size) size = limit.rlim_cur;
    hot_thread.stack_hi = (u64)(uintptr_t)__libc_stack_end + 16;
    hot_thread.stack_lo = hot_thread.stack_hi - size;
}

static size_t stack_size_of(const pthread_attr_t *attr) {
    size_t size = 8 << 20;
    if (attr) {
        pthread_attr_getstacksize(attr, &size);
        return size;
    }
    pthread_attr_t plain;
    if (pthread_attr_init(&plain) == 0) {
        pthread_attr_getstacksize(&plain, &size);
        pthread_attr_destroy(&plain);
    }
    return size;
}

// glibc keeps a thread's control block, which pthread_self() points to, at the top of its stack.
static void stack_of_pthread(size_t size) {
    hot_thread.stack_hi = (u64)(uintptr_t)pthread_self();
    hot_thread.stack_lo = hot_thread.stack_hi - size;
}

static void thread_end(void *rounds) {
    if ((uintptr_t)rounds <= END_ROUNDS) {
        pthread_setspecific(all.end_key, (void *)((uintptr_t)rounds + 1));
        return;
    }
    struct thread_slot *slot = hot_thread.slot;
    if (!slot) return;
    hot_thread.depth++;
    cpu_thread_end();
    trace_thread_ended();
    label_set_drop(labels_swap(NULL));
    hot_thread.slot = NULL;
    thread_slot_free(slot);
    hot_thread.depth--;
}

// A slot with its tid may be there: the agent's (adopted a moment ago), or the last one's with the
// same tid, whose end nobody saw. A timer in it could be that one's, so it is made anew.
static void slot_enter(const struct birth *birth) {
    hot_thread.tid = (u32)gettid();
    struct thread_slot *slot = thread_slot_adopt(hot_thread.tid);
    hot_thread.slot = slot;
    if (!slot) return;
    cpu_timer_disarm(slot);
    slot->is_hidden = hot_thread.is_hidden;
    slot->stack_kib = (u32)((hot_thread.stack_hi - hot_thread.stack_lo) / 1024);
    slot->stack_hi = hot_thread.stack_hi;
    atomic_store(&slot->labels, hot_thread.labels);
    if (birth) {
        slot->start_pc =
            birth->start ? (u64)(uintptr_t)birth->start : (u64)(uintptr_t)birth->start_c11;
        slot->creator_tid = birth->creator_tid;
        slot->creator_pc = birth->creator_pc;
    }
    if (all.is_ready) pthread_setspecific(all.end_key, (void *)1);
}

void thread_register(void) {
    if (hot_thread.slot) return;
    if (hot_thread.stack_hi) {
        // a forked child's only thread: the stack is the one it had
    } else if (gettid() == getpid()) {
        stack_of_main();
    } else {
        stack_of_pthread(stack_size_of(NULL));
    }
    slot_enter(NULL);
}

void thread_hide(void) {
    hot_thread.is_hidden = true;
    thread_register();
    if (!hot_thread.slot) return;
    hot_thread.slot->is_hidden = true;
    cpu_timer_disarm(hot_thread.slot);
}

static struct birth *birth_take(void) {
    u32 at = atomic_fetch_add_explicit(&all.birth_hint, 1, memory_order_relaxed);
    for (u32 i = 0; i < N_BIRTHS; i++) {
        struct birth *birth = &tables.births[(at + i) % N_BIRTHS];
        if (atomic_exchange_explicit(&birth->is_used, 1, memory_order_acquire) == 0) return birth;
    }
    struct birth *page = map_own(sizeof *page);
    if (!page) return NULL;
    page->is_mapped = true;
    return page;
}

static void birth_free(struct birth *birth) {
    if (birth->is_mapped) {
        munmap(birth, sizeof *birth);
    } else {
        atomic_store_explicit(&birth->is_used, 0, memory_order_release);
    }
}

// Programs block all signals in the threads they make; ours then would never come.
static void unblock_our_signal(void) {
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, cpu_signal_number());
    pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
}

static void thread_begin(const struct birth *birth) {
    hot_thread.depth++;
    stack_of_pthread(birth->stack_bytes);
    hot_thread.labels = birth->labels;
    slot_enter(birth);
    atomic_fetch_sub(&all.n_starting, 1);
    unblock_our_signal();
    if (hot_thread.slot) cpu_timer_arm(hot_thread.slot, hot_thread.tid, true);
    trace_thread_born(birth);
    hot_thread.depth--;
}

// No local's address is taken, so that the compiler makes a jump of the last call: the program's
// stacks look as they do without us.
static void *thread_start(void *arg) {
    struct birth *birth = arg;
    thread_begin(birth);
    void *(*start)(void *) = birth->start;
    void *start_arg = birth->arg;
    birth_free(birth);
    return start(start_arg);
}

static int thread_start_c11(void *arg) {
    struct birth *birth = arg;
    thread_begin(birth);
    int (*start)(void *) = birth->start_c11;
    void *start_arg = birth->arg;
    birth_free(birth);
    return start(start_arg);
}

// The first place stands for all creators that find none. Taken here and not at the start, so that
// a forked child that makes no thread does not write to the table.
static void creators_reserve(void) {
    atomic_store(&tables.creators[0].stack_id_plus1, STACK_OVERFLOW + 1);
}

static void creator_count(u32 stack_id) {
    u32 key = stack_id + 1;
    creators_reserve();
    for (u32 i = 0; i < MAX_CREATORS; i++) {
        struct thread_creator *c = &tables.creators[(stack_id + i) % MAX_CREATORS];
        u32 seen = 0;
        if (atomic_compare_exchange_strong(&c->stack_id_plus1, &seen, key) || seen == key) {
            atomic_fetch_add_explicit(&c->n_created, 1, memory_order_relaxed);
            return;
        }
    }
    atomic_fetch_add_explicit(&tables.creators[0].n_created, 1, memory_order_relaxed);
}

static __attribute__((noinline)) void creator_record(void) {
    enum { OWN_FRAMES = 2 }; // this one and the hook's: the program's call is the leaf
    u64 pcs[MAX_CREATE_FRAMES];
    struct unwound got = unwind_here(pcs, MAX_CREATE_FRAMES, OWN_FRAMES);
    creator_count(stack_intern(pcs, got.n));
}

int thread_create_real(pthread_t *ret, const pthread_attr_t *attr, void *(*start)(void *),
                       void *arg) {
    __typeof__(&pthread_create) real = atomic_load_explicit(&all.real_create, memory_order_acquire);
    if (!real) {
        real = (__typeof__(&pthread_create))(uintptr_t)hot_resolve("pthread_create", NULL);
        atomic_store_explicit(&all.real_create, real, memory_order_release);
    }
    return real(ret, attr, start, arg);
}

int thread_create_own(pthread_t *ret, const pthread_attr_t *attr, void *(*start)(void *),
                      void *arg) {
    __typeof__(&pthread_create) front = NULL;
    if (!hot_is_first("pthread_create"))
        front = (__typeof__(&pthread_create))(uintptr_t)hot_resolve_any("pthread_create").address;
    if (!front) return thread_create_real(ret, attr, start, arg);
    hot_thread.depth++; // should it come back to our hook, that goes straight on
    int failed = front(ret, attr, start, arg);
    hot_thread.depth--;
    return failed;
}

static int thrd_create_real(thrd_t *ret, thrd_start_t start, void *arg) {
    __typeof__(&thrd_create) real =
        atomic_load_explicit(&all.real_thrd_create, memory_order_acquire);
    if (!real) {
        real = (__typeof__(&thrd_create))(uintptr_t)hot_resolve("thrd_create", NULL);
        atomic_store_explicit(&all.real_thrd_create, real, memory_order_release);
    }
    return real(ret, start, arg);
}

static struct birth *birth_new(const pthread_attr_t *attr, void *arg, const void *return_pc) {
    if (!all.is_ready || hot_thread.is_hidden || hot_thread.depth) return NULL;
    struct birth *birth = birth_take();
    if (!birth) return NULL;
    birth->arg = arg;
    birth->labels = label_set_hold(hot_thread.labels) ? hot_thread.labels : NULL;
    birth->stack_bytes = stack_size_of(attr);
    birth->creator_pc = (u64)(uintptr_t)return_pc - 1;
    birth->creator_tid = hot_thread.tid ? hot_thread.tid : (u32)gettid();
    birth->start = NULL;
    birth->start_c11 = NULL;
    atomic_fetch_add(&all.n_starting, 1);
    trace_thread_creates(birth, return_pc);
    return birth;
}

static void birth_failed(struct birth *birth) {
    atomic_fetch_sub(&all.n_starting, 1);
    label_set_drop(birth->labels);
    birth_free(birth);
}

__attribute__((visibility("default"))) int
pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*start)(void *), void *arg) {
    struct birth *birth = birth_new(attr, arg, __builtin_return_address(0));
    if (!birth) return thread_create_real(ret, attr, start, arg);
    birth->start = start;
    int failed = thread_create_real(ret, attr, thread_start, birth);
    if (failed) {
        birth_failed(birth);
    } else {
        creator_record();
    }
    return failed;
}

// glibc's thrd_create calls its pthread_create by an inner name, so it needs a hook of its own.
__attribute__((visibility("default"))) int thrd_create(thrd_t *ret, thrd_start_t start, void *arg) {
    struct birth *birth = birth_new(NULL, arg, __builtin_return_address(0));
    if (!birth) return thrd_create_real(ret, start, arg);
    birth->start_c11 = start;
    int failed = thrd_create_real(ret, thread_start_c11, birth);
    if (failed != thrd_success) {
        birth_failed(birth);
    } else {
        creator_record();
    }
    return failed;
}

void (*hot_on_seccomp)(u32 operation, const void *args);

bool threads_init(void) {
    if (all.is_ready) return true;
    if (pthread_key_create(&all.end_key, thread_end) != 0) return false;
    // sizeof is a multiple of the alignment: whole pages, and nobody else's bytes.
    all.is_wiped = madvise(&tables, sizeof tables, MADV_WIPEONFORK) == 0; // Linux 4.14
    all.is_ready = true;
    thread_register();
    return true;
}

void threads_stop(void) {
    all.is_ready = false;
}

void threads_after_fork_child(void) {
    if (!all.is_ready) return; // nothing was written, and libpprof does nothing here
    if (!all.is_wiped) memset(&tables, 0, sizeof tables);
    atomic_store(&all.n_starting, 0);
    atomic_store(&all.n_slotless, 0);
    hot_thread.slot = NULL;
    hot_thread.tid = 0;
    thread_register();
}
