// driver/complete.c - what the word being typed may become.
// Room: see complete.h. Door: driver/driver.h.
#include "driver/complete.h"

#include "driver/commands.h"
#include "driver/settings.h"

#include <ctype.h>
#include <string.h>

enum { MAX_CANDIDATES = 10000 }; // more than anybody reads; a page of them is shown at most

struct list {
    struct arena *arena;
    str *items;
    size_t n, cap;
};

static void list_add(struct list *l, str s) {
    if (l->n >= MAX_CANDIDATES) return;
    GROW(l->arena, l->items, l->cap, l->n + 1);
    l->items[l->n++] = s;
}

static void add_prefixed(struct list *l, str name, str prefix, const char *after) {
    if (!str_starts(name, prefix)) return;
    str parts[] = {name, str_of(after)};
    list_add(l, str_join(l->arena, parts, 2, S("")));
}

// Commands and options. for_help: as help's argument, where options take no '='.
static void add_names(struct list *l, str prefix, bool for_help) {
    static const str words[] = {S("exit"), S("help"), S("options"), S("quit")};
    for (size_t i = 0; i < N_COMMANDS; i++) add_prefixed(l, commands[i].name, prefix, "");
    for (size_t i = 0; i < N_OPTIONS; i++)
        add_prefixed(l, option_table[i].name, prefix, for_help ? "" : "=");
    for (size_t i = 0; i < N_CHOICES; i++)
        add_prefixed(l, choice_table[i].name, prefix, for_help ? "" : "=true");
    if (for_help) return;
    for (size_t i = 0; i < countof(words); i++) add_prefixed(l, words[i], prefix, "");
}

static void add_values(struct list *l, const struct profile *p, const struct option *opt,
                       str prefix) {
    if (opt->type == OPTION_BOOL) {
        add_prefixed(l, S("false"), prefix, "");
        add_prefixed(l, S("true"), prefix, "");
    }
    for (size_t i = 0; i < N_CHOICES; i++)
        if (&option_table[choice_table[i].option] == opt)
            add_prefixed(l, choice_table[i].name, prefix, "");
    if (opt != &option_table[OPT_sample_index]) return;
    for (u32 i = 0; i < p->n_types; i++)
        add_prefixed(l, profile_str(p, p->sample_types[i].type), prefix, "");
}

// A name as one token of the shell and as an expression: no blanks, no operators.
static str name_as_regex(struct arena *out, str dash, str name) {
    struct buf b = buf_new(out, dash.len + name.len * 2 + 1);
    buf_put(&b, dash);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        if (isspace((unsigned char)c))
            c = '.';
        else if (strchr("\\.+*?()|[]{}^$", c))
            buf_byte(&b, '\\');
        buf_byte(&b, c);
    }
    return buf_str(&b);
}

static void add_functions(struct list *l, const struct profile *p, str word) {
    str dash = str_starts(word, S("-")) ? S("-") : S("");
    str part = str_skip(word, dash.len);
    struct strmap seen;
    strmap_init(&seen, l->arena);
    for (u32 i = 0; i < p->n_functions; i++) {
        str name = profile_str(p, p->functions[i].name);
        str text = name_as_regex(l->arena, dash, name);
        // What was completed before is an expression already.
        if (!str_contains(name, part) && !str_contains(text, part)) continue;
        u32 *place = strmap_at(&seen, text);
        if (*place != U32_NONE) continue;
        *place = 1;
        list_add(l, text);
    }
}

// "json tr": the reports that have rows of that form.
static void add_reports(struct list *l, str form_name, str prefix) {
    const struct command *form = command_find(form_name);
    if (!form || !command_form(form)) return;
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (command_takes_form(&commands[i], command_form(form), NULL))
            add_prefixed(l, commands[i].name, prefix, "");
    }
}

static int str_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    return str_cmp(*(const str *)a, *(const str *)b);
}

static bool is_command_with_functions(str first) {
    while (first.len && isdigit((unsigned char)first.p[first.len - 1]))
        first = str_take(first, first.len - 1);
    const struct command *c = command_find(first);
    return c && c->kind != REPORT_TAGS;
}

void complete_line(struct arena *out, const struct profile *p, str line, struct completion *ret) {
    struct list l = {.arena = out};
    size_t word_at = line.len;
    while (word_at && !isspace((unsigned char)line.p[word_at - 1])) word_at--;
    str word = str_skip(line, word_at), before = str_trim(str_take(line, word_at)), first, rest;
    str name, value;
    str_cut(before, ' ', &first, &rest);
    const struct option *opt = str_cut(word, '=', &name, &value) ? option_find(name) : NULL;
    if (!before.len && opt) {
        word_at += name.len + 1;
        add_values(&l, p, opt, value);
    } else if (!before.len) {
        add_names(&l, word, false);
    } else if (str_eq(before, S("help"))) {
        add_names(&l, word, true);
    } else if (is_command_with_functions(first)) {
        if (!rest.len) add_reports(&l, before, word);
        add_functions(&l, p, word);
    }
    sort_stable(out, l.items, l.n, sizeof *l.items, str_order, NULL);
    *ret = (struct completion){.word_at = word_at, .candidates = l.items, .n = l.n};
}

str completion_prefix(const struct completion *c) {
    if (!c->n) return S("");
    str prefix = c->candidates[0];
    for (size_t i = 1; i < c->n; i++) {
        size_t n = 0, most = prefix.len < c->candidates[i].len ? prefix.len : c->candidates[i].len;
        while (n < most && prefix.p[n] == c->candidates[i].p[n]) n++;
        prefix = str_take(prefix, n);
    }
    return prefix;
}
