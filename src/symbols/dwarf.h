// symbols/dwarf.h - addresses of one file to functions, files, lines and inlined calls.
// Room: private to symbols/; DWARF through libdw. Door: dwarf_open(), dwarf_lookup(),
// dwarf_close().
#pragma once

#include "base/base.h"

struct dwarf_frame {
    str function; // linker name where there is one; empty: unknown
    str file;
    i64 line, column, start_line;
};

// One address and, after the lookup, its frames, innermost first.
struct dwarf_query {
    u64 address; // a virtual address of the file
    struct dwarf_frame *frames;
    u32 n_frames; // 0: nothing known
};

struct dwarf_file;

// Opens path and its separate debug file, found as gdb finds it (build id, debug link), or by
// debuginfod where DEBUGINFOD_URLS is set. Fails: ERR_UNRECOGNIZED with libdw's words.
MUST_USE bool dwarf_open(struct arena *out, const char *path, struct dwarf_file **ret,
                         struct err *err);
void dwarf_close(struct dwarf_file *f);
// The separate debug file in use, or NULL.
const char *dwarf_debug_path(struct dwarf_file *f);
// The binary with this build id (hex) that libdw finds under /usr/lib/debug/.build-id, or that
// debuginfod has where DEBUGINFOD_URLS is set.
MUST_USE bool dwarf_find_binary(struct arena *out, str build_id, str *ret_path);
// Answers n queries sorted by address; one walk over the units that hold any of them. What is
// returned lives in out.
void dwarf_lookup(struct arena *out, struct dwarf_file *f, struct dwarf_query *queries, size_t n);
// The symbol, of code or data, that address lies in or behind; *ret_offset: how far. NULL: none.
const char *dwarf_symbol(struct dwarf_file *f, u64 address, u64 *ret_offset);
