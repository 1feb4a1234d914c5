// driver/source.h - what a source word means: a file, standard input, or a URL with its time limit.
// Room: words to URLs, as go tool pprof reads them; fetching is fetch.c, opening files is load.c.
// Door: driver/driver.h. Source: reference/pprof.md section 1.3.
#pragma once

#include "base/base.h"

struct source_url {
    str text;         // as shown to people and given to remote symbolization
    str fetch;        // as given to libcurl: http or https
    str unix_socket;  // path of the socket to connect to; empty: TCP
    bool is_insecure; // https+insecure: certificates are not checked
    i64 timeout_s;
};

struct source_time {
    i64 seconds; // -seconds; 0 or less: not given
    i64 timeout; // -timeout; 0 or less: not given
};

// Reads word as a URL; false when it is none (then it can only be a file). http:// is put in front
// where only a host and port are given; an empty path becomes Go's CPU profile; -seconds becomes
// the query's seconds. unix:/path/of.sock:/debug/pprof/heap connects to a socket; without the
// second part, the CPU profile.
MUST_USE bool source_url_parse(struct arena *out, str word, struct source_time time,
                               struct source_url *ret);
// "3s", "1m30s", "1h0m0s": whole seconds as Go writes a duration.
void duration_show(struct buf *to, i64 seconds);
// Whether Go's net/url sees a scheme in s ("http://x", "c:/x").
bool source_is_absolute_url(str s);
