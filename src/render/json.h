// render/json.h - text as JSON strings.
// Room: one function. Door: render/render.h.
#pragma once

#include "base/base.h"

// Writes s in quotes. Bytes that are no UTF-8 become U+FFFD each: names come from binaries, and a
// document with others is refused by readers.
void json_text(struct buf *b, str s);
