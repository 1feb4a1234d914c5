// driver/fetch.h - profiles over HTTP, several at once.
// Room: the transfer, its limits and its errors, by libcurl; what a word means is source.h, what
// the bytes mean is load.h. Door: driver/driver.h. Proxies: HTTP_PROXY, HTTPS_PROXY, NO_PROXY, as
// libcurl and Go read them.
#pragma once

#include "base/base.h"

#include "driver/source.h"

struct fetch_opts {
    str tls_cert, tls_key, tls_ca; // PEM files; empty: none
    u64 max_bytes;                 // longer answers are refused
};

struct fetch_job {
    const struct source_url *url;
    struct arena *out; // owns the body: each job has its own, so that one may end before another
    buf_sink sink;     // where the answer goes while it comes, instead of body; NULL: body
    void *sink_to;
    str body; // the answer, when is_done
    bool is_done;
    struct err err; // when not
};

// Runs every job to its end. Fails as a whole only when libcurl does, or on a certificate without
// its key.
MUST_USE bool fetch_all(struct fetch_job *jobs, size_t n, const struct fetch_opts *opts,
                        struct err *err);
// Whether the certificate flags make sense together.
MUST_USE bool fetch_check_opts(const struct fetch_opts *opts, struct err *err);
// POSTs body to url and gives the answer: remote symbolization.
MUST_USE bool fetch_post(struct arena *out, const struct source_url *url, str body,
                         const struct fetch_opts *opts, str *ret, struct err *err);
