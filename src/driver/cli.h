// driver/cli.h - the command line as one value: what to load, how, and what to make of it.
// Room: flags to struct cli and the checks between flags; nothing is opened but the first argument,
// to see whether it is a program. Door: driver/driver.h. Source: reference/pprof.md sections 1.1
// and 1.2.
#pragma once

#include "base/base.h"

#include "driver/commands.h"
#include "driver/flags.h"
#include "driver/settings.h"

// flags.def as fields.
struct source_flags {
#define FLAG_FIELD_BOOL bool
#define FLAG_FIELD_INT i64
#define FLAG_FIELD_STR str
#define FLAG_FIELD_LIST struct str_list
#define FLAG(group, type, name, default_, help) FLAG_FIELD_##type name;
#include "driver/flags.def"
#undef FLAG
};

struct cli {
    struct options options;
    struct source_flags flags;
    const struct command *command; // NULL: the shell, or the web pages with -http
    enum report_form form;         // of its rows: -json, -csv
    str command_arg;               // the expression of list, peek ...
    str binary;                    // empty: none was given
    const str *sources, *bases;
    size_t n_sources, n_bases;
    bool is_diff_base;
    // "Multiple value selections, ignoring -X": a line each.
    str notes;
};

enum cli_end { CLI_OK, CLI_HELP, CLI_BAD_FLAG, CLI_WITHOUT_SOURCE, CLI_BAD };

// Reads argv[1..argc). CLI_HELP: the usage was asked for. CLI_BAD_FLAG: *err, then the usage, is to
// be shown. CLI_WITHOUT_SOURCE: the usage, then *err. CLI_BAD: *err alone.
enum cli_end cli_parse(struct arena *out, int argc, char *const *argv, struct cli *ret,
                       struct err *err);
// The whole usage text of the command line, and of the shell's help.
void usage_of_program(struct buf *to);
void usage_of_shell(struct buf *to);
