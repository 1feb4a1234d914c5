// driver/symbolize.h - names for what a profile has only as addresses or linker names.
// Room: the -symbolize grammar and the order of its steps; the steps are symbols/ and fetch.h.
// Door: driver/driver.h.
#pragma once

#include "base/base.h"

#include "driver/origins.h"
#include "driver/ui.h"
#include "profile/profile.h"
#include "symbols/symbols.h"

struct symbolize_mode {
    bool is_local, is_remote, is_fast, is_forced;
    bool is_off; // "none": nothing at all is done
    enum demangle_mode demangle;
};

// Reads -symbolize. What is not understood is left out and *ret_unknown set.
struct symbolize_mode symbolize_mode_read(str text, bool *ret_unknown);

// What symbolization has to go by.
struct symbolize_request {
    str mode;                      // -symbolize
    const struct origins *origins; // servers to ask
    const struct fetch_opts *fetch;
};

// p with the names that could be found. Failures are told through ui; the profile goes on without
// them.
void symbolize(struct arena *out, const struct profile *p, const struct symbolize_request *req,
               const struct ui *ui, struct profile *ret);
