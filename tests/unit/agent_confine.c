// tests/unit/agent_confine.c - what a seccomp filter says of libpprof's system calls.
// Room: claims about agent/confine's reading of filters. Door: the test runner.
#include "unit.h"

#include "agent/confine.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(verdict) BPF_STMT(BPF_RET | BPF_K, (verdict))
#define FILTER(...)                                                                                \
    (struct sock_filter[]){__VA_ARGS__},                                                           \
        sizeof((struct sock_filter[]){__VA_ARGS__}) / sizeof(struct sock_filter)

static u32 verdict_of(struct sock_filter *code, size_t n, int nr) {
    struct sock_fprog filter = {.len = (unsigned short)n, .filter = code};
    struct seccomp_data data = {.nr = nr};
    return confine_verdict(&filter, &data);
}

static const char *forbids(struct sock_filter *code, size_t n) {
    return confine_forbids(&(struct sock_fprog){.len = (unsigned short)n, .filter = code});
}

TEST(a_filter_that_allows_or_only_fails_calls_is_no_harm) {
    CHECK(!forbids(FILTER(RETURN(SECCOMP_RET_ALLOW))));
    CHECK(!forbids(FILTER(RETURN(SECCOMP_RET_ERRNO | 1))));
    CHECK(!forbids(FILTER(RETURN(SECCOMP_RET_LOG))));
}

TEST(a_filter_that_kills_traps_or_asks_is_told_with_the_call) {
    CHECK(forbids(FILTER(RETURN(SECCOMP_RET_KILL_PROCESS))));
    CHECK(forbids(FILTER(RETURN(SECCOMP_RET_TRAP))));
    CHECK(forbids(FILTER(RETURN(SECCOMP_RET_USER_NOTIF))));
    const char *call =
        forbids(FILTER(LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_timer_create, 0, 1),
                       RETURN(SECCOMP_RET_KILL_THREAD), RETURN(SECCOMP_RET_ALLOW)));
    CHECK(call && strcmp(call, "timer_create") == 0);
}

TEST(arithmetic_memory_and_jumps_are_those_of_the_kernel) {
    // (nr * 2 + 3) is kept, loaded to X, and compared with 2 * 39 + 3.
    struct sock_filter code[] = {
        LOAD(nr),
        BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 2),
        BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 3),
        BPF_STMT(BPF_ST, 5),
        BPF_STMT(BPF_LDX | BPF_W | BPF_MEM, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_IMM, 81),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD),
        BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD),
        BPF_STMT(BPF_LD | BPF_W | BPF_IMM, SECCOMP_RET_ERRNO | 7),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    CHECK_EQ(verdict_of(code, countof(code), 39), SECCOMP_RET_ERRNO | 7);
    CHECK_EQ(verdict_of(code, countof(code), 40), SECCOMP_RET_KILL_THREAD);
}

TEST(a_filter_that_runs_off_its_end_kills) {
    CHECK_EQ(verdict_of(FILTER(LOAD(nr)), 1), SECCOMP_RET_KILL_PROCESS);
    CHECK_EQ(verdict_of(FILTER(BPF_JUMP(BPF_JMP | BPF_JA, 0xffffffff, 0, 0), RETURN(0)), 1),
             SECCOMP_RET_KILL_PROCESS);
    CHECK_EQ(
        verdict_of(FILTER(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4096),
                          BPF_STMT(BPF_LDX | BPF_W | BPF_MEM, 99), BPF_STMT(BPF_RET | BPF_A, 0)),
                   1),
        0);
}

// The kernel itself, on a filter that fails getppid with an errno made of the call's number.
TEST(the_kernel_agrees) {
    struct sock_filter code[] = {LOAD(nr),
                                 BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 3),
                                 BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 63),
                                 BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
                                 BPF_STMT(BPF_RET | BPF_A, 0),
                                 RETURN(SECCOMP_RET_ALLOW)};
    struct sock_fprog filter = {.len = countof(code), .filter = code};
    u32 verdict = verdict_of(code, countof(code), SYS_getppid);
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
            syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0))
            _exit(255); // no filters here
        _exit(syscall(SYS_getppid) == -1 ? errno : 0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    if (WEXITSTATUS(status) == 255) return;
    CHECK_EQ(verdict, SECCOMP_RET_ERRNO | (u32)WEXITSTATUS(status));
    CHECK_EQ(WEXITSTATUS(status), SYS_getppid & 63);
}
