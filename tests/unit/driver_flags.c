// tests/unit/driver_flags.c - the command line means what Go's flag package says it means.
#include "unit.h"

#include "driver/cli.h"

static enum cli_end parse(struct unit *t, struct cli *cli, size_t n, char **words) {
    char *argv[16] = {(char[]){"pprof"}};
    for (size_t i = 0; i < n; i++) argv[i + 1] = words[i];
    return cli_parse(t->arena, (int)n + 1, argv, cli, &t->err);
}

#define PARSE(cli, ...)                                                                            \
    parse(t, (cli), sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                        \
          (char **)(uintptr_t)(const char *[]){__VA_ARGS__})

TEST(flags_take_one_or_two_dashes_and_both_kinds_of_value) {
    struct cli cli;
    CHECK_EQ(PARSE(&cli, "-focus", "a b", "--ignore=c=d", "-nodecount=0x10", "--nodefraction",
                   "1e-2", "p"),
             CLI_OK);
    CHECK_STR(cli.options.view.focus, S("a b"));
    CHECK_STR(cli.options.view.ignore, S("c=d"));
    CHECK_EQ(cli.options.graph.nodecount, 16);
    CHECK(cli.options.graph.nodefraction == 0.01);
    CHECK_EQ(cli.n_sources, 1);
    CHECK(!cli.command);
}

TEST(booleans_take_a_value_only_after_an_equals_sign) {
    struct cli cli;
    CHECK_EQ(PARSE(&cli, "-trim=f", "-mean", "false"), CLI_OK);
    CHECK(!cli.options.graph.trim);
    CHECK(cli.options.view.mean);
    CHECK_STR(cli.sources[0], S("false"));
    CHECK_EQ(PARSE(&cli, "-mean=yes", "p"), CLI_BAD_FLAG);
    CHECK_STR(str_of(t->err.text), S("invalid boolean value \"yes\" for -mean: parse error"));
}

TEST(the_last_of_a_repeated_flag_wins) {
    struct cli cli;
    CHECK_EQ(PARSE(&cli, "-unit=ms", "-unit=s", "p"), CLI_OK);
    CHECK_STR(cli.options.report.unit, S("s"));
}

TEST(flags_after_the_first_source_are_sources) {
    struct cli cli;
    CHECK_EQ(PARSE(&cli, "p", "-top"), CLI_OK);
    CHECK(!cli.command);
    CHECK_EQ(cli.n_sources, 2);
    CHECK_EQ(PARSE(&cli, "-raw", "--", "-top"), CLI_OK);
    CHECK(cli.command == &commands[CMD_raw]);
    CHECK_STR(cli.sources[0], S("-top"));
    CHECK_EQ(PARSE(&cli, "-top", "-"), CLI_OK);
    CHECK_STR(cli.sources[0], S("-"));
}

TEST(bad_flags_are_told_in_gos_words) {
    struct cli cli;
    CHECK_EQ(PARSE(&cli, "-nosuchflag"), CLI_BAD_FLAG);
    CHECK_STR(str_of(t->err.text), S("flag provided but not defined: -nosuchflag"));
    CHECK_EQ(PARSE(&cli, "-granularity=lines", "p"), CLI_BAD_FLAG);
    CHECK_STR(str_of(t->err.text), S("flag provided but not defined: -granularity"));
    CHECK_EQ(PARSE(&cli, "-nodecount=x", "p"), CLI_BAD_FLAG);
    CHECK_STR(str_of(t->err.text), S("invalid value \"x\" for flag -nodecount: parse error"));
    CHECK_EQ(PARSE(&cli, "-nodecount=-99999999999999999999", "p"), CLI_BAD_FLAG);
    CHECK_STR(str_of(t->err.text),
              S("invalid value \"-99999999999999999999\" for flag -nodecount: value out of range"));
    CHECK_EQ(PARSE(&cli, "-focus"), CLI_BAD_FLAG);
    CHECK_STR(str_of(t->err.text), S("flag needs an argument: -focus"));
    CHECK_EQ(PARSE(&cli, "---x"), CLI_BAD_FLAG);
    CHECK_STR(str_of(t->err.text), S("bad flag syntax: ---x"));
    CHECK_EQ(PARSE(&cli, "-=x"), CLI_BAD_FLAG);
    CHECK_EQ(PARSE(&cli, "-top"), CLI_WITHOUT_SOURCE);
    CHECK_STR(str_of(t->err.text), S("no profile source specified"));
    CHECK_EQ(PARSE(&cli, "-help"), CLI_HELP);
}

TEST(flags_that_exclude_each_other_are_refused) {
    struct cli cli;
    CHECK_EQ(PARSE(&cli, "-top", "-tree", "p"), CLI_BAD);
    CHECK_STR(str_of(t->err.text), S("must set at most one output format"));
    CHECK_EQ(PARSE(&cli, "-peek=x", "-list=y", "p"), CLI_BAD);
    CHECK_EQ(PARSE(&cli, "-lines", "-files", "p"), CLI_BAD);
    CHECK_STR(str_of(t->err.text), S("conflicting options set: [files lines]"));
    CHECK_EQ(PARSE(&cli, "-base=a", "-diff_base=b", "p"), CLI_BAD);
    CHECK_EQ(PARSE(&cli, "-normalize", "p"), CLI_BAD);
    CHECK_STR(str_of(t->err.text), S("must have base profile to normalize by"));
    CHECK_EQ(PARSE(&cli, "-http=:0", "-top", "p"), CLI_BAD);
    CHECK_EQ(PARSE(&cli, "-no_browser", "p"), CLI_BAD);
    CHECK_EQ(PARSE(&cli, "-max_megabytes=0", "p"), CLI_BAD);
}

TEST(an_empty_expression_is_no_command) {
    struct cli cli;
    CHECK_EQ(PARSE(&cli, "-peek=", "p"), CLI_OK);
    CHECK(!cli.command);
    CHECK_EQ(PARSE(&cli, "-peek", "x", "p"), CLI_OK);
    CHECK(cli.command == &commands[CMD_peek]);
    CHECK_STR(cli.command_arg, S("x"));
}

// The original keeps only the last base though it plumbs a list (quirk Q1).
TEST(every_base_counts_and_empty_ones_do_not) {
    struct cli cli;
    CHECK_EQ(PARSE(&cli, "-base=a", "-base=", "-base=b", "p"), CLI_OK);
    CHECK_EQ(cli.n_bases, 2);
    CHECK_STR(cli.bases[1], S("b"));
    CHECK(!cli.is_diff_base);
}

TEST(selectors_of_old_set_the_sample_index_once) {
    struct cli cli;
    CHECK_EQ(PARSE(&cli, "-inuse_space", "-alloc_space", "p"), CLI_OK);
    CHECK_STR(cli.options.view.sample_index, S("inuse_space"));
    CHECK_STR(cli.notes, S("Multiple value selections, ignoring -alloc_space\n"));
    CHECK_EQ(PARSE(&cli, "-mean_delay", "p"), CLI_OK);
    CHECK_STR(cli.options.view.sample_index, S("delay"));
    CHECK(cli.options.view.mean);
}

TEST(a_program_in_front_of_sources_is_the_main_binary) {
    struct cli cli;
    CHECK_EQ(PARSE(&cli, "-top", "/proc/self/exe", "p"), CLI_OK);
    CHECK_STR(cli.binary, S("/proc/self/exe"));
    CHECK_EQ(cli.n_sources, 1);
    CHECK_EQ(PARSE(&cli, "-top", "/proc/self/exe"), CLI_OK);
    CHECK_EQ(cli.binary.len, 0);
}
