// report/report.h - the face of report: a view or a graph made into rows.
//
// The idea: a report is data. It holds raw values, names and the header lines; how a value is
// written (unit, ratio) travels along as a value_style and is applied by the renderer, or by
// value_write where a line of text is itself the data.
//
// Words: the total is what percentages are of; the legend is the lines on top of a report.
// Lifetimes: rows live in the arena they were made in and borrow graph, view and profile.
// Failures: a regular expression that matches nothing (ERR_NOT_FOUND). Will not: lay out, escape.
// Source: reference/pprof.md sections 2.5, 2.9, 2.13 to 2.18, 2.23.
#pragma once

#include "base/base.h"

#include "graph/graph.h"
#include "report/opts.h"

// How values of one report are written.
struct value_style {
    str sample_unit; // unit of the values
    str output_unit; // unit to write them in; "minimum": each value chooses
    double ratio;    // 1 / divide_by; 1 leaves values alone
};

void value_write(struct buf *b, const struct value_style *s, i64 value);
str value_text(struct arena *out, const struct value_style *s, i64 value);
// value * ratio, truncated as Go truncates.
i64 value_scaled(const struct value_style *s, i64 value);

// What all reports of one run share.
struct summary {
    const struct view *view;
    struct value_style style;
    i64 total;
    str type;  // "cpu", "mean_delay"
    str title; // base name of the main binary; may be empty
    bool compact_labels;
};

// Fails: ERR_USAGE "zero divisor specified".
MUST_USE bool summary_build(struct arena *out, const struct view *v, const struct report_opts *opts,
                            struct summary *ret, struct err *err);
// Sets the style's output unit from the graph's values when it is "minimum": section 2.9.
void summary_choose_unit(struct summary *s, const struct graph *g, bool is_callgrind);

struct lines {
    str *items;
    u32 n;
    size_t cap;
};

// "File: ...", "Type: ...", "Time: ..." of the profile.
void legend_profile(struct arena *out, const struct summary *s, struct lines *ret);
// The whole legend of a graph report; is_full: dot's.
void legend_graph(struct arena *out, const struct summary *s, const struct graph *g,
                  const struct graph_opts *opts, bool is_full, struct lines *ret);

enum inlining { INLINED_NEVER, INLINED_ALWAYS, INLINED_SOMETIMES };
// "", "inline" or "partial-inline".
str inlining_text(enum inlining inlining);

struct top_row {
    str name;
    enum inlining inlining;
    i64 flat, cum;
};
struct top {
    struct top_row *rows;
    u32 n;
};
void report_top(struct arena *out, const struct graph *g, struct top *ret);

// A page of them.
enum top_order { TOP_BY_FLAT, TOP_BY_CUM, TOP_BY_NAME };
struct top_page {
    enum top_order order;
    bool is_reverse;
    const struct regex *re; // only rows whose name matches; NULL: all
    u32 off, limit;
    u32 n_all;       // set: what re leaves
    i64 flat_before; // set: sum of the rows before off
};
// Leaves the page's rows in *top, and sets the page's own fields.
void report_top_page(struct arena *out, struct top_page *page, struct top *top);

// A page of the stacks of a view.
enum stack_order { STACKS_BY_FILE, STACKS_BY_VALUE, STACKS_BY_LEAF, STACKS_BY_DEPTH };
struct stack_page {
    enum stack_order order;
    bool is_reverse;        // the largest is first (of leaves A) unless it is set
    const struct regex *re; // only stacks with such a frame or label ("key=value"); NULL: all
    u32 off, limit;
    u32 n_all; // set: what re leaves
};
// Leaves the page's samples in the view, and sets n_all.
void report_stack_page(struct arena *out, const struct frames *frames, struct stack_page *page,
                       struct view *v);

struct tree_edge {
    str name;
    i64 weight;
    bool is_inline;
};
struct tree_row {
    str name;
    i64 flat, cum;
    const struct tree_edge *in, *calls;
    u32 n_in, n_calls;
};
struct tree {
    struct tree_row *rows;
    u32 n;
};
// regex NULL: every node (tree); else those whose name matches (peek).
// Fails: ERR_NOT_FOUND "no matches found for regexp: ...".
MUST_USE bool report_tree(struct arena *out, const struct graph *g, const struct regex *re,
                          str pattern, struct tree *ret, struct err *err);

