// web/profile.c - the server of a profile: its routes, and what every request of it begins with.
// Room: see profile.h; the answers are api_*.c. Door: web/web.h (web_profile).
#include "web/profile.h"

enum { MAX_MESSAGES = 64 << 10 };

static const struct web_route routes[] = {
#define PAGE(path_) {.path = S(path_)},
#define ROUTE(kind_, path_, handler_) {.path = S(path_), .kind = WEB_##kind_, .run = handler_},
#include "web/routes.def"
#undef PAGE
#undef ROUTE
};

static bool borrow(struct asked *a) {
    const struct query *q = &a->rq->query;
    i64 id, base_id;
    a->reply->where = S("src");
    if (!query_number(q, S("src"), 1, INT64_MAX, 0, &id, a->err)) return false;
    a->reply->where = S("base");
    if (!query_number(q, S("base"), 1, INT64_MAX, 0, &base_id, a->err)) return false;
    a->reply->where = base_id ? S("base") : S("src");
    if (!kept_borrow(a->site->sources, id, base_id, a->options.driver.normalize, &a->source,
                     a->err)) {
        if (a->err->code == ERR_NOT_FOUND) a->reply->status = 404;
        return false;
    }
    a->reply->where = S("");
    return true;
}

bool asked_open(struct web_request *rq, struct web_reply *reply, bool keeps_f, struct asked *ret,
                struct err *err) {
    *ret = (struct asked){.rq = rq, .reply = reply, .site = rq->ctx, .err = err};
    ret->messages = buf_new(rq->arena, MAX_MESSAGES);
    return state_read(rq->arena, &ret->site->cli->options, &rq->query, keeps_f, &ret->options,
                      &reply->where, err) &&
           borrow(ret);
}

void asked_close(struct asked *a) {
    kept_return(a->site->sources, a->source);
}

bool asked_regex(struct asked *a, str key, struct regex **ret) {
    str text = query_get(&a->rq->query, key);
    *ret = NULL;
    if (!text.len || regex_compile(a->rq->arena, text, ret, a->err)) return true;
    a->reply->where = key;
    return false;
}

void asked_put_warnings(const struct asked *a, struct json *j) {
    json_key(j, "warnings");
    json_lines(j, buf_str(&a->messages));
}

bool profile_site_open(struct arena *out, const struct cli *cli, const struct profile *p,
                       const struct ui *ui, struct profile_site *ret, struct web_site *ret_web,
                       struct err *err) {
    *ret =
        (struct profile_site){.cli = cli, .is_made = !p, .configs_lock = PTHREAD_MUTEX_INITIALIZER};
    *ret_web = (struct web_site){.routes = routes,
                                 .n_routes = countof(routes),
                                 .ctx = ret,
                                 .page = S("/profile.html"),
                                 .first = S("/api/flame"),
                                 .home = state_query(out, &cli->options)};
    return kept_init(out, cli, p, ui, &ret->sources, err);
}

int web_profile(const struct cli *cli, const struct profile *p, const struct ui *ui) {
    AUTO_ARENA struct arena arena = {0};
    struct profile_site site;
    struct web_site web;
    struct err err = {0};
    if (!profile_site_open(&arena, cli, p, ui, &site, &web, &err)) {
        ui_error(ui, "pprof: %s", err.text);
        return EXIT_ERROR;
    }
    struct web_place place = {.address = cli->flags.http,
                              .allowed = &cli->flags.allow_host,
                              .opens_browser = !cli->flags.no_browser && ui->is_terminal};
    return web_serve(&place, &web, ui);
}
