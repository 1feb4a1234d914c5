// web/guard.c - who may ask, and what browsers are told to forbid.
// Room: see guard.h. Door: web/guard.h.
#include "web/guard.h"

// Scripts and styles are files of ours; WebAssembly lays out graphs; pictures are made in the page.
const struct guard_header guard_headers[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src "
     "'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action "
     "'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};
const size_t n_guard_headers = countof(guard_headers);

// An Origin is "http://" and the very Host that was asked.
static bool is_own_origin(const struct provenance *from) {
    str rest = str_drop_prefix(from->origin, S("http://"));
    return rest.len != from->origin.len && str_eq(rest, from->host);
}

bool guard_check(const struct listening *l, const struct provenance *from, struct err *err) {
    if (!listening_is_host(l, from->host))
        return err_set(err, ERR_USAGE, 0,
                       "\"" S_FMT "\" is not a name of this server (-allow_host adds one)",
                       S_ARG(str_take(from->host, 200)));
    if (from->origin.len && !is_own_origin(from))
        return err_set(err, ERR_USAGE, 0, "pages of " S_FMT " may not ask here",
                       S_ARG(str_take(from->origin, 200)));
    bool is_foreign =
        str_eq(from->fetch_site, S("cross-site")) || str_eq(from->fetch_site, S("same-site"));
    if (from->is_change && is_foreign)
        return err_set(err, ERR_USAGE, 0, "another site's page may not change anything here");
    return true;
}
