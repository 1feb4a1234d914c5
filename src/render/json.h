// render/json.h - JSON as it is written: one pass, no tree.
// Room: syntax; what is in a document is its renderer's. Door: render/render.h.
#pragma once

#include "base/base.h"

// Where a document stands: json_open and json_key put the commas.
struct json {
    struct buf *to;
    bool needs_comma;
};

// Writes s in quotes. Bytes that are no UTF-8 become U+FFFD each: names come from binaries, and a
// document with others is refused by readers.
void json_text(struct buf *b, str s);

// '{' or '[' as a value, and its end.
void json_open(struct json *j, char bracket);
void json_close(struct json *j, char bracket);
// "key":
void json_key(struct json *j, const char *key);
// Values.
void json_str(struct json *j, str s);
void json_i64(struct json *j, i64 x);
void json_bool(struct json *j, bool x);
// "0x12ab": addresses are text, because numbers of other languages end at 2^53.
void json_address(struct json *j, u64 x);
// A key and its value.
void json_key_text(struct json *j, const char *key, str s);
void json_key_i64(struct json *j, const char *key, i64 x);
void json_key_bool(struct json *j, const char *key, bool x);
// The lines of a text as an array; empty ones are left out.
void json_lines(struct json *j, str text);
