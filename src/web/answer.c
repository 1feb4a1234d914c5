// web/answer.c - from a request to a reply.
// Room: see answer.h. Door: web/answer.h.
#include "web/answer.h"

#include "render/render.h"
#include "web/assets.h"

enum {
    MAX_BODY = 1 << 30, // of one answer: a whole profile to download is the largest
    SMALL = 512,        // shorter bodies fit a packet as they are
    FAST_LEVEL = 4,     // of gzip: 60 MB/s and more here, within a tenth of level 6 in size
};

static const struct web_route *route_find(const struct web_site *site, str path) {
    for (size_t i = 0; i < site->n_routes; i++)
        if (str_eq(site->routes[i].path, path)) return &site->routes[i];
    return NULL;
}

static int status_of(enum err_code code) {
    switch (code) {
    case ERR_NOT_FOUND:
    case ERR_USAGE:
    case ERR_NONE:
    case ERR_MALFORMED:
    case ERR_INCONSISTENT:
    case ERR_UNRECOGNIZED:
    case ERR_LIMIT:
        return 400;
    case ERR_UNSUPPORTED:
        return 501;
    case ERR_BUSY:
        return 409;
    case ERR_NETWORK:
    case ERR_SYSTEM:
        return 500;
    }
    return 500;
}

void answer_error(struct arena *out, int status, const struct err *err, str where,
                  struct answer *ret) {
    struct buf b = buf_new(out, MAX_BODY);
    struct json j = {.to = &b};
    json_open(&j, '{');
    json_key_text(&j, "error", str_of(err->text));
    json_key_text(&j, "where", where);
    json_key_i64(&j, "at", (i64)err->at);
    json_close(&j, '}');
    buf_byte(&b, '\n');
    *ret = (struct answer){.status = status, .type = S("application/json"), .body = buf_str(&b)};
}

// "W/"-less tags only, a list of them, or a star: a match anywhere is a match.
static bool is_known(str if_none_match, str etag) {
    return str_eq(if_none_match, S("*")) || (etag.len && str_contains(if_none_match, etag));
}

static void finish(struct arena *out, const struct answer_request *rq, bool is_packed,
                   struct answer *a) {
    struct buf tag = buf_new(out, 64);
    buf_byte(&tag, '"');
    num_hex(&tag, str_hash(a->body), 16);
    buf_byte(&tag, '"');
    a->etag = buf_str(&tag);
    if (is_known(rq->if_none_match, a->etag)) {
        a->status = 304;
        a->body = S("");
        return;
    }
    str packed;
    struct err err;
    if (is_packed || !rq->takes_gzip || a->body.len < SMALL) return;
    if (!gzip_pack(out, a->body, FAST_LEVEL, &packed, &err)) return;
    a->body = packed;
    a->is_gzip = true;
}

static void answer_asset(struct arena *out, const struct asset *asset,
                         const struct answer_request *rq, struct answer *ret) {
    struct err err;
    str plain;
    *ret = (struct answer){.status = 200, .type = asset->type, .etag = asset->etag};
    if (is_known(rq->if_none_match, asset->etag)) {
        ret->status = 304;
    } else if (rq->takes_gzip) {
        ret->body = asset->bytes;
        ret->is_gzip = true;
    } else if (profile_unpack(out, asset->bytes, &(struct unpack_opts){0}, &plain, &err)) {
        ret->body = plain;
    } else {
        answer_error(out, 500, &err, S(""), ret);
    }
}

static bool is_allowed(const struct web_route *route, bool is_change) {
    return route->kind == WEB_BOTH || (route->kind == WEB_CHANGE) == is_change;
}

static void answer_refusal(struct arena *out, int status, const char *why, struct answer *ret) {
    struct err err = {0};
    err_fill(&err, ERR_USAGE, 0, "%s", why);
    answer_error(out, status, &err, S(""), ret);
}

// Go's sentences about expressions end with the part that is wrong: "...: missing closing ): `(b`".
// Where that part stands in the value is where a page underlines it.
static u64 place_of_fault(const struct query *q, str where, const struct err *err) {
    str text = str_of(err->text), value = query_get(q, where);
    if (err->at || !str_ends(text, S("`"))) return err->at;
    text = str_take(text, text.len - 1);
    str part = str_skip(text, (size_t)(str_rfind_byte(text, '`') + 1));
    ptrdiff_t at = part.len ? str_find(value, part) : -1;
    return at > 0 ? (u64)at : 0;
}

static void run_handler(struct arena *out, const struct web_site *site,
                        const struct web_route *route, const struct answer_request *rq,
                        struct answer *ret) {
    struct web_request in = {.arena = out,
                             .ctx = site->ctx,
                             .path = rq->path,
                             .query_text = rq->query,
                             .body = rq->body,
                             .is_change = rq->is_change,
                             .is_delete = rq->is_delete};
    struct web_reply reply = {.type = S("application/json")};
    struct err err = {0};
    reply.body = buf_new(out, MAX_BODY);
    if (!query_parse(out, rq->query, &in.query, &err) || !route->run(&in, &reply, &err)) {
        int status = reply.status ? reply.status : status_of(err.code);
        err.at = place_of_fault(&in.query, reply.where, &err);
        answer_error(out, status, &err, reply.where, ret);
        return;
    }
    *ret = (struct answer){.status = reply.status ? reply.status : 200,
                           .type = reply.type,
                           .body = buf_str(&reply.body),
                           .filename = reply.filename,
                           .location = reply.location};
    if (ret->status == 200 && !rq->is_change) finish(out, rq, reply.is_packed, ret);
}

// The home page without a state begins with the command line's.
static bool is_sent_home(struct arena *out, const struct web_site *site,
                         const struct answer_request *rq, struct answer *ret) {
    if (!site->home.len || rq->query.len || rq->is_change || !str_eq(rq->path, S("/")))
        return false;
    str parts[] = {S("/?"), site->home};
    *ret = (struct answer){.status = 307, .location = str_join(out, parts, 2, S(""))};
    return true;
}

void answer_make(struct arena *out, const struct web_site *site, const struct answer_request *rq,
                 struct answer *ret) {
    if (is_sent_home(out, site, rq, ret)) return;
    const struct web_route *route = route_find(site, rq->path);
    str path = route && !route->run ? site->page : rq->path;
    const struct asset *asset = route && route->run ? NULL : asset_find(path);
    if (!route && !asset && site->other) {
        answer_make(out, site->other, rq, ret);
    } else if (!route && !asset) {
        answer_refusal(out, 404, "there is no such page", ret);
    } else if (asset ? rq->is_change : !is_allowed(route, rq->is_change)) {
        const char *why = rq->is_change ? "this is only to be read, with GET"
                                        : "settings are changed by POST only";
        answer_refusal(out, 405, why, ret);
        ret->allows_post = !asset;
    } else if (asset) {
        answer_asset(out, asset, rq, ret);
    } else if (route->run) {
        run_handler(out, site, route, rq, ret);
    } else {
        answer_refusal(out, 500, "this pprof was built without its pages", ret);
    }
}
