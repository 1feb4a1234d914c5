// driver/settings.h - options by name: what flags, shell lines and URLs set, and how their values
// read as text. Room: the table of options.def as rows, setting and showing one option. Where the
// text comes from is flags.c, shell.c and the web's business. Door: driver/driver.h.
#pragma once

#include "driver/options.h"

enum option_type {
    OPTION_BOOL,
    OPTION_INT,
    OPTION_FLOAT,
    OPTION_STR,
    OPTION_GRANULARITY,
    OPTION_SORT,
};

// OPT_focus, OPT_sort ...: the row in option_table[].
enum option_id {
#define OPTION(stage, type, name, ...) OPT_##name,
#define CHOICE(...)
#include "driver/options.def"
#undef OPTION
#undef CHOICE
    N_OPTIONS
};

// CHOICE_cum, CHOICE_lines ...: the row in choice_table[].
enum choice_id {
#define OPTION(...)
#define CHOICE(option, value, name, help) CHOICE_##name,
#include "driver/options.def"
#undef OPTION
#undef CHOICE
    N_CHOICES
};

struct option {
    str name;
    enum option_type type;
    size_t offset; // of the field in struct options
    str url_key;   // empty: not in URLs
    bool is_saved;
    str help; // one line
};

struct choice {
    enum option_id option;
    int value;
    str name;
    str help;
};

extern const struct option option_table[N_OPTIONS];
extern const struct choice choice_table[N_CHOICES];

// The row named so; NULL: none.
const struct option *option_find(str name);
const struct choice *choice_find(str name);

// Sets one option from text. Booleans take what the original's shell takes (yes, t, 1, "" ...); out
// owns a copy of strings. Fails: ERR_USAGE in the original's words; *o is then unchanged.
MUST_USE bool option_set(struct arena *out, struct options *o, const struct option *opt, str value,
                         struct err *err);
// NAME=VALUE of the shell and of URLs: name is an option, or a choice set true ("lines=1").
MUST_USE bool options_assign(struct arena *out, struct options *o, str name, str value,
                             struct err *err);
// The value as text that option_set takes back.
void option_show(const struct options *o, const struct option *opt, struct buf *to);
// strconv.ParseBool: 1 t T TRUE true True and their opposites, nothing else.
MUST_USE bool parse_go_bool(str s, bool *ret);
