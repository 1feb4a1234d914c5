// driver/origins.h - which server each mapping came from, and asking it for names.
// Room: what the URLs of a command line mean for the merged profile; the text of questions and
// answers is symbols/remote.h, the transfer is fetch.h. Door: driver/driver.h. Source:
// reference/pprof.md sections 1.4 and 5.4.
#pragma once

#include "base/base.h"

#include "driver/fetch.h"
#include "driver/source.h"
#include "driver/ui.h"
#include "profile/profile.h"

// A mapping as one fetched profile had it: merging keeps its build id or file, and moves it.
struct origin {
    str key; // build id, else file
    const struct source_url *url;
    u64 start;
};

struct origins {
    struct origin *items;
    size_t n, cap;
};

// p, which url answered, with the URL as file of the mappings that nothing else identifies.
struct profile origins_name(struct arena *out, const struct profile *p,
                            const struct source_url *url);
// Remembers where the mappings of p, named as above, come from. url lives as long as out.
void origins_add(struct arena *out, struct origins *o, const struct profile *p,
                 const struct source_url *url);
// p with what the symbol services of its origins know about mappings without functions (is_forced:
// about all) where an address has no name. A server that fails is told through ui and not asked
// again.
struct profile origins_ask(struct arena *out, const struct profile *p, const struct origins *o,
                           bool is_forced, const struct fetch_opts *opts, const struct ui *ui);
