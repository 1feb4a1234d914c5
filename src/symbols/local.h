// symbols/local.h - names and lines from the binaries on this machine.
// Room: finding binaries and asking them. Door: symbols/symbols.h. Source: reference/pprof.md
// sections 5.1 to 5.3.
#pragma once

#include "base/base.h"

#include "profile/profile.h"

// p with the file of each mapping replaced by the one found under search_path, a colon separated
// list of folders (PPROF_BINARY_PATH); build ids must be equal where the mapping has one.
// messages gets lines for people: "Ignoring local file ...: build-id mismatch (A != B)".
struct profile local_locate(struct arena *out, const struct profile *p, str search_path,
                            struct buf *messages);

struct local_opts {
    bool is_fast;   // symbol tables only, no files and lines
    bool is_forced; // also mappings that have names already
};

// p with functions, files, lines and inlined calls for every mapping whose file is there and not
// yet symbolized. Names are linker names: demangle_profile comes after. Failures leave the
// addresses as they are and say why in messages, one line each.
struct profile local_symbolize(struct arena *out, const struct profile *p,
                               const struct local_opts *opts, struct buf *messages);

// Whether a mapping stands for no file: "[vdso]", "//anon", devices, memfds, "".
bool local_is_unsymbolizable(str file);

// What opens the binary of a mapping: its own file name, or that of a file with its build id that a
// running process still has open or that libdw finds.
str local_path(struct arena *out, const struct profile *p, u32 mapping_i);
