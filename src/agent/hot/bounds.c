// agent/hot/bounds.c - the windows of readable stack.
// Room: stack tops, probes, copies. Door: bounds.h.
// Readability is asked of the kernel with rt_sigprocmask(how = ~0, set = addr): it copies the set
// before it looks at `how`, so that the answer is EFAULT or EINVAL and nothing changes. One system
// call, no descriptors (absl and gperftools do the same).
#include "agent/hot/bounds.h"

#include "agent/hot/arch.h"
#include "agent/hot/fibers.h"
#include "agent/hot/thread.h"

#include <errno.h>
#include <sys/uio.h>

enum {
    PAGE = 4096,
    // A stack deeper than this is treated as unknown. The kernel keeps at least 128 MiB free below
    // the main stack, so that sp this close to its top is on it.
    STACK_BYTES_MAX = 64 << 20,
    // Below sp the ABIs keep this much from signal handlers. Epilogues need it: once a register is
    // popped, gcc's CFI still names its old slot, now below sp (29 of 1,000 pcs in libc).
    RED_ZONE_BYTES = 128,
};

// The whole state of this file.
static struct {
    u64 main_hi;             // set once in bounds_init
    _Atomic u64 main_seen;   // lowest page of the main stack found readable; only goes down
    _Atomic bool no_vm_read; // process_vm_readv is refused here (old kernels, seccomp)
} bounds;

// Set by the dynamic loader: where the main thread's stack began.
extern void *__libc_stack_end __attribute__((weak));

static bool page_readable(u64 page) {
    if (page == 0) return false; // a set at NULL is no set: the kernel would not look
    long ret = arch_syscall(SYS_rt_sigprocmask, ~0l, (long)page, 0, 8, 0, 0);
    return ret != -EFAULT;
}

static long vm_read(void *dst, u64 addr, size_t len) {
    struct iovec local = {dst, len};
    struct iovec remote = {(void *)addr, len}; // NOLINT: an address is all we have
    long pid = arch_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);
    return arch_syscall(SYS_process_vm_readv, pid, (long)&local, 1, (long)&remote, 1, 0);
}

bool bounds_copy(void *dst, u64 addr, size_t len) {
    if (!atomic_load_explicit(&bounds.no_vm_read, memory_order_relaxed)) {
        return vm_read(dst, addr, len) == (long)len;
    }
    u64 first = addr & ~(u64)(PAGE - 1), last = (addr + len - 1) & ~(u64)(PAGE - 1);
    if (!page_readable(first) || (last != first && !page_readable(last))) return false;
    __builtin_memcpy(dst, (const void *)addr, len);
    return true;
}

void bounds_init(void) {
    char byte = 0, copy = 1;
    if (&__libc_stack_end) bounds.main_hi = (u64)__libc_stack_end;
    atomic_store(&bounds.no_vm_read, vm_read(&copy, (u64)&byte, 1) != 1);
}

static void window_set(struct window *w, u64 lo, u64 hi) {
    w->lo = lo;
    w->span = hi >= lo + 8 ? hi - lo - 7 : 0;
}

// Walks the pages from the lowest one known to be readable down to sp's. Each page is asked about
// once in the life of its stack; a guard page ends the walk, so that a fiber's stack below is not
// taken for a part of this one.
static bool seen_down_to(_Atomic u64 *seen, u64 hi, u64 sp) {
    u64 want = sp & ~(u64)(PAGE - 1);
    u64 page = atomic_load_explicit(seen, memory_order_relaxed);
    if (page == 0 || page > hi) page = (hi + PAGE - 1) & ~(u64)(PAGE - 1);
    while (page > want) {
        if (!page_readable(page - PAGE)) return false;
        page -= PAGE;
        atomic_store_explicit(seen, page, memory_order_relaxed);
    }
    return true;
}

