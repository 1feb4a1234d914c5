// driver/output.h - where the bytes of a report go: standard output, a file, Graphviz, a viewer.
// Room: one report at a time, made by pipeline.h. Door: driver/driver.h. Source: reference/pprof.md
// section 2.1.
#pragma once

#include "base/base.h"

#include "driver/commands.h"
#include "driver/options.h"
#include "driver/ui.h"
#include "profile/profile.h"

enum {
    MAX_SHOWN_FILES = 256
}; // viewers of one shell; later files stay until the system cleans its temporary folder

// Temporary files that viewers look at: they go when the session ends.
struct shown_files {
    struct arena *arena;
    str paths[MAX_SHOWN_FILES];
    size_t n;
};

void shown_files_remove(struct shown_files *files);

struct report_order {
    const struct command *command;
    enum report_form form; // FORM_TEXT: the command's own
    str arg;               // the expression; empty where the command takes none
    const struct options *options;
};

// Makes the report and takes its bytes where they belong. What the report has to say goes to ui.
// Fails: with the report's own sentence, or when a file, Graphviz or every viewer fails.
MUST_USE bool output_report(struct arena *scratch, const struct profile *p,
                            const struct report_order *order, const struct ui *ui,
                            struct shown_files *shown, struct err *err);
