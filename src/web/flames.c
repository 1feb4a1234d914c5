// web/flames.c - the sorted stacks of a source, kept from one request to the next.
// Room: see flames.h. Door: web/flames.h.
#include "web/flames.h"

#include <pthread.h>

enum {
    MAX_SHAPES = 4,  // of 26 M frames each has 110 MB: both directions, and the two before a change
    MAX_WEIGHTS = 4, // of each: sample types and filters, 16 MB a million stacks
};

// Weights under the text of the options that chose them.
struct kept_weights {
    struct arena arena; // it lies in it
    str key;
    struct flame_weights weights;
    u32 n_borrowed;
    u64 used_at;
};

struct kept_shape {
    struct arena arena; // it lies in it
    str key;
    struct options options; // with nothing that chooses samples
    struct view view;
    struct flame_index index;
    bool is_ready, is_failed;
    u32 n_borrowed;
    u64 used_at;
    struct kept_weights *weights[MAX_WEIGHTS];
};

struct flame_cache {
    pthread_mutex_t lock; // over everything here but what is inside a ready shape's index
    pthread_cond_t is_made;
    struct kept_shape *shapes[MAX_SHAPES];
    u64 n_lendings;
};

struct flame_cache *flames_new(struct arena *out) {
    struct flame_cache *c = NEW(out, struct flame_cache, 1);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->is_made, NULL);
    return c;
}

static void weights_end(struct kept_weights *w) {
    struct arena arena = w->arena;
    arena_done(&arena);
}

static void shape_end(struct kept_shape *s) {
    for (size_t i = 0; i < MAX_WEIGHTS; i++)
        if (s->weights[i]) weights_end(s->weights[i]);
    struct arena arena = s->arena;
    arena_done(&arena);
}

void flames_done(struct flame_cache *c) {
    for (size_t i = 0; i < MAX_SHAPES; i++)
        if (c->shapes[i]) shape_end(c->shapes[i]);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->is_made);
}

static void put_option(struct buf *b, const struct options *o, enum option_id id) {
    option_show(o, &option_table[id], b);
    buf_byte(b, 0); // no option's text has one
}

static const enum option_id shaping[] = {
    OPT_hide,       OPT_show, OPT_show_from, OPT_tagroot,     OPT_tagleaf,
    OPT_prune_from, OPT_unit, OPT_noinlines, OPT_granularity, OPT_showcolumns};
static const enum option_id choosing[] = {OPT_focus, OPT_ignore, OPT_tagfocus, OPT_tagignore};

static str shape_key(struct arena *out, const struct options *o, bool is_up) {
    struct buf b = buf_new(out, SIZE_MAX);
    buf_byte(&b, is_up ? 'u' : 'd');
    for (size_t i = 0; i < countof(shaping); i++) put_option(&b, o, shaping[i]);
    return buf_str(&b);
}

static str weights_key(struct arena *out, const struct options *o, const struct view *v) {
    struct buf b = buf_new(out, SIZE_MAX);
    num_u64(&b, v->type_i);
    buf_byte(&b, 0);
    for (size_t i = 0; i < countof(choosing); i++) put_option(&b, o, choosing[i]);
    return buf_str(&b);
}

// o without what chooses samples, with texts of its own.
static struct options shape_options(struct arena *out, const struct options *o) {
    struct options ret = *o;
    for (size_t i = 0; i < N_OPTIONS; i++) {
        str *text = (str *)(void *)((char *)&ret + option_table[i].offset);
        if (option_table[i].type == OPTION_STR) *text = str_copy(out, *text);
    }
    for (size_t i = 0; i < countof(choosing); i++)
        *(str *)(void *)((char *)&ret + option_table[choosing[i]].offset) = S("");
    ret.view.sample_index = S("");
    ret.view.mean = false;
    return ret;
}

static struct kept_shape *shape_new(str key, const struct options *o) {
    struct arena arena;
    arena_init(&arena);
    struct kept_shape *s = NEW(&arena, struct kept_shape, 1);
    s->arena = arena;
    s->key = str_copy(&s->arena, key);
    s->options = shape_options(&s->arena, o);
    return s;
}

// The free slot, or the one used longest ago that nobody borrows; NULL: none. The lock is held.
static struct kept_shape **shape_slot(struct flame_cache *c) {
    struct kept_shape **least = NULL;
    for (size_t i = 0; i < MAX_SHAPES; i++) {
        struct kept_shape *s = c->shapes[i];
        if (!s) return &c->shapes[i];
        if (!s->n_borrowed && (!least || s->used_at < (*least)->used_at)) least = &c->shapes[i];
    }
    return least;
}