// The window from a little below sp to hi, if the stack is readable down to there.
static bool open_known(struct window *w, _Atomic u64 *seen, u64 hi, u64 sp) {
    u64 lo = sp - RED_ZONE_BYTES;
    if (!seen_down_to(seen, hi, lo)) {
        lo = sp & ~(u64)(PAGE - 1); // the guard page is near
        if (!seen_down_to(seen, hi, sp)) return false;
    }
    *w = (struct window){.floor = lo, .limit = hi, .mode = WINDOW_FIXED};
    window_set(w, lo, hi);
    return true;
}

static void open_unknown(struct window *w, u64 sp) {
    u64 page = sp & ~(u64)(PAGE - 1), lo = sp - RED_ZONE_BYTES, hi = fiber_end_of(sp);
    if (lo < page && !page_readable(page - PAGE)) lo = page;
    *w = (struct window){.floor = lo,
                         .limit = hi ? hi : sp + UNKNOWN_STACK_BYTES,
                         .is_fiber = hi != 0,
                         .mode = WINDOW_PROBE};
    window_set(w, lo, page_readable(page) ? page + PAGE : lo);
}

void window_open(struct window *w, u64 sp) {
    u64 hi = bounds.main_hi;
    if (sp < hi && hi - sp < STACK_BYTES_MAX) {
        if (!open_known(w, &bounds.main_seen, hi, sp)) open_unknown(w, sp);
        return;
    }
    hi = hot_thread.stack_hi ? hot_thread.stack_hi : arch_thread_pointer();
    bool is_own = sp < hi && hi - sp < STACK_BYTES_MAX && sp >= hot_thread.stack_lo;
    if (!is_own || !open_known(w, &hot_thread.stack_seen, hi, sp)) open_unknown(w, sp);
}

bool window_is_at_end(const struct window *w, u64 sp) {
    return w->is_fiber && sp <= w->limit && w->limit - sp <= FIBER_FIRST_BYTES;
}

void window_open_parked(struct window *w, u64 sp, u64 lo, u64 hi, u8 *buffer) {
    bool is_inside = sp >= lo && sp < hi;
    u64 floor = is_inside && sp - lo > RED_ZONE_BYTES ? sp - RED_ZONE_BYTES : sp;
    *w = (struct window){.floor = floor, .limit = is_inside ? hi : sp, .copy = buffer};
    w->mode = WINDOW_COPY;
    w->is_fiber = fiber_end_of(sp) == hi;
    window_set(w, floor, floor);
    if (atomic_load_explicit(&bounds.no_vm_read, memory_order_relaxed)) {
        w->mode = WINDOW_FIXED;
        window_set(w, floor, w->limit);
    }
}

// Probes upwards from the window's end until it holds addr.
static bool reach_by_probe(struct window *w, u64 addr) {
    u64 end = w->span ? w->lo + w->span + 7 : w->lo;
    if (!w->span) return false; // not even sp's own page
    while (addr + 8 > end) {
        if (!page_readable(end)) return false;
        end += PAGE;
    }
    window_set(w, w->lo, end);
    return true;
}

// Copies the piece of the other stack that begins a little below addr: the saved frame pointer
// lies below the return address.
static bool reach_by_copy(struct window *w, u64 addr) {
    u64 lo = addr - w->floor > 512 ? addr - 512 : w->floor;
    size_t len = w->limit - lo < COPY_BYTES ? (size_t)(w->limit - lo) : COPY_BYTES;
    long n = vm_read(w->copy, lo, len);
    if (n <= 0) return false;
    window_set(w, lo, lo + (u64)n);
    w->delta = (u64)w->copy - lo;
    return addr - w->lo < w->span;
}

bool window_reach(struct window *w, u64 addr) {
    if (addr < w->floor || w->limit < 8 || addr > w->limit - 8) return false;
    switch (w->mode) {
    case WINDOW_FIXED:
        return addr - w->lo < w->span;
    case WINDOW_PROBE:
        return reach_by_probe(w, addr);
    case WINDOW_COPY:
        return reach_by_copy(w, addr);
    }
    return false;
}
