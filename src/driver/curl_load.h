// driver/curl_load.h - libcurl, loaded when something is fetched.
// Room: the functions fetch.c calls. Door: fetch.h. libcurl brings some thirty libraries; linked,
// they took most of the start of a pprof that only reads a file.
#pragma once

// The type checks of curl.h are macros in the functions' names.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "base/base.h"

#define CURL_FUNCTIONS(X)                                                                          \
    X(curl_global_init)                                                                            \
    X(curl_easy_init)                                                                              \
    X(curl_easy_cleanup)                                                                           \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_strerror)                                                                          \
    X(curl_slist_append)                                                                           \
    X(curl_slist_free_all)                                                                         \
    X(curl_multi_init)                                                                             \
    X(curl_multi_cleanup)                                                                          \
    X(curl_multi_setopt)                                                                           \
    X(curl_multi_add_handle)                                                                       \
    X(curl_multi_remove_handle)                                                                    \
    X(curl_multi_perform)                                                                          \
    X(curl_multi_poll)                                                                             \
    X(curl_multi_info_read)                                                                        \
    X(curl_multi_strerror)

struct curl_api {
#define CURL_FIELD(name) __typeof__(name) *name;
    CURL_FUNCTIONS(CURL_FIELD)
#undef CURL_FIELD
};

// Loads libcurl, with OpenSSL or with GnuTLS, and starts it. It stays loaded. Fails:
// ERR_UNSUPPORTED.
MUST_USE bool curl_load(struct curl_api *ret, struct err *err);
