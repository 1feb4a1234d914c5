// driver/fetch.c - profiles over HTTP, several at once, by libcurl's multi interface.
// Room: see fetch.h. Door: driver/driver.h. Source: reference/pprof.md section 1.3, go.md
// section 1.2.
#include "driver/fetch.h"

#include "driver/curl_load.h"

#include <strings.h>

enum {
    MAX_ERROR_BODY = 4 << 10, // of an error answer this much is told; Go's own are one line
    MAX_REDIRECTS = 10,       // as Go's client
    MAX_CONNECTIONS =
        128,              // the original's: enough for a cluster, within the usual 1024 descriptors
    GRACE_S = 5,          // the server may need this much longer than the profile, as there
    SINK_CHUNK = 1 << 20, // held before it goes to a job's sink; the answers of errors are shorter
    POLL_MS = 1000,       // curl_multi_poll wakes earlier whenever something happens
};

struct transfer {
    const struct curl_api *api;
    CURL *easy;
    struct fetch_job *job;
    struct buf body;
    str post;
    struct curl_slist *headers;
    long status;
    char status_line[128]; // "404 Not Found"
    bool is_go_pprof, is_text;
    bool is_too_long;
    char curl_text[CURL_ERROR_SIZE];
};

static size_t take_body(char *bytes, size_t size, size_t n, void *to) {
    struct transfer *t = to;
    buf_put(&t->body, (str){bytes, size * n});
    t->is_too_long = t->body.is_full;
    return t->is_too_long ? 0 : size * n;
}

static bool header_is(str line, const char *name, str *value) {
    str key, rest;
    if (!str_cut(line, ':', &key, &rest)) return false;
    str want = str_of(name);
    if (key.len != want.len || strncasecmp(key.p, want.p, key.len)) return false;
    *value = str_trim(rest);
    return true;
}

static size_t take_header(char *bytes, size_t size, size_t n, void *to) {
    struct transfer *t = to;
    str line = str_trim((str){bytes, size * n}), value;
    if (str_starts(line, S("HTTP/"))) { // a redirect's headers come first: start over
        str version, status;
        str_cut(line, ' ', &version, &status);
        snprintf(t->status_line, sizeof t->status_line, S_FMT, S_ARG(status));
        t->is_go_pprof = t->is_text = false;
    } else if (header_is(line, "X-Go-Pprof", &value)) {
        t->is_go_pprof = value.len > 0;
    } else if (header_is(line, "Content-Type", &value)) {
        t->is_text = str_contains(value, S("text/plain"));
    }
    return size * n;
}

