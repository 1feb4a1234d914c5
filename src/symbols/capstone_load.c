// symbols/capstone_load.c - capstone, loaded when instructions are read.
// Room: see capstone_load.h. Door: capstone_load().
#include "symbols/capstone_load.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static bool find_all(void *lib, struct capstone_api *ret) {
    const struct {
        const char *name;
        void *place;
    } functions[] = {
#define CAPSTONE_ROW(name) {#name, &ret->name},
        CAPSTONE_FUNCTIONS(CAPSTONE_ROW)
#undef CAPSTONE_ROW
    };
    for (size_t i = 0; i < countof(functions); i++) {
        void *found = dlsym(lib, functions[i].name);
        if (!found) return false;
        memcpy(functions[i].place, &found, sizeof found);
    }
    return true;
}

bool capstone_load(struct capstone_api *ret, struct err *err) {
    char name[32];
    snprintf(name, sizeof name, "libcapstone.so.%d", CS_API_MAJOR);
    void *lib = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (lib && find_all(lib, ret)) return true;
    return err_set(err, ERR_UNSUPPORTED, 0, "disassembling: %s is not installed", name);
}
