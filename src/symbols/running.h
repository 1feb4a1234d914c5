// symbols/running.h - what this machine runs right now, where a build id says it is the profile's.
// Room: private to symbols/: the kernel's own symbol list, the vDSO, and the files of a running
// process, which may be deleted, replaced or in a container. Door: the functions below.
#pragma once

#include "profile/profile.h"
#include "symbols/binary.h"
#include "symbols/elf.h"

// Symbols for a mapping that stands for no file: "[kernel.kallsyms]_text" by /proc/kallsyms, moved
// to where the kernel lay then, and "[vdso]" by this process's own. False: another build than the
// profile's, or the list is not for us to read. An address of the table is *ret_shift more than
// the profile's.
MUST_USE bool running_symbols(struct arena *out, const struct profile *p, const struct mapping *m,
                              struct elf_symbols *ret, u64 *ret_shift);

// This process's vDSO as an ELF file, where the mapping is of the same. Its addresses are
// *ret_shift more than the profile's.
MUST_USE bool running_vdso(struct arena *out, const struct profile *p, const struct mapping *m,
                           str *ret, u64 *ret_shift);

// Opens the binary of a mapping: its own file, or another with the mapping's very build id: what a
// process of the profile (label pid, or libpprof's comment "pid N on HOST") has under that name in
// its own root, runs or has mapped, or what libdw finds. is_strict: its own file must have the
// build id too. *ret_path: a name that opens it. Fails: as binary_open; ERR_NOT_FOUND "build ID
// mismatch".
MUST_USE bool mapping_open(struct arena *out, const struct profile *p, const struct mapping *m,
                           bool is_strict, struct binary *ret, str *ret_path, struct err *err);
