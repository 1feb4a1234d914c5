// tests/live/forks.c - what a fork costs whose child ends at once.
// Room: one loop. Prints "CPU_US FAULTS": the least CPU time of parent and child a fork, of 20
// batches since neighbours only add, and the page faults of one child.
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N_BATCHES = 20, N_FORKS = 50 };

static double seconds(struct timeval t) {
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double cpu_us(void) {
    struct rusage own, ended;
    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &ended);
    return 1e6 * (seconds(own.ru_utime) + seconds(own.ru_stime) + seconds(ended.ru_utime) +
                  seconds(ended.ru_stime));
}

static double batch(void) {
    double begin = cpu_us();
    for (int i = 0; i < N_FORKS; i++) {
        pid_t pid = fork();
        if (pid == 0) _exit(0);
        waitpid(pid, NULL, 0);
    }
    return (cpu_us() - begin) / N_FORKS;
}

int main(void) {
    struct rusage ended;
    double least = batch();
    for (int i = 1; i < N_BATCHES; i++) {
        double now = batch();
        if (now < least) least = now;
    }
    getrusage(RUSAGE_CHILDREN, &ended);
    printf("%.1f %.1f\n", least, (double)ended.ru_minflt / (N_BATCHES * N_FORKS));
    return 0;
}
