// web/trace_pages.c - the site of a trace: its pages, its data, its profiles as files.
// Room: routes, and the thread that reads the trace meanwhile. Door: web/web.h.
#include "web/trace_view.h"
#include "web/web.h"

#include <pthread.h>

static struct trace_ask ask_of(struct web_request *rq, struct web_reply *reply, struct err *err) {
    return (struct trace_ask){
        .view = rq->ctx, .arena = rq->arena, .out = &reply->body, .err = err, .query = &rq->query};
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

static const str pages[] = {S("/"),        S("/goroutines"), S("/tasks"),
                            S("/regions"), S("/blocking"),   S("/mmu")};

static void add_routes(struct arena *out, struct web_site *site) {
    struct web_route *routes = NEW(out, struct web_route, countof(pages) + n_trace_routes + 1);
    for (size_t i = 0; i < countof(pages); i++)
        routes[site->n_routes++] = (struct web_route){.path = pages[i], .kind = WEB_READ};
    for (size_t i = 0; i < n_trace_routes; i++) {
        str parts[] = {S("/api/trace/"), str_of(trace_routes[i].name)};
        routes[site->n_routes++] = (struct web_route){
            .path = str_join(out, parts, countof(parts), S("")), .kind = WEB_READ, .run = answer};
    }
    routes[site->n_routes++] =
        (struct web_route){.path = S("/api/trace/profile"), .kind = WEB_READ, .run = give_profile};
    site->routes = routes;
}

static void *load(void *view) {
    trace_view_load(view);
    return NULL;
}

int web_trace(const struct traced *t, const struct ui *ui) {
    AUTO_ARENA struct arena arena = {0};
    struct trace_view *view = NEW(&arena, struct trace_view, 1);
    struct web_site site = {.ctx = view, .page = S("/trace.html")};
    struct web_place place = {.address = t->address, .opens_browser = t->opens_browser};
    pthread_t thread;
    trace_view_init(view, t->name, t->bytes);
    add_routes(&arena, &site);
    if (pthread_create(&thread, NULL, load, view) != 0) load(view);
    return web_serve(&place, &site, ui);
}
