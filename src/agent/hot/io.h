// agent/hot/io.h - calls into the world outside, for traces.
// Room: hooks of libc's functions that read, write, wait for descriptors and sleep. Door:
// agent/hot/hot.h.
//
// A descriptor's nature decides what a wait is called: sockets, pipes and terminals that block are
// the network, as Go's poller calls it; files, and what never blocks, are system calls. It is asked
// of the kernel once and kept for a moment.
#pragma once

#include "base/types.h"

enum { IO_DESCRIPTORS = 4096 }; // whose nature is kept; higher ones are asked for each time

// Forgets the nature of all descriptors: while a trace runs the agent does so every 50 ms, so that
// a number that was closed and opened again past our hooks is not mistaken for long.
void io_forget(void);
