// driver/options.h - the options of one report, as one value that can be copied.
// Room: the struct and its defaults; reading flags, shell lines and URLs into it is settings.c.
// Door: driver/driver.h.
#pragma once

#include "base/base.h"
#include "graph/opts.h"
#include "report/opts.h"
#include "view/opts.h"

struct driver_opts {
    str output; // file to write the report to; empty: standard output
    bool normalize;
};

struct options {
    struct driver_opts driver;
    struct view_opts view;
    struct graph_opts graph;
    struct report_opts report;
};

// The built-in defaults, from options.def.
struct options options_default(void);
