// tests/survive/deepbind_plugin.c - a plugin that is opened with RTLD_DEEPBIND, so that its malloc
// and free are libc's (or, built with OWN_ALLOCATOR, its own), not those the program got.
// Room: two functions, one that makes blocks and one that frees the program's.
#include <stdlib.h>
#include <string.h>

#ifdef OWN_ALLOCATOR
// A bump allocator, as plugins with a static jemalloc have a better one.
static char pool[1 << 20];
static size_t used;

void *malloc(size_t n) {
    void *p = pool + used;
    used = (used + n + 15) & ~(size_t)15;
    return used <= sizeof pool ? p : NULL;
}

void free(void *p) {
    (void)p;
}
#endif

char *plugin_make(size_t n);
void plugin_free(char *p);

char *plugin_make(size_t n) {
    char *p = malloc(n);
    return p ? memset(p, 7, n) : NULL;
}

void plugin_free(char *p) {
    free(p);
}
