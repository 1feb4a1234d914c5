// driver/shell.c - the shell's loop.
// Room: see shell.h. Door: driver/driver.h.
#include "driver/shell.h"

#include "driver/cli.h"
#include "driver/output.h"
#include "driver/pipeline.h"
#include "driver/shell_line.h"
#include "driver/terminal.h"
#include "view/view.h"

enum { MAX_HELP_BYTES = 64 << 10 };

struct shell {
    struct arena *arena; // of the session: options keep their strings here
    const struct profile *p;
    struct options options;
    struct ui ui;
    struct shown_files shown;
};

static void greet(struct shell *sh) {
    AUTO_ARENA struct arena scratch = arena_sub(sh->arena);
    struct buf b = buf_new(&scratch, MAX_HELP_BYTES);
    struct err err = {0};
    i64 total;
    if (pipeline_greeting(&scratch, sh->p, &sh->options, &b, &total, &err)) {
        if (buf_str(&b).len) ui_text(&sh->ui, buf_str(&b));
        if (total == 0 && sh->p->n_types > 1)
            ui_text(&sh->ui, S("No samples were found with the default sample value type.\n"
                               "Try \"sample_index\" command to analyze different sample "
                               "values.\n"));
    }
    ui_text(&sh->ui,
            S("Entering interactive mode (type \"help\" for commands, \"o\" for options)"));
}

// "[a | b]": the choices of an option, by name, or the profile's sample types.
static void put_alternatives(const struct shell *sh, const struct option *opt, struct buf *b) {
    size_t n = 0;
    if (opt == &option_table[OPT_sample_index]) {
        for (u32 i = 0; i < sh->p->n_types; i++)
            buf_printf(b, "%s" S_FMT, n++ ? " | " : "",
                       S_ARG(profile_str(sh->p, sh->p->sample_types[i].type)));
        return;
    }
    str last = S("");
    for (;;) { // the next name in order, as often as there is one
        const struct choice *next = NULL;
        for (size_t i = 0; i < N_CHOICES; i++) {
            const struct choice *c = &choice_table[i];
            if (&option_table[c->option] != opt || str_cmp(c->name, last) <= 0) continue;
            if (!next || str_cmp(c->name, next->name) < 0) next = c;
        }
        if (!next) return;
        buf_printf(b, "%s" S_FMT, n++ ? " | " : "", S_ARG(next->name));
        last = next->name;
    }
}

static str shown_value(struct arena *scratch, const struct shell *sh, const struct option *opt) {
    struct buf b = buf_new(scratch, MAX_HELP_BYTES);
    option_show(&sh->options, opt, &b);
    u32 type_i;
    if (b.len) return buf_str(&b);
    if (opt == &option_table[OPT_sample_index] && view_sample_index(sh->p, S(""), &type_i, NULL) &&
        type_i < sh->p->n_types)
        return profile_str(sh->p, sh->p->sample_types[type_i].type);
    return opt->type == OPTION_GRANULARITY ? S("(default)") : S("\"\"");
}

// "  name                      = value                //: [choices]"
static str option_row(struct arena *scratch, const struct shell *sh, const struct option *opt) {
    struct buf b = buf_new(scratch, MAX_HELP_BYTES), alternatives = buf_new(scratch, 4096);
    str value = shown_value(scratch, sh, opt);
    buf_put(&b, S("  "));
    buf_pad(&b, opt->name, -25);
    buf_put(&b, S(" = "));
    buf_pad(&b, value, -20);
    buf_byte(&b, ' ');
    put_alternatives(sh, opt, &alternatives);
    if (alternatives.len) buf_printf(&b, "//: [" S_FMT "]", S_ARG(buf_str(&alternatives)));
    if (opt == &option_table[OPT_nodecount] && sh->options.graph.nodecount == -1)
        buf_put(&b, S("//: default"));
    return buf_str(&b);
}

static int row_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    return str_cmp(*(const str *)a, *(const str *)b);
}

static void show_options(const struct shell *sh) {
    AUTO_ARENA struct arena scratch = arena_sub(sh->arena);
    str rows[N_OPTIONS];
    size_t n = 0;
    for (size_t i = 0; i < N_OPTIONS; i++)
        if (i != OPT_source_path) rows[n++] = option_row(&scratch, sh, &option_table[i]);
    sort_stable(&scratch, rows, n, sizeof *rows, row_order, NULL);
    ui_text(&sh->ui, str_join(&scratch, rows, n, S("\n")));
}

static void show_help(const struct shell *sh, str of) {
    AUTO_ARENA struct arena scratch = arena_sub(sh->arena);
    struct buf b = buf_new(&scratch, MAX_HELP_BYTES);
    const struct command *c = command_find(of);
    const struct option *opt = option_find(of);
    const struct choice *choice = choice_find(of);
    if (!of.len) {
        usage_of_shell(&b);
    } else if (c) {
        command_help(c, &b);
    } else if (opt) {
        buf_put(&b, opt->help);
        buf_byte(&b, '\n');
        buf_put(&b, option_row(&scratch, sh, opt));
    } else if (choice) {
        buf_printf(&b, S_FMT "\nSet it by " S_FMT "=true, or " S_FMT "=" S_FMT, S_ARG(choice->help),
                   S_ARG(of), S_ARG(option_table[choice->option].name), S_ARG(of));
    } else {
        ui_error(&sh->ui, "Unknown command: " S_FMT, S_ARG(of));
        return;
    }
    ui_text(&sh->ui, buf_str(&b));
}

// One expanded line. False: leave.
static bool do_line(struct shell *sh, str text) {
    AUTO_ARENA struct arena scratch = arena_sub(sh->arena);
    struct shell_line line;
    struct err err = {0};
    // Options must outlive the line; a session's assignments are few and short.
    if (!shell_line_read(sh->arena, sh->p, &sh->options, text, &line, &err)) {
        ui_error(&sh->ui, "%s", err.text);
        return true;
    }
    switch (line.kind) {
    case LINE_EMPTY:
        return true;
    case LINE_QUIT:
        return false;
    case LINE_ASSIGNMENT:
        sh->options = line.options;
        return true;
    case LINE_OPTIONS:
        show_options(sh);
        return true;
    case LINE_HELP:
        show_help(sh, line.arg);
        return true;
    case LINE_REPORT:
        break;
    }
    struct report_order order = {line.command, line.form, line.arg, &line.options};
    if (!output_report(&scratch, sh->p, &order, &sh->ui, &sh->shown, &err))
        ui_error(&sh->ui, "%s", err.text);
    return true;
}

static bool do_input(struct shell *sh, str text) {
    AUTO_ARENA struct arena scratch = arena_sub(sh->arena);
    str expanded[MAX_EXPANSION];
    size_t n = shell_expand(&scratch, sh->p, text, expanded);
    for (size_t i = 0; i < n; i++)
        if (!do_line(sh, expanded[i])) return false;
    return true;
}

void shell_run(struct arena *out, const struct profile *p, const struct options *options,
               const struct ui *ui) {
    struct shell *sh = NEW(out, struct shell, 1);
    *sh = (struct shell){.arena = out, .p = p, .options = *options, .ui = *ui};
    sh->options.report.compact_labels = true;
    sh->ui.is_shell = true;
    sh->shown.arena = out;
    greet(sh);
    struct terminal term;
    terminal_open(out, p, &term);
    str line;
    while (terminal_read(&term, &line))
        if (!do_input(sh, line)) break;
    terminal_close(&term);
    shown_files_remove(&sh->shown);
}
