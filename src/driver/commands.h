// driver/commands.h - the reports pprof can be asked for, by name.
// Room: the table of commands.def as rows of structs; running one is pipeline.c, where its bytes go
// is output.c. Door: driver/driver.h.
#pragma once

#include "base/base.h"
#include "driver/pipeline.h"

enum command_arg { ARG_NO_ARG, ARG_REGEXP };
enum command_post { POST_NONE, POST_DOT, POST_SVG, POST_JSON, POST_CSV };
enum command_dest { DEST_STDOUT, DEST_AWAY, DEST_VIEWER };
enum command_shape {
    SHAPE_PLAIN,
    SHAPE_REPORT,
    SHAPE_REPORT_TO_FILE,
    SHAPE_REPORT_CUM,
    SHAPE_LISTING,
    SHAPE_LISTING_TO_FILE,
    SHAPE_PEEK,
    SHAPE_TAGS,
};

// CMD_top, CMD_peek ...: the row in commands[].
enum command_id {
#define COMMAND(name, ...) CMD_##name,
#include "driver/commands.def"
#undef COMMAND
    N_COMMANDS
};

struct command {
    str name;
    enum report_kind kind;
    enum command_arg arg;
    enum command_post post;
    enum command_dest dest;
    str suffix, viewer; // empty: none
    enum command_shape shape;
    str help; // one line
};

extern const struct command commands[N_COMMANDS];

// The row named so, or NULL.
const struct command *command_find(str name);
// The form that json and csv stand for; FORM_TEXT for every other command.
enum report_form command_form(const struct command *c);
// Whether form can be asked of the report of c: "-json -tree", "json tree". Fails: ERR_USAGE.
MUST_USE bool command_takes_form(const struct command *c, enum report_form form, struct err *err);
// What the shell's "help NAME" says: usage lines and the help sentence.
void command_help(const struct command *c, struct buf *to);
