// symbols/demangle.h - linker names to the names people wrote: C++ (Itanium) and Rust.
// Room: names only; the desk's, libpprof sends names as they are. Door: symbols/symbols.h.
// Source: reference/pprof.md section 5.5.
#pragma once

#include "base/base.h"

#include "profile/profile.h"

enum demangle_mode {
    DEMANGLE_DEFAULT,   // no parameters, no template arguments
    DEMANGLE_TEMPLATES, // no parameters
    DEMANGLE_FULL,      // everything but the suffixes of clones
    DEMANGLE_NONE,
};

// The readable form of one linker name; names that are none come back as they are, but for what
// looks like C++ already demangled: that loses parameters and template arguments as the mode says.
str demangle_name(struct arena *out, str name, enum demangle_mode mode);

// p with every function named that has no name, or only its linker name. is_forced: those named
// before too, from their linker names. Shares every table it can with p.
struct profile demangle_profile(struct arena *out, const struct profile *p, enum demangle_mode mode,
                                bool is_forced);
