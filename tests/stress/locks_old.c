// tests/stress/locks_old.c - the condition that glibc had before 2.3.2. usage: locks_old PREFIX
// A program of that age refers to another function under the same name, with another structure: a
// hook that goes on to today's function hangs it or breaks its memory (reference/native.md row 26).
// See locks_truth.h; judged by locks_live.py.
#include "locks_truth.h"

// What such a condition is: a pointer to today's, which the old functions make.
struct old_cond {
    void *cond;
};
int old_wait(struct old_cond *cond, pthread_mutex_t *mutex);
int old_timedwait(struct old_cond *cond, pthread_mutex_t *mutex, const struct timespec *until);
int old_signal(struct old_cond *cond);
__asm__(".symver old_wait, pthread_cond_wait@GLIBC_2.2.5");
__asm__(".symver old_timedwait, pthread_cond_timedwait@GLIBC_2.2.5");
__asm__(".symver old_signal, pthread_cond_signal@GLIBC_2.2.5");

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
// Behind it what today's function would overwrite.
static struct {
    struct old_cond cond;
    char guard[64];
} old, old_timed;
static bool is_there;

static void give(struct old_cond *cond) {
    pthread_mutex_lock(&mutex);
    is_there = true;
    old_signal(cond);
    pthread_mutex_unlock(&mutex);
}

SCENE static int64_t hold_old(void) {
    is_there = false;
    hold_on();
    give(&old.cond);
    return 0;
}
SCENE static int64_t wait_old(void) {
    int64_t begun = begins();
    pthread_mutex_lock(&mutex);
    while (!is_there) old_wait(&old.cond, &mutex);
    pthread_mutex_unlock(&mutex);
    return now_ns() - begun;
}

SCENE static int64_t hold_old_timed(void) {
    is_there = false;
    hold_on();
    give(&old_timed.cond);
    return 0;
}
SCENE static int64_t wait_old_timed(void) {
    struct timespec until = after_ms(CLOCK_REALTIME, 20000);
    int64_t begun = begins();
    pthread_mutex_lock(&mutex);
    while (!is_there) old_timedwait(&old_timed.cond, &mutex, &until);
    pthread_mutex_unlock(&mutex);
    return now_ns() - begun;
}

static const struct scene scenes[] = {SCENE_OF(old, false), SCENE_OF(old_timed, false)};

int main(int argc, char **argv) {
    static const char untouched[sizeof old.guard];
    if (argc != 2) return 2;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) scene_play(&scenes[i]);
    if (memcmp(old.guard, untouched, sizeof untouched)) return 4;
    if (memcmp(old_timed.guard, untouched, sizeof untouched)) return 4;
    profiles_write(argv[1]);
    return 0;
}
