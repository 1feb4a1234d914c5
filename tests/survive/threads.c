// tests/survive/threads.c - a program of many threads, most of them asleep.
// Room: the program. usage: threads N SECONDS; prints "fine".
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t over = PTHREAD_COND_INITIALIZER;
static int is_over;

static void *thread_sleeps(void *arg) {
    pthread_mutex_lock(&lock);
    while (!is_over) pthread_cond_wait(&over, &lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    int n = (int)strtol(argv[1], NULL, 10);
    pthread_t *threads = calloc((size_t)n, sizeof *threads);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 64 << 10);
    for (int i = 0; i < n; i++)
        if (pthread_create(&threads[i], &attr, thread_sleeps, NULL)) return 1;
    sleep((unsigned)strtoul(argv[2], NULL, 10));
    pthread_mutex_lock(&lock);
    is_over = 1;
    pthread_cond_broadcast(&over);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < n; i++) pthread_join(threads[i], NULL);
    free(threads);
    puts("fine");
    return 0;
}
