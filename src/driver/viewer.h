// driver/viewer.h - programs that show a report: browsers, image viewers, KCachegrind.
// Room: choosing and starting one. Door: driver/driver.h.
#pragma once

#include "base/base.h"

#include "driver/output.h"

// Writes bytes to a temporary file and starts the first viewer of the command that is installed.
// Outside the shell it waits for the viewer to end. Fails: ERR_NOT_FOUND naming what was tried.
MUST_USE bool viewer_show(struct arena *scratch, str bytes, const struct command *command,
                          const struct ui *ui, struct shown_files *shown, struct err *err);
// The browsers worth trying, best first: $BROWSER, then the usual names. *n gets their number.
const str *viewer_browsers(struct arena *out, size_t *n);
// Starts a program with one more argument, its words split at blanks. *ret_pid gets its id.
MUST_USE bool viewer_start(struct arena *scratch, str program, str arg, int *ret_pid);
