// bench/spent.c - CPU time and peak memory of a program that takes less than bench/run itself.
// usage: spent FILE program args...: runs it and writes "CPU_SECONDS PEAK_KIB" into FILE.
// A process's peak counts from before its exec, so that whatever Python starts took 14 MB already;
// what this starts took one.
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double seconds_of(struct timeval t) {
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int report(const char *path, const struct rusage *usage) {
    FILE *out = fopen(path, "w");
    if (!out) return 1;
    fprintf(out, "%.6f %ld\n", seconds_of(usage->ru_utime) + seconds_of(usage->ru_stime),
            usage->ru_maxrss);
    return fclose(out) != 0;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: spent FILE program args...\n");
        return 2;
    }
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); // bench/run kills what takes too long
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) < 0) {
        perror("spent");
        return 1;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status)) return 1;
    return report(argv[1], &usage);
}
