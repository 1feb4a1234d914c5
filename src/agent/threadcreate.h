// agent/threadcreate.h - who made the threads: one row a creator's stack, threadcreate/count.
// Room: reading hot/threads.c's table of creators. Door: agent/agent.h.
// Threads made by clone without pthread_create or thrd_create are not seen; neither is the main
// thread.
#pragma once

#include "agent/agent.h"

MUST_USE bool threadcreate_collect(struct arena *out, struct rows *ret, struct err *err);
u64 threadcreate_count(void);
str threadcreate_status(struct arena *out);
