// driver/cli.c - the command line as one value.
// Room: see cli.h. Door: driver/driver.h.
#include "driver/cli.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Where flags land before the checks between them.
struct raw_flags {
    struct options options;
    struct source_flags flags;
    bool choices[N_CHOICES];
    bool commands[N_COMMANDS];
    str command_args[N_COMMANDS];
};

enum {
    N_SOURCE_FLAGS = 0
#define FLAG(...) +1
#include "driver/flags.def"
#undef FLAG
    ,
    MAX_FLAGS = N_OPTIONS + N_CHOICES + N_COMMANDS + N_SOURCE_FLAGS
};

static void add_flag(struct flag *rows, size_t *n, str name, enum flag_type type, size_t offset) {
    rows[(*n)++] = (struct flag){.name = name, .type = type, .offset = offset};
}

// sort and granularity are no flags themselves: their choices are.
static void add_options(struct flag *rows, size_t *n) {
    static const enum flag_type types[] = {
        [OPTION_BOOL] = FLAG_BOOL,
        [OPTION_INT] = FLAG_INT,
        [OPTION_FLOAT] = FLAG_FLOAT,
        [OPTION_STR] = FLAG_STR,
    };
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option *o = &option_table[i];
        if (o->type == OPTION_GRANULARITY || o->type == OPTION_SORT) continue;
        add_flag(rows, n, o->name, types[o->type], offsetof(struct raw_flags, options) + o->offset);
    }
    for (size_t i = 0; i < N_CHOICES; i++)
        add_flag(rows, n, choice_table[i].name, FLAG_BOOL,
                 offsetof(struct raw_flags, choices) + i * sizeof(bool));
}

static void add_commands(struct flag *rows, size_t *n) {
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (commands[i].arg == ARG_REGEXP)
            add_flag(rows, n, commands[i].name, FLAG_STR,
                     offsetof(struct raw_flags, command_args) + i * sizeof(str));
        else
            add_flag(rows, n, commands[i].name, FLAG_BOOL,
                     offsetof(struct raw_flags, commands) + i * sizeof(bool));
    }
}

static void add_source_flags(struct flag *rows, size_t *n) {
#define FLAG(group, type, name, default_, help)                                                    \
    add_flag(rows, n, S(#name), FLAG_##type, offsetof(struct raw_flags, flags.name));
#include "driver/flags.def"
#undef FLAG
}

static void set_defaults(struct raw_flags *raw) {
    raw->options = options_default();
#define DEFAULT_BOOL(field, value) raw->flags.field = value;
#define DEFAULT_INT(field, value) raw->flags.field = value;
#define DEFAULT_STR(field, value) raw->flags.field = S(value);
#define DEFAULT_LIST(field, value)
#define FLAG(group, type, name, default_, help) DEFAULT_##type(name, default_)
#include "driver/flags.def"
#undef FLAG
    raw->flags.tools = str_of(getenv("PPROF_TOOLS"));
}

// At most one choice of each group. The original names them in random order; ours is the table's.
static bool take_choices(struct arena *out, struct raw_flags *raw, struct err *err) {
    for (size_t opt = 0; opt < N_OPTIONS; opt++) {
        struct buf names = buf_new(out, 256);
        size_t n = 0;
        for (size_t i = 0; i < N_CHOICES; i++) {
            if (!raw->choices[i] || choice_table[i].option != opt) continue;
            buf_printf(&names, "%s" S_FMT, n++ ? " " : "", S_ARG(choice_table[i].name));
            str name = choice_table[i].name;
            if (!option_set(out, &raw->options, &option_table[opt], name, err)) return false;
        }
        if (n > 1)
            return err_set(err, ERR_USAGE, 0, "conflicting options set: [" S_FMT "]",
                           S_ARG(buf_str(&names)));
    }
    return true;
}

// One report, and beside it -json or -csv.
static bool take_command(const struct raw_flags *raw, struct cli *ret, struct err *err) {
    const struct command *report = NULL, *form = NULL;
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (!raw->commands[i] && !raw->command_args[i].len) continue;
        const struct command **one = command_form(&commands[i]) ? &form : &report;
        if (*one) return err_set(err, ERR_USAGE, 0, "must set at most one output format");
        *one = &commands[i];
        if (one == &report) ret->command_arg = raw->command_args[i];
    }
    ret->command = report ? report : form;
    ret->form = form ? command_form(form) : FORM_TEXT;
    return !report || !form || command_takes_form(report, ret->form, err);
}

// The selectors of old, in the original's order; the first one wins.
static void take_selectors(struct arena *out, struct cli *ret) {
    const struct source_flags *f = &ret->flags;
    const struct {
        bool is_set;
        str type, flag;
    } selectors[] = {
        {f->total_delay, S("delay"), S("-total_delay")},
        {f->mean_delay, S("delay"), S("-mean_delay")},
        {f->contentions, S("contentions"), S("-contentions")},
        {f->inuse_space, S("inuse_space"), S("-inuse_space")},
        {f->inuse_objects, S("inuse_objects"), S("-inuse_objects")},
        {f->alloc_space, S("alloc_space"), S("-alloc_space")},
        {f->alloc_objects, S("alloc_objects"), S("-alloc_objects")},
    };
    struct buf notes = buf_new(out, 4096);
    str *si = &ret->options.view.sample_index;
    for (size_t i = 0; i < countof(selectors); i++) {
        if (!selectors[i].is_set) continue;
        if (si->len)
            buf_printf(&notes, "Multiple value selections, ignoring " S_FMT "\n",
                       S_ARG(selectors[i].flag));
        else
            *si = selectors[i].type;
    }
    if (f->mean_delay) ret->options.view.mean = true;
    ret->notes = buf_str(&notes);
}

// Whether the first of several arguments is a program rather than a profile. Only regular files are
// opened: looking into a pipe would eat its first bytes.
static bool is_object_file(str path) {
    struct arena scratch;
    arena_init(&scratch);
    const char *z = str_z(&scratch, path);
    struct stat st;
    char magic[4] = {0};
    bool is_object = false;
    if (stat(z, &st) == 0 && S_ISREG(st.st_mode)) {
        AUTO_CLOSE int fd = open(z, O_RDONLY | O_CLOEXEC);
        is_object = fd >= 0 && read(fd, magic, 4) == 4 && !memcmp(magic, "\177ELF", 4);
    }
    arena_done(&scratch);
    return is_object;
}

static void take_sources(struct arena *out, int argc, char *const *argv, int at, struct cli *ret) {
    if (argc - at > 1 && is_object_file(str_of(argv[at]))) ret->binary = str_of(argv[at++]);
    ret->n_sources = (size_t)(argc - at);
    str *sources = NEW(out, str, ret->n_sources);
    for (size_t i = 0; i < ret->n_sources; i++) sources[i] = str_of(argv[at + (int)i]);
    ret->sources = sources;
}

// Empty bases count as not given. Unlike the original all of a repeated -base are used (Q1).
static size_t list_compact(struct str_list *list) {
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].len) list->items[n++] = list->items[i];
    return list->n = n;
}

