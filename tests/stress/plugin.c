// tests/stress/plugin.c - a library to load and unload: code, thread-local memory, a constructor.
// Room: work that a sample can land in while the library comes and goes. Built twice under two
// names.
#include <stdlib.h>
#include <string.h>

unsigned plugin_work(unsigned seed);

static __thread unsigned calls; // makes the loader allocate a TLS block for each thread
static unsigned char *table;

__attribute__((constructor)) static void plugin_open(void) {
    table = malloc(4096);
    if (table) memset(table, 0x5a, 4096);
}

__attribute__((destructor)) static void plugin_close(void) {
    free(table);
}

__attribute__((noinline)) static unsigned mix(unsigned value) {
    for (unsigned i = 0; i < 4096; i++) value = value * 31 + table[i];
    return value;
}

// Never 0.
unsigned plugin_work(unsigned seed) {
    calls++;
    unsigned value = table ? seed : 0;
    for (unsigned i = 0; i < 4; i++) value = mix(value);
    return value | calls | 1;
}
