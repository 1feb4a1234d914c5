// tests/unit/agent_unwind_step.c - proves that every instruction can be interrupted: with the trap
// flag set, a SIGTRAP arrives after each instruction of some of libc's larger functions, and at
// each new pc our stack must be libgcc's. Prologues, epilogues, PLT stubs, the lazy resolver,
// hand-written assembly and the vDSO are all met on the way.
#include "agent_oracle.h"
#include "unit.h"

#include <dlfcn.h>
#include <iconv.h>
#include <math.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

enum {
    MAX_SEEN = 1 << 17,
    MAX_SHOWN = 20,
    // Of one function: 2 s of CPU for all of them. UNWIND_STEPS in the environment raises it;
    // without a limit there are 393,000 steps on 23,300 pcs.
    MAX_STEPS = 15000,
};

static struct {
    u64 seen[MAX_SEEN]; // a hash set of pcs
    u32 n_pcs, n_steps, n_wrong, n_without_oracle;
    u64 wrong[MAX_SHOWN];
    enum unwind_end ends[MAX_SHOWN];
    volatile bool is_done;
    u32 steps_left;
} trace;

static bool seen_before(u64 pc) {
    for (u64 i = pc * 0x9e3779b97f4a7c15u >> 47;; i++) {
        u64 *slot = &trace.seen[i % MAX_SEEN];
        if (*slot == pc || trace.n_pcs == MAX_SEEN / 2) return true;
        if (*slot) continue;
        *slot = pc;
        trace.n_pcs++;
        return false;
    }
}

// The frames of step_through's callers, which every stack must end with.
static struct oracle callers;

static bool ends_with_callers(const u64 *pcs, u32 n) {
    // callers.pcs[0..1] are oracle_here and step_through, whose calls differ.
    u32 n_tail = callers.n - 2;
    return n > n_tail && !memcmp(pcs + n - n_tail, callers.pcs + 2, n_tail * sizeof *pcs);
}

static sigjmp_buf oracle_failed;
static void on_oracle_fault(int signo) {
    siglongjmp(oracle_failed, signo);
}

// libgcc reads code at wild pcs and crashes where assembly pushes without CFI (glibc's
// __mpn_mul_1): then only the stack's lower end can be compared.
static bool is_right(const u64 *pcs, struct unwound got) {
    static struct oracle oracle;
    bool has_oracle = false;
    if (sigsetjmp(oracle_failed, 1) == 0) {
        oracle_here(&oracle);
        has_oracle = ends_with_callers(oracle.pcs, oracle.n);
    }
    if (!has_oracle) {
        trace.n_without_oracle++;
        return ends_with_callers(pcs, got.n);
    }
    u32 at = oracle.interrupted_i;
    return got.end == UNWIND_COMPLETE && got.n == oracle.n - at &&
           !memcmp(pcs, oracle.pcs + at, got.n * sizeof *pcs);
}

static void on_trap(int signo, siginfo_t *info, void *arg) {
    ucontext_t *context = arg;
    static u64 pcs[MAX_FRAMES];
    (void)signo, (void)info;
    u64 pc = (u64)context->uc_mcontext.gregs[REG_RIP];
    trace.n_steps++;
    if (trace.is_done || trace.steps_left-- == 0) context->uc_mcontext.gregs[REG_EFL] &= ~0x100;
    if (seen_before(pc)) return;
    struct unwound got = unwind_context(context, pcs, MAX_FRAMES);
    if (is_right(pcs, got)) return;
    if (trace.n_wrong < MAX_SHOWN) {
        trace.wrong[trace.n_wrong] = pc;
        trace.ends[trace.n_wrong] = got.end;
    }
    trace.n_wrong++;
}

static NOINLINE void step_through(void (*fn)(void)) {
    oracle_here(&callers);
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    trace.is_done = false;
    trace.steps_left = getenv("UNWIND_STEPS") ? (u32)atoi(getenv("UNWIND_STEPS")) : MAX_STEPS;
    CHECK_EQ(sigaction(SIGTRAP, &action, NULL), 0);
    signal(SIGSEGV, on_oracle_fault);
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
    fn();
    trace.is_done = true;
    __asm__ volatile("nop; nop");
}

static bool saw_vdso(void) {
    u64 vdso = getauxval(AT_SYSINFO_EHDR), n = 0;
    for (u32 i = 0; i < MAX_SEEN; i++) n += trace.seen[i] - vdso < 8192;
    return n > 0;
}

