// web/assets.h - the files of the web pages, as ui/build.mjs made them.
// Room: the table and its one question; answering a request with one is the routes' work.
// Door: web/web.h.
#pragma once

#include "base/base.h"

struct asset {
    str path;  // as the URL has it: "/assets/profile.js"; pages themselves: "/profile.html"
    str type;  // Content-Type
    str etag;  // in quotes, of the unpacked bytes
    str bytes; // gzip'd
};

extern const struct asset assets[]; // by path
extern const size_t n_assets;

// The asset at a URL's path, or NULL.
const struct asset *asset_find(str path);
