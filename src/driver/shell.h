// driver/shell.h - the shell: a profile loaded once, and reports of it asked for line by line.
// Room: the loop, the greeting, help and the list of options. What a line means is shell_line.c,
// how it is typed terminal.c, what TAB offers complete.c. Door: driver/driver.h. Source:
// reference/pprof.md section 2.24.
#pragma once

#include "base/base.h"

#include "driver/options.h"
#include "driver/ui.h"
#include "profile/profile.h"

// Reads lines from standard input until it ends or somebody says quit. Errors are told and never
// end it.
void shell_run(struct arena *out, const struct profile *p, const struct options *options,
               const struct ui *ui);
