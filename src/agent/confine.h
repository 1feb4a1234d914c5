// agent/confine.h - whether a program's seccomp filter lets libpprof live.
// Room: the question; the hooks that ask it are confine.c's. Door: agent/control.h decides what
// then.
#pragma once

#include "base/types.h"

struct seccomp_data;
struct sock_fprog;

// What a filter says of one call: a SECCOMP_RET_ value, as the kernel would find it.
// filter: valid for the kernel; jumps out of it end in SECCOMP_RET_KILL_PROCESS.
u32 confine_verdict(const struct sock_fprog *filter, const struct seccomp_data *data);
// The first of libpprof's system calls for which the filter kills, traps or asks somebody else;
// NULL: it lets all of them pass or fail.
const char *confine_forbids(const struct sock_fprog *filter);
// What the hook of syscall calls before SYS_seccomp: its first argument and its third.
void confine_seccomp(u32 operation, const void *args);
