// driver/usage.c - the usage text of the command line and of the shell, made from the tables.
// Room: text about options, commands and flags as a whole; help on one of them is commands.c and
// shell.c. Door: driver/driver.h.
#include "driver/cli.h"

enum { HELP_COLUMN = 50 }; // of the usage lines

// "    -name            help"
static void put_row(struct buf *to, const char *dash, str name, str help) {
    struct arena scratch;
    arena_init(&scratch);
    struct buf flag = buf_new(&scratch, 64);
    buf_printf(&flag, "%s" S_FMT, dash, S_ARG(name));
    buf_put(to, S("    "));
    buf_pad(to, buf_str(&flag), -20);
    buf_byte(to, ' ');
    buf_put(to, help);
    buf_byte(to, '\n');
    arena_done(&scratch);
}

static bool has_choices(const struct option *o) {
    return o->type == OPTION_SORT || o->type == OPTION_GRANULARITY;
}

static int option_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct option *const *x = a, *const *y = b;
    return str_cmp((*x)->name, (*y)->name);
}

static void put_options(struct buf *to, const char *dash) {
    const struct option *sorted[N_OPTIONS];
    struct arena scratch;
    arena_init(&scratch);
    for (size_t i = 0; i < N_OPTIONS; i++) sorted[i] = &option_table[i];
    sort_stable(&scratch, sorted, N_OPTIONS, sizeof *sorted, option_order, NULL);
    arena_done(&scratch);
    buf_put(to, S("\n  Options:\n"));
    for (size_t i = 0; i < N_OPTIONS; i++)
        if (!has_choices(sorted[i])) put_row(to, dash, sorted[i]->name, sorted[i]->help);
    buf_put(to, S("\n  Option groups (at most one of each):\n"));
    for (size_t i = 0; i < N_OPTIONS; i++) {
        if (!has_choices(sorted[i])) continue;
        put_row(to, "", sorted[i]->name, sorted[i]->help);
        for (size_t c = 0; c < N_CHOICES; c++) {
            if (&option_table[choice_table[c].option] != sorted[i]) continue;
            buf_put(to, S("  "));
            put_row(to, dash, choice_table[c].name, choice_table[c].help);
        }
    }
}

static void put_commands(struct buf *to, const char *dash) {
    for (size_t i = 0; i < N_COMMANDS; i++) put_row(to, dash, commands[i].name, commands[i].help);
}

enum flag_group { GROUP_SOURCE, GROUP_WEB, GROUP_MISC, GROUP_LEGACY };

static void put_flags(struct buf *to, enum flag_group group, str heading) {
    static const struct {
        enum flag_group group;
        str name, help;
    } rows[] = {
#define FLAG(group_, type_, name_, default_, help_) {GROUP_##group_, S(#name_), S(help_)},
#include "driver/flags.def"
#undef FLAG
    };
    buf_put(to, heading);
    for (size_t i = 0; i < countof(rows); i++)
        if (rows[i].group == group) put_row(to, "-", rows[i].name, rows[i].help);
}

static const char usage_head[] =
    "usage:\n"
    "\n"
    "  pprof <format> [options] [binary] <source>...   make one report\n"
    "  pprof [options] [binary] <source>...            explore the profile in a shell\n"
    "  pprof -http [host]:[port] [options] [binary] <source>...\n"
    "                                                  explore it in a browser\n";

static const char usage_sources[] =
    "\n"
    "  A source is a file, - for standard input, a URL (http, https, https+insecure),\n"
    "  host:port (its CPU profile) or unix:/socket:/debug/pprof/heap. Several are merged.\n"
    "\n"
    "  Output formats (at most one):\n";

// "  pprof run ARGUMENTS", and the help in its column, on a line of its own when that is taken.
static void put_subcommand(struct buf *to, const char *name, const char *arguments,
                           const char *help) {
    size_t start = to->len;
    buf_printf(to, "  pprof %s%s%s", name, *arguments ? " " : "", arguments);
    if (to->len - start >= HELP_COLUMN) {
        buf_byte(to, '\n');
        start = to->len;
    }
    while (to->len - start < HELP_COLUMN) buf_byte(to, ' ');
    buf_printf(to, "%s\n", help);
}

static void put_subcommands(struct buf *to) {
#define SUBCOMMAND(name, arguments, help) put_subcommand(to, #name, arguments, help);
#include "driver/subcommands.def"
#undef SUBCOMMAND
}

static void put_environment(struct buf *to) {
    buf_put(to, S("\n  Environment:\n"));
#define ENVIRONMENT(name, help) buf_printf(to, "    %-20s %s\n", #name, help);
#include "driver/environment.def"
#undef ENVIRONMENT
}

void usage_of_program(struct buf *to) {
    buf_put(to, str_of(usage_head));
    put_subcommands(to);
    buf_put(to, str_of(usage_sources));
    put_commands(to, "-");
    put_options(to, "-");
    put_flags(to, GROUP_SOURCE, S("\n  Source options:\n"));
    put_flags(to, GROUP_WEB, S("\n  Web options:\n"));
    put_flags(to, GROUP_MISC, S("\n  Other options:\n"));
    put_flags(to, GROUP_LEGACY, S("\n  Older names:\n"));
    put_environment(to);
}

void usage_of_shell(struct buf *to) {
    buf_put(to, S("  Commands:\n"));
    put_commands(to, "");
    put_row(to, "", S("o/options"), S("List the options and their values"));
    put_row(to, "", S("q/quit/exit/^D"), S("Leave"));
    put_options(to, "");
    buf_put(to, S("\n  :   Clear focus, ignore, hide, tagfocus and tagignore\n\n"
                  "  type \"help <cmd|option>\" for more\n"));
}
