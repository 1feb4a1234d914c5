// web/trace_pages.c - the site of a trace: its pages, its data, its profiles as files.
// Room: routes, and the thread that reads the trace meanwhile. Door: web/web.h.
#include "web/profile.h"
#include "web/trace_view.h"

#include <pthread.h>

// Everything behind the site: the trace, and the profiles that were made of it.
struct trace_site {
    struct trace_view view;
    struct cli cli; // defaults: what a profile's pages begin with
    struct profile_site profiles;
    struct web_site web, profile_web;
};

static struct trace_ask ask_of(struct web_request *rq, struct web_reply *reply, struct err *err) {
    return (struct trace_ask){.view = &((struct trace_site *)rq->ctx)->view,
                              .arena = rq->arena,
                              .out = &reply->body,
                              .err = err,
                              .query = &rq->query};
}

static bool answer(struct web_request *rq, struct web_reply *reply, struct err *err) {
    struct trace_ask a = ask_of(rq, reply, err);
    return trace_answer(&a, str_drop_prefix(rq->path, S("/api/trace/")));
}

// A profile as a file: what "pprof FILE" and any other viewer opens.
static bool give_profile(struct web_request *rq, struct web_reply *reply, struct err *err) {
    struct trace_ask a = ask_of(rq, reply, err);
    struct profile p;
    str plain, packed, parts[] = {query_get(&rq->query, S("type")), S(".pb.gz")};
    if (!trace_profile(&a, &p) || !profile_encode(rq->arena, &p, &plain, err) ||
        !gzip_pack(rq->arena, plain, 0, &packed, err))
        return false;
    buf_put(&reply->body, packed);
    reply->type = S("application/octet-stream");
    reply->is_packed = true;
    reply->filename = str_join(rq->arena, parts, countof(parts), S(""));
    return true;
}

// Hands a profile to the profile pages of this server: {"source": number}.
static bool open_profile(struct web_request *rq, struct web_reply *reply, struct err *err) {
    struct trace_site *site = rq->ctx;
    struct trace_ask a = ask_of(rq, reply, err);
    struct profile p;
    i64 id;
    if (!trace_profile(&a, &p) || !kept_add(site->profiles.sources, &p, &id, err)) return false;
    buf_printf(&reply->body, "{\"source\":%lld}", (long long)id);
    return true;
}

static const str pages[] = {S("/"),        S("/goroutines"), S("/tasks"),
                            S("/regions"), S("/blocking"),   S("/mmu")};

static void add_routes(struct arena *out, struct web_site *site) {
    struct web_route *routes = NEW(out, struct web_route, countof(pages) + n_trace_routes + 2);
    for (size_t i = 0; i < countof(pages); i++)
        routes[site->n_routes++] = (struct web_route){.path = pages[i], .kind = WEB_READ};
    for (size_t i = 0; i < n_trace_routes; i++) {
        str parts[] = {S("/api/trace/"), str_of(trace_routes[i].name)};
        routes[site->n_routes++] = (struct web_route){
            .path = str_join(out, parts, countof(parts), S("")), .kind = WEB_READ, .run = answer};
    }
    routes[site->n_routes++] =
        (struct web_route){.path = S("/api/trace/profile"), .kind = WEB_READ, .run = give_profile};
    routes[site->n_routes++] =
        (struct web_route){.path = S("/api/trace/open"), .kind = WEB_CHANGE, .run = open_profile};
    site->routes = routes;
}

static void *load(void *view) {
    trace_view_load(view);
    return NULL;
}

static bool open_site(struct arena *out, const struct traced *t, const struct ui *ui,
                      struct trace_site *site, struct err *err) {
    char *argv[] = {str_z(out, S("pprof")), str_z(out, S("-http=:")), str_z(out, t->name), NULL};
    if (cli_parse(out, countof(argv) - 1, argv, &site->cli, err) != CLI_OK) return false;
    trace_view_init(&site->view, t->name, t->bytes);
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
    pthread_t thread;
    if (!open_site(&arena, t, ui, site, &err)) {
        ui_error(ui, "pprof trace: %s", err.text);
        return EXIT_ERROR;
    }
    if (pthread_create(&thread, NULL, load, &site->view) != 0) load(&site->view);
    return web_serve(&place, &site->web, ui);
}