static bool take_bases(struct cli *ret, struct err *err) {
    size_t n_base = list_compact(&ret->flags.base), n_diff = list_compact(&ret->flags.diff_base);
    if (n_base && n_diff)
        return err_set(err, ERR_USAGE, 0, "-base and -diff_base flags cannot both be specified");
    ret->is_diff_base = n_diff > 0;
    const struct str_list *bases = n_diff ? &ret->flags.diff_base : &ret->flags.base;
    ret->bases = bases->items;
    ret->n_bases = bases->n;
    if (ret->options.driver.normalize && !ret->n_bases)
        return err_set(err, ERR_USAGE, 0, "must have base profile to normalize by");
    return true;
}

static bool check_limits(const struct cli *cli, struct err *err) {
    // Shifted to bytes it must stay a size: 2^43 MiB would not.
    if (cli->flags.max_megabytes > 0 && cli->flags.max_megabytes < INT64_C(1) << 40) return true;
    return err_set(err, ERR_USAGE, 0, "-max_megabytes must be positive");
}

static bool check_web_flags(const struct cli *cli, struct err *err) {
    if (cli->command && cli->flags.http.len)
        return err_set(err, ERR_USAGE, 0,
                       "-http is not compatible with an output format on the command line");
    if (cli->flags.no_browser && !cli->flags.http.len)
        return err_set(err, ERR_USAGE, 0, "-no_browser only makes sense with -http");
    return true;
}

enum cli_end cli_parse(struct arena *out, int argc, char *const *argv, struct cli *ret,
                       struct err *err) {
    struct flag *rows = NEW(out, struct flag, MAX_FLAGS);
    struct flag_table table = {.rows = rows};
    add_options(rows, &table.n);
    add_commands(rows, &table.n);
    add_source_flags(rows, &table.n);
    struct raw_flags *raw = NEW(out, struct raw_flags, 1);
    set_defaults(raw);
    int at = 1;
    enum flags_end end = flags_parse(out, &table, raw, argc, argv, &at, err);
    if (end == FLAGS_HELP) return CLI_HELP;
    if (end == FLAGS_BAD) return CLI_BAD_FLAG;
    if (at >= argc)
        return err_set(err, ERR_USAGE, 0, "no profile source specified"), CLI_WITHOUT_SOURCE;
    struct cli cli = {0};
    take_sources(out, argc, argv, at, &cli);
    if (!take_choices(out, raw, err)) return CLI_BAD;
    cli.options = raw->options;
    cli.flags = raw->flags;
    if (!take_command(raw, &cli, err) || !check_web_flags(&cli, err)) return CLI_BAD;
    take_selectors(out, &cli);
    if (!take_bases(&cli, err) || !check_limits(&cli, err)) return CLI_BAD;
    *ret = cli;
    return CLI_OK;
}
