// web/api_meta.c - what is not in a profile: options, commands, sources, the command line.
// Room: tables of driver/ as JSON. Door: web/profile.h. The forms are in docs/api.md.
#include "web/profile.h"

static const char *type_name(enum option_type type) {
    switch (type) {
    case OPTION_BOOL:
        return "bool";
    case OPTION_INT:
        return "int";
    case OPTION_FLOAT:
        return "float";
    case OPTION_STR:
        return "string";
    case OPTION_GRANULARITY:
    case OPTION_SORT:
        return "choice";
    }
    return "string";
}

static void put_choice(struct json *j, str name, str help) {
    json_open(j, '{');
    json_key_text(j, "name", name);
    json_key_text(j, "help", help);
    json_close(j, '}');
}

static void put_choices(struct json *j, const struct option *opt, const struct profile *p) {
    json_key(j, "choices");
    json_open(j, '[');
    for (size_t i = 0; i < N_CHOICES; i++) {
        const struct choice *c = &choice_table[i];
        if (&option_table[c->option] == opt) put_choice(j, c->name, c->help);
    }
    if (opt == &option_table[OPT_sample_index])
        for (u32 i = 0; i < p->n_types; i++)
            put_choice(j, profile_str(p, p->sample_types[i].type),
                       profile_str(p, p->sample_types[i].unit));
    json_close(j, ']');
}

static void put_option(struct json *j, const struct option *opt, const struct profile *p) {
    struct options defaults = options_default();
    struct buf value = buf_new(j->to->arena, 1024);
    option_show(&defaults, opt, &value);
    json_open(j, '{');
    json_key_text(j, "name", opt->name);
    json_key_text(j, "key", opt->url_key);
    json_key_text(j, "type", str_of(type_name(opt->type)));
    json_key_text(j, "default", buf_str(&value));
    json_key_bool(j, "is_saved", opt->is_saved);
    json_key_text(j, "help", opt->help);
    put_choices(j, opt, p);
    json_close(j, '}');
}

static bool options(struct asked *a) {
    struct json j = {.to = &a->reply->body};
    json_open(&j, '{');
    json_key(&j, "options");
    json_open(&j, '[');
    for (size_t i = 0; i < N_OPTIONS; i++) put_option(&j, &option_table[i], &a->source->profile);
    json_close(&j, ']');
    json_key(&j, "commands");
    json_open(&j, '[');
    for (size_t i = 0; i < N_COMMANDS; i++) {
        json_open(&j, '{');
        json_key_text(&j, "name", commands[i].name);
        json_key_text(&j, "takes", commands[i].arg == ARG_REGEXP ? S("regexp") : S(""));
        json_key_text(&j, "help", commands[i].help);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
    return true;
}
HANDLER(api_options, false, options)

static str source_name(struct arena *out, const struct cli *cli) {
    return str_join(out, cli->sources, cli->n_sources, S(" "));
}

// Standard input has been read to its end, and profiles of a trace are made of it.
static bool can_refresh(const struct profile_site *site) {
    const struct cli *cli = site->cli;
    if (site->is_made) return false;
    for (size_t i = 0; i < cli->n_sources + cli->n_bases; i++) {
        bool is_base = i >= cli->n_sources;
        str word = is_base ? cli->bases[i - cli->n_sources] : cli->sources[i];
        if (str_eq(word, S("-")) || str_eq(word, S("/dev/stdin"))) return false;
    }
    return cli->n_sources > 0;
}

static bool put_sources(struct web_request *rq, struct web_reply *reply) {
    struct profile_site *site = rq->ctx;
    struct source_list list;
    struct json j = {.to = &reply->body};
    kept_list(site->sources, rq->arena, &list);
    json_open(&j, '{');
    json_key(&j, "sources");
    json_open(&j, '[');
    for (size_t i = 0; i < list.n; i++) {
        const struct source_info *s = &list.items[i];
        json_open(&j, '{');
        json_key_i64(&j, "id", s->id);
        json_key_text(&j, "name", source_name(rq->arena, site->cli));
        json_key_i64(&j, "fetched_nanos", s->fetched_nanos);
        json_key_i64(&j, "total", s->total);
        json_key_i64(&j, "n_samples", s->n_samples);
        json_key_bool(&j, "is_newest", s->is_newest);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_key_bool(&j, "can_refresh", can_refresh(site));
    json_key_bool(&j, "is_refreshing", list.is_refreshing);
    json_key_text(&j, "error", list.error);
    json_close(&j, '}');
    return true;
}

bool api_sources(struct web_request *rq, struct web_reply *reply, struct err *err) {
    (void)err;
    return put_sources(rq, reply);
}

bool api_refresh(struct web_request *rq, struct web_reply *reply, struct err *err) {
    struct profile_site *site = rq->ctx;
    if (!can_refresh(site)) {
        reply->status = 409;
        return err_set(err, ERR_UNSUPPORTED, 0, "this source cannot be loaded again");
    }
    (void)kept_refresh(site->sources); // one that runs already is as good
    return put_sources(rq, reply);
}

static void put_bases(struct buf *b, const struct cli *cli) {
    for (size_t i = 0; i < cli->n_bases; i++) {
        buf_put(b, cli->is_diff_base ? S(" -diff_base=") : S(" -base="));
        put_shell_word(b, cli->bases[i]);
    }
}

static bool command(struct asked *a) {
    const struct cli *cli = a->site->cli;
    struct buf line = buf_new(a->rq->arena, SIZE_MAX);
    struct json j = {.to = &a->reply->body};
    buf_put(&line, S("pprof"));
    state_flags(&line, &a->options);
    put_bases(&line, cli);
    buf_put(&line, S(" -http=:"));
    if (cli->binary.len) buf_byte(&line, ' ');
    if (cli->binary.len) put_shell_word(&line, cli->binary);
    for (size_t i = 0; i < cli->n_sources; i++) {
        buf_byte(&line, ' ');
        put_shell_word(&line, cli->sources[i]);
    }
    json_open(&j, '{');
    json_key_text(&j, "command", buf_str(&line));
    json_key_text(&j, "query", state_query(a->rq->arena, &a->options));
    json_close(&j, '}');
    return true;
}
HANDLER(api_command, false, command)
