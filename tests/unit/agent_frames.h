// tests/unit/agent_frames.h - what the unwinder's tests say to compilers about frames.
// Room: attributes only. Door: agent_oracle.h, agent_unwind_live.c.
#pragma once

#include "agent/hot/hot.h"

// What compilers may not do to functions whose frames a test looks for. clang knows neither
// noclone nor a way to keep one function's frame pointer, and clones nothing.
#ifdef __clang__
#define NOINLINE __attribute__((noinline))
#define KEEP_FRAME_POINTER
#else
#define NOINLINE __attribute__((noinline, noclone))
#define KEEP_FRAME_POINTER __attribute__((optimize("no-omit-frame-pointer")))
#endif
// Keeps a call from becoming a jump: something must be left to do after it.
#define NO_TAIL_CALL __asm__ volatile("" ::: "memory")
