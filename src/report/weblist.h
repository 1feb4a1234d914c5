// report/weblist.h - what the two halves of weblist share; private to report/.
// Room: weblist_code.c collects instructions with their weights and inlined calls; weblist.c lays
// them under source lines. Door: report/report.h. Source: reference/pprof.md section 2.20.
#pragma once

#include "report/report.h"

#include "symbols/symbols.h"

// One instruction, or an address of the profile without a binary.
struct web_code {
    u64 key;     // tells addresses of different binaries apart, in the order of addresses
    u64 address; // of the file
    u32 len;
    str text;
    const struct dwarf_frame *frames; // innermost first
    u32 n_frames;
    i64 flat, cum;
};

// An instruction under one of the lines it comes from: frame frame_i of its inlined calls.
struct web_entry {
    str file, function;
    i64 line;
    u32 code_i, frame_i;
};

struct web_listing {
    struct web_code *code;
    u32 n_code;
    size_t cap_code;
    struct web_entry *entries; // in the order found
    u32 n_entries;
    size_t cap_entries;
    struct strmap pretty; // linker name to index in names
    str *names;
    u32 n_names;
    size_t cap_names;
};

// Fills *ret, in out, from the samples of the view.
MUST_USE bool weblist_collect(struct arena *out, const struct summary *s,
                              const struct disasm_request *req, struct web_listing *ret,
                              struct err *err);
