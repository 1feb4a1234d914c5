// graph/opts.h - what the user can say about how much of a graph is shown and in which order.
// Room: the option fields of the graph stage, named as the options are. Door: graph/graph.h.
#pragma once

#include "base/base.h"

enum sort_order { SORT_FLAT, SORT_CUM };

struct graph_opts {
    i64 nodecount; // -1 lets the report choose
    double nodefraction, edgefraction;
    enum sort_order sort;
    bool trim, call_tree, drop_negative;
};
