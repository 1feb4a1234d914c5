// driver/curl_load.c - libcurl, loaded when something is fetched.
// Room: see curl_load.h. Door: fetch.h.
#include "driver/curl_load.h"

#include <dlfcn.h>
#include <string.h>

static bool find_all(void *lib, struct curl_api *ret) {
    const struct {
        const char *name;
        void *place;
    } functions[] = {
#define CURL_ROW(name) {#name, &ret->name},
        CURL_FUNCTIONS(CURL_ROW)
#undef CURL_ROW
    };
    for (size_t i = 0; i < countof(functions); i++) {
        void *found = dlsym(lib, functions[i].name);
        if (!found) return false;
        memcpy(functions[i].place, &found, sizeof found);
    }
    return true;
}

bool curl_load(struct curl_api *ret, struct err *err) {
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
    for (size_t i = 0; i < countof(names); i++) {
        void *lib = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (!lib || !find_all(lib, ret)) continue;
        if (ret->curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) return true;
        return err_set(err, ERR_SYSTEM, 0, "libcurl does not start");
    }
    return err_set(err, ERR_UNSUPPORTED, 0,
                   "http fetch: libcurl.so.4 (7.85 or newer) is not installed");
}
