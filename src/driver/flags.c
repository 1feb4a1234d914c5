// driver/flags.c - the flag grammar of Go's flag package over a table of flags.
// Room: see flags.h. Door: driver/driver.h. Source: reference/pprof.md section 1.1.
#include "driver/flags.h"

#include "driver/settings.h"

static const struct flag *flag_find(const struct flag_table *table, str name) {
    for (size_t i = 0; i < table->n; i++)
        if (str_eq(table->rows[i].name, name)) return &table->rows[i];
    return NULL;
}

// A decimal integer that could not be read has too many digits.
static bool is_long_integer(str value) {
    if (str_starts(value, S("-")) || str_starts(value, S("+"))) value = str_skip(value, 1);
    if (!value.len || value.p[0] == '0') return false;
    for (size_t i = 0; i < value.len; i++)
        if (value.p[i] < '0' || value.p[i] > '9') return false;
    return true;
}

static bool flag_invalid(const struct flag *f, str value, struct err *err) {
    struct arena scratch;
    arena_init(&scratch);
    struct buf b = buf_new(&scratch, ERR_TEXT_CAP);
    num_quote(&b, value);
    str q = buf_str(&b);
    if (f->type == FLAG_BOOL)
        err_set(err, ERR_USAGE, 0, "invalid boolean value " S_FMT " for -" S_FMT ": parse error",
                S_ARG(q), S_ARG(f->name));
    else
        err_set(err, ERR_USAGE, 0, "invalid value " S_FMT " for flag -" S_FMT ": %s", S_ARG(q),
                S_ARG(f->name),
                f->type == FLAG_INT && is_long_integer(value) ? "value out of range"
                                                              : "parse error");
    arena_done(&scratch);
    return false;
}

static bool flag_set(struct arena *out, const struct flag *f, void *into, str value,
                     struct err *err) {
    void *field = (char *)into + f->offset;
    switch (f->type) {
    case FLAG_BOOL:
        return parse_go_bool(value, field) || flag_invalid(f, value, err);
    case FLAG_INT:
        return num_parse_i64(value, 0, field) || flag_invalid(f, value, err);
    case FLAG_FLOAT:
        return num_parse_f64(value, field) || flag_invalid(f, value, err);
    case FLAG_STR:
        *(str *)field = value;
        return true;
    case FLAG_LIST: {
        struct str_list *list = field;
        GROW(out, list->items, list->cap, list->n + 1);
        list->items[list->n++] = value;
        return true;
    }
    }
    return false;
}

// "-x", "--x", "-x=v": the name and what follows '='.
static void flag_split(str word, str *name, str *value, bool *has_value) {
    *name = str_skip(word, word.p[1] == '-' ? 2 : 1);
    *value = (str){0};
    // A '=' in front is left in the name, so that "-=x" is told as bad syntax.
    ptrdiff_t eq = str_find_byte(*name, '=');
    *has_value = eq > 0;
    if (*has_value) {
        *value = str_skip(*name, (size_t)eq + 1);
        *name = str_take(*name, (size_t)eq);
    }
}

// One flag, and its value from the next word where it needs one.
static enum flags_end flag_take(struct arena *out, const struct flag_table *table, void *into,
                                int argc, char *const *argv, int *at, struct err *err) {
    str word = str_of(argv[*at]), name, value;
    bool has_value;
    flag_split(word, &name, &value, &has_value);
    if (!name.len || name.p[0] == '-' || name.p[0] == '=')
        return err_set(err, ERR_USAGE, 0, "bad flag syntax: " S_FMT, S_ARG(word)), FLAGS_BAD;
    const struct flag *f = flag_find(table, name);
    if (!f) {
        if (str_eq(name, S("h")) || str_eq(name, S("help"))) return FLAGS_HELP;
        err_set(err, ERR_USAGE, 0, "flag provided but not defined: -" S_FMT, S_ARG(name));
        return FLAGS_BAD;
    }
    ++*at;
    if (!has_value && f->type == FLAG_BOOL) {
        value = S("true");
    } else if (!has_value) {
        if (*at >= argc)
            return err_set(err, ERR_USAGE, 0, "flag needs an argument: -" S_FMT, S_ARG(name)),
                   FLAGS_BAD;
        value = str_of(argv[(*at)++]);
    }
    return flag_set(out, f, into, value, err) ? FLAGS_OK : FLAGS_BAD;
}

enum flags_end flags_parse(struct arena *out, const struct flag_table *table, void *into, int argc,
                           char *const *argv, int *at, struct err *err) {
    while (*at < argc) {
        str word = str_of(argv[*at]);
        if (word.len < 2 || word.p[0] != '-') return FLAGS_OK;
        if (str_eq(word, S("--"))) return ++*at, FLAGS_OK;
        enum flags_end end = flag_take(out, table, into, argc, argv, at, err);
        if (end != FLAGS_OK) return end;
    }
    return FLAGS_OK;
}
