// tests/survive/deepbind.c - blocks that go between a program and a plugin opened with
// RTLD_DEEPBIND, which has another malloc than the program. native.md row 22.
// Room: the program; plugins are deepbind_plugin.c. usage: deepbind SHARING_PLUGIN OWNING_PLUGIN
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_BLOCKS = 2000 };

struct plugin {
    char *(*make)(size_t);
    void (*free)(char *);
};

static struct plugin plugin_load(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    struct plugin p = {0};
    if (!library) return p;
    *(void **)&p.make = dlsym(library, "plugin_make");
    *(void **)&p.free = dlsym(library, "plugin_free");
    return p;
}

// Every block is made by one side and freed by the other: both have libc's in the end.
static int cross(const struct plugin *plugin) {
    for (size_t i = 1; i <= N_BLOCKS; i++) {
        char *theirs = plugin->make(i), *ours = malloc(i);
        if (!theirs || !ours || theirs[i - 1] != 7) return 1;
        memset(ours, 1, i);
        plugin->free(ours);
        free(theirs);
    }
    return 0;
}

// Each side frees its own.
static int apart(const struct plugin *plugin) {
    for (size_t i = 1; i <= N_BLOCKS / 4; i++) {
        char *theirs = plugin->make(i), *ours = malloc(i);
        if (!theirs || !ours) return 1;
        plugin->free(theirs);
        free(ours);
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    struct plugin sharing = plugin_load(argv[1]), owning = plugin_load(argv[2]);
    if (!sharing.make || !owning.make) return 3;
    if (cross(&sharing) || apart(&owning)) return 1;
    puts("fine");
    return 0;
}
