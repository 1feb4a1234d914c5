// agent/endpoint.c - the HTTP server on the agent thread.
// Room: bytes in, plan, bytes out; waiting for collections. Door: agent/endpoint.h.
//
// evhttp buffers what a client is slow to take, so nobody waits for anybody. While a collection
// runs, a timer looks whether its client is still there (evhttp itself does not read then): a
// client that hung up ends its collection, as in Go.
#include "agent/endpoint.h"

#include "agent/agent.h"
#include "agent/answer.h"
#include "agent/hot/hot.h"
#include "agent/http.h"
#include "agent/loop.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEADERS_MAX =
        64 << 10, // Go allows 1 MiB; no client of a profile needs more than a few hundred bytes
    BODY_MAX = 4 << 20,    // of a POST to /symbol: 200,000 addresses
    IDLE_SECONDS = 30,     // a client that neither sends nor takes anything for so long is cut off
    SENDING_MAX = 1 << 20, // of a stream, handed to the kernel's side before the rest waits
    WATCH_MS = 50,         // how often a running collection is stepped, and looks at its client
};

static struct {
    struct listener listener;
    struct evhttp *http; // NULL: not listening
} endpoint = {.listener = {.fd = -1}};

// A request whose answer takes time.
struct pending {
    struct evhttp_request *request;
    struct arena arena; // of the request and its answer
    struct answer *answer;
    struct event *timer;
    bool is_streaming; // its head is sent
};

static const struct reply no_memory_reply = {.status = 500,
                                             .content_type = "text/plain; charset=utf-8",
                                             .body = {"out of memory\n", 14},
                                             .is_error = true};

static enum http_method method_of(struct evhttp_request *request) {
    switch ((int)evhttp_request_get_command(request)) {
    case EVHTTP_REQ_GET:
        return HTTP_GET;
    case EVHTTP_REQ_HEAD:
        return HTTP_HEAD;
    case EVHTTP_REQ_POST:
        return HTTP_POST;
    }
    return HTTP_OTHER;
}

static const char *reason_of(int status) {
    switch (status) {
    case 200:
        return "OK";
    case 301:
        return "Moved Permanently";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    }
    return "Internal Server Error";
}

static void add_headers(struct evhttp_request *request, const struct reply *reply) {
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    char text[256];
    evhttp_add_header(headers, "Content-Type", reply->content_type);
    evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
    if (reply->is_error) evhttp_add_header(headers, "X-Go-Pprof", "1");
    if (reply->status == 405) evhttp_add_header(headers, "Allow", "GET, HEAD, POST");
    if (reply->filename.len > 0) {
        snprintf(text, sizeof text, "attachment; filename=\"" S_FMT "\"", S_ARG(reply->filename));
        evhttp_add_header(headers, "Content-Disposition", text);
    }
    if (reply->location) evhttp_add_header(headers, "Location", reply->location);
}

static void add_length(struct evhttp_request *request, size_t len) {
    char text[32];
    snprintf(text, sizeof text, "%zu", len);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Length", text);
}

static void send_reply(struct evhttp_request *request, const struct reply *reply) {
    struct evbuffer *body = evbuffer_new();
    add_headers(request, reply);
    add_length(request, reply->body.len);
    if (body && method_of(request) != HTTP_HEAD) evbuffer_add(body, reply->body.p, reply->body.len);
    evhttp_send_reply(request, reply->status, reason_of(reply->status), body);
    if (body) evbuffer_free(body);
}

static void pending_free(struct pending *p) {
    struct arena arena = p->arena; // p lies in it
    if (p->timer) event_free(p->timer);
    arena_done(&arena);
}

static void pending_reply(struct pending *p, const struct reply *reply) {
    struct evhttp_connection *conn = evhttp_request_get_connection(p->request);
    if (conn) evhttp_connection_set_closecb(conn, NULL, NULL);
    send_reply(p->request, reply);
    pending_free(p);
}

