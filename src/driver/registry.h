// driver/registry.h - the running programs that answer /debug/pprof/, from the files they leave.
// Room: reading docs/agent-files.md's folders; the agent writes them. Door: driver/driver.h.
#pragma once

#include "base/base.h"

struct running {
    int pid;
    str address, program, state; // state: what is wrong; empty: nothing
    i64 parent;                  // 0: not told
    i64 started_s;               // since 1970; 0: not told
};

struct running_list {
    struct running *items;
    size_t n, cap;
};

// Every live entry of this user (of all users for root), by process id. Entries of dead processes
// are removed.
void registry_list(struct arena *out, struct running_list *ret);
// One entry file's text. False: it names neither an address nor why there is none.
MUST_USE bool registry_entry_read(str text, struct running *ret);
