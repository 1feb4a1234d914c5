// driver/driver.c - from the command line to the exit status.
// Room: see driver.h. Door: driver_main(), at the end.
#include "driver/driver.h"

#include <string.h>

enum { MAX_USAGE_BYTES = 64 << 10 };

static const struct {
    const char *name;
    int (*run)(int argc, char *const *argv, const struct driver_pages *pages, const struct ui *ui);
} subcommands[] = {
#define SUBCOMMAND(name, arguments, help) {#name, driver_##name},
#include "driver/subcommands.def"
#undef SUBCOMMAND
};

static void show_usage(struct arena *scratch, const struct ui *ui) {
    struct buf b = buf_new(scratch, MAX_USAGE_BYTES);
    usage_of_program(&b);
    ui_text(ui, buf_str(&b));
}

static int fail(const struct ui *ui, const struct err *err) {
    ui_say(ui, "pprof: %s", err->text);
    return EXIT_ERROR;
}

static int report_once(struct arena *out, const struct cli *cli, const struct profile *p,
                       const struct ui *ui) {
    struct report_order order = {cli->command, cli->form, cli->command_arg, &cli->options};
    struct shown_files *shown = NEW(out, struct shown_files, 1);
    struct err err = {0};
    shown->arena = out;
    bool is_ok = output_report(out, p, &order, ui, shown, &err);
    shown_files_remove(shown);
    return is_ok ? 0 : fail(ui, &err);
}

static int analyze(struct arena *out, const struct cli *cli, const struct ui *ui,
                   const struct driver_pages *pages) {
    struct profile p;
    struct err err = {0};
    if (cli->notes.len) ui_text(ui, cli->notes);
    if (cli->flags.http.len && !pages) {
        err_set(&err, ERR_UNSUPPORTED, 0, "-http: this pprof was built without web pages");
        return fail(ui, &err);
    }
    if (!sources_load(out, cli, ui, &p, &err)) return fail(ui, &err);
    if (cli->command) return report_once(out, cli, &p, ui);
    if (cli->flags.http.len) return pages->profile(cli, &p, ui);
    shell_run(out, &p, &cli->options, ui);
    return 0;
}

int driver_main(int argc, char *const *argv, const struct driver_pages *pages) {
    struct ui ui = ui_of_process();
    for (size_t i = 0; argc > 1 && i < countof(subcommands); i++)
        if (!strcmp(argv[1], subcommands[i].name))
            return subcommands[i].run(argc - 1, argv + 1, pages, &ui);
    AUTO_ARENA struct arena arena = {0};
    struct cli cli;
    struct err err = {0};
    switch (cli_parse(&arena, argc, argv, &cli, &err)) {
    case CLI_OK:
        return analyze(&arena, &cli, &ui, pages);
    case CLI_HELP:
        show_usage(&arena, &ui);
        return 0;
    case CLI_BAD_FLAG:
        ui_say(&ui, "%s", err.text);
        show_usage(&arena, &ui);
        return EXIT_ERROR;
    case CLI_WITHOUT_SOURCE:
        show_usage(&arena, &ui);
        return fail(&ui, &err);
    case CLI_BAD:
        return fail(&ui, &err);
    }
    return EXIT_ERROR;
}