// The connection ended, by a time limit or because the endpoint closes: evhttp frees the request.
static void on_close(struct evhttp_connection *conn, void *ctx) {
    struct pending *p = ctx;
    (void)conn;
    answer_cancel(p->answer);
    pending_free(p);
}

// Whether the client has closed its side: what Go takes as the end of the request.
static bool client_is_gone(struct pending *p) {
    struct evhttp_connection *conn = evhttp_request_get_connection(p->request);
    struct bufferevent *stream = conn ? evhttp_connection_get_bufferevent(conn) : NULL;
    char byte;
    if (!stream) return true;
    ssize_t n = recv(bufferevent_getfd(stream), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

// Sends what there is of an answer that is sent as it is made; a slow client leaves it where it is.
static void send_piece(struct pending *p, struct evbuffer *bytes, const struct reply *reply) {
    struct evhttp_connection *conn = evhttp_request_get_connection(p->request);
    struct bufferevent *stream = conn ? evhttp_connection_get_bufferevent(conn) : NULL;
    if (evbuffer_get_length(bytes) == 0) return;
    if (stream && evbuffer_get_length(bufferevent_get_output(stream)) > SENDING_MAX) return;
    if (!p->is_streaming) {
        add_headers(p->request, reply);
        evhttp_send_reply_start(p->request, reply->status, reason_of(reply->status));
        p->is_streaming = true;
    }
    evhttp_send_reply_chunk(p->request, bytes);
}

// The end of an answer that was sent as it was made.
static void end_stream(struct pending *p, struct evbuffer *bytes) {
    struct evhttp_connection *conn = evhttp_request_get_connection(p->request);
    if (conn) evhttp_connection_set_closecb(conn, NULL, NULL);
    if (evbuffer_get_length(bytes) > 0) evhttp_send_reply_chunk(p->request, bytes);
    evhttp_send_reply_end(p->request);
    evbuffer_free(bytes);
    pending_free(p);
}

// One look at an answer that takes time; p may be gone after it.
static void step(struct pending *p, struct reply *ret) {
    struct reply head;
    struct evbuffer *bytes = answer_stream(p->answer, &head);
    bool is_over = answer_step(p->answer, client_is_gone(p), ret);
    if (bytes) send_piece(p, bytes, &head);
    if (!is_over) return;
    if (bytes && p->is_streaming)
        end_stream(p, bytes);
    else
        pending_reply(p, ret);
}

// From half of WATCH_MS to one and a half: what looks at the program must not keep step with it.
static bool watch_again(struct pending *p) {
    u64 us = WATCH_MS * 500 + sample_random() % (WATCH_MS * 1000);
    struct timeval pause = {.tv_usec = (suseconds_t)us};
    return event_add(p->timer, &pause) == 0;
}

static void on_watch(evutil_socket_t fd, short what, void *ctx) {
    struct pending *p = ctx;
    struct reply reply;
    jmp_buf no_memory;
    (void)fd, (void)what;
    p->arena.on_oom = &no_memory;
    if (setjmp(no_memory)) {
        answer_cancel(p->answer);
        return pending_reply(p, &no_memory_reply);
    }
    if (watch_again(p)) return step(p, &reply);
    answer_cancel(p->answer);
    pending_reply(p, &no_memory_reply);
}

static void wait_for_answer(struct pending *p) {
    struct reply reply = {.status = 500, .content_type = "text/plain; charset=utf-8"};
    p->timer = event_new(loop_base(), -1, 0, on_watch, p);
    if (!p->timer || !watch_again(p)) {
        answer_cancel(p->answer);
        return pending_reply(p, &reply);
    }
    evhttp_connection_set_closecb(evhttp_request_get_connection(p->request), on_close, p);
}

static str body_of(struct arena *out, struct evhttp_request *request) {
    struct evbuffer *body = evhttp_request_get_input_buffer(request);
    size_t len = evbuffer_get_length(body);
    char *bytes = arena_alloc(out, len + 1, 1);
    ev_ssize_t n = evbuffer_copyout(body, bytes, len);
    return (str){bytes, n > 0 ? (size_t)n : 0};
}

// False: the request target is no URL.
static bool read_request(struct arena *out, struct evhttp_request *request,
                         struct http_request *ret) {
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    if (!uri || !evhttp_uri_get_path(uri)) return false;
    str path;
    if (!http_path(out, str_of(evhttp_uri_get_path(uri)), &path)) return false;
    *ret = (struct http_request){
        .method = method_of(request),
        .path = path,
        .query = str_copy(out, str_of(evhttp_uri_get_query(uri))),
        .body = body_of(out, request),
        .content_type = str_copy(
            out,
            str_of(evhttp_find_header(evhttp_request_get_input_headers(request), "Content-Type"))),
    };
    return true;
}

// Answers at once, or leaves p behind.
static void serve(struct pending *p) {
    struct http_request in;
    struct reply reply = {
        .status = 400, .content_type = "text/plain; charset=utf-8", .body = S("400 Bad Request\n")};
    if (read_request(&p->arena, p->request, &in)) p->answer = answer_start(&p->arena, &in, &reply);
    if (p->answer)
        wait_for_answer(p);
    else
        pending_reply(p, &reply);
}

// The pending of a request, in the arena it then owns; NULL without memory.
static struct pending *pending_new(struct evhttp_request *request) {
    struct arena arena;
    jmp_buf no_memory;
    arena_init(&arena);
    arena.on_oom = &no_memory;
    if (setjmp(no_memory)) return NULL;
    struct pending *p = NEW(&arena, struct pending, 1);
    p->request = request;
    p->arena = arena;
    return p;
}

static void on_request(struct evhttp_request *request, void *ctx) {
    struct pending *p = pending_new(request);
    jmp_buf no_memory;
    (void)ctx;
    if (!p) return send_reply(request, &no_memory_reply);
    p->arena.on_oom = &no_memory;
    if (setjmp(no_memory)) return pending_reply(p, &no_memory_reply);
    serve(p);
}

bool endpoint_open(str address, const struct listen_opts *opts, struct err *err) {
    struct listener listener;
    if (endpoint.http)
        return err_set(err, ERR_BUSY, 0, "already listening on %s", endpoint.listener.address);
    if (!listen_open(address, opts, &listener, err)) return false;
    struct evhttp *http = evhttp_new(loop_base());
    if (!http || evhttp_accept_socket(http, listener.fd)) {
        if (http) evhttp_free(http);
        listen_close(&listener);
        return err_set(err, ERR_SYSTEM, 0, "no memory for the endpoint");
    }
    evhttp_set_gencb(http, on_request, NULL);
    evhttp_set_allowed_methods(http, (ev_uint16_t)~0);
    evhttp_set_max_headers_size(http, HEADERS_MAX);
    evhttp_set_max_body_size(http, BODY_MAX);
    evhttp_set_timeout(http, IDLE_SECONDS);
    evhttp_set_default_content_type(http, NULL);
    endpoint.listener = listener;
    endpoint.http = http;
    return true;
}

void endpoint_close(void) {
    if (!endpoint.http) return;
    evhttp_free(endpoint.http); // closes the socket as well
    endpoint.http = NULL;
    endpoint.listener.fd = -1;
    listen_close(&endpoint.listener);
}

void endpoint_after_fork_child(void) {
    if (endpoint.http && !loop_has_private_fds()) close(endpoint.listener.fd);
    endpoint.http = NULL;
    endpoint.listener = (struct listener){.fd = -1};
}

const char *endpoint_address(void) {
    return endpoint.http ? endpoint.listener.address : "";
}

const char *endpoint_socket_path(void) {
    return endpoint.http ? endpoint.listener.path : "";
}
