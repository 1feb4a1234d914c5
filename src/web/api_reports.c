// web/api_reports.c - the reports: top, peek, graph, source, disasm, tags, traces, and files.
// Room: a request as one call of the pipeline. Door: web/profile.h. The forms are in docs/api.md.
#include "web/profile.h"

enum {
    TOP_ROWS = 500,
    MAX_TOP_ROWS = 10000,
    TRACE_ROWS = 100,
    MAX_TRACE_ROWS = 1000,
    TAG_ROWS = 1000, // of each key
    MAX_TAG_ROWS = 100000,
};

// The pipeline with the sentence's place looked up where it fails.
static bool report(struct asked *a, const struct report_request *req, struct buf *to) {
    if (pipeline_report(a->rq->arena, &a->source->profile, req, to, &a->messages, a->err))
        return true;
    a->reply->where = state_where(a->err);
    return false;
}

// The report's own object with what the web knows besides in front: before the members of text.
static void put_members(struct json *j, str object) {
    buf_byte(j->to, ',');
    buf_put(j->to, str_skip(object, 1)); // without its '{'
}

static void put_tag_counts(struct json *j, const struct tag_page *page) {
    json_key_i64(j, "off", page->off);
    json_key(j, "keys");
    json_open(j, '[');
    for (u32 i = 0; i < page->n_counts; i++) {
        json_open(j, '{');
        json_key_text(j, "key", page->counts[i].key);
        json_key_i64(j, "n", page->counts[i].n);
        json_key_i64(j, "total", page->counts[i].total);
        json_close(j, '}');
    }
    json_close(j, ']');
}

// What a page says of itself, and of what it was cut from.
static void put_page(struct json *j, const struct report_request *req) {
    if (req->page) {
        json_key_i64(j, "n", req->page->n_all);
        json_key_i64(j, "off", req->page->off);
        json_key_i64(j, "flat_before", req->page->flat_before);
    }
    if (req->stacks) {
        json_key_i64(j, "n", req->stacks->n_all);
        json_key_i64(j, "off", req->stacks->off);
    }
    if (req->tags) put_tag_counts(j, req->tags);
}

static bool rows(struct asked *a, const struct report_request *req) {
    struct buf object = buf_new(a->rq->arena, SIZE_MAX);
    if (!report(a, req, &object)) return false;
    struct json j = {.to = &a->reply->body};
    json_open(&j, '{');
    asked_put_warnings(a, &j);
    if (req->has_regex) json_key_text(&j, "f", req->regex);
    put_page(&j, req);
    put_members(&j, buf_str(&object));
    return true;
}

// What the pages of all reports have in common.
struct cut {
    u32 off, limit;
    struct regex *re; // the caller's, to be ended
};

static bool read_cut(struct asked *a, i64 limit, i64 most, struct cut *ret) {
    const struct query *q = &a->rq->query;
    i64 off;
    a->reply->where = S("off");
    if (!query_number(q, S("off"), 0, U32_NONE - 1, 0, &off, a->err)) return false;
    a->reply->where = S("limit");
    if (!query_number(q, S("limit"), 0, most, limit, &limit, a->err)) return false;
    a->reply->where = S("");
    ret->off = (u32)off;
    ret->limit = (u32)limit;
    return asked_regex(a, S("q"), &ret->re);
}

// "-name" is the other way round. says: what they may be.
static bool read_order(struct asked *a, const str *names, size_t n, const char *says, u32 *ret,
                       bool *ret_reverse) {
    str text = query_get(&a->rq->query, S("order"));
    str name = str_drop_prefix(text, S("-"));
    *ret_reverse = name.len != text.len;
    *ret = 0;
    if (!text.len) return true;
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], name)) return *ret = (u32)i, true;
    a->reply->where = S("order");
    return err_set(a->err, ERR_USAGE, 0, "order is %s", says);
}

// A table on a screen shows all functions, however many the graph is to have (n; the original's
// table ignores it as well); only a query about fractions trims.
static void show_all(struct asked *a) {
    static const str keys[] = {S("nf"), S("ef"), S("trim")};
    a->options.graph.nodecount = 0;
    for (size_t i = 0; i < countof(keys); i++)
        if (query_get(&a->rq->query, keys[i]).len) return;
    a->options.graph.trim = false;
}

