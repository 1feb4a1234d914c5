// tests/unit/agent_switches.c - proves that where the kernel refuses records of switches the
// program is told why, in the kernel's words, and nothing is left behind.
// Linked with --wrap=syscall: what switches.c asks of the kernel comes by here, as a machine with
// perf_event_paranoid 3 or a sandbox would answer.
#include "unit.h"

#include "agent/offcpu.h"
#include "agent/switches.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static int refused_with; // errno of perf_event_open; 0: the kernel's own answer
static u32 n_asked;

long __real_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);

long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f) {
    if (nr != SYS_perf_event_open || !refused_with) return __real_syscall(nr, a, b, c, d, e, f);
    n_asked++;
    errno = refused_with;
    return -1;
}

TEST(a_refusal_is_told_in_the_kernels_words) {
    static const struct {
        int failed;
        const char *words;
    } refusals[] = {{EACCES, "perf_event_open says Permission denied"},
                    {EPERM, "perf_event_open says Operation not permitted"},
                    {ENOSYS, "perf_event_open says Function not implemented"}};
    for (u32 i = 0; i < countof(refusals); i++) {
        refused_with = refusals[i].failed;
        str said = switches_status(t->arena);
        CHECK(str_find(said, str_of(refusals[i].words)) >= 0);
        CHECK(str_find(said, S("kernel.perf_event_paranoid is ")) >= 0);
    }
    CHECK_EQ(n_asked, countof(refusals));
}

TEST(the_profile_does_not_begin_and_says_why) {
    struct rows rows;
    refused_with = EACCES;
    CHECK(!offcpu_start(&t->err));
    CHECK_EQ(t->err.code, ERR_UNSUPPORTED);
    CHECK(str_find(str_of(t->err.text), S("Permission denied")) >= 0);
    CHECK(!offcpu_collect(t->arena, &rows, &t->err));
    CHECK_EQ(t->err.code, ERR_NOT_FOUND);
}

TEST(a_thread_without_an_event_is_not_followed) {
    refused_with = EMFILE;
    CHECK(!switches_follow((u32)gettid()));
    CHECK(!switches_at(0, 1));
    refused_with = 0;
}
