// formats/json.h - the few questions asked of JSON documents.
// Room: reading members with their types checked, over jansson. Door: formats/formats.h.
#pragma once

#include "base/base.h"

#include <jansson.h>

// Parses one document; ERR_UNRECOGNIZED when bytes do not begin like an object, ERR_MALFORMED with
// jansson's sentence when they do and are broken. The caller ends it with json_decref.
MUST_USE bool json_document(str bytes, json_t **ret, struct err *err);

// A member's text ("" when it is missing or no string), number (0) or array (NULL).
str json_text_of(const json_t *object, const char *member);
double json_real_of(const json_t *object, const char *member);
i64 json_int_of(const json_t *object, const char *member);
const json_t *json_list_of(const json_t *object, const char *member);
