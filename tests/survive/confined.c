// tests/survive/confined.c - a program that allows itself a handful of system calls with seccomp
// and is killed for any other. native.md row 35.
// Room: the program. usage: confined prctl|syscall|tsync; prints "fine". It starts a thread after
// the filter is there, allocates and computes: all of it with the calls of its list.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// What glibc needs for threads and memory, and this program for its words. rt_sigreturn is there,
// as every list has it: handlers must be able to end.
static const int allowed[] = {
    SYS_write,
    SYS_exit_group,
    SYS_exit,
    SYS_futex,
    SYS_mmap,
    SYS_munmap,
    SYS_mprotect,
    SYS_madvise,
    SYS_brk,
    SYS_clone3,
    SYS_clone,
    SYS_rseq,
    SYS_set_robust_list,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_newfstatat,
    SYS_clock_nanosleep,
    SYS_rt_sigaction,
    SYS_getrandom,
};

enum { N_ALLOWED = sizeof allowed / sizeof *allowed };

static struct sock_fprog make_filter(void) {
    static struct sock_filter code[N_ALLOWED + 3];
    size_t n = 0;
    code[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < N_ALLOWED; i++)
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)allowed[i],
                                                 (unsigned char)(N_ALLOWED - i), 0);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return (struct sock_fprog){.len = (unsigned short)n, .filter = code};
}

static int confine(const char *how) {
    struct sock_fprog filter = make_filter();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -1;
    if (strcmp(how, "prctl") == 0) return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
    unsigned flags = strcmp(how, "tsync") == 0 ? SECCOMP_FILTER_FLAG_TSYNC : 0;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
}

static void *work(void *arg) {
    volatile unsigned sum = 0;
    for (unsigned i = 0; i < 200000000; i++) sum += i;
    for (unsigned i = 0; i < 1000; i++) {
        char *p = malloc(10000);
        p[0] = 1;
        free(p);
    }
    return arg;
}

int main(int argc, char **argv) {
    pthread_t thread;
    if (argc < 2) return 2;
    usleep(1500000); // the test begins a CPU profile meanwhile
    if (confine(argv[1])) return fprintf(stderr, "%s\n", strerror(errno)), 77;
    if (pthread_create(&thread, NULL, work, NULL)) return 1;
    work(NULL);
    if (pthread_join(thread, NULL)) return 1;
    puts("fine");
    return 0;
}
