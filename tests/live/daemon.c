// tests/live/daemon.c - what daemons do at start: fork twice, leave the session, close everything.
// Room: a program for processes_live.py. usage: daemon PIDFILE SECONDS
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

__attribute__((noinline)) static unsigned daemon_work(double until_s) {
    unsigned value = 1;
    while (cpu_s() < until_s) {
        for (unsigned i = 0; i < 100000; i++) value = value * 1664525 + 1013904223;
    }
    return value;
}

// A third of a core, with blocks that come and go.
static void work(int seconds) {
    for (int round = 0; round < seconds * 20; round++) {
        char *block = malloc(200000);
        if (!block) _exit(1);
        memset(block, round, 200000);
        block[0] = (char)daemon_work(cpu_s() + 0.015);
        free(block);
        nanosleep(&(struct timespec){.tv_nsec = 35000000}, NULL);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    if (fork() != 0) _exit(0);
    setsid();
    if (fork() != 0) _exit(0);
    if (chdir("/") != 0) return 1;
    for (int fd = 0; fd < 4096; fd++) close(fd);
    if (open("/dev/null", O_RDWR) != 0 || dup(0) != 1 || dup(0) != 2) return 1;
    // Descriptors are given out from the lowest: 3 and 4 must be ours, as if nobody else were here.
    int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd != 3) return 1;
    dprintf(fd, "%d\n", (int)getpid());
    close(fd);
    work((int)strtol(argv[2], NULL, 10));
    return 0;
}
