// driver/ui.h - what pprof says to people: progress, warnings and errors, all on standard error.
// Room: the one place of the analyzer that writes to standard error. Report bytes go to standard
// output or a file: output.h. Door: driver/driver.h.
#pragma once

#include "base/base.h"

struct ui {
    bool is_terminal;  // standard output is a terminal: binary reports go to files
    bool is_colored;   // standard error is a terminal: errors are red, as the original's
    bool is_shell;     // the shell runs: reports made for files never go to standard output
    struct buf *heard; // errors are written here as well, a line each; NULL: nowhere else
};

struct ui ui_of_process(void);
// One message; a newline is added where there is none.
void ui_say(const struct ui *ui, const char *fmt, ...) PRINTF_LIKE(2, 3);
void ui_error(const struct ui *ui, const char *fmt, ...) PRINTF_LIKE(2, 3);
// Several lines as they are.
void ui_text(const struct ui *ui, str text);
// How much of something is done, 0 to 1, on a line that the next one overwrites.
void ui_progress(const struct ui *ui, const char *what, double part);