static void check_all_right(u32 least_pcs) {
    for (u32 i = 0; i < trace.n_wrong && i < MAX_SHOWN; i++) {
        Dl_info info = {0};
        dladdr((void *)trace.wrong[i], &info);
        print_message("pc %#lx, %s + %#lx, near %s: end %d\n", trace.wrong[i],
                      info.dli_fname ? info.dli_fname : "?", trace.wrong[i] - (u64)info.dli_fbase,
                      info.dli_sname ? info.dli_sname : "?", (int)trace.ends[i]);
    }
    print_message("%u steps, %u pcs, %u wrong, %u without libgcc\n", trace.n_steps, trace.n_pcs,
                  trace.n_wrong, trace.n_without_oracle);
    CHECK(trace.n_pcs >= least_pcs);
    CHECK(trace.n_wrong * 1000 <= trace.n_pcs);
}

static int compare_ints(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

static void sorting(void) {
    int numbers[50];
    for (int i = 0; i < 50; i++) numbers[i] = i * 7919 % 50;
    qsort(numbers, 50, sizeof *numbers, compare_ints);
}

static void printing(void) {
    char text[400];
    wchar_t wide[100];
    snprintf(text, sizeof text, "%d %s %.17g %a %Lf %p %c", 42, "text", 1e300 / 3, 0.1, 3.25L,
             (void *)text, 'c');
    swprintf(wide, countof(wide), L"%d %ls", 7, L"wide");
    CHECK(strtod("1.7976931348623157e308", NULL) > 1);
    CHECK(sscanf("12 ab", "%*d %2s", text) == 1);
}

static void matching(void) {
    regex_t regex;
    regmatch_t matches[4];
    CHECK_EQ(regcomp(&regex, "^([a-z]+|[0-9]*)(foo|bar)*[[:space:]]x{2,3}$", REG_EXTENDED), 0);
    regexec(&regex, "abcfoobar xx", 4, matches, 0);
    regfree(&regex);
}

static void allocating(void) {
    void *blocks[40];
    for (size_t i = 0; i < 40; i++) blocks[i] = malloc(i * i * 10);
    for (size_t i = 0; i < 40; i += 2) free(blocks[i]);
    for (size_t i = 0; i < 40; i += 2) blocks[i] = realloc(NULL, i * 100);
    for (size_t i = 0; i < 40; i++) free(blocks[i]);
    free(aligned_alloc(4096, 100000));
}

static void telling_time(void) {
    struct timespec t;
    struct tm tm;
    char text[100];
    clock_gettime(CLOCK_MONOTONIC, &t);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    time_t now = time(NULL);
    localtime_r(&now, &tm);
    strftime(text, sizeof text, "%a %Z %j", &tm);
    mktime(&tm);
}

static void jumping(void) {
    static sigjmp_buf buf;
    if (sigsetjmp(buf, 1) == 0) siglongjmp(buf, 1);
}

static void converting(void) {
    char in[] = "Gr\xc3\xbc\xc3\x9f", out[64], *from = in, *to = out;
    size_t in_left = sizeof in, out_left = sizeof out;
    iconv_t cd = iconv_open("UTF-16", "UTF-8");
    if (cd == (iconv_t)-1) return;
    iconv(cd, &from, &in_left, &to, &out_left);
    iconv_close(cd);
}

static void files(void) {
    char line[200];
    FILE *file = fopen("/proc/self/maps", "r");
    if (!file) return;
    for (int i = 0; i < 3 && fgets(line, sizeof line, file); i++) continue;
    fclose(file);
    CHECK(getenv("PATH") || true);
    CHECK(sysconf(_SC_NPROCESSORS_ONLN) > 0);
}

static void strings(void) {
    char a[300], b[300];
    for (size_t n = 1; n < 290; n += 31) {
        memset(a, 'x', n);
        a[n] = 0;
        memcpy(b, a, n + 1);
        memmove(b + 1, b, n);
        CHECK(strlen(a) == n && strchr(a, 'y') == NULL && strstr(a, "xy") == NULL);
        CHECK(memcmp(a, b, n) == 0 && strcmp(a, "x") >= 0);
    }
}

static void forking(void) {
    // The child shares our memory and traps too, until it is gone.
    if (vfork() == 0) _exit(0);
}

static void loading(void) {
    // The libraries are small and nothing else links them.
    void *lib = dlopen("libutil.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (lib) dlsym(lib, "openpty");
    if (lib) dlclose(lib);
}

TEST(every_instruction_gives_libgccs_stack) {
    unwind_init();
    step_through(sorting);
    step_through(printing);
    step_through(matching);
    step_through(allocating);
    step_through(telling_time);
    step_through(jumping);
    step_through(converting);
    step_through(files);
    step_through(strings);
    step_through(loading);
    step_through(forking);
    CHECK(saw_vdso());
    check_all_right(5000);
}
