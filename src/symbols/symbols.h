// symbols/symbols.h - the face of symbols: from addresses to functions and lines.
//
// The idea: what a profile has only as an address is looked up in the files it came from. elf.h is
// the part that libpprof shares: symbol tables and build ids, without DWARF. Words: an address is a
// virtual address of the file, before the loader's bias. Lifetimes: tables live in the arena given
// and point into the bytes they were read from. Failures: ERR_MALFORMED, ERR_UNRECOGNIZED.
// demangle.h, local.h (binaries on this machine), object.h (their instructions), remote.h (the
// server's symbol service) and walk.h (callers of recorded stacks) are the desk's alone. Will not:
// read a running process, keep files open, print, speak HTTP.
#pragma once

#include "symbols/demangle.h"
#include "symbols/elf.h"
#include "symbols/local.h"
#include "symbols/object.h"
#include "symbols/remote.h"
#include "symbols/walk.h"
