// web/state.c - the query of a URL as options, and back.
// Room: see state.h. Door: web/state.h. Source: reference/pprof.md section 6, URL parameters.
#include "web/state.h"

static bool is_expression_key(const struct option *opt) {
    return opt == &option_table[OPT_focus];
}

static bool set_option(struct arena *out, struct options *o, const struct option *opt, str value,
                       str *where, struct err *err) {
    if (option_set(out, o, opt, value, err)) return true;
    *where = opt->url_key;
    return false;
}

bool state_read(struct arena *out, const struct options *command_line, const struct query *q,
                bool keeps_f, struct options *ret, str *where, struct err *err) {
    struct options o = options_default();
    o.view.source_path = command_line->view.source_path;
    o.view.trim_path = command_line->view.trim_path;
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option *opt = &option_table[i];
        if (!opt->url_key.len || (keeps_f && is_expression_key(opt))) continue;
        str value = query_get(q, opt->url_key);
        if (value.len && !set_option(out, &o, opt, value, where, err)) return false;
    }
    *ret = o;
    return true;
}

static str shown(struct arena *out, const struct options *o, const struct option *opt) {
    struct buf b = buf_new(out, SIZE_MAX);
    option_show(o, opt, &b);
    return buf_str(&b);
}

// What was changed of an option, or the empty text.
static str changed(struct arena *out, const struct options *o, const struct option *opt) {
    struct options defaults = options_default();
    str value = shown(out, o, opt);
    return str_eq(value, shown(out, &defaults, opt)) ? S("") : value;
}

// As the original writes them.
static str url_value(const struct option *opt, str value) {
    if (opt->type != OPTION_BOOL) return value;
    return str_eq(value, S("true")) ? S("t") : S("f");
}

str state_query(struct arena *out, const struct options *o) {
    struct buf b = buf_new(out, SIZE_MAX);
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option *opt = &option_table[i];
        str value = opt->url_key.len ? changed(out, o, opt) : S("");
        if (value.len) query_put(&b, opt->url_key, url_value(opt, value));
    }
    return buf_str(&b);
}

void put_shell_word(struct buf *b, str s) {
    static const str plain =
        S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-=+./:,@%");
    bool is_plain = s.len > 0;
    for (size_t i = 0; i < s.len; i++) is_plain &= str_find_byte(plain, s.p[i]) >= 0;
    if (!is_plain) buf_byte(b, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '\'')
            buf_put(b, S("'\\''"));
        else
            buf_byte(b, s.p[i]);
    }
    if (!is_plain) buf_byte(b, '\'');
}

void state_flags(struct buf *b, const struct options *o) {
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option *opt = &option_table[i];
        AUTO_ARENA struct arena scratch = arena_sub(b->arena);
        str value = changed(&scratch, o, opt);
        if (!value.len) continue;
        bool is_choice = opt->type == OPTION_SORT || opt->type == OPTION_GRANULARITY;
        bool is_yes = opt->type == OPTION_BOOL && str_eq(value, S("true"));
        str parts[] = {S("-"), is_choice ? value : opt->name, S("="), value};
        buf_byte(b, ' ');
        put_shell_word(b, str_join(&scratch, parts, is_choice || is_yes ? 2 : 4, S("")));
    }
}

// Sentences name the option: "parsing focus regexp: ...", "sample_index 7 is outside ...".
str state_where(const struct err *err) {
    str text = str_of(err->text), word, rest;
    if (str_contains(text, S("argument regexp")) ||
        str_starts(text, S("no matches found for regexp")))
        return S("f");
    str_cut(str_drop_prefix(text, S("parsing ")), ' ', &word, &rest);
    const struct option *opt = option_find(word);
    return opt ? opt->url_key : S("");
}
