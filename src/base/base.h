// base/base.h - the face of base: the ground every other folder stands on.
//
// The idea: memory is owned by arenas, text is slices, foreign bytes are read through a checked
// reader, failures travel as one record, numbers become text exactly as Go writes them. No I/O
// happens here, and nothing here knows what a profile is.
//
// Words: a str is a borrowed slice (pointer and length, no terminator promised); an arena ends
// whole, never piecewise; a buf is bytes being written, with a cap it can never pass; a reader is
// bytes being read. Lifetimes: what a function returns from an arena lives until that arena is
// done. Failures: bool and struct err *, except that running out of memory ends in arena_oom (see
// arena.h).
#pragma once

#include "base/types.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "base/num.h"
#include "base/reader.h"
#include "base/regex.h"
#include "base/sort.h"
#include "base/str.h"
