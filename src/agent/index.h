// agent/index.h - the index page.
// Room: one HTML page without assets: what can be had, how, and how each part stands.
#pragma once

#include "agent/http.h"

struct reply index_page(struct arena *out);
