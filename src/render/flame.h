// render/flame.h - flame graphs as JSON.
// Room: the form of docs/api.md; a page or a file shows it (flame_page.c is that file). Door:
// render/render.h.
#pragma once

#include "base/base.h"

#include "report/report.h"

struct flame_shown {
    const struct flame_index *index; // whose frames the trees' nodes are
    struct flame_tree *down, *up;    // NULL: no such tree
    const bool *is_match;            // [frame id]: marked; NULL: none
    str view;                        // "down", "up", "pivot"
    str messages;                    // warnings, a line each
    bool is_diff;
};

void render_flame_json(struct buf *b, const struct summary *s, const struct flame_shown *shown);

// One HTML file that draws flame_json (render_flame_json's) without asking anybody.
// Fails: when the page inside pprof cannot be unpacked.
MUST_USE bool render_flame_page(struct arena *scratch, struct buf *b, str title, str flame_json,
                                struct err *err);
