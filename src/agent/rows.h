// agent/rows.h - what the makers of rows share.
// Room: sentences about what was lost, and steps that may run out of memory. Door: agent/agent.h.
#pragma once

#include "agent/agent.h"

// Adds a comment as it is; nothing when it is empty.
void rows_comment(struct arena *out, struct rows *rows, str sentence);
// Adds the comment "of: sentence"; nothing when sentence is empty.
void rows_tell(struct arena *out, struct rows *rows, const char *of, str sentence);
// Adds "of: n what"; nothing when n is 0.
void rows_tell_count(struct arena *out, struct rows *rows, const char *of, u64 n, const char *what);

// Runs a step that allocates in arena. False: memory ran out, and the step was left where it was;
// what it had in hand is lost, the program runs on.
bool rows_attempt(struct arena *arena, void (*step)(void));
