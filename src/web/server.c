// web/server.c - HTTP: bytes in, jobs to workers, bytes out.
// Room: libevent. What a request means is answer.c. Door: web_serve(), at the end.
//
// One thread runs the event loop: it reads requests whole, checks where they come from, queues
// them, and sends what workers made; libevent buffers what a client is slow to take.
#include "web/web.h"

#include "web/answer.h"
#include "web/guard.h"
#include "web/workers.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
    MAX_HEADERS = 32 << 10, // the URL is among them; the longest state met has 2 KiB
    MAX_REQUEST = 64 << 10, // of a body: nothing here takes a large one
    IDLE_SECONDS = 30,      // a client that neither sends nor takes anything so long is cut off
};

struct server {
    struct listening at;
    const struct web_site *site;
    struct workers *workers;
};

// One request on its way; lies in its own arena. request belongs to the event loop's thread, and is
// NULL once the client has gone.
struct job {
    struct worker_job base;
    struct server *server;
    struct evhttp_request *request;
    bool is_head;
    struct arena arena;
    struct answer_request in;
    struct answer out;
};

static const char *reason_of(int status) {
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {{200, "OK"},
                   {301, "Moved Permanently"},
                   {307, "Temporary Redirect"},
                   {304, "Not Modified"},
                   {400, "Bad Request"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {409, "Conflict"},
                   {501, "Not Implemented"},
                   {503, "Service Unavailable"}};
    for (size_t i = 0; i < countof(reasons); i++)
        if (reasons[i].status == status) return reasons[i].reason;
    return "Internal Server Error";
}

static void add_header(struct evkeyvalq *headers, struct arena *scratch, const char *name, str s) {
    if (s.len) evhttp_add_header(headers, name, str_z(scratch, s));
}

static void add_headers(struct evhttp_request *request, struct arena *scratch,
                        const struct answer *a) {
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    for (size_t i = 0; i < n_guard_headers; i++)
        evhttp_add_header(headers, guard_headers[i].name, guard_headers[i].value);
    add_header(headers, scratch, "Content-Type", a->type);
    add_header(headers, scratch, "ETag", a->etag);
    add_header(headers, scratch, "Location", a->location);
    evhttp_add_header(headers, "Cache-Control", "no-cache");
    evhttp_add_header(headers, "Vary", "Accept-Encoding");
    if (a->is_gzip) evhttp_add_header(headers, "Content-Encoding", "gzip");
    if (a->status == 405)
        evhttp_add_header(headers, "Allow", a->allows_post ? "POST" : "GET, HEAD");
    char text[256];
    snprintf(text, sizeof text, "%zu", a->body.len);
    if (a->status != 304) evhttp_add_header(headers, "Content-Length", text);
    snprintf(text, sizeof text, "attachment; filename=\"" S_FMT "\"", S_ARG(a->filename));
    if (a->filename.len) evhttp_add_header(headers, "Content-Disposition", text);
}

static void job_free(struct job *j) {
    struct arena arena = j->arena; // j lies in it
    arena_done(&arena);
}

static void on_sent(const void *bytes, size_t len, void *ctx) {
    (void)bytes, (void)len;
    job_free(ctx);
}

// The end of a job: the body is sent from the job's own arena, which ends with the last byte.
static void job_reply(struct job *j) {
    struct evhttp_connection *conn = j->request ? evhttp_request_get_connection(j->request) : NULL;
    struct evbuffer *body = conn ? evbuffer_new() : NULL;
    if (!body) return job_free(j);
    evhttp_connection_set_closecb(conn, NULL, NULL);
    add_headers(j->request, &j->arena, &j->out);
    bool has_body = j->out.body.len && !j->is_head && j->out.status != 304;
    bool is_lent =
        has_body && evbuffer_add_reference(body, j->out.body.p, j->out.body.len, on_sent, j) == 0;
    evhttp_send_reply(j->request, j->out.status, reason_of(j->out.status), body);
    evbuffer_free(body);
    if (!is_lent) job_free(j);
}

static void on_close(struct evhttp_connection *conn, void *ctx) {
    struct job *j = ctx;
    (void)conn;
    j->request = NULL; // evhttp frees it; the worker's answer is thrown away
}

static void on_done(evutil_socket_t fd, short what, void *ctx) {
    struct server *s = ctx;
    (void)fd, (void)what;
    struct worker_job *job = workers_take_done(s->workers);
    while (job) {
        struct worker_job *next = job->next;
        job_reply((struct job *)job);
        job = next;
    }
}

// On a worker. Without memory the request fails, not the server.
static void run(struct worker_job *base) {
    struct job *j = (struct job *)base;
    jmp_buf no_memory;
    j->arena.on_oom = &no_memory;
    if (setjmp(no_memory)) {
        j->out =
            (struct answer){.status = 500,
                            .type = S("application/json"),
                            .body = S("{\"error\":\"out of memory\",\"where\":\"\",\"at\":0}\n")};
    } else {
        answer_make(&j->arena, j->server->site, &j->in, &j->out);
    }
    j->arena.on_oom = NULL;
}

static str header(struct arena *out, struct evhttp_request *request, const char *name) {
    return str_copy(out,
                    str_of(evhttp_find_header(evhttp_request_get_input_headers(request), name)));
}

static str body_of(struct arena *out, struct evhttp_request *request) {
    struct evbuffer *body = evhttp_request_get_input_buffer(request);
    size_t len = evbuffer_get_length(body);
    char *bytes = arena_alloc(out, len + 1, 1);
    ev_ssize_t n = evbuffer_copyout(body, bytes, len);
    return (str){bytes, n > 0 ? (size_t)n : 0};
}

static bool read_target(struct job *j, struct err *err) {
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(j->request);
    const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
    if (!path) return err_set(err, ERR_USAGE, 0, "this is no URL");
    j->in.query = str_copy(&j->arena, str_of(evhttp_uri_get_query(uri)));
    return url_decode(&j->arena, str_of(path), false, &j->in.path, err);
}

static void read_method(struct job *j) {
    enum evhttp_cmd_type method = evhttp_request_get_command(j->request);
    j->is_head = method == EVHTTP_REQ_HEAD;
    j->in.is_delete = method == EVHTTP_REQ_DELETE;
    j->in.is_change = method != EVHTTP_REQ_GET && !j->is_head;
}

// False: j->out is the answer already.
static bool read_request(struct job *j) {
    struct err err = {0};
    struct arena *out = &j->arena;
    read_method(j);
    struct provenance from = {.host = header(out, j->request, "Host"),
                              .origin = header(out, j->request, "Origin"),
                              .fetch_site = header(out, j->request, "Sec-Fetch-Site"),
                              .is_change = j->in.is_change};
    if (!guard_check(&j->server->at, &from, &err)) {
        answer_error(out, 403, &err, S(""), &j->out);
        return false;
    }
    if (!read_target(j, &err)) {
        answer_error(out, 400, &err, S(""), &j->out);
        return false;
    }
    j->in.body = body_of(out, j->request);
    j->in.takes_gzip = str_contains(header(out, j->request, "Accept-Encoding"), S("gzip"));
    j->in.if_none_match = header(out, j->request, "If-None-Match");
    return true;
}

static void on_request(struct evhttp_request *request, void *ctx) {
    struct arena arena;
    arena_init(&arena);
    struct job *j = NEW(&arena, struct job, 1);
    j->base.run = run;
    j->server = ctx;
    j->request = request;
    j->arena = arena;
    if (!read_request(j)) return job_reply(j);
    evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_close, j);
    if (workers_add(j->server->workers, &j->base)) return;
    struct err err = {0};
    err_fill(&err, ERR_BUSY, 0, "too many requests are waiting: try again");
    answer_error(&j->arena, 503, &err, S(""), &j->out);
    job_reply(j);
}

