// agent/delta.h - the change since the last scrape, as grafana/godeltaprof gives it: delta_heap,
// delta_mutex, delta_block, and the same of every collector that can.
// Room: what each endpoint gave last, and subtracting it. Door: agent/agent.h. What grows (allocs,
// contentions) is the difference; what is now (in use, threads) stays as it is. One state an
// endpoint, whoever asks: two scrapers of one process would take each other's share.
#pragma once

#include "agent/agent.h"

// Turns the rows of `of`, as they are now, into their change since the last call; the first call
// gives all. Rows without change are left out. On the agent thread. What it remembers: 48 bytes a
// row.
void delta_take(const struct collector *of, struct rows *rows);
void delta_after_fork_child(void);