static void set_tls(struct transfer *t, const struct fetch_opts *opts, bool is_insecure,
                    struct arena *out) {
    CURL *easy = t->easy;
    __typeof__(t->api->curl_easy_setopt) set = t->api->curl_easy_setopt;
    if (opts->tls_cert.len) {
        set(easy, CURLOPT_SSLCERT, str_z(out, opts->tls_cert));
        set(easy, CURLOPT_SSLKEY, str_z(out, opts->tls_key));
    }
    if (opts->tls_ca.len) {
        set(easy, CURLOPT_CAINFO, str_z(out, opts->tls_ca));
        set(easy, CURLOPT_CAPATH, NULL);
    }
    if (is_insecure) {
        set(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        set(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

static bool transfer_open(const struct curl_api *api, struct transfer *t, struct fetch_job *job,
                          const struct fetch_opts *opts, str post) {
    *t = (struct transfer){.api = api, .job = job, .post = post, .easy = api->curl_easy_init()};
    __typeof__(api->curl_easy_setopt) set = api->curl_easy_setopt;
    if (!t->easy) return err_set(&job->err, ERR_SYSTEM, 0, "libcurl has no memory");
    const struct source_url *url = job->url;
    t->body = job->sink ? buf_to_sink(job->out, SINK_CHUNK, job->sink, job->sink_to)
                        : buf_new(job->out, opts->max_bytes);
    set(t->easy, CURLOPT_PRIVATE, t);
    set(t->easy, CURLOPT_URL, str_z(job->out, url->fetch));
    set(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(t->easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(t->easy, CURLOPT_FOLLOWLOCATION, 1L);
    set(t->easy, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
    set(t->easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    set(t->easy, CURLOPT_USERAGENT, "pprof.c");
    set(t->easy, CURLOPT_NOSIGNAL, 1L);
    set(t->easy, CURLOPT_ERRORBUFFER, t->curl_text);
    set(t->easy, CURLOPT_WRITEFUNCTION, take_body);
    set(t->easy, CURLOPT_WRITEDATA, t);
    set(t->easy, CURLOPT_HEADERFUNCTION, take_header);
    set(t->easy, CURLOPT_HEADERDATA, t);
    set(t->easy, CURLOPT_TIMEOUT, (long)(url->timeout_s + GRACE_S));
    if (url->unix_socket.len)
        set(t->easy, CURLOPT_UNIX_SOCKET_PATH, str_z(job->out, url->unix_socket));
    set_tls(t, opts, url->is_insecure, job->out);
    if (post.p) {
        t->headers = api->curl_slist_append(NULL, "Content-Type: application/octet-stream");
        set(t->easy, CURLOPT_HTTPHEADER, t->headers);
        set(t->easy, CURLOPT_POSTFIELDS, post.p);
        set(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post.len);
    }
    return true;
}

static void transfer_close(struct transfer *t) {
    if (t->easy) t->api->curl_easy_cleanup(t->easy);
    t->api->curl_slist_free_all(t->headers);
}

// What a finished transfer means for its job.
static void transfer_judge(struct transfer *t, CURLcode code) {
    struct fetch_job *job = t->job;
    str url = job->url->text;
    if (t->is_too_long) {
        err_set(&job->err, ERR_LIMIT, 0,
                "http fetch: the answer is longer than %llu MiB (-max_megabytes raises the limit)",
                (unsigned long long)(t->body.max >> 20));
        return;
    }
    if (code != CURLE_OK) {
        const char *why = t->curl_text[0] ? t->curl_text : t->api->curl_easy_strerror(code);
        const char *verb = t->post.p ? "http post: Post" : "http fetch: Get";
        err_set(&job->err, ERR_NETWORK, 0, "%s \"" S_FMT "\": %s", verb, S_ARG(url), why);
        return;
    }
    t->api->curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
    if (t->status == 200) {
        job->is_done = !job->sink || buf_flush(&t->body);
        if (!job->sink) job->body = buf_str(&t->body);
        return;
    }
    str body = buf_str(&t->body);
    str told = t->is_go_pprof && t->is_text ? str_trim(str_take(body, MAX_ERROR_BODY)) : S("");
    err_set(&job->err, ERR_NETWORK, 0, "server response: %s%s" S_FMT, t->status_line,
            told.len ? " - " : "", S_ARG(told));
}

static void take_finished(const struct curl_api *api, CURLM *multi) {
    int left;
    CURLMsg *msg;
    while ((msg = api->curl_multi_info_read(multi, &left))) {
        if (msg->msg != CURLMSG_DONE) continue;
        struct transfer *t;
        CURL *easy = msg->easy_handle;
        CURLcode code = msg->data.result;
        api->curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
        api->curl_multi_remove_handle(multi, easy);
        transfer_judge(t, code);
    }
}

static bool run_all(const struct curl_api *api, CURLM *multi, struct err *err) {
    int running = 1;
    while (running) {
        CURLMcode code = api->curl_multi_perform(multi, &running);
        if (code == CURLM_OK && running) code = api->curl_multi_poll(multi, NULL, 0, POLL_MS, NULL);
        if (code != CURLM_OK)
            return err_set(err, ERR_NETWORK, 0, "http fetch: %s", api->curl_multi_strerror(code));
        take_finished(api, multi);
    }
    return true;
}

bool fetch_check_opts(const struct fetch_opts *opts, struct err *err) {
    if (opts->tls_cert.len && !opts->tls_key.len)
        return err_set(err, ERR_USAGE, 0, "-tls_key is required when -tls_cert is specified");
    if (opts->tls_key.len && !opts->tls_cert.len)
        return err_set(err, ERR_USAGE, 0, "-tls_cert is required when -tls_key is specified");
    return true;
}

static bool fetch_some(struct fetch_job *jobs, size_t n, const struct fetch_opts *opts, str post,
                       struct err *err) {
    if (!n) return true;
    if (!fetch_check_opts(opts, err)) return false;
    struct curl_api api;
    if (!curl_load(&api, err)) return false;
    CURLM *multi = api.curl_multi_init();
    if (!multi) return err_set(err, ERR_SYSTEM, 0, "libcurl has no memory");
    api.curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)MAX_CONNECTIONS);
    // The transfers are scratch of this call; the bodies live in the jobs' arenas.
    AUTO_ARENA struct arena scratch = arena_sub(jobs[0].out);
    struct transfer *transfers = NEW(&scratch, struct transfer, n);
    for (size_t i = 0; i < n; i++)
        if (transfer_open(&api, &transfers[i], &jobs[i], opts, post))
            api.curl_multi_add_handle(multi, transfers[i].easy);
    bool is_ok = run_all(&api, multi, err);
    for (size_t i = 0; i < n; i++) transfer_close(&transfers[i]);
    api.curl_multi_cleanup(multi);
    return is_ok;
}

bool fetch_all(struct fetch_job *jobs, size_t n, const struct fetch_opts *opts, struct err *err) {
    return fetch_some(jobs, n, opts, (str){0}, err);
}

bool fetch_post(struct arena *out, const struct source_url *url, str body,
                const struct fetch_opts *opts, str *ret, struct err *err) {
    struct fetch_job job = {.url = url, .out = out};
    str post = body.p ? body : S("");
    if (!fetch_some(&job, 1, opts, post, err)) return false;
    if (!job.is_done) {
        if (err) *err = job.err;
        return false;
    }
    *ret = job.body;
    return true;
}