static bool top(struct asked *a) {
    static const str orders[] = {
        [TOP_BY_FLAT] = S("flat"), [TOP_BY_CUM] = S("cum"), [TOP_BY_NAME] = S("name")};
    struct cut cut;
    u32 order;
    bool is_reverse;
    show_all(a);
    if (!read_order(a, orders, countof(orders), "flat, cum or name", &order, &is_reverse) ||
        !read_cut(a, TOP_ROWS, MAX_TOP_ROWS, &cut))
        return false;
    struct top_page page = {.order = (enum top_order)order,
                            .is_reverse = is_reverse,
                            .re = cut.re,
                            .off = cut.off,
                            .limit = cut.limit};
    bool ok =
        rows(a, &(struct report_request){
                    .kind = REPORT_TEXT, .form = FORM_JSON, .options = &a->options, .page = &page});
    regex_done(cut.re);
    return ok;
}

static bool traces(struct asked *a) {
    static const str orders[] = {[STACKS_BY_FILE] = S("file"),
                                 [STACKS_BY_VALUE] = S("value"),
                                 [STACKS_BY_LEAF] = S("leaf"),
                                 [STACKS_BY_DEPTH] = S("depth")};
    struct cut cut;
    u32 order;
    bool is_reverse;
    if (!read_order(a, orders, countof(orders), "file, value, leaf or depth", &order,
                    &is_reverse) ||
        !read_cut(a, TRACE_ROWS, MAX_TRACE_ROWS, &cut))
        return false;
    struct stack_page page = {.order = (enum stack_order)order,
                              .is_reverse = is_reverse,
                              .re = cut.re,
                              .off = cut.off,
                              .limit = cut.limit};
    bool ok = rows(
        a, &(struct report_request){
               .kind = REPORT_TRACES, .form = FORM_JSON, .options = &a->options, .stacks = &page});
    regex_done(cut.re);
    return ok;
}

static bool plain(struct asked *a, enum report_kind kind) {
    return rows(a,
                &(struct report_request){.kind = kind, .form = FORM_JSON, .options = &a->options});
}

// A name as an expression that matches it alone.
static str exactly(struct arena *out, str name) {
    struct buf b = buf_new(out, SIZE_MAX);
    buf_byte(&b, '^');
    for (size_t i = 0; i < name.len; i++) {
        if (str_find_byte(S("\\.+*?()|[]{}^$"), name.p[i]) >= 0) buf_byte(&b, '\\');
        buf_byte(&b, name.p[i]);
    }
    buf_byte(&b, '$');
    return buf_str(&b);
}

// The function to begin with where none is asked for: the one with the largest own weight.
static bool hottest(struct asked *a, str *ret) {
    struct options o = a->options;
    struct view view;
    struct frames frames;
    struct graph graph;
    struct arena *out = a->rq->arena;
    o.view.granularity = GRANULARITY_FUNCTIONS;
    o.graph.trim = true;
    o.graph.nodecount = 1;
    o.graph.nodefraction = o.graph.edgefraction = 0;
    o.graph.sort = SORT_FLAT;
    if (!view_build(out, &a->source->profile, &o.view, o.report.unit, &a->messages, &view,
                    a->err)) {
        a->reply->where = state_where(a->err);
        return false;
    }
    view_frames(out, &view, &(struct frame_opts){0}, &frames);
    graph_build(out, &view, &frames, &(struct graph_request){.opts = &o.graph}, &graph);
    a->messages.len = 0; // the report itself says them again
    if (!graph.n_shown) return err_set(a->err, ERR_NOT_FOUND, 0, "the profile has no samples");
    *ret = exactly(out, graph.names[graph.shown[0]]);
    return true;
}

static bool matching(struct asked *a, enum report_kind kind) {
    str f = query_get(&a->rq->query, S("f"));
    if (!f.len && !hottest(a, &f)) return false;
    return rows(a, &(struct report_request){.kind = kind,
                                            .form = FORM_JSON,
                                            .options = &a->options,
                                            .regex = f,
                                            .has_regex = true});
}

static bool tags(struct asked *a) {
    struct cut cut;
    if (!read_cut(a, TAG_ROWS, MAX_TAG_ROWS, &cut)) return false;
    struct tag_page page = {.key = query_get(&a->rq->query, S("key")),
                            .re = cut.re,
                            .off = cut.off,
                            .limit = cut.limit};
    bool ok =
        rows(a, &(struct report_request){
                    .kind = REPORT_TAGS, .form = FORM_JSON, .options = &a->options, .tags = &page});
    regex_done(cut.re);
    return ok;
}
static bool graph(struct asked *a) {
    return plain(a, REPORT_DOT);
}
static bool peek(struct asked *a) {
    return matching(a, REPORT_PEEK);
}
static bool source(struct asked *a) {
    return matching(a, REPORT_WEBLIST);
}
static bool disasm(struct asked *a) {
    return matching(a, REPORT_DISASM);
}

