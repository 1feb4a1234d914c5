// driver/commands.c - the table of reports as rows, found by name.
// Room: see commands.h. Door: driver/driver.h.
#include "driver/commands.h"

#include <stdio.h>
#include <string.h>

const struct command commands[N_COMMANDS] = {
#define COMMAND(name_, kind_, arg_, post_, dest_, suffix_, viewer_, shape_, help_)                 \
    [CMD_##name_] = {                                                                              \
        .name = S(#name_),                                                                         \
        .kind = REPORT_##kind_,                                                                    \
        .arg = ARG_##arg_,                                                                         \
        .post = POST_##post_,                                                                      \
        .dest = DEST_##dest_,                                                                      \
        .suffix = S(suffix_),                                                                      \
        .viewer = S(viewer_),                                                                      \
        .shape = SHAPE_##shape_,                                                                   \
        .help = S(help_),                                                                          \
    },
#include "driver/commands.def"
#undef COMMAND
};

const struct command *command_find(str name) {
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (str_eq(commands[i].name, name)) return &commands[i];
    return NULL;
}

enum report_form command_form(const struct command *c) {
    switch (c->post) {
    case POST_JSON:
        return FORM_JSON;
    case POST_CSV:
        return FORM_CSV;
    case POST_NONE:
    case POST_DOT:
    case POST_SVG:
        return FORM_TEXT;
    }
    return FORM_TEXT;
}

// Adds the commands that have rows to the sentence.
static void say_which(enum report_form form, struct err *err) {
    const char *before = " ";
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (commands[i].post != POST_NONE || !pipeline_has_form(commands[i].kind, form)) continue;
        size_t at = strlen(err->text);
        snprintf(err->text + at, sizeof err->text - at, "%s" S_FMT, before,
                 S_ARG(commands[i].name));
        before = ", ";
    }
}

bool command_takes_form(const struct command *c, enum report_form form, struct err *err) {
    if (c->post == POST_NONE && pipeline_has_form(c->kind, form)) return true;
    if (!err) return false;
    err_fill(err, ERR_USAGE, 0, "%s has no rows of " S_FMT ", but of",
             form == FORM_JSON ? "json" : "csv", S_ARG(c->name));
    say_which(form, err);
    return false;
}

// What may follow the command's name on a shell line.
static const char *shape_args(enum command_shape shape) {
    switch (shape) {
    case SHAPE_PLAIN:
        return " [>file]";
    case SHAPE_REPORT:
        return " [n] [focus_regex]* [-ignore_regex]*";
    case SHAPE_REPORT_TO_FILE:
        return " [n] [focus_regex]* [-ignore_regex]* [>file]";
    case SHAPE_REPORT_CUM:
        return " [n] [focus_regex]* [-ignore_regex]* [-cum] [>file]";
    case SHAPE_LISTING:
        return " func_regex|address [focus_regex]* [-ignore_regex]*";
    case SHAPE_LISTING_TO_FILE:
        return " func_regex|address [focus_regex]* [-ignore_regex]* [>file]";
    case SHAPE_PEEK:
        return " func_regex [focus_regex]* [-ignore_regex]* [>file]";
    case SHAPE_TAGS:
        return " [tag_regex]* [-ignore_regex]* [>file]";
    }
    return "";
}

// What those arguments mean.
static const char *shape_words(enum command_shape shape) {
    switch (shape) {
    case SHAPE_PLAIN:
        return "";
    case SHAPE_REPORT:
    case SHAPE_REPORT_TO_FILE:
        return "At most n entries, of samples matching focus_regex and not ignore_regex.\n";
    case SHAPE_REPORT_CUM:
        return "At most n entries, of samples matching focus_regex and not ignore_regex.\n"
               "-cum sorts by cumulative weight.\n";
    case SHAPE_LISTING:
    case SHAPE_LISTING_TO_FILE:
        return "Functions matching func_regex or holding the address, of samples matching\n"
               "focus_regex and not ignore_regex.\n";
    case SHAPE_PEEK:
        return "Callers and callees of functions matching func_regex.\n";
    case SHAPE_TAGS:
        return "Labels of samples with key:value matching tag_regex and not ignore_regex.\n";
    }
    return "";
}

void command_help(const struct command *c, struct buf *to) {
    buf_put(to, c->name);
    buf_printf(to, "%s\n", shape_args(c->shape));
    buf_put(to, c->help);
    buf_printf(to, ".\n%s", shape_words(c->shape));
}
