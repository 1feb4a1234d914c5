// agent/hot/pages.c - memory for libpprof's own tables.
// Room: see pages.h.
#include "agent/hot/pages.h"

#include "agent/hot/arch.h"

#include <sys/mman.h>

enum { MAX_ERRNO = 4095 }; // the kernel's answers above -4096 are errors

void *map_own(size_t bytes) {
    long at = arch_syscall(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at < 0 && at >= -MAX_ERRNO ? NULL : (void *)at; // NOLINT: the kernel's answer
}
