// tests/unit/agent_threads.c - the thread dump: who waits for what, without a signal.
// Room: claims about agent/threads and agent/threadcreate. Door: the test runner.
#include "unit.h"

#include "agent/hot/hot.h"
#include "agent/threadcreate.h"
#include "agent/threads.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <threads.h>
#include <unistd.h>

static struct {
    pthread_mutex_t held, for_cond;
    pthread_cond_t cond;
    pthread_rwlock_t rwlock;
    sem_t sem;
    int pipe[2];
    _Atomic bool is_over;
    _Atomic u32 n_tids; // threads that came as far as their name
    _Atomic int tids[16];
} w = {.held = PTHREAD_MUTEX_INITIALIZER,
       .for_cond = PTHREAD_MUTEX_INITIALIZER,
       .cond = PTHREAD_COND_INITIALIZER,
       .rwlock = PTHREAD_RWLOCK_INITIALIZER};

static void named(const char *name) {
    pthread_setname_np(pthread_self(), name);
    w.tids[w.n_tids++ % countof(w.tids)] = gettid();
}

static bool is_asleep(int tid) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    size_t len = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    return str_contains((str){line, len}, S(") S "));
}

// Waits until n threads have their names and n_asleep of them sleep; on a busy machine it may take
// seconds until a new thread first runs.
static void until_waiting(u32 n, u32 n_asleep) {
    for (u32 ms = 0; ms < 30000; ms++) {
        u32 n_now = 0, n_named = w.n_tids;
        for (u32 i = 0; i < n_named && i < countof(w.tids); i++) n_now += is_asleep(w.tids[i]);
        if (n_named == n && n_now >= n_asleep) return;
        usleep(1000);
    }
    fail_msg("%u threads did not begin to wait", n);
}

static void *wait_mutex(void *arg) {
    named("t-mutex");
    pthread_mutex_lock(&w.held);
    pthread_mutex_unlock(&w.held);
    return arg;
}

static void *wait_cond(void *arg) {
    named("t-cond");
    pthread_mutex_lock(&w.for_cond);
    while (!w.is_over) pthread_cond_wait(&w.cond, &w.for_cond);
    pthread_mutex_unlock(&w.for_cond);
    return arg;
}

static void *wait_sem(void *arg) {
    named("t-sem");
    while (sem_wait(&w.sem) != 0) {
    }
    return arg;
}

static void *wait_rwlock(void *arg) {
    named("t-rwlock");
    pthread_rwlock_wrlock(&w.rwlock);
    pthread_rwlock_unlock(&w.rwlock);
    return arg;
}

static void *wait_read(void *arg) {
    char byte;
    named("t-read");
    CHECK(read(w.pipe[0], &byte, 1) >= 0);
    return arg;
}

static void *wait_poll(void *arg) {
    struct pollfd fds[2] = {{.fd = w.pipe[0], .events = POLLIN}, {.fd = -1}};
    named("t-poll");
    poll(fds, 2, -1);
    return arg;
}

static int wait_c11(void *arg) {
    named("t-c11");
    while (sem_wait(&w.sem) != 0) {
    }
    return arg != NULL;
}

static void *be_busy(void *arg) {
    volatile u64 x = 0;
    named("t-busy");
    while (!w.is_over) x++;
    return arg;
}

static const struct thread_dump *dump_of(const struct thread_dumps *dumps, str name) {
    for (u32 i = 0; i < dumps->n; i++)
        if (str_eq(dumps->items[i].name, name)) return &dumps->items[i];
    static const struct thread_dump none;
    return &none;
}

static void check_state(const struct thread_dumps *dumps, str name, str state) {
    const struct thread_dump *thread = dump_of(dumps, name);
    CHECK(thread->tid);
    CHECK_STR(thread->state, state);
    CHECK(thread->n_pcs > 0);
}

enum { N_WAITING = 7 };

static void waiting_begin(pthread_t threads[N_WAITING]) {
    void *(*const starts[])(void *) = {wait_mutex, wait_cond, wait_sem, wait_rwlock,
                                       wait_read,  wait_poll, be_busy};
    w.is_over = false;
    CHECK_EQ(pipe(w.pipe), 0);
    sem_init(&w.sem, 0, 0);
    pthread_mutex_lock(&w.held);
    pthread_rwlock_rdlock(&w.rwlock);
    w.n_tids = 0;
    for (u32 i = 0; i < N_WAITING; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, starts[i], NULL), 0);
    until_waiting(N_WAITING, N_WAITING - 1); // all but the busy one
}

