// web/listen.h - the socket of -http, and which names it may be called by.
// Room: addresses and names. Door: web/web.h.
#pragma once

#include "base/base.h"
#include "driver/driver.h"

struct listening {
    int fd;
    str host; // as given, "localhost" where none was
    int port;
    bool is_loopback;
    const struct str_list *allowed; // NULL: none
    str machine;                    // this machine's name; empty: unknown
};

// [host]:[port]; an empty or zero port is any free one. Fails: ERR_USAGE, ERR_SYSTEM.
MUST_USE bool listening_open(struct arena *out, str address, struct listening *ret,
                             struct err *err);
// "http://localhost:8080".
str listening_url(struct arena *out, const struct listening *l);
// Whether a Host header means us: a name that an attacker's DNS can point here must not
// (rebinding). The port is not looked at: it differs behind ssh -L.
bool listening_is_host(const struct listening *l, str host);