// The shape of that key, ready or being made by somebody; *ret_mine: it is new, and the caller
// makes it. NULL: there is no room.
static struct kept_shape *shape_lend(struct flame_cache *c, str key, const struct options *o,
                                     bool *ret_mine) {
    struct kept_shape *s = NULL;
    *ret_mine = false;
    for (size_t i = 0; i < MAX_SHAPES && !s; i++)
        if (c->shapes[i] && !c->shapes[i]->is_failed && str_eq(c->shapes[i]->key, key))
            s = c->shapes[i];
    if (!s) {
        struct kept_shape **slot = shape_slot(c);
        if (!slot) return NULL;
        if (*slot) shape_end(*slot);
        *slot = s = shape_new(key, o);
        *ret_mine = true;
    }
    s->n_borrowed++;
    s->used_at = ++c->n_lendings;
    return s;
}

static bool shape_make(struct kept_shape *s, const struct profile *p, bool is_up, struct err *err) {
    struct buf ignored = buf_new(&s->arena, 4096); // the request's own view says it
    if (!view_build(&s->arena, p, &s->options.view, s->options.report.unit, &ignored, &s->view,
                    err))
        return false;
    flame_index_build(&s->arena, &s->view, is_up, &s->index);
    return true;
}

static void mark_made(struct flame_cache *c, struct kept_shape *s, bool is_ok) {
    pthread_mutex_lock(&c->lock);
    s->is_ready = true;
    s->is_failed = !is_ok;
    pthread_cond_broadcast(&c->is_made);
    pthread_mutex_unlock(&c->lock);
}

static bool shape_get(struct flame_cache *c, const struct profile *p, const struct options *o,
                      bool is_up, struct kept_shape **ret, struct err *err) {
    AUTO_ARENA struct arena scratch = {0};
    str key = shape_key(&scratch, o, is_up);
    bool is_mine;
    pthread_mutex_lock(&c->lock);
    struct kept_shape *s = shape_lend(c, key, o, &is_mine);
    while (s && !is_mine && !s->is_ready) pthread_cond_wait(&c->is_made, &c->lock);
    pthread_mutex_unlock(&c->lock);
    *ret = s;
    if (!s) return err_set(err, ERR_BUSY, 0, "too many views at once: try again");
    if (is_mine) mark_made(c, s, shape_make(s, p, is_up, err));
    if (!s->is_failed) return true;
    if (!is_mine) err_set(err, ERR_USAGE, 0, "the view cannot be made");
    pthread_mutex_lock(&c->lock);
    s->n_borrowed--;
    pthread_mutex_unlock(&c->lock);
    return false;
}

static struct kept_weights *weights_find(struct flame_cache *c, struct kept_shape *s, str key) {
    for (size_t i = 0; i < MAX_WEIGHTS; i++) {
        struct kept_weights *w = s->weights[i];
        if (!w || !str_eq(w->key, key)) continue;
        w->n_borrowed++;
        w->used_at = ++c->n_lendings;
        return w;
    }
    return NULL;
}

// Keeps w if a slot is free or its weights are nobody's; else it ends when it is given back.
static void weights_keep(struct flame_cache *c, struct kept_shape *s, struct kept_weights *w) {
    struct kept_weights **least = NULL;
    for (size_t i = 0; i < MAX_WEIGHTS; i++) {
        struct kept_weights **at = &s->weights[i];
        bool is_free = !*at || !(*at)->n_borrowed;
        if (!is_free || (least && !*least)) continue;
        if (!least || !*at || (*at)->used_at < (*least)->used_at) least = at;
    }
    w->n_borrowed = 1;
    w->used_at = ++c->n_lendings;
    if (!least) return;
    if (*least) weights_end(*least);
    *least = w;
}

static struct kept_weights *weights_get(struct flame_cache *c, struct kept_shape *s,
                                        const struct options *o, const struct view *v) {
    struct arena arena;
    arena_init(&arena);
    str key = weights_key(&arena, o, v);
    pthread_mutex_lock(&c->lock);
    struct kept_weights *w = weights_find(c, s, key);
    pthread_mutex_unlock(&c->lock);
    if (w) {
        arena_done(&arena);
        return w;
    }
    w = NEW(&arena, struct kept_weights, 1);
    w->key = key;
    flame_weigh(&arena, &s->index, v, &w->weights);
    w->arena = arena;
    pthread_mutex_lock(&c->lock);
    weights_keep(c, s, w);
    pthread_mutex_unlock(&c->lock);
    return w;
}

bool flames_borrow(struct flame_cache *c, const struct profile *p, const struct options *o,
                   const struct view *v, bool is_up, struct flame_lent *ret, struct err *err) {
    struct kept_shape *s;
    if (!shape_get(c, p, o, is_up, &s, err)) return false;
    struct kept_weights *w = weights_get(c, s, o, v);
    *ret = (struct flame_lent){&s->index, &w->weights, s, w};
    return true;
}

void flames_return(struct flame_cache *c, const struct flame_lent *lent) {
    bool is_kept = false;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < MAX_WEIGHTS; i++) is_kept |= lent->shape->weights[i] == lent->by;
    lent->by->n_borrowed--;
    lent->shape->n_borrowed--;
    pthread_mutex_unlock(&c->lock);
    if (!is_kept) weights_end(lent->by);
}