HANDLER(api_top, false, top)
HANDLER(api_traces, false, traces)
HANDLER(api_tags, false, tags)
HANDLER(api_graph, false, graph)
HANDLER(api_peek, true, peek)
HANDLER(api_source, true, source)
HANDLER(api_disasm, true, disasm)

// Files by the name of the command that writes them.
static const struct export {
    str form;
    enum report_kind kind;
    enum report_form rows;
    str type, filename;
    bool is_packed, is_picture;
}
exports[] = {
    {S("callgrind"), REPORT_CALLGRIND, FORM_TEXT, S("text/plain; charset=utf-8"),
     S("profile.callgrind"), false, false},
    {S("csv"), REPORT_TEXT, FORM_CSV, S("text/csv; charset=utf-8"), S("profile.csv"), false, false},
    {S("dot"), REPORT_DOT, FORM_TEXT, S("text/vnd.graphviz; charset=utf-8"), S("profile.dot"),
     false, false},
    {S("flamegraph"), REPORT_FLAMEGRAPH, FORM_TEXT, S("text/html; charset=utf-8"),
     S("profile.html"), false, false},
    {S("folded"), REPORT_FOLDED, FORM_TEXT, S("text/plain; charset=utf-8"), S("profile.folded"),
     false, false},
    {S("json"), REPORT_TEXT, FORM_JSON, S("application/json"), S("profile.json"), false, false},
    {S("proto"), REPORT_PROTO, FORM_TEXT, S("application/vnd.google.protobuf+gzip"),
     S("profile.pb.gz"), true, false},
    {S("raw"), REPORT_RAW, FORM_TEXT, S("text/plain; charset=utf-8"), S("profile.raw.txt"), false,
     false},
    {S("speedscope"), REPORT_SPEEDSCOPE, FORM_TEXT, S("application/json"),
     S("profile.speedscope.json"), false, false},
    {S("svg"), REPORT_DOT, FORM_TEXT, S("image/svg+xml"), S("profile.svg"), false, true},
    {S("tags"), REPORT_TAGS, FORM_TEXT, S("text/plain; charset=utf-8"), S("profile.tags.txt"),
     false, false},
    {S("text"), REPORT_TEXT, FORM_TEXT, S("text/plain; charset=utf-8"), S("profile.txt"), false,
     false},
    {S("traces"), REPORT_TRACES, FORM_TEXT, S("text/plain; charset=utf-8"), S("profile.traces.txt"),
     false, false},
    {S("tree"), REPORT_TREE, FORM_TEXT, S("text/plain; charset=utf-8"), S("profile.tree.txt"),
     false, false},
};

static bool make_picture(struct asked *a, str dot) {
    str svg;
    if (!picture_make(a->rq->arena, dot, S("svg"), &svg, a->err)) {
        a->reply->status = 501;
        return false;
    }
    buf_put(&a->reply->body, svg);
    return true;
}

static bool export(struct asked *a) {
    str form = query_get(&a->rq->query, S("form"));
    const struct export *e = NULL;
    for (size_t i = 0; i < countof(exports); i++)
        if (str_eq(exports[i].form, form)) e = &exports[i];
    if (!e) {
        a->reply->where = S("form");
        return err_set(a->err, ERR_USAGE, 0, "no file has the form \"" S_FMT "\"",
                       S_ARG(str_take(form, 100)));
    }
    struct buf dot = buf_new(a->rq->arena, SIZE_MAX);
    struct report_request req = {.kind = e->kind, .form = e->rows, .options = &a->options};
    if (!report(a, &req, e->is_picture ? &dot : &a->reply->body)) return false;
    if (e->is_picture && !make_picture(a, buf_str(&dot))) return false;
    a->reply->type = e->type;
    a->reply->filename = e->filename;
    a->reply->is_packed = e->is_packed;
    return true;
}
HANDLER(api_export, false, export)

// The whole profile, as it was loaded.
static bool download(struct asked *a) {
    str plain_bytes, packed;
    if (!profile_encode(a->rq->arena, &a->source->profile, &plain_bytes, a->err) ||
        !gzip_pack(a->rq->arena, plain_bytes, 0, &packed, a->err))
        return false;
    buf_put(&a->reply->body, packed);
    a->reply->type = S("application/vnd.google.protobuf+gzip");
    a->reply->filename = S("profile.pb.gz");
    a->reply->is_packed = true;
    return true;
}
HANDLER(api_download, false, download)
