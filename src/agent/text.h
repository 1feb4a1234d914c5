// agent/text.h - the text forms: debug=1, debug=2, cmdline.
// Room: Go's grammar, line by line (reference/go.md 2.10), so that what reads Go's texts reads
// these.
#pragma once

#include "agent/agent.h"

// The text form of one collector, whose values are raw whatever opts says; debug 2 of a thread
// profile is a dump, anything else groups by stack.
MUST_USE bool text_write(struct arena *out, const struct collector *of, i64 debug,
                         const struct collect_opts *opts, str *ret, struct err *err);
// A profile as folded stacks, "root;caller;leaf count" a line: of its first values.
str text_folded(struct arena *out, const struct profile *profile);
// The program's arguments, separated by NUL.
str text_cmdline(struct arena *out);
// A whole file of /proc; empty when it cannot be read.
str text_proc_file(struct arena *out, const char *path);
