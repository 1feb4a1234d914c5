// web/web.h - the face of web: pages and their data over HTTP, for the one person at this desk.
//
// The idea: a site is a table of routes over a frozen context. One thread talks to clients and
// never waits; a few workers run the handlers, each request in an arena of its own, so that
// nothing slow (a client, a request) holds up anything else. Everything served is in the binary.
//
// Words: a route is a path and what answers it; a page is a path that answers with the site's
// shell (ui/), whose script reads the URL; a reader is asked with GET, a changer with POST or
// DELETE. Lifetimes: requests and replies live in the request's arena; the site lives as long as
// the server. Failures: a handler gives false and *err; the client gets {"error", "where", "at"}
// (docs/api.md). Will not: fetch anything for a page, answer foreign hosts or origins.
#pragma once

#include "base/base.h"

#include "driver/driver.h"
#include "web/query.h"

enum web_kind {
    WEB_READ,   // GET and HEAD
    WEB_CHANGE, // POST (and DELETE where the route looks at is_delete)
    WEB_BOTH,   // the handler looks at is_change
};

struct web_request {
    struct arena *arena; // of the request: everything a handler makes
    void *ctx;           // the site's
    str path;
    struct query query;
    str query_text; // as it came, without '?'
    str body;
    bool is_change, is_delete;
};

struct web_reply {
    int status; // 200 unless the handler says otherwise; an error's is told by its code
    str type;   // Content-Type; JSON unless set
    struct buf body;
    str filename;   // not empty: a file to keep
    str location;   // with a status of 301 to 308
    bool is_packed; // compressed already
    str where;      // of an error: the query key at fault
};

// Answers one request, on a worker thread; several run at once. Gives false and *err, and where it
// can reply->where.
typedef bool (*web_handler)(struct web_request *rq, struct web_reply *reply, struct err *err);

struct web_route {
    str path;
    enum web_kind kind;
    web_handler run; // NULL: the site's page
};

struct web_site {
    const struct web_route *routes;
    size_t n_routes;
    void *ctx;
    str page;  // asset that pages answer with: "/profile.html"
    str home;  // query that "/" without one is sent on to; empty: none
    str first; // path made ready at once, with home for its query: what the first page asks
    const struct web_site *other; // asked where this one has no such path; NULL: none
};

struct web_place {
    str address;                    // [host]:[port] of -http
    const struct str_list *allowed; // more names of this machine (-allow_host); NULL: none
    bool opens_browser;
};

// Listens, says so through ui, opens a browser if asked to, and serves until the process ends.
// Gives the exit status, after saying what failed.
int web_serve(const struct web_place *place, const struct web_site *site, const struct ui *ui);

// The pages of a profile: what cmd hands to driver.
int web_profile(const struct cli *cli, const struct profile *p, const struct ui *ui);
// The pages of a trace, which is read while they are served already.
int web_trace(const struct traced *t, const struct ui *ui);