static void waiting_end(pthread_t threads[N_WAITING]) {
    pthread_mutex_lock(&w.for_cond);
    w.is_over = true;
    pthread_cond_broadcast(&w.cond);
    pthread_mutex_unlock(&w.for_cond);
    pthread_mutex_unlock(&w.held);
    pthread_rwlock_unlock(&w.rwlock);
    sem_post(&w.sem);
    CHECK_EQ(write(w.pipe[1], "xy", 2), 2);
    for (u32 i = 0; i < N_WAITING; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
    close(w.pipe[0]);
    close(w.pipe[1]);
}

TEST(blocked_threads_say_what_they_wait_for) {
    pthread_t threads[N_WAITING];
    struct thread_dumps dumps;
    CHECK(threads_init() && stacks_init() && unwind_init());
    waiting_begin(threads);
    CHECK(threads_dump(t->arena, &dumps, &t->err));
    CHECK_EQ(dumps.n, N_WAITING + 1);
    check_state(&dumps, S("t-mutex"), S("sync.Mutex.Lock"));
    check_state(&dumps, S("t-cond"), S("sync.Cond.Wait"));
    check_state(&dumps, S("t-sem"), S("semacquire"));
    check_state(&dumps, S("t-rwlock"), S("sync.RWMutex.Lock"));
    check_state(&dumps, S("t-read"), S("IO wait"));
    check_state(&dumps, S("t-poll"), S("select"));
    check_state(&dumps, S("t-busy"), S("running"));
    struct buf holder = buf_new(t->arena, 64);
    buf_printf(&holder, "held by thread %d", gettid());
    CHECK(str_ends(dump_of(&dumps, S("t-mutex"))->wait_info, buf_str(&holder)));
    for (u32 i = 1; i < dumps.n; i++) CHECK(dumps.items[i - 1].tid < dumps.items[i].tid);
    waiting_end(threads);
}

static bool has_pc_in(const struct thread_dump *thread, void *function, u64 size) {
    u64 start = (u64)(uintptr_t)function;
    for (u32 i = 0; i < thread->n_pcs; i++)
        if (thread->pcs[i] >= start && thread->pcs[i] < start + size) return true;
    return false;
}

TEST(stacks_reach_the_function_that_waits_and_the_first_frame) {
    enum { SMALL = 400 }; // bytes of each of the functions above, at most
    pthread_t threads[N_WAITING];
    struct thread_dumps dumps;
    CHECK(threads_init() && stacks_init() && unwind_init());
    waiting_begin(threads);
    CHECK(threads_dump(t->arena, &dumps, &t->err));
    CHECK(has_pc_in(dump_of(&dumps, S("t-mutex")), (void *)(uintptr_t)wait_mutex, SMALL));
    CHECK(has_pc_in(dump_of(&dumps, S("t-sem")), (void *)(uintptr_t)wait_sem, SMALL));
    CHECK(has_pc_in(dump_of(&dumps, S("t-read")), (void *)(uintptr_t)wait_read, SMALL));
    CHECK(has_pc_in(dump_of(&dumps, S("t-busy")), (void *)(uintptr_t)be_busy, SMALL));
    for (u32 i = 0; i < dumps.n; i++) {
        bool is_main = dumps.items[i].tid == (u32)gettid();
        CHECK(dumps.items[i].is_complete);
        CHECK_EQ(dumps.items[i].creator_tid, is_main ? 0 : gettid());
        CHECK((dumps.items[i].creator_pc == 0) == is_main);
    }
    waiting_end(threads);
}

static void *hidden_wait(void *arg) {
    thread_hide();
    sem_post(arg);
    while (sem_wait(&w.sem) != 0) {
    }
    return NULL;
}

TEST(the_agents_threads_are_not_listed) {
    pthread_t thread;
    sem_t is_ready;
    struct thread_dumps dumps;
    CHECK(threads_init() && stacks_init() && unwind_init());
    sem_init(&w.sem, 0, 0);
    sem_init(&is_ready, 0, 0);
    CHECK_EQ(thread_create_real(&thread, NULL, hidden_wait, &is_ready), 0);
    sem_wait(&is_ready);
    CHECK(threads_dump(t->arena, &dumps, &t->err));
    CHECK_EQ(dumps.n, 1);
    CHECK_EQ(dumps.items[0].tid, gettid());
    CHECK_EQ(threads_count(), 1);
    sem_post(&w.sem);
    pthread_join(thread, NULL);
}

TEST(threads_with_one_stack_share_a_row_unless_asked) {
    enum { N_SAME = 5 };
    pthread_t threads[N_SAME];
    struct rows rows;
    i64 most = 0, total = 0;
    CHECK(threads_init() && stacks_init() && unwind_init());
    sem_init(&w.sem, 0, 0);
    w.n_tids = 0;
    for (u32 i = 0; i < N_SAME; i++) CHECK_EQ(pthread_create(&threads[i], NULL, wait_sem, NULL), 0);
    until_waiting(N_SAME, N_SAME);
    CHECK(threads_collect(t->arena, false, &rows, &t->err));
    for (u32 i = 0; i < rows.n; i++) {
        total += rows.items[i].values[0];
        if (rows.items[i].values[0] > most) most = rows.items[i].values[0];
    }
    CHECK_EQ(most, N_SAME);
    CHECK_EQ(total, N_SAME + 1);
    CHECK(threads_collect(t->arena, true, &rows, &t->err));
    CHECK_EQ(rows.n, N_SAME + 1);
    CHECK_EQ(rows.items[1].n_labels, 4);
    CHECK_STR(rows.items[1].labels[0].key, S("state"));
    CHECK_STR(rows.items[1].labels[0].text, S("semacquire"));
    CHECK_STR(rows.items[1].labels[1].key, S("thread"));
    CHECK_STR(rows.items[1].labels[1].text, S("t-sem"));
    CHECK_STR(rows.items[1].labels[2].key, S("tid"));
    CHECK(rows.items[1].labels[2].num > gettid());
    for (u32 i = 0; i < N_SAME; i++) sem_post(&w.sem);
    for (u32 i = 0; i < N_SAME; i++) pthread_join(threads[i], NULL);
}

static __attribute__((noinline)) void create_here(pthread_t *ret) {
    CHECK_EQ(pthread_create(ret, NULL, wait_sem, NULL), 0);
    __asm__ volatile(""); // the call is not the last thing, so the frame stays
}

TEST(creators_are_counted_by_their_stack) {
    pthread_t threads[3];
    thrd_t c11;
    struct rows rows;
    CHECK(threads_init() && stacks_init() && unwind_init());
    sem_init(&w.sem, 0, 0);
    u64 before = threadcreate_count();
    for (u32 i = 0; i < 3; i++) create_here(&threads[i]);
    CHECK_EQ(thrd_create(&c11, wait_c11, NULL), thrd_success);
    CHECK_EQ(threadcreate_count(), before + 4);
    CHECK(threadcreate_collect(t->arena, &rows, &t->err));
    u64 n_here = 0, start = (u64)(uintptr_t)create_here;
    for (u32 i = 0; i < rows.n; i++) {
        u64 leaf = rows.items[i].n_pcs ? rows.items[i].pcs[0] : 0;
        if (leaf >= start && leaf < start + 200) n_here += (u64)rows.items[i].values[0];
    }
    CHECK_EQ(n_here, 3);
    for (u32 i = 0; i < 4; i++) sem_post(&w.sem);
    for (u32 i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    CHECK_EQ(thrd_join(c11, NULL), thrd_success);
}

TEST(failed_creations_are_not_counted) {
    pthread_attr_t attr;
    pthread_t thread;
    CHECK(threads_init() && stacks_init() && unwind_init());
    u64 before = threadcreate_count();
    pthread_attr_init(&attr);
    CHECK_EQ(pthread_attr_setstacksize(&attr, (size_t)1 << 46), 0); // more than there is
    CHECK(pthread_create(&thread, &attr, wait_sem, NULL) != 0);
    CHECK_EQ(threadcreate_count(), before);
    CHECK_EQ(threads_starting(), 0);
    pthread_attr_destroy(&attr);
}

// Dumps of threads that wake and sleep all the time: nothing but a stack or nothing comes of it.
static void *wake_and_sleep(void *arg) {
    while (!w.is_over) usleep(1);
    return arg;
}

TEST(threads_that_wake_while_they_are_read_do_no_harm) {
    pthread_t threads[2];
    CHECK(threads_init() && stacks_init() && unwind_init());
    w.is_over = false;
    for (u32 i = 0; i < 2; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, wake_and_sleep, NULL), 0);
    for (u32 i = 0; i < 50; i++) {
        struct thread_dumps dumps;
        CHECK(threads_dump(t->arena, &dumps, &t->err));
        CHECK_EQ(dumps.n, 3);
    }
    w.is_over = true;
    for (u32 i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}
