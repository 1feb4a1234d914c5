// driver/shell_line.h - one line of the shell as a value: an assignment, a report, or a word of its
// own. Room: the shell's grammar; doing what the line says is shell.c. Door: driver/driver.h.
// Source: reference/pprof.md section 2.24.
#pragma once

#include "base/base.h"

#include "driver/commands.h"
#include "driver/settings.h"
#include "profile/profile.h"

enum line_kind { LINE_EMPTY, LINE_ASSIGNMENT, LINE_OPTIONS, LINE_HELP, LINE_QUIT, LINE_REPORT };

struct shell_line {
    enum line_kind kind;
    const struct command *command; // LINE_REPORT
    enum report_form form;         // LINE_REPORT
    str arg;                       // LINE_REPORT: the expression; LINE_HELP: what help is asked for
    // LINE_ASSIGNMENT: the session's new options; LINE_REPORT: those of this one report.
    struct options options;
};

// What a line stands for: one line, or several for ":" and the names of sample types
// ("total_delay"). At most MAX_EXPANSION.
enum { MAX_EXPANSION = 8 };
size_t shell_expand(struct arena *out, const struct profile *p, str line,
                    str expanded[MAX_EXPANSION]);

// Reads one expanded line under the session's options. Fails: ERR_USAGE in the original's words.
MUST_USE bool shell_line_read(struct arena *out, const struct profile *p,
                              const struct options *session, str line, struct shell_line *ret,
                              struct err *err);
