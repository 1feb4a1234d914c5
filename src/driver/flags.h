// driver/flags.h - the flag grammar of Go's flag package over a table of flags.
// Room: which word sets which field; what the fields mean is cli.c. Door: driver/driver.h.
// Grammar: -x, --x, -x=v, -x v (not for booleans, which take a value only as -x=v); the last of a
// repeated flag wins; the first word that is no flag ends them, and so does "--".
#pragma once

#include "base/base.h"

enum flag_type { FLAG_BOOL, FLAG_INT, FLAG_FLOAT, FLAG_STR, FLAG_LIST };

struct str_list {
    str *items;
    size_t n, cap;
};

struct flag {
    str name;
    enum flag_type type;
    size_t offset; // of the field: bool, i64, double, str or struct str_list
};

struct flag_table {
    const struct flag *rows;
    size_t n;
};

enum flags_end { FLAGS_OK, FLAGS_HELP, FLAGS_BAD };

// Sets fields of *into from argv[*at..argc) and leaves *at at the first word that is no flag.
// FLAGS_HELP: -h or -help was asked for and is no flag of the table. FLAGS_BAD: *err has Go's
// sentence. Words are borrowed.
enum flags_end flags_parse(struct arena *out, const struct flag_table *table, void *into, int argc,
                           char *const *argv, int *at, struct err *err);
