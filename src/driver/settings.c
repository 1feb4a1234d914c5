// driver/settings.c - options by name: defaults, setting from text, showing as text.
// Room: see settings.h. Door: driver/driver.h. Source: reference/pprof.md sections 1.2 and 2.24.
#include "driver/settings.h"

#include <errno.h>
#include <strings.h>

const struct option option_table[N_OPTIONS] = {
#define OPTION(stage_, type_, name_, default_, url_key_, saved_, help_)                            \
    [OPT_##name_] = {                                                                              \
        .name = S(#name_),                                                                         \
        .type = OPTION_##type_,                                                                    \
        .offset = offsetof(struct options, stage_.name_),                                          \
        .url_key = S(url_key_),                                                                    \
        .is_saved = OPTION_##saved_,                                                               \
        .help = S(help_),                                                                          \
    },
#define CHOICE(...)
#define OPTION_SAVED true
#define OPTION_NOT_SAVED false
#include "driver/options.def"
#undef OPTION
#undef CHOICE
};

const struct choice choice_table[N_CHOICES] = {
#define OPTION(...)
#define CHOICE(option_, value_, name_, help_)                                                      \
    [CHOICE_##name_] = {                                                                           \
        .option = OPT_##option_,                                                                   \
        .value = value_,                                                                           \
        .name = S(#name_),                                                                         \
        .help = S(help_),                                                                          \
    },
#include "driver/options.def"
#undef OPTION
#undef CHOICE
};

struct options options_default(void) {
    struct options o = {0};
#define DEFAULT_BOOL(field, value) o.field = value;
#define DEFAULT_INT(field, value) o.field = value;
#define DEFAULT_FLOAT(field, value) o.field = value;
#define DEFAULT_STR(field, value) o.field = S(value);
#define DEFAULT_GRANULARITY(field, value) o.field = value;
#define DEFAULT_SORT(field, value) o.field = value;
#define OPTION(stage, type, name, default_, ...) DEFAULT_##type(stage.name, default_)
#define CHOICE(...)
#include "driver/options.def"
#undef OPTION
#undef CHOICE
    return o;
}

const struct option *option_find(str name) {
    for (size_t i = 0; i < N_OPTIONS; i++)
        if (str_eq(option_table[i].name, name)) return &option_table[i];
    return NULL;
}

const struct choice *choice_find(str name) {
    for (size_t i = 0; i < N_CHOICES; i++)
        if (str_eq(choice_table[i].name, name)) return &choice_table[i];
    return NULL;
}

static bool str_is_one_of(str s, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(s, str_of(words[i]))) return true;
    return false;
}

bool parse_go_bool(str s, bool *ret) {
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};
    if (str_is_one_of(s, yes, countof(yes))) return *ret = true, true;
    if (str_is_one_of(s, no, countof(no))) return *ret = false, true;
    return false;
}

// The shell's booleans: any case, and nothing at all means true.
static bool parse_shell_bool(str s, bool *ret, struct err *err) {
    static const char *const yes[] = {"true", "t", "yes", "y", "1"};
    static const char *const no[] = {"false", "f", "no", "n", "0"};
    *ret = true;
    if (!s.len) return true;
    for (size_t i = 0; i < countof(yes); i++) {
        str y = str_of(yes[i]), n = str_of(no[i]);
        if (y.len == s.len && !strncasecmp(y.p, s.p, s.len)) return true;
        if (n.len == s.len && !strncasecmp(n.p, s.p, s.len)) return *ret = false, true;
    }
    return err_set(err, ERR_USAGE, 0, "illegal value \"" S_FMT "\" for bool variable", S_ARG(s));
}

// Go quotes the text it could not read; names and values here are short.
static bool err_quoted(struct err *err, const char *before, str text, const char *after) {
    struct arena scratch;
    arena_init(&scratch);
    struct buf b = buf_new(&scratch, ERR_TEXT_CAP);
    num_quote(&b, text);
    str q = buf_str(&b);
    err_set(err, ERR_USAGE, 0, "%s" S_FMT "%s", before, S_ARG(q), after);
    arena_done(&scratch);
    return false;
}

// A choice by its name, for the options that have choices.
static bool choice_value(const struct option *opt, str value, int *ret, struct err *err) {
    const struct choice *c = choice_find(value);
    if (c && &option_table[c->option] == opt) {
        *ret = c->value;
        return true;
    }
    // An empty granularity is not a choice there either: it is only the state before any was made.
    char before[64];
    struct arena scratch;
    arena_init(&scratch);
    struct buf b = buf_new(&scratch, sizeof before);
    buf_printf(&b, "invalid \"" S_FMT "\" value ", S_ARG(opt->name));
    err_quoted(err, str_z(&scratch, buf_str(&b)), value, "");
    arena_done(&scratch);
    return false;
}

bool option_set(struct arena *out, struct options *o, const struct option *opt, str value,
                struct err *err) {
    void *field = (char *)o + opt->offset;
    bool as_bool;
    i64 as_int;
    double as_float;
    int as_choice;
    switch (opt->type) {
    case OPTION_BOOL:
        if (!parse_shell_bool(value, &as_bool, err)) return false;
        *(bool *)field = as_bool;
        return true;
    case OPTION_INT:
        if (!num_parse_i64(value, 10, &as_int))
            return err_quoted(err, "strconv.Atoi: parsing ", value, ": invalid syntax");
        *(i64 *)field = as_int;
        return true;
    case OPTION_FLOAT:
        if (!num_parse_f64(value, &as_float))
            return err_quoted(err, "strconv.ParseFloat: parsing ", value, ": invalid syntax");
        *(double *)field = as_float;
        return true;
    case OPTION_STR:
        *(str *)field = str_copy(out, value);
        return true;
    case OPTION_GRANULARITY:
        if (!choice_value(opt, value, &as_choice, err)) return false;
        *(enum granularity *)field = (enum granularity)as_choice;
        return true;
    case OPTION_SORT:
        if (!choice_value(opt, value, &as_choice, err)) return false;
        *(enum sort_order *)field = (enum sort_order)as_choice;
        return true;
    }
    return false;
}

bool options_assign(struct arena *out, struct options *o, str name, str value, struct err *err) {
    const struct option *opt = option_find(name);
    if (opt) return option_set(out, o, opt, value, err);
    const struct choice *c = choice_find(name);
    bool is_on;
    if (c && parse_go_bool(value, &is_on) && is_on)
        return option_set(out, o, &option_table[c->option], name, err);
    // Also for a choice without "=true": quirk Q4 of the reference, recorded by its shell cases.
    return err_quoted(err, "unknown config field ", name, "");
}

static void choice_show(const struct option *opt, int value, struct buf *to) {
    for (size_t i = 0; i < N_CHOICES; i++) {
        const struct choice *c = &choice_table[i];
        if (&option_table[c->option] == opt && c->value == value) buf_put(to, c->name);
    }
}

void option_show(const struct options *o, const struct option *opt, struct buf *to) {
    const void *field = (const char *)o + opt->offset;
    switch (opt->type) {
    case OPTION_BOOL:
        buf_put(to, *(const bool *)field ? S("true") : S("false"));
        break;
    case OPTION_INT:
        num_i64(to, *(const i64 *)field);
        break;
    case OPTION_FLOAT:
        num_general(to, *(const double *)field, -1);
        break;
    case OPTION_STR:
        buf_put(to, *(const str *)field);
        break;
    case OPTION_GRANULARITY:
        choice_show(opt, (int)*(const enum granularity *)field, to);
        break;
    case OPTION_SORT:
        choice_show(opt, (int)*(const enum sort_order *)field, to);
        break;
    }
}