struct tag_row {
    str value;
    i64 weight;
};
struct tag_key {
    str key;
    i64 total;
    struct tag_row *rows;
    u32 n;
};
struct tags {
    struct tag_key *keys;
    u32 n;
};
void report_tags(struct arena *out, const struct summary *s, struct tags *ret);

// The values of a key that re leaves, before a page was cut of them.
struct tag_count {
    str key;
    i64 total; // after divide_by
    u32 n;
};
struct tag_page {
    str key;                  // of that key only; empty: every key
    const struct regex *re;   // only values whose "key=value" matches; NULL: all
    u32 off, limit;           // of each key
    struct tag_count *counts; // set
    u32 n_counts;
};
// Leaves the page's values in *tags, and sets counts.
void report_tag_page(struct arena *out, const struct summary *s, struct tag_page *page,
                     struct tags *tags);

struct list_line {
    i64 line, flat, cum;
    str text;
};
struct list_routine {
    str name, file; // file empty: the profile does not say
    str error;      // why the file could not be read; empty: it was
    i64 flat, cum;
    struct list_line *lines;
    u32 n_lines;
};
struct list {
    struct list_routine *routines;
    u32 n;
};
// Source lines of the functions whose name matches. g: untrimmed, granularity lines, with objects.
// Reads source files. Fails: ERR_NOT_FOUND as report_tree.
MUST_USE bool report_list(struct arena *out, const struct graph *g, const struct regex *re,
                          str pattern, struct list *ret, struct err *err);

struct disasm_line {
    u64 address; // of the file, as objdump shows it
    i64 flat, cum;
    str text;           // the instruction
    str function, file; // the innermost place it was written at; file: base name
    i64 line;
};
struct disasm_routine {
    str *names; // the one that matched, or all where an address was asked for
    u32 n_names;
    u64 start;
    i64 flat, cum;
    struct disasm_line *lines;
    u32 n_lines;
};
struct disasm_listing {
    struct disasm_routine *routines; // by name
    u32 n;
};
struct disasm_request {
    const struct regex *re; // function names; or, where pattern is a number, an address
    str pattern;
    bool is_intel;
    struct buf *messages; // why a binary could not be read, a line each
};
// Instructions of the functions with samples that match. g: untrimmed, granularity addresses, with
// objects. Reads binaries. Fails: ERR_NOT_FOUND "no matches found for regexp ...".
MUST_USE bool report_disasm(struct arena *out, const struct graph *g,
                            const struct disasm_request *req, struct disasm_listing *ret,
                            struct err *err);

struct weblist_call {
    str file; // base name
    i64 line;
    str text; // of that line, without white space in front
    u32 depth;
};
struct weblist_instruction {
    bool starts_block;                // does not follow the instruction before it
    const struct weblist_call *calls; // inlined calls leading here that the one before was not in
    u32 n_calls, depth;               // depth: how many calls it lies in
    u64 address;                      // of the file
    str text;                         // empty: the profile has an address and no binary
    str file;                         // base name of where it was written
    i64 line, flat, cum;
};
struct weblist_line {
    i64 line, flat, cum;
    str text;
    bool has_code;
    const struct weblist_instruction *code;
    u32 n_code;
};
struct weblist_function {
    str name, file;
    i64 flat, cum;
    const struct weblist_line *lines;
    u32 n_lines;
};
struct weblist {
    struct weblist_function *functions; // by file, then line
    u32 n;
};
// Source of the functions that match, with the instructions of each line. Reads sources and
// binaries. Fails: ERR_NOT_FOUND "no matches found for regexp: ...".
MUST_USE bool report_weblist(struct arena *out, const struct summary *s,
                             const struct disasm_request *req, struct weblist *ret,
                             struct err *err);

// The hottest frames as a profile of one-line locations (topproto).
void report_topproto(struct arena *out, const struct summary *s, const struct graph *g,
                     struct profile *ret);
// The view as a profile, values multiplied by the ratio (proto).
struct profile report_proto(struct arena *out, const struct summary *s);
