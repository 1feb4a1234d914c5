// agent/agent.h - the face of libpprof's cold code: collectors, profile makers, control, endpoint.
//
// The idea: one agent thread (hidden from all profiles, all signals blocked) runs an event loop.
// Collectors turn what hot code left behind into rows; one maker turns rows into a profile with
// mappings, names and comments; the endpoint sends it. Every collector is one line of profiles.def;
// the index page, the endpoint and pprof_lookup read the table.
//
// Words: a collector is one source of rows (cpu, heap, ...); a row is one distinct stack with its
// values and labels; lost is what a collector could not record, told in the profile's comments and
// on the index page. Lifetimes: rows live in the arena they were collected into; one arena per
// request. Failures: the program runs on; a part that cannot work keeps the sentence that says why
// (collector status).
#pragma once

#include "base/base.h"

#include "profile/profile.h"

enum { ROW_VALUES = 4 };

struct row_label {
    str key, text; // text.p == NULL: numeric, num with unit
    i64 num;
    str unit;
};

struct row {
    const u64 *pcs; // lookup pcs, leaf first
    u32 n_pcs;
    i64 values[ROW_VALUES]; // as many as the collector has sample types
    const struct row_label *labels;
    u32 n_labels;
};

struct rows {
    struct row *items;
    u32 n;
    size_t cap;
    i64 time_nanos, duration_nanos; // 0: the maker uses now, and none
    i64 period;
    str *comments; // what was lost, one sentence each
    u32 n_comments;
    size_t cap_comments;
};

// The text form (debug >= 1) a profile has.
enum text_kind { TEXT_NONE, TEXT_HEAP, TEXT_COUNT, TEXT_THREADS, TEXT_MUTEX, TEXT_BLOCK };

struct sample_type {
    str type, unit;
};

struct collect_opts {
    bool is_raw;  // values as they were sampled, without unbiasing: what the texts show
    bool is_peak; // heap: as it was when most was in use
    bool by_age;  // heap: with the age of blocks in use
};

// One line of profiles.def.
struct collector {
    str name, about;
    struct sample_type types[ROW_VALUES];
    u32 n_types;
    str period_type, period_unit, default_type;
    enum text_kind text;
    bool has_delta;
    // Fills *ret with what is recorded now. Called on the agent thread, or on a program's thread
    // that holds the agent's lock.
    bool (*collect)(struct arena *out, const struct collect_opts *opts, struct rows *ret,
                    struct err *err);
    u64 (*count)(void); // the index page's Count
    void *custom;       // of a custom profile (custom.h), which has neither function; else NULL
};

extern const struct collector collectors[];
extern const u32 n_collectors;
// The wall profile under the names that felixge/fgprof gives it: the answer of /debug/fgprof.
extern const struct collector fgprof_collector;
// The collector behind a profile's name or alias, custom ones included; NULL: no such profile.
const struct collector *collector_find(str name);
// The i-th by name, custom ones included; NULL: there are no more.
const struct collector *collector_at(u32 i);
// What of collects and counts, custom or not.
MUST_USE bool collector_collect(const struct collector *of, struct arena *out,
                                const struct collect_opts *opts, struct rows *ret, struct err *err);
u64 collector_count(const struct collector *of);
