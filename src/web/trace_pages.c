// web/trace_pages.c - the site of a trace: its pages, its data, its profiles as files.
// Room: routes. Door: web/web.h.
#include "web/profile.h"
#include "web/trace_live.h"

enum { MAX_SECONDS = 3600 }; // of one recording

// Everything behind the site: the trace, and the profiles that were made of it.
struct trace_site {
    struct trace_live live;
    struct cli cli; // defaults: what a profile's pages begin with
    struct profile_site profiles;
    struct web_site web, profile_web;
};

// Answers from the trace that is shown now, which lives as long as that takes.
static bool ask_shown(struct web_request *rq, struct web_reply *reply, struct err *err,
                      bool (*call)(struct trace_ask *a, struct web_request *rq,
                                   struct web_reply *reply)) {
    struct trace_live *live = &((struct trace_site *)rq->ctx)->live;
    struct trace_shown *shown = trace_live_borrow(live);
    struct trace_ask a = {.view = trace_shown_view(shown),
                          .arena = rq->arena,
                          .out = &reply->body,
                          .err = err,
                          .query = &rq->query};
    bool is_ok = call(&a, rq, reply);
    trace_live_return(live, shown);
    return is_ok;
}

static bool call_route(struct trace_ask *a, struct web_request *rq, struct web_reply *reply) {
    (void)reply;
    return trace_answer(a, str_drop_prefix(rq->path, S("/api/trace/")));
}

static bool answer(struct web_request *rq, struct web_reply *reply, struct err *err) {
    return ask_shown(rq, reply, err, call_route);
}

static bool pack_profile(struct trace_ask *a, struct web_request *rq, struct web_reply *reply) {
    struct profile p;
    str plain, packed, parts[] = {query_get(&rq->query, S("type")), S(".pb.gz")};
    if (!trace_profile(a, &p) || !profile_encode(rq->arena, &p, &plain, a->err) ||
        !gzip_pack(rq->arena, plain, 0, &packed, a->err))
        return false;
    buf_put(&reply->body, packed);
    reply->type = S("application/octet-stream");
    reply->is_packed = true;
    reply->filename = str_join(rq->arena, parts, countof(parts), S(""));
    return true;
}

// A profile as a file: what "pprof FILE" and any other viewer opens.
static bool give_profile(struct web_request *rq, struct web_reply *reply, struct err *err) {
    return ask_shown(rq, reply, err, pack_profile);
}

static bool keep_profile(struct trace_ask *a, struct web_request *rq, struct web_reply *reply) {
    struct trace_site *site = rq->ctx;
    struct profile p;
    i64 id;
    if (!trace_profile(a, &p) || !kept_add(site->profiles.sources, &p, &id, a->err)) return false;
    buf_printf(&reply->body, "{\"source\":%lld}", (long long)id);
    return true;
}

// Hands a profile to the profile pages of this server: {"source": number}.
static bool open_profile(struct web_request *rq, struct web_reply *reply, struct err *err) {
    return ask_shown(rq, reply, err, keep_profile);
}

static bool tell_live(struct web_request *rq, struct web_reply *reply, struct err *err) {
    (void)err;
    trace_live_put(&((struct trace_site *)rq->ctx)->live, &reply->body);
    return true;
}

static bool record(struct web_request *rq, struct web_reply *reply, struct err *err) {
    str text = query_get(&rq->query, S("seconds"));
    i64 seconds = 0;
    bool is_number = num_parse_i64(text, 10, &seconds);
    if (!is_number || seconds < 1 || seconds > MAX_SECONDS)
        return err_set(err, ERR_USAGE, 0, "seconds is 1 to %d", MAX_SECONDS);
    if (!trace_live_record(&((struct trace_site *)rq->ctx)->live, seconds, err)) return false;
    return tell_live(rq, reply, err);
}

static const str pages[] = {S("/"),        S("/goroutines"), S("/tasks"),
                            S("/regions"), S("/blocking"),   S("/mmu")};

static const struct web_route own_routes[] = {
    {.path = S("/api/trace/profile"), .kind = WEB_READ, .run = give_profile},
    {.path = S("/api/trace/open"), .kind = WEB_CHANGE, .run = open_profile},
    {.path = S("/api/trace/live"), .kind = WEB_READ, .run = tell_live},
    {.path = S("/api/trace/record"), .kind = WEB_CHANGE, .run = record},
};

static void add_routes(struct arena *out, struct web_site *site) {
    struct web_route *routes =
        NEW(out, struct web_route, countof(pages) + n_trace_routes + countof(own_routes));
    for (size_t i = 0; i < countof(pages); i++)
        routes[site->n_routes++] = (struct web_route){.path = pages[i], .kind = WEB_READ};
    for (size_t i = 0; i < n_trace_routes; i++) {
        str parts[] = {S("/api/trace/"), str_of(trace_routes[i].name)};
        routes[site->n_routes++] = (struct web_route){
            .path = str_join(out, parts, countof(parts), S("")), .kind = WEB_READ, .run = answer};
    }
    for (size_t i = 0; i < countof(own_routes); i++) routes[site->n_routes++] = own_routes[i];
    site->routes = routes;
}

static bool open_site(struct arena *out, const struct traced *t, const struct ui *ui,
                      struct trace_site *site, struct err *err) {
    char *argv[] = {str_z(out, S("pprof")), str_z(out, S("-http=:")), str_z(out, t->name), NULL};
    if (cli_parse(out, countof(argv) - 1, argv, &site->cli, err) != CLI_OK) return false;
    site->web =
        (struct web_site){.ctx = site, .page = S("/trace.html"), .other = &site->profile_web};
    add_routes(out, &site->web);
    return profile_site_open(out, &site->cli, NULL, ui, &site->profiles, &site->profile_web, err);
}

int web_trace(const struct traced *t, const struct ui *ui) {
    AUTO_ARENA struct arena arena = {0};
    struct trace_site *site = NEW(&arena, struct trace_site, 1);
    struct web_place place = {.address = t->address, .opens_browser = t->opens_browser};
    struct err err = {0};
    if (!open_site(&arena, t, ui, site, &err)) {
        ui_error(ui, "pprof trace: %s", err.text);
        return EXIT_ERROR;
    }
    trace_live_open(&site->live, t);
    return web_serve(&place, &site->web, ui);
}
