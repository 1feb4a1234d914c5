// symbols/object.h - one binary as disassembly sees it: its functions, its code, where each
// instruction was written.
//
// Words: an object address is a virtual address of the file, before the loader's bias; a range is
// one function with all names its first address has. Lifetimes: an object holds its file open from
// object_open to object_close; what is asked of it lives in the arena given there. Failures: a file
// that is not there or no ELF file. Will not: know samples. Door: symbols/symbols.h.
#pragma once

#include "base/base.h"

#include "profile/profile.h"
#include "symbols/dwarf.h"

struct object;

// Fails: as binary_open; ERR_UNSUPPORTED for machines other than x86-64 and aarch64.
MUST_USE bool object_open(struct arena *out, str path, struct object **ret, struct err *err);
void object_close(struct object *o);
// The object address of an address at which m maps the file; false when m does not map it to code
// or data of the file.
MUST_USE bool object_address(const struct object *o, const struct mapping *m, u64 address,
                             u64 *ret);

struct object_range {
    u64 start, end; // [start, end)
    str *names;     // the one that matched, or all where the address asked for lies inside
    u32 n_names;
};

struct object_ranges {
    struct object_range *items; // by start
    u32 n;
};

// The functions one of whose names matches re, as the linker knows it or demangled (whole, without
// parameters, without template arguments), or which hold *address (an object address; NULL: none).
// re: NULL matches every name.
void object_find(struct arena *out, const struct object *o, const struct regex *re,
                 const u64 *address, struct object_ranges *ret);

// The function that holds an object address, under its best name; false: none does.
MUST_USE bool object_function_at(struct arena *out, const struct object *o, u64 address,
                                 str *ret_name, u64 *ret_start, u64 *ret_end);

struct instruction {
    u64 address;
    u32 len;
    str text; // as GNU objdump writes it: "call   401136 <main+0x10>"
    const struct dwarf_frame *frames;
    u32 n_frames; // innermost first; 0: not known
};

struct instructions {
    struct instruction *items; // by address
    u32 n;
};

// The instructions in [start, end) with their inlined calls; bytes that are none are "(bad)".
// Fails: ERR_NOT_FOUND when the file has no bytes there, ERR_LIMIT (more than 16 MiB).
MUST_USE bool object_disasm(struct arena *out, struct object *o, u64 start, u64 end, bool is_intel,
                            struct instructions *ret, struct err *err);
