// tests/live/roots.c - prints where threads begin: the return address in libc's clone3.
// Room: the yardstick of the live tests. Stacks of stripped programs end in addresses without
// names; this asks libgcc's unwinder, which shares nothing with ours, where a whole stack ends.
// Prints "PATH OFFSET": the file and the address within it, as its own headers count.
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

static void *print_root(void *arg) {
    void *pcs[64];
    int n = backtrace(pcs, 64);
    Dl_info info;
    if (n < 2 || !dladdr(pcs[n - 1], &info)) return NULL;
    uintptr_t offset = (uintptr_t)pcs[n - 1] - (uintptr_t)info.dli_fbase;
    printf("%s %#lx\n", info.dli_fname, (unsigned long)offset);
    return arg;
}

int main(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, print_root, NULL) != 0) return 1;
    pthread_join(thread, NULL);
    return 0;
}
