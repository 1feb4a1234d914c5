// tests/unit/agent_wall.c - the wall profile: each thread's time, once.
// Room: claims about agent/wall. Door: the test runner.
#include "unit.h"

#include "agent/hot/hot.h"
#include "agent/wall.h"

#include <pthread.h>
#include <semaphore.h>
#include <time.h>
#include <unistd.h>

static sem_t sem;

static void *waiter(void *arg) {
    while (sem_wait(&sem) != 0) continue;
    return arg;
}

static void look_for(u32 ms) {
    for (u32 i = 0; i < ms / 10; i++) {
        usleep(10000);
        wall_step();
    }
}

static i64 sum_of(const struct rows *rows, const char *state) {
    i64 sum = 0;
    for (u32 i = 0; i < rows->n; i++)
        if (str_eq(rows->items[i].labels[0].text, str_of(state))) sum += rows->items[i].values[1];
    return sum;
}

TEST(one_profile_runs_at_a_time) {
    CHECK(wall_start(&t->err));
    CHECK(!wall_start(&t->err));
    CHECK_EQ(t->err.code, ERR_BUSY);
    wall_stop();
    CHECK(wall_start(&t->err));
    wall_stop();
}

TEST(each_threads_time_adds_up_to_the_duration) {
    enum { N = 5 };
    pthread_t threads[N];
    struct rows rows;
    CHECK(threads_init());
    sem_init(&sem, 0, 0);
    for (u32 i = 0; i < N; i++) CHECK_EQ(pthread_create(&threads[i], NULL, waiter, NULL), 0);
    usleep(50000);
    CHECK(wall_start(&t->err));
    look_for(600);
    wall_stop();
    CHECK(wall_collect(t->arena, &rows, &t->err));
    i64 waited = sum_of(&rows, "semacquire"), want = N * rows.duration_nanos;
    CHECK(waited > want * 95 / 100 && waited < want * 105 / 100);
    for (u32 i = 0; i < N; i++) sem_post(&sem);
    for (u32 i = 0; i < N; i++) pthread_join(threads[i], NULL);
}

// More than a look reads: each stands for several.
TEST(many_threads_are_read_in_turn_and_weigh_the_same) {
    enum { N = 3 * WALL_THREADS };
    static pthread_t threads[N];
    struct rows rows;
    CHECK(threads_init());
    sem_init(&sem, 0, 0);
    for (u32 i = 0; i < N; i++) CHECK_EQ(pthread_create(&threads[i], NULL, waiter, NULL), 0);
    usleep(50000);
    CHECK(wall_start(&t->err));
    look_for(800);
    wall_stop();
    CHECK(wall_collect(t->arena, &rows, &t->err));
    i64 waited = sum_of(&rows, "semacquire"), want = N * rows.duration_nanos;
    CHECK(waited > want * 90 / 100 && waited < want * 110 / 100);
    for (u32 i = 0; i < N; i++) sem_post(&sem);
    for (u32 i = 0; i < N; i++) pthread_join(threads[i], NULL);
}
