// driver/shell_line.c - one line of the shell as a value.
// Room: see shell_line.h. Door: driver/driver.h.
#include "driver/shell_line.h"

#include "view/view.h"

#include <ctype.h>

enum {
    MAX_TOKENS = 1024,    // more words than anybody types; the rest of a line is ignored
    SHELL_TOP_NODES = 10, // top without a number, as the original's shell
};

static str pair_join(struct arena *out, str a, str b) {
    str parts[] = {a, b};
    return str_join(out, parts, 2, S(""));
}

size_t shell_expand(struct arena *out, const struct profile *p, str line,
                    str expanded[MAX_EXPANSION]) {
    static const str clearing[] = {S("focus="), S("ignore="), S("hide="), S("tagfocus="),
                                   S("tagignore=")};
    line = str_trim(line);
    if (str_eq(line, S(":"))) {
        for (size_t i = 0; i < countof(clearing); i++) expanded[i] = clearing[i];
        return countof(clearing);
    }
    for (u32 i = 0; i < p->n_types; i++) {
        str type = profile_str(p, p->sample_types[i].type);
        bool is_total = str_eq(line, pair_join(out, S("total_"), type));
        bool is_mean = str_eq(line, pair_join(out, S("mean_"), type));
        if (!is_total && !is_mean && !str_eq(line, type)) continue;
        size_t n = 0;
        if (is_total) expanded[n++] = S("mean=0");
        if (is_mean) expanded[n++] = S("mean=1");
        expanded[n++] = pair_join(out, S("sample_index="), type);
        return n;
    }
    expanded[0] = line;
    return 1;
}

// What is right of the '=', without a comment as "o" prints them.
static str assigned_value(str text) {
    for (size_t i = text.len; i-- > 0;)
        if (str_starts(str_skip(text, i), S("//:"))) return str_trim(str_take(text, i));
    return str_trim(text);
}

static bool set_sample_index(struct arena *out, const struct profile *p, struct options *o,
                             str value, struct err *err) {
    u32 i;
    if (!view_sample_index(p, value, &i, err)) return false;
    return option_set(out, o, &option_table[OPT_sample_index],
                      profile_str(p, p->sample_types[i].type), err);
}

// NAME=VALUE, or a lone NAME that can be true. *is_one: it was an assignment, right or wrong.
static bool read_assignment(struct arena *out, const struct profile *p, str line, struct options *o,
                            bool *is_one, struct err *err) {
    str name, value;
    bool has_value = str_cut(line, '=', &name, &value);
    name = str_trim(name);
    const struct option *opt = option_find(name);
    *is_one = opt || choice_find(name);
    if (!*is_one) return true;
    if (!has_value && opt && opt->type != OPTION_BOOL)
        return err_set(err, ERR_USAGE, 0, "please specify a value, e.g. " S_FMT "=<val>",
                       S_ARG(name));
    value = assigned_value(value);
    if (opt == &option_table[OPT_sample_index]) return set_sample_index(out, p, o, value, err);
    return options_assign(out, o, name, value, err);
}

static size_t split_blanks(struct arena *out, str line, str **ret) {
    str *tokens = NEW(out, str, MAX_TOKENS);
    size_t n = 0, at = 0;
    while (at < line.len && n < MAX_TOKENS) {
        size_t from = at;
        while (at < line.len && !isspace((unsigned char)line.p[at])) at++;
        if (at > from) tokens[n++] = str_take(str_skip(line, from), at - from);
        at++;
    }
    *ret = tokens;
    return n;
}

static bool err_unknown(str name, str arg, struct err *err) {
    if (option_find(name) || choice_find(name))
        return err_set(err, ERR_USAGE, 0, "did you mean: " S_FMT "=" S_FMT, S_ARG(name),
                       S_ARG(arg.len ? arg : S("<val>")));
    AUTO_ARENA struct arena scratch = {0};
    struct buf b = buf_new(&scratch, ERR_TEXT_CAP);
    num_quote(&b, name);
    str quoted = buf_str(&b);
    return err_set(err, ERR_USAGE, 0, "unrecognized command: " S_FMT, S_ARG(quoted));
}

// "top10" is top with 10. *digits gets them; empty where the word is a command as it is.
static const struct command *find_with_digits(str *word, str *digits) {
    const struct command *c = command_find(*word);
    *digits = S("");
    if (c) return c;
    size_t n = word->len;
    while (n && isdigit((unsigned char)word->p[n - 1])) n--;
    if (n == 0 || n == word->len) return NULL;
    *digits = str_skip(*word, n);
    *word = str_take(*word, n);
    return command_find(*word);
}

