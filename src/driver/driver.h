// driver/driver.h - the face of driver: pprof as a person meets it.
//
// The idea: a command line becomes one value (cli.h), its sources one profile (sources.h), a
// command and options the bytes of a report (pipeline.h), and the bytes go where they belong
// (output.h). The shell (shell.h) does the last two again and again. Options, commands and flags
// are lines of .def tables that parser, help, completion and web all read.
//
// Words: a source is what a profile is loaded from; a command is a report by name; an option shapes
// reports, a flag anything else. Lifetimes: the profile and the options live in the arena given at
// the start. Failures: one sentence to standard error and status 2. Only ui.h writes there.
#pragma once

#include "base/base.h"

#include "driver/cli.h"
#include "driver/commands.h"
#include "driver/fetch.h"
#include "driver/load.h"
#include "driver/options.h"
#include "driver/output.h"
#include "driver/picture.h"
#include "driver/pipeline.h"
#include "driver/settings.h"
#include "driver/shell.h"
#include "driver/sources.h"
#include "driver/ui.h"
#include "driver/viewer.h"

enum { EXIT_ERROR = 2 }; // as the original's

// A trace to be shown at an address.
struct traced {
    str name, bytes;
    str address; // of -http
    bool opens_browser;
    // Fetches another one from where it came; NULL: that was no URL. *ret stays until it is
    // forgotten. Any thread may call it.
    bool (*record)(const struct traced *t, i64 seconds, str *ret, struct err *err);
    void (*forget)(str bytes);
};

// What serves web pages: driver stands below web, so main hands it in. Each gives the exit status.
struct driver_pages {
    int (*profile)(const struct cli *cli, const struct profile *p, const struct ui *ui);
    int (*trace)(const struct traced *t, const struct ui *ui);
};

// All of pprof but main: gives the exit status. pages NULL: -http is refused.
int driver_main(int argc, char *const *argv, const struct driver_pages *pages);
// "pprof run", "pprof ps" and "pprof trace"; argv[1] is the word after the subcommand.
int driver_run(int argc, char *const *argv, const struct driver_pages *pages, const struct ui *ui);
int driver_ps(int argc, char *const *argv, const struct driver_pages *pages, const struct ui *ui);
int driver_trace(int argc, char *const *argv, const struct driver_pages *pages,
                 const struct ui *ui);
