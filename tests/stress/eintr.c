// tests/stress/eintr.c - counts system calls that a profiler interrupts.
// Room: threads that block in every call which SA_RESTART does not restart, and threads that keep
// the CPUs busy. usage: eintr SECONDS; prints "eintr N of M calls" and ends with 1 when N is not 0.
// Proves: CPU samples and thread dumps never make a program's call fail with EINTR (reference/
// native.md row 18; signals to blocked threads gave it in 98 of 100 calls there).
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static _Atomic bool is_over;
static _Atomic unsigned long n_calls, n_eintr;

static void count(const char *what, long result) {
    atomic_fetch_add(&n_calls, 1);
    if (result >= 0 || errno != EINTR) return;
    atomic_fetch_add(&n_eintr, 1);
    fprintf(stderr, "eintr: %s\n", what);
}

// From 50 us, where a thread is in the kernel most of its CPU time, to 3 ms.
static long next_us(unsigned *state) {
    *state = *state * 1664525 + 1013904223; // Numerical Recipes' generator
    return 50 + (*state >> 16) % 2950;
}

static void *poll_loop(void *arg) {
    unsigned state = 1;
    while (!is_over) count("poll", poll(NULL, 0, (int)(1 + next_us(&state) / 1000)));
    return arg;
}

static void *nanosleep_loop(void *arg) {
    unsigned state = 2;
    while (!is_over) {
        struct timespec time = {.tv_nsec = next_us(&state) * 1000};
        count("nanosleep", nanosleep(&time, NULL));
    }
    return arg;
}

static void *recv_loop(void *arg) {
    int pair[2];
    char byte;
    struct timeval timeout = {.tv_usec = 1000};
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) abort();
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    while (!is_over) count("recv", recv(pair[0], &byte, 1, 0));
    return arg;
}

static void *sem_loop(void *arg) {
    sem_t sem;
    unsigned state = 3;
    sem_init(&sem, 0, 0);
    while (!is_over) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += next_us(&state) * 1000;
        if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
        count("sem_timedwait", sem_timedwait(&sem, &until));
    }
    return arg;
}

static void *epoll_loop(void *arg) {
    int fd = epoll_create1(0);
    unsigned state = 4;
    while (!is_over) {
        struct epoll_event event;
        count("epoll_wait", epoll_wait(fd, &event, 1, (int)(1 + next_us(&state) / 1000)));
    }
    return arg;
}

static void *select_loop(void *arg) {
    unsigned state = 5;
    while (!is_over) {
        struct timeval timeout = {.tv_usec = next_us(&state)};
        count("select", select(0, NULL, NULL, NULL, &timeout));
    }
    return arg;
}

static void *busy_loop(void *arg) {
    volatile unsigned long x = 0;
    while (!is_over) x++;
    return arg;
}

int main(int argc, char **argv) {
    static void *(*const loops[])(void *) = {poll_loop,  nanosleep_loop, recv_loop, sem_loop,
                                             epoll_loop, select_loop,    busy_loop};
    enum { N_LOOPS = sizeof loops / sizeof *loops };
    pthread_t threads[N_LOOPS];
    unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 5;
    for (int i = 0; i < N_LOOPS; i++) pthread_create(&threads[i], NULL, loops[i], NULL);
    struct timespec end, now;
    clock_gettime(CLOCK_MONOTONIC, &end);
    for (now = end; now.tv_sec < end.tv_sec + (time_t)seconds; clock_gettime(CLOCK_MONOTONIC, &now))
        count("usleep", usleep(1000));
    is_over = true;
    for (int i = 0; i < N_LOOPS; i++) pthread_join(threads[i], NULL);
    printf("eintr %lu of %lu calls\n", n_eintr, n_calls);
    return n_eintr != 0;
}
