// symbols/binary.h - an ELF file on disk, mapped for reading.
// Room: private to symbols/: opening, build id, and where in it an address of a process lies. Door:
// binary_open(), binary_address().
#pragma once

#include "profile/profile.h"

struct binary {
    str bytes;
    bool is_fixed; // ET_EXEC: linked to its addresses
};

// Fails: ERR_NOT_FOUND "stat F: no such file or directory", ERR_UNRECOGNIZED "unrecognized binary
// format: F".
MUST_USE bool binary_open(str path, struct binary *ret, struct err *err);
// Fine for a binary that was never opened.
void binary_close(struct binary *b);
// The build id in hex; empty: none.
str binary_build_id(struct arena *out, const struct binary *b);
// The virtual address within the file of an address at which m maps it; false when it lies in none
// of the file's loadable segments.
MUST_USE bool binary_address(const struct binary *b, const struct mapping *m, u64 address,
                             u64 *ret);
// How much more a kernel's addresses are in its file: it lies elsewhere after each start, and its
// mapping says where its first symbol lay. False: m is no kernel's.
MUST_USE bool binary_kernel_shift(const struct binary *b, const struct profile *p,
                                  const struct mapping *m, u64 *ret);
// The bytes of the file from a virtual address on, to the end of what its segment has in the file;
// empty: none.
str binary_bytes_at(const struct binary *b, u64 address);
