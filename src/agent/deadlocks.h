// agent/deadlocks.h - threads that wait for each other in a circle.
// Room: finding circles in a dump, and making sure of them. Door: agent/threads.h. On the agent
// thread.
#pragma once

#include "agent/threads.h"

// One sentence for each circle among dumped threads, in out; empty: none. A circle counts when a
// second look finds each of its threads where it was, not having run in between: the threads of a
// dump are read one after another, and seem to wait in circles when locks change hands meanwhile.
str deadlocks_text(struct arena *out, const struct thread_dumps *dumps);
// The same of a look of its own.
str deadlocks_now(struct arena *out);
// The next thread that thread i of the dump waits for, by index; U32_NONE: nobody there.
u32 deadlocks_next(const struct thread_dumps *dumps, u32 i);
