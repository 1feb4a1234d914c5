// web/api_flame.c - the flame graph and what a search finds in it.
// Room: reading the query, borrowing indexes. Door: web/profile.h. The forms are in docs/api.md.
#include "web/profile.h"

#include "web/flames.h"

enum {
    MIN_WIDTH = 64,
    MAX_WIDTH = 16384,
    USUAL_WIDTH = 1440,
    MAX_NODES = 2000,   // more are not told apart by anybody
    MAX_PACKED = 25000, // of an answer: a round trip on any line; names alone may take most of it
    PACKED_LEVEL = 4,   // as answers are packed
    MAX_PATH = 4096,    // frames a root may lie below
    MAX_FOUND = 200,
};

// One request's way through.
struct flame {
    struct asked *a;
    struct view view;
    struct summary summary;
    struct flame_lent lent[2]; // down, up
    bool is_lent[2];
};

static bool look(struct flame *f) {
    struct asked *a = f->a;
    const struct options *o = &a->options;
    a->options.view.mean = false; // averages do not add up
    if (view_build(a->rq->arena, &a->source->profile, &o->view, o->report.unit, &a->messages,
                   &f->view, a->err) &&
        summary_build(a->rq->arena, &f->view, &o->report, &f->summary, a->err))
        return true;
    a->reply->where = state_where(a->err);
    return false;
}

static bool borrow(struct flame *f, bool is_up) {
    struct asked *a = f->a;
    f->is_lent[is_up] = flames_borrow(a->source->flames, &a->source->profile, &a->options, &f->view,
                                      is_up, &f->lent[is_up], a->err);
    return f->is_lent[is_up];
}

static void give_back(struct flame *f) {
    for (int i = 0; i < 2; i++)
        if (f->is_lent[i]) flames_return(f->a->source->flames, &f->lent[i]);
}

// Which frames an expression of the query matches; *ret NULL: there is none.
static bool match_frames(struct asked *a, const struct flame_index *index, str key, bool **ret,
                         u32 *ret_n) {
    struct regex *re;
    *ret = NULL;
    *ret_n = 0;
    if (!asked_regex(a, key, &re)) return false;
    if (!re) return true;
    *ret = NEW(a->rq->arena, bool, index->n_frames);
    for (u32 i = 0; i < index->n_frames; i++)
        if (regex_match(re, index->frames[i].name)) (*ret)[i] = ++*ret_n;
    regex_done(re);
    return true;
}

// "12.7.301": frame ids from the outermost on.
static bool read_path(struct asked *a, struct flame_query *q) {
    str part, rest = query_get(&a->rq->query, S("root"));
    u32 *path = NEW(a->rq->arena, u32, MAX_PATH);
    while (rest.len) {
        u64 id;
        str_cut(rest, '.', &part, &rest);
        if (q->n_path == MAX_PATH || !num_parse_u64(part, 10, &id) || id >= U32_NONE) {
            a->reply->where = S("root");
            return err_set(a->err, ERR_USAGE, 0, "root is at most %d frame ids joined by dots",
                           MAX_PATH);
        }
        path[q->n_path++] = (u32)id;
    }
    q->path = path;
    return true;
}

// Nodes narrower than half a pixel of what is shown cannot be seen.
static struct flame_tree *ask(struct flame *f, bool is_up, struct flame_query *q, i64 width) {
    struct arena *out = f->a->rq->arena;
    const struct flame_lent *lent = &f->lent[is_up];
    struct flame_tree *tree = NEW(out, struct flame_tree, 1);
    q->least = 1;
    q->share = (u32)(2 * width);
    q->max_nodes = MAX_NODES;
    flame_ask(out, lent->index, lent->weights, q, tree);
    return tree;
}

static bool read_view(struct asked *a, str *ret) {
    static const str views[] = {S("down"), S("up"), S("pivot")};
    str view = query_get(&a->rq->query, S("view"));
    *ret = view.len ? view : views[0];
    for (size_t i = 0; i < countof(views); i++)
        if (str_eq(views[i], *ret)) return true;
    a->reply->where = S("view");
    return err_set(a->err, ERR_USAGE, 0, "view is down, up or pivot");
}

static bool pivot(struct flame *f, struct flame_query *q, struct flame_shown *shown, i64 width) {
    bool *is_middle;
    u32 n;
    if (!match_frames(f->a, f->lent[0].index, S("p"), &is_middle, &n)) return false;
    if (!n) {
        f->a->reply->where = S("p");
        return err_set(f->a->err, ERR_NOT_FOUND, 0, "no frame matches p");
    }
    q->is_middle = is_middle;
    shown->down = ask(f, false, q, width);
    q->n_path = 0; // only what is called can be gone into
    shown->up = ask(f, true, q, width);
    return true;
}

static bool make_trees(struct flame *f, struct flame_query *q, struct flame_shown *shown,
                       i64 width) {
    if (str_eq(shown->view, S("pivot"))) return pivot(f, q, shown, width);
    bool is_up = str_eq(shown->view, S("up"));
    *(is_up ? &shown->up : &shown->down) = ask(f, is_up, q, width);
    return true;
}

