// view/opts.h - what the user can say about which part of a profile is looked at.
// Room: the option fields of the view stage, named as the options are. Door: view/view.h.
#pragma once

#include "base/base.h"

// How finely frames are told apart. DEFAULT lets each report choose (functions for most).
enum granularity {
    GRANULARITY_DEFAULT,
    GRANULARITY_FUNCTIONS,
    GRANULARITY_FILEFUNCTIONS,
    GRANULARITY_FILES,
    GRANULARITY_LINES,
    GRANULARITY_ADDRESSES,
};

struct view_opts {
    str focus, ignore, hide, show, show_from, prune_from; // regular expressions; empty: not given
    str tagfocus, tagignore, tagshow, taghide;            // reference/pprof.md section 2.3
    str tagroot, tagleaf;                                 // comma lists of label keys
    str sample_index;           // name or number; empty: the profile's default
    str source_path, trim_path; // colon separated folders and prefixes
    enum granularity granularity;
    bool noinlines, showcolumns, mean, relative_percentages;
};
