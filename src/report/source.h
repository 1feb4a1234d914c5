// report/source.h - source files by the names a profile gives them; private to report/.
// Room: finding, reading and cutting into lines, each file once. Door: report/report.h.
// Source: reference/pprof.md section 5.7.
#pragma once

#include "view/view.h"

struct source_file {
    str path;      // as the profile says
    bool is_found; // else error says why not
    str error;
    str *lines; // without line ends
    u32 n_lines;
};

struct source_reader {
    struct arena *arena;
    str search_path, trim_path; // colon separated
    struct strmap by_path;
    struct source_file **files;
    u32 n;
    size_t cap;
};

// search_path empty: the working folder.
void source_reader_init(struct source_reader *r, struct arena *out, str search_path, str trim_path);
// The file, read when first asked for.
const struct source_file *source_reader_file(struct source_reader *r, str path);
// The file if it was asked for before, else NULL.
const struct source_file *source_reader_known(const struct source_reader *r, str path);
