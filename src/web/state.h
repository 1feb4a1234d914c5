// web/state.h - the query of a URL as options, and options as a query.
// Room: which keys mean what; options.def has them. Door: web/web.h.
#pragma once

#include "web/web.h"

// The options a query asks for: the defaults, what the command line says about options that have no
// key, and the query's. keeps_f: f is an argument of the report and not the focus.
// Fails: ERR_USAGE, *where is the key.
MUST_USE bool state_read(struct arena *out, const struct options *command_line,
                         const struct query *q, bool keeps_f, struct options *ret, str *where,
                         struct err *err);
// The options that differ from the defaults, as a query, in the table's order.
str state_query(struct arena *out, const struct options *o);
// The same as flags of a command line: "-focus=a -lines", quoted for a shell.
void state_flags(struct buf *b, const struct options *o);
// s in quotes where a shell needs them.
void put_shell_word(struct buf *b, str s);
// The key at fault in an error sentence about options ("parsing focus regexp: ..."); empty: none.
str state_where(const struct err *err);
