// agent/hot/pages.c - memory for libpprof's own tables.
// Room: see pages.h.
#include "agent/hot/pages.h"

#include "agent/hot/arch.h"

#include <stdatomic.h>
#include <sys/mman.h>

enum { MAX_ERRNO = 4095 }; // the kernel's answers above -4096 are errors

static _Atomic bool is_stopped;

void pages_stop(void) {
    atomic_store(&is_stopped, true);
}

bool pages_are_stopped(void) {
    return atomic_load_explicit(&is_stopped, memory_order_relaxed);
}

void *map_own(size_t bytes) {
    if (pages_are_stopped()) return NULL;
    long at = arch_syscall(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at < 0 && at >= -MAX_ERRNO ? NULL : (void *)at; // NOLINT: the kernel's answer
}
