// tests/live/traced.c - a program that traces itself: usage: traced MODE TRACE [RECORDER].
// Room: known numbers of everything a trace shows. Modes:
//   all      tasks, regions, logs, locks with known wakers, sleeps, threads, a flight recorder
//   churn    threads that come and go as fast as they can, and forks, for two seconds
//   pipe     a trace into a pipe that nobody reads: everything goes on
// What trace_live.py expects is in the numbers below. Prints one line a thing that went wrong.
#include <pprof.h>

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N_WORKERS = 4, N_ROUNDS = 25, N_MAKERS = 4, CHURN_S = 2 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t full;
static int turn;
static _Atomic int n_failed;

static void expect(int is_good, const char *what) {
    if (is_good) return;
    n_failed++;
    printf("%s\n", what);
}

static void *worker(void *arg) {
    uint64_t task = *(uint64_t *)arg;
    for (int i = 0; i < N_ROUNDS; i++) {
        pprof_trace_region_begin(task, "locked");
        pthread_mutex_lock(&mutex);
        usleep(300);
        pthread_mutex_unlock(&mutex);
        pprof_trace_region_end(task, "locked");
        pprof_trace_log(task, "worker", "round");
    }
    return NULL;
}

// Two threads that hand a turn to each other: each wait has its waker.
static void *player(void *arg) {
    int me = arg != NULL;
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < N_ROUNDS; i++) {
        while (turn != me) pthread_cond_wait(&cond, &mutex);
        turn = !me;
        pthread_cond_signal(&cond);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void *consumer(void *arg) {
    for (int i = 0; i < N_ROUNDS; i++) sem_wait(&full);
    return arg;
}

static void work(uint64_t *task) {
    pthread_t threads[N_WORKERS + 3];
    for (int i = 0; i < N_WORKERS; i++) pthread_create(&threads[i], NULL, worker, task);
    pthread_create(&threads[N_WORKERS], NULL, player, NULL);
    pthread_create(&threads[N_WORKERS + 1], NULL, player, task);
    pthread_create(&threads[N_WORKERS + 2], NULL, consumer, NULL);
    for (int i = 0; i < N_ROUNDS; i++) {
        usleep(200);
        sem_post(&full);
    }
    for (int i = 0; i < N_WORKERS + 3; i++) pthread_join(threads[i], NULL);
}

static int file_new(const char *path) {
    return open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
}

static void all(const char *path, const char *recorder_path) {
    char why[PPROF_ERROR_SIZE];
    int fd = file_new(path), recorder_fd = file_new(recorder_path);
    expect(!pprof_trace_is_enabled(), "nothing is traced at first");
    expect(!pprof_flight_recorder_write(recorder_fd, why), "there is no recorder at first");
    expect(pprof_flight_recorder_start(0, 0, why), "the recorder starts");
    expect(pprof_trace_start(fd, why), "a trace starts");
    expect(!pprof_trace_start(fd, why) && strstr(why, "already enabled"), "a second one does not");
    expect(pprof_trace_is_enabled(), "tracing is on");
    uint64_t task = pprof_trace_task_new(0, "batch");
    work(&task);
    pprof_trace_task_end(task);
    expect(pprof_trace_stop(why), why);
    expect(!pprof_trace_stop(why), "it ends once");
    expect(pprof_flight_recorder_write(recorder_fd, why), why);
    pprof_flight_recorder_stop();
    expect(!pprof_trace_is_enabled(), "tracing is off again");
    close(fd);
    close(recorder_fd);
}

static _Atomic int is_over;
static _Atomic unsigned long n_made;

static void *short_life(void *arg) {
    struct timespec time = {.tv_nsec = 1000};
    nanosleep(&time, NULL);
    n_made++;
    return arg;
}

static void *maker(void *arg) {
    pthread_t thread;
    while (!is_over)
        if (pthread_create(&thread, NULL, short_life, NULL) == 0) pthread_join(thread, NULL);
    return arg;
}

static void fork_once(void) {
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread; // the child has no trace, and its threads write none
        int is_good = !pprof_trace_is_enabled();
        is_good = is_good && pthread_create(&thread, NULL, short_life, NULL) == 0;
        if (is_good) pthread_join(thread, NULL);
        _exit(!is_good);
    }
    int status = 1;
    waitpid(child, &status, 0);
    expect(status == 0, "a forked child does its work");
}

static void churn(const char *path) {
    char why[PPROF_ERROR_SIZE];
    pthread_t makers[N_MAKERS];
    int fd = file_new(path);
    time_t end = time(NULL) + CHURN_S + 1;
    expect(pprof_trace_start(fd, why), "a trace starts");
    for (int i = 0; i < N_MAKERS; i++) pthread_create(&makers[i], NULL, maker, NULL);
    while (time(NULL) < end) fork_once();
    is_over = 1;
    for (int i = 0; i < N_MAKERS; i++) pthread_join(makers[i], NULL);
    expect(pprof_trace_stop(why), why);
    close(fd);
    fprintf(stderr, "%lu threads\n", n_made);
}

static void *drain(void *arg) {
    char bytes[65536];
    while (read(*(int *)arg, bytes, sizeof bytes) > 0) continue;
    return NULL;
}

static void full_pipe(void) {
    char why[PPROF_ERROR_SIZE];
    int ends[2];
    pthread_t reader;
    uint64_t task = 0;
    expect(pipe(ends) == 0, "pipe");
    expect(pprof_trace_start(ends[1], why), "a trace into a pipe starts");
    for (int i = 0; i < 5; i++) work(&task);
    pthread_create(&reader, NULL, drain, &ends[0]);
    expect(pprof_trace_stop(why), why);
    close(ends[1]);
    pthread_join(reader, NULL);
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    sem_init(&full, 0, 0);
    if (!strcmp(argv[1], "all")) all(argv[2], argv[3]);
    if (!strcmp(argv[1], "churn")) churn(argv[2]);
    if (!strcmp(argv[1], "pipe")) full_pipe();
    return n_failed != 0;
}
