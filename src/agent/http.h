// agent/http.h - a request for /debug/pprof/ as data, and what is to be done about it.
// Room: pure decisions, so that they are tested and fuzzed without a socket; endpoint.c moves the
// bytes. Words: a plan is the decision; a reply is status, headers and body. Source:
// reference/go.md section 1. Lifetimes: everything borrows from the request or lives in the arena
// given.
#pragma once

#include "base/base.h"

struct collector;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OTHER };

struct http_request {
    enum http_method method;
    str path, query;        // path is percent-decoded; query is raw, without '?'
    str body, content_type; // of a POST
};

struct reply {
    int status;
    const char *content_type;
    str filename;         // Content-Disposition: attachment; empty: none
    const char *location; // Location; NULL: none
    str body;
    bool is_error; // one of the handlers' own errors: X-Go-Pprof: 1
};

enum plan_kind {
    PLAN_ANSWER,   // the reply is ready
    PLAN_INDEX,    // the index page
    PLAN_CMDLINE,  // the program's arguments
    PLAN_SYMBOL,   // names of the addresses in .addresses
    PLAN_CPU,      // a CPU profile of .seconds at .hz
    PLAN_WALL,     // a wall profile of .seconds, as .of names it, folded if .is_folded
    PLAN_SNAPSHOT, // one look at .of, as .debug says
    PLAN_DELTA,    // .of now and in .seconds, subtracted
    PLAN_OFFCPU,   // the same of the off-CPU profile
    PLAN_SCRAPE,   // .of since the last PLAN_SCRAPE of it (delta_heap)
    PLAN_TRACE,    // an execution trace of .ms, sent as it is made
    PLAN_RECORDER, // what the flight recorder has
};

struct plan {
    enum plan_kind kind;
    struct reply reply;         // PLAN_ANSWER only
    const struct collector *of; // all that collect, but PLAN_CPU
    i64 debug, gc, seconds;
    u64 ms;               // PLAN_TRACE: its seconds may be broken
    u32 version;          // PLAN_TRACE: of the format; 0: the usual one
    bool is_peak, by_age; // of PLAN_SNAPSHOT
    bool is_folded;
    i64 hz;   // 0: the default
    i64 rate; // PLAN_DELTA of mutex (fraction=) and block (rate=): for its time; 0: as it is set
    str addresses;
};

enum {
    // A year: a longer timer would overflow nothing, and nobody waits for it.
    SECONDS_MAX = 366 * 24 * 3600,
    CPU_SECONDS_DEFAULT = 30,
    TRACE_MS_DEFAULT = 1000,
};

// Decides what a request asks for, with net/http/pprof's statuses, texts and order of checks.
void http_plan(struct arena *out, const struct http_request *request, struct plan *ret);
// A path with its %XX undone; false when one is broken.
MUST_USE bool http_path(struct arena *out, str raw, str *ret);
// The first value of key in a query string or urlencoded body, decoded; empty when absent. A pair
// with a broken escape or a semicolon is skipped, as Go's FormValue does.
str http_param(struct arena *out, str query, str key);
// One of the handlers' own errors: text, X-Go-Pprof: 1.
struct reply http_error(struct arena *out, int status, str text);
// The answer of /symbol for "0xaddr+0xaddr": the header line, then a line for each address that
// name knows. name gives an empty str for an unknown address.
typedef str (*http_namer)(void *ctx, u64 address);
str http_symbols(struct arena *out, str addresses, http_namer name, void *ctx);
