// formats/java.h - the part of the Java forms that the binary CPU form shares.
// Room: private to formats/. Door: java_read_places().
#pragma once

#include "formats/legacy.h"

// Reads "0xADDRESS place" lines into l: function, file and line of each address, which then replace
// the address. Fails: ERR_MALFORMED for an address of more than 64 bits.
MUST_USE bool java_read_places(struct legacy *l, str text, struct err *err);
