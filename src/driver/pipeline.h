// driver/pipeline.h - from a loaded profile and options to the bytes of a report.
// Room: the order of the stages and what each kind of report overrides; fetching, merging and
// symbolizing come before, files and terminals after. Door: driver/driver.h.
#pragma once

#include "base/base.h"

#include "driver/options.h"
#include "profile/profile.h"

// One kind for each command that makes bytes; the picture commands (svg, png, web ...) are
// REPORT_DOT.
enum report_kind {
    REPORT_TEXT,
    REPORT_TREE,
    REPORT_PEEK,
    REPORT_TRACES,
    REPORT_TAGS,
    REPORT_RAW,
    REPORT_COMMENTS,
    REPORT_PROTO,    // gzip'd profile
    REPORT_TOPPROTO, // gzip'd profile
    REPORT_DOT,
    REPORT_CALLGRIND,
    REPORT_LIST,
    REPORT_WEBLIST,
    REPORT_DISASM,
    REPORT_FOLDED,
    REPORT_SPEEDSCOPE,
    REPORT_FLAMEGRAPH, // one HTML file
};

// How rows are written. FORM_TEXT: as the report always is.
enum report_form { FORM_TEXT, FORM_JSON, FORM_CSV };

// Whether a report has rows of that form.
bool pipeline_has_form(enum report_kind kind, enum report_form form);

struct stack_page;
struct tag_page;
struct top_page;

struct report_request {
    enum report_kind kind;
    enum report_form form;         // one that pipeline_has_form
    const struct options *options; // as the user set them; what a report overrides is done inside
    str regex;                     // list, weblist, disasm, peek
    bool has_regex;
    // Which rows of text, traces or tags; NULL: all. What a page says itself is set.
    struct top_page *page;
    struct stack_page *stacks;
    struct tag_page *tags;
};

// Writes the report to *to. p: loaded, merged, symbolized; not changed.
// messages: what goes to standard error, a line each ("Focus expression matched no samples").
// Fails: ERR_USAGE with google/pprof's sentence (regular expressions, sample_index, divide_by 0),
// ERR_NOT_FOUND when peek, list or disasm match nothing; *to then holds nothing to print.
MUST_USE bool pipeline_report(struct arena *out, const struct profile *p,
                              const struct report_request *req, struct buf *to,
                              struct buf *messages, struct err *err);

// The lines the shell greets with: the profile's labels. *ret_total: the profile's total.
MUST_USE bool pipeline_greeting(struct arena *out, const struct profile *p,
                                const struct options *options, struct buf *to, i64 *ret_total,
                                struct err *err);