// Writes the answer with as many nodes as fit MAX_PACKED bytes.
static bool write(struct flame *f, struct flame_shown *shown) {
    struct arena *out = f->a->rq->arena;
    struct buf *to = &f->a->reply->body;
    struct flame_tree *trees[] = {shown->down, shown->up};
    for (int tries = 0; tries < 3; tries++) {
        str packed;
        to->len = 0;
        render_flame_json(to, &f->summary, shown);
        if (!gzip_pack(out, buf_str(to), PACKED_LEVEL, &packed, f->a->err)) return false;
        if (packed.len <= MAX_PACKED) break;
        for (size_t i = 0; i < countof(trees); i++)
            if (trees[i])
                flame_trim(out, trees[i],
                           (u32)((u64)trees[i]->n * (MAX_PACKED - MAX_PACKED / 20) / packed.len));
    }
    return true;
}

static bool answer(struct flame *f) {
    struct asked *a = f->a;
    struct flame_query q = {0};
    struct flame_shown shown = {0};
    bool *is_match;
    u32 n;
    i64 width;
    if (!look(f) || !read_view(a, &shown.view) || !read_path(a, &q)) return false;
    a->reply->where = S("px");
    if (!query_number(&a->rq->query, S("px"), MIN_WIDTH, MAX_WIDTH, USUAL_WIDTH, &width, a->err))
        return false;
    a->reply->where = S("");
    bool is_up = str_eq(shown.view, S("up")), is_pivot = str_eq(shown.view, S("pivot"));
    if (!borrow(f, is_up) || (is_pivot && !borrow(f, true))) return false;
    shown.index = f->lent[is_up].index;
    if (!match_frames(a, shown.index, S("q"), &is_match, &n)) return false;
    shown.is_match = is_match;
    shown.is_diff = f->lent[is_up].weights->negative != NULL;
    shown.messages = buf_str(&a->messages);
    return make_trees(f, &q, &shown, width) && write(f, &shown);
}

static bool flame(struct asked *a) {
    struct flame f = {.a = a};
    bool ok = answer(&f);
    give_back(&f);
    return ok;
}
HANDLER(api_flame, false, flame)

struct found {
    u32 frame;
    struct flame_sum sum;
};

static int found_order(const void *a, const void *b, void *ctx) {
    const struct found *x = a, *y = b;
    (void)ctx;
    if (x->sum.cum != y->sum.cum) return x->sum.cum > y->sum.cum ? -1 : 1;
    return x->frame < y->frame ? -1 : 1;
}

static void put_found(struct flame *f, const bool *is_match, u32 n) {
    struct arena *out = f->a->rq->arena;
    const struct flame_index *ix = f->lent[0].index;
    struct flame_sum all, *each = NEW(out, struct flame_sum, ix->n_frames);
    struct found *found = NEW(out, struct found, n);
    struct json j = {.to = &f->a->reply->body};
    u32 to = 0;
    flame_sum(out, ix, f->lent[0].weights, is_match, &all, each);
    for (u32 i = 0; i < ix->n_frames; i++)
        if (is_match[i] && each[i].cum) found[to++] = (struct found){i, each[i]};
    sort_stable(out, found, to, sizeof *found, found_order, NULL);
    const struct value_style *style = &f->summary.style;
    json_open(&j, '{');
    asked_put_warnings(f->a, &j);
    json_key_text(&j, "type", f->summary.type);
    json_key_text(&j, "unit", style->sample_unit);
    json_key_i64(&j, "total", value_scaled(style, f->summary.total));
    json_key_i64(&j, "n", to);
    json_key_i64(&j, "cum", value_scaled(style, all.cum));
    json_key_i64(&j, "self", value_scaled(style, all.self));
    json_key(&j, "frames");
    json_open(&j, '[');
    for (u32 i = 0; i < to && i < MAX_FOUND; i++) {
        json_open(&j, '{');
        json_key_i64(&j, "id", found[i].frame);
        json_key_text(&j, "name", ix->frames[found[i].frame].name);
        json_key_i64(&j, "cum", value_scaled(style, found[i].sum.cum));
        json_key_i64(&j, "self", value_scaled(style, found[i].sum.self));
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
}

static bool find(struct flame *f) {
    bool *is_match;
    u32 n;
    if (!look(f) || !borrow(f, false)) return false;
    if (!match_frames(f->a, f->lent[0].index, S("q"), &is_match, &n)) return false;
    if (!is_match) {
        f->a->reply->where = S("q");
        return err_set(f->a->err, ERR_USAGE, 0, "q is what to search for");
    }
    put_found(f, is_match, n);
    return true;
}

static bool search(struct asked *a) {
    struct flame f = {.a = a};
    bool ok = find(&f);
    give_back(&f);
    return ok;
}
HANDLER(api_search, false, search)