static str regex_or(struct arena *out, str a, str b) {
    str parts[] = {a, b};
    if (!a.len || !b.len) return a.len ? a : b;
    return str_join(out, parts, 2, S("|"));
}

struct report_words {
    str focus, ignore;
};

// What may follow a command: a number, >file, -cum, -ignore, focus.
static bool read_words(struct arena *out, const str *words, size_t n, struct options *o,
                       struct report_words *ret, struct err *err) {
    for (size_t i = 0; i < n; i++) {
        str w = words[i];
        i64 count;
        if (num_parse_i64(w, 10, &count) && count >= INT32_MIN && count <= INT32_MAX) {
            o->graph.nodecount = count;
        } else if (w.p[0] == '>') {
            str file = str_skip(w, 1);
            if (!file.len && ++i >= n)
                return err_set(err, ERR_USAGE, 0, "unexpected end of line after >");
            o->driver.output = str_copy(out, file.len ? file : words[i]);
        } else if (str_eq(w, S("-cum")) || str_eq(w, S("--cum"))) {
            o->graph.sort = SORT_CUM;
        } else if (w.p[0] == '-') {
            ret->ignore = regex_or(out, ret->ignore, str_skip(w, 1));
        } else {
            ret->focus = regex_or(out, ret->focus, w);
        }
    }
    return true;
}

static bool read_report(struct arena *out, const str *tokens, size_t n, struct shell_line *ret,
                        struct err *err) {
    str name = tokens[0], digits;
    const struct command *c = find_with_digits(&name, &digits);
    if (!c) return err_unknown(name, digits.len ? digits : n > 1 ? tokens[1] : S(""), err);
    // The digits stand in front of the other words: "list10" lists what matches "10".
    str *words = NEW(out, str, n + 1);
    size_t n_words = 0, at = 0;
    if (digits.len) words[n_words++] = digits;
    for (size_t i = 1; i < n; i++) words[n_words++] = tokens[i];
    ret->kind = LINE_REPORT;
    ret->form = command_form(c);
    // "json peek foo": another report's rows.
    const struct command *of = ret->form && n_words ? command_find(words[0]) : NULL;
    if (of) {
        if (!command_takes_form(of, ret->form, err)) return false;
        c = of;
        at = 1;
    }
    ret->command = c;
    if (c->arg == ARG_REGEXP) {
        if (at >= n_words)
            return err_set(err, ERR_USAGE, 0, "command " S_FMT " requires an argument",
                           S_ARG(c->name));
        ret->arg = words[at++];
    }
    struct report_words given = {0};
    if (!read_words(out, words + at, n_words - at, &ret->options, &given, err)) return false;
    struct view_opts *v = &ret->options.view;
    bool is_tags = c == &commands[CMD_tags];
    if (given.focus.len) *(is_tags ? &v->tagfocus : &v->focus) = str_copy(out, given.focus);
    if (given.ignore.len) *(is_tags ? &v->tagignore : &v->ignore) = str_copy(out, given.ignore);
    if (c->kind == REPORT_TEXT && !ret->form && ret->options.graph.nodecount == -1)
        ret->options.graph.nodecount = SHELL_TOP_NODES;
    return true;
}

bool shell_line_read(struct arena *out, const struct profile *p, const struct options *session,
                     str line, struct shell_line *ret, struct err *err) {
    struct shell_line l = {.kind = LINE_EMPTY, .options = *session};
    bool is_assignment;
    if (!read_assignment(out, p, line, &l.options, &is_assignment, err)) return false;
    str *tokens;
    size_t n = split_blanks(out, line, &tokens);
    if (is_assignment) {
        l.kind = LINE_ASSIGNMENT;
    } else if (n == 0) {
        l.kind = LINE_EMPTY;
    } else if (str_eq(tokens[0], S("o")) || str_eq(tokens[0], S("options"))) {
        l.kind = LINE_OPTIONS;
    } else if (str_eq(tokens[0], S("q")) || str_eq(tokens[0], S("quit")) ||
               str_eq(tokens[0], S("exit"))) {
        l.kind = LINE_QUIT;
    } else if (str_eq(tokens[0], S("help"))) {
        l.kind = LINE_HELP;
        l.arg = str_join(out, tokens + 1, n - 1, S(" "));
    } else if (!read_report(out, tokens, n, &l, err)) {
        return false;
    }
    *ret = l;
    return true;
}
