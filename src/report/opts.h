// report/opts.h - what the user can say about how values are written.
// Room: the option fields of the report stage, named as the options are. Door: report/report.h.
#pragma once

#include "base/base.h"

struct report_opts {
    str unit; // "minimum", "auto" or a unit
    double divide_by;
    bool compact_labels, intel_syntax;
};