// Answers the first page's question before it is asked: a browser takes a while to start. What is
// slow about the answer is kept by then; the answer itself goes to nobody.
static void prepare(struct server *s) {
    struct arena arena;
    if (!s->site->first.len) return;
    arena_init(&arena);
    struct job *j = NEW(&arena, struct job, 1);
    j->base.run = run;
    j->server = s;
    j->arena = arena;
    j->in = (struct answer_request){.path = s->site->first, .query = s->site->home};
    if (!workers_add(s->workers, &j->base)) job_free(j);
}

static bool listen_on(struct server *s, struct event_base *loop, struct err *err) {
    struct evhttp *http = evhttp_new(loop);
    struct event *done = event_new(loop, workers_fd(s->workers), EV_READ | EV_PERSIST, on_done, s);
    if (!http || !done || event_add(done, NULL) || evhttp_accept_socket(http, s->at.fd))
        return err_set(err, ERR_SYSTEM, 0, "no memory for the server");
    evhttp_set_gencb(http, on_request, s);
    evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
                                         EVHTTP_REQ_DELETE);
    evhttp_set_max_headers_size(http, MAX_HEADERS);
    evhttp_set_max_body_size(http, MAX_REQUEST);
    evhttp_set_timeout(http, IDLE_SECONDS);
    evhttp_set_default_content_type(http, NULL);
    return true;
}

static void open_browser(struct arena *out, str url, const struct ui *ui) {
    size_t n;
    int pid;
    const str *browsers = viewer_browsers(out, &n);
    for (size_t i = 0; i < n; i++)
        if (viewer_start(out, browsers[i], url, &pid)) return;
    ui_say(ui, "No browser found: open " S_FMT, S_ARG(url));
}

static bool serve(struct arena *out, const struct web_place *place, const struct web_site *site,
                  const struct ui *ui, struct err *err) {
    struct server *s = NEW(out, struct server, 1);
    s->site = site;
    if (!listening_open(out, place->address, &s->at, err)) return false;
    s->at.allowed = place->allowed;
    // A client that hangs up must not end the process.
    signal(SIGPIPE, SIG_IGN);
    struct event_base *loop = event_base_new();
    if (!loop) return err_set(err, ERR_SYSTEM, 0, "no memory for the server");
    if (!workers_start(out, &s->workers, err) || !listen_on(s, loop, err)) return false;
    prepare(s);
    str url = listening_url(out, &s->at);
    ui_say(ui, "Serving web UI on " S_FMT, S_ARG(url));
    if (place->opens_browser) open_browser(out, url, ui);
    event_base_dispatch(loop);
    return err_set(err, ERR_SYSTEM, 0, "the server stopped");
}

int web_serve(const struct web_place *place, const struct web_site *site, const struct ui *ui) {
    AUTO_ARENA struct arena arena = {0};
    struct err err = {0};
    if (!serve(&arena, place, site, ui, &err)) ui_error(ui, "pprof: %s", err.text);
    return EXIT_ERROR;
}
