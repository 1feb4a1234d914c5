// agent/switches.c - how long threads were off the CPU.
// Room: see switches.h. Source: perf_event_open(2), PERF_RECORD_SWITCH.
#include "agent/switches.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, RING_BYTES = 2 * PAGE };

// What a PERF_RECORD_SWITCH of ours holds.
struct record {
    struct perf_event_header header;
    u32 pid, tid;
    u64 time_ns;
};

struct followed {
    struct switched sums, shown; // shown: with the wait that lasts
    int fd;
    struct perf_event_mmap_page *page;
    u64 off_since_ns; // 0: on a CPU, as far as is known
    bool is_preempted;
};

static struct {
    struct followed items[MAX_SWITCHED];
    u32 n;
    u64 n_lost;
    u32 n_users;
    switch_taker taker; // NULL: nobody
} switches PAGE_ALIGNED;

static int event_open(u32 tid) {
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                   .size = sizeof attr,
                                   .config = PERF_COUNT_SW_DUMMY,
                                   .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
                                   .exclude_kernel = 1,
                                   .exclude_hv = 1,
                                   .sample_id_all = 1,
                                   .context_switch = 1,
                                   .use_clockid = 1,
                                   .clockid = CLOCK_MONOTONIC};
    return (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static str paranoid_level(char *buffer, size_t cap) {
    AUTO_CLOSE int fd = open("/proc/sys/kernel/perf_event_paranoid", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, buffer, cap);
    return str_trim((str){buffer, n > 0 ? (size_t)n : 0});
}

// A filter may end the program for a call that it does not list: it is not tried.
static bool is_filtered(void) {
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0;
}

str switches_status(struct arena *out) {
    char level[32];
    if (is_filtered())
        return S(
            "a seccomp filter is on, which may end the program for perf_event_open: not tried");
    int fd = event_open((u32)syscall(SYS_gettid)), failed = errno;
    if (fd >= 0) {
        close(fd);
        return S("");
    }
    struct buf b = buf_new(out, 512);
    str paranoid = paranoid_level(level, sizeof level);
    buf_printf(&b, "the kernel gives no records of switches: perf_event_open says %s",
               strerror(failed));
    if (paranoid.len)
        buf_printf(
            &b, " (kernel.perf_event_paranoid is " S_FMT "; up to 2 allows it, a sandbox may not)",
            S_ARG(paranoid));
    return buf_str(&b);
}

static struct followed *followed_of(u32 tid) {
    for (u32 i = 0; i < switches.n; i++)
        if (switches.items[i].sums.tid == tid) return &switches.items[i];
    return NULL;
}

static u64 now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}

bool switches_follow(u32 tid) {
    if (followed_of(tid)) return true;
    if (switches.n == MAX_SWITCHED) return false;
    int fd = event_open(tid);
    if (fd < 0) return false;
    void *page = mmap(NULL, PAGE + RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        close(fd);
        return false;
    }
    // Nothing is known of it yet: a wait that lasts counts from here on, see switches_at.
    switches.items[switches.n++] =
        (struct followed){.sums.tid = tid, .fd = fd, .page = page, .off_since_ns = now_ns()};
    return true;
}

static void off_end(struct followed *f, struct switched *sums, u64 time_ns) {
    u64 ns = time_ns > f->off_since_ns ? time_ns - f->off_since_ns : 0;
    if (f->is_preempted) {
        sums->preempted_ns += ns;
        sums->n_preempts++;
    } else {
        sums->waited_ns += ns;
        sums->n_waits++;
    }
}

static void take(struct followed *f, const struct record *r) {
    // struct { header; u64 id, lost; }: lost stands where the time of a switch does.
    if (r->header.type == PERF_RECORD_LOST) switches.n_lost += r->time_ns;
    if (r->header.type != PERF_RECORD_SWITCH) return;
    bool is_out = r->header.misc & PERF_RECORD_MISC_SWITCH_OUT;
    bool is_preempted = is_out && (r->header.misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT);
    if (switches.taker) switches.taker(f->sums.tid, r->time_ns, is_out, is_preempted);
    if (!is_out && f->off_since_ns) off_end(f, &f->sums, r->time_ns);
    f->off_since_ns = is_out ? r->time_ns : 0;
    f->is_preempted = is_preempted;
}

static void ring_drain(struct followed *f) {
    const char *data = (const char *)f->page + PAGE;
    // Acquire: pairs with the kernel's barrier between records and head.
    u64 head = __atomic_load_n(&f->page->data_head, __ATOMIC_ACQUIRE), tail = f->page->data_tail;
    while (tail < head) {
        struct record r = {0};
        struct perf_event_header header;
        memcpy(&header, data + tail % RING_BYTES, sizeof header); // 8-aligned, so never cut in two
        if (header.size < sizeof header) break;
        u32 size = header.size < sizeof r ? header.size : (u32)sizeof r;
        for (u32 i = 0; i < size; i++) ((char *)&r)[i] = data[(tail + i) % RING_BYTES];
        take(f, &r);
        tail += header.size;
    }
    __atomic_store_n(&f->page->data_tail, head, __ATOMIC_RELEASE);
}

void switches_drain(void) {
    for (u32 i = 0; i < switches.n; i++) ring_drain(&switches.items[i]);
}

const struct switched *switches_at(u32 i, u64 at_ns) {
    if (i >= switches.n) return NULL;
    struct followed *f = &switches.items[i];
    f->shown = f->sums;
    if (f->off_since_ns) off_end(f, &f->shown, at_ns);
    return &f->shown;
}

u64 switches_lost(void) {
    return switches.n_lost;
}

void switches_listen(switch_taker taker) {
    switches.taker = taker;
}

void switches_open(void) {
    switches.n_users++;
}

void switches_restart(void) {
    switches_drain();
    for (u32 i = 0; i < switches.n; i++) {
        struct followed *f = &switches.items[i];
        f->sums = (struct switched){.tid = f->sums.tid};
        if (f->off_since_ns) f->off_since_ns = now_ns();
    }
    switches.n_lost = 0;
}

static void followed_end(struct followed *f) {
    munmap(f->page, PAGE + RING_BYTES);
    close(f->fd);
}

void switches_keep(bool (*is_there)(u32 tid)) {
    u32 n = 0;
    if (switches.n_users > 1) return;
    for (u32 i = 0; i < switches.n; i++) {
        if (is_there(switches.items[i].sums.tid))
            switches.items[n++] = switches.items[i];
        else
            followed_end(&switches.items[i]);
    }
    switches.n = n;
}

void switches_forget(void) {
    if (switches.n || switches.n_users) memset(&switches, 0, sizeof switches);
}

void switches_close(void) {
    if (switches.n_users > 0 && --switches.n_users > 0) return;
    for (u32 i = 0; i < switches.n; i++) followed_end(&switches.items[i]);
    memset(&switches, 0, sizeof switches);
}
