// web/guard.h - who may ask, and what browsers are told to forbid.
// Room: the checks made before any handler, and the headers of every reply. Door: web/web.h.
#pragma once

#include "base/base.h"

#include "web/listen.h"

// What a request says about where it comes from; empty: the header is absent.
struct provenance {
    str host, origin, fetch_site;
    bool is_change;
};

// Whether to answer. Fails: ERR_USAGE saying what is foreign (403).
// A page of another site that reads: its browser refuses it our answers, and rebinding fails on
// Host. One that writes: refused by Origin, which browsers always send then.
MUST_USE bool guard_check(const struct listening *l, const struct provenance *from,
                          struct err *err);

struct guard_header {
    const char *name, *value;
};
// On every reply, whatever it is.
extern const struct guard_header guard_headers[];
extern const size_t n_guard_headers;
