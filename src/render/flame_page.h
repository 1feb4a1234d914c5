// render/flame_page.h - the page around a flame graph: one file that opens from anywhere.
// Room: the page as ui/build.mjs made it from ui/profile/standalone.html. Door: render/render.h.
#pragma once

#include "base/base.h"

// gzip'd; FLAME_PAGE_MARK stands once in the unpacked text, where the data belongs.
extern const str flame_page_packed;
#define FLAME_PAGE_MARK "/*data*/"
