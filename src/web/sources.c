// web/sources.c - the profiles at hand.
// Room: see sources.h. Door: web/sources.h.
#include "web/sources.h"

#include "view/view.h"
#include "web/flames.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum {
    MAX_DIFFERENCES = 2, // made ones that are kept: the one being looked at, and one to go back to
    MAX_KEPT = MAX_SOURCES + MAX_DIFFERENCES,
    MAX_HEARD = 64 << 10, // of what went wrong in a refresh; a line or two is said
};

// A source with what only this file may know of it.
struct kept {
    struct source source; // first: lent as it is
    struct arena arena;   // of the profile
    i64 from_id, base_id; // of a difference; 0: none
    bool is_normalized;
    u32 n_borrowed;
    u64 used_at; // counts lendings: the least goes first
    bool is_old; // off the list, ends when the last borrower returns it
};

struct sources_kept {
    pthread_mutex_t lock; // over everything below
    struct kept *items[MAX_KEPT];
    size_t n;
    i64 last_id;
    u64 n_lendings;
    bool is_refreshing;
    char error[ERR_TEXT_CAP];
    pthread_mutex_t making; // one difference is made at a time
    const struct cli *cli;
    struct ui ui;
};

static i64 now_nanos(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (i64)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void kept_end(struct kept *s) {
    struct arena arena = s->arena; // s lies in it
    flames_done(s->source.flames);
    arena_done(&arena);
}

// An empty one in an arena of its own.
static struct kept *kept_new(void) {
    struct arena arena;
    arena_init(&arena);
    struct kept *s = NEW(&arena, struct kept, 1);
    s->arena = arena;
    s->source.fetched_nanos = now_nanos();
    s->source.flames = flames_new(&s->arena);
    return s;
}

static i64 total_of(const struct profile *p) {
    i64 total = 0;
    u32 type_i;
    if (!view_sample_index(p, S(""), &type_i, NULL)) return 0;
    for (u32 i = 0; i < p->n_samples; i++)
        total = (i64)((u64)total + (u64)p->values[(size_t)i * p->n_types + type_i]);
    return total;
}

// Takes one off the list. The lock is held.
static void drop(struct sources_kept *k, size_t i) {
    struct kept *s = k->items[i];
    for (size_t j = i; j + 1 < k->n; j++) k->items[j] = k->items[j + 1];
    k->n--;
    s->is_old = true;
    if (!s->n_borrowed) kept_end(s);
}

// Makes room for one more of its kind: of fetches the first, of differences the least used goes.
static void make_room(struct sources_kept *k, bool is_difference) {
    size_t n = 0, least = 0;
    for (size_t i = 0; i < k->n; i++) {
        if ((k->items[i]->base_id != 0) != is_difference) continue;
        bool is_less = is_difference && k->items[i]->used_at < k->items[least]->used_at;
        if (n++ == 0 || is_less) least = i;
    }
    if (n >= (is_difference ? MAX_DIFFERENCES : MAX_SOURCES)) drop(k, least);
}

static void add(struct sources_kept *k, struct kept *s) {
    make_room(k, s->base_id != 0);
    s->source.id = ++k->last_id;
    k->items[k->n++] = s;
}

bool kept_init(struct arena *out, const struct cli *cli, const struct profile *p,
               const struct ui *ui, struct sources_kept **ret, struct err *err) {
    struct sources_kept *k = NEW(out, struct sources_kept, 1);
    if (pthread_mutex_init(&k->lock, NULL) || pthread_mutex_init(&k->making, NULL))
        return err_set(err, ERR_SYSTEM, 0, "no memory for a lock");
    k->cli = cli;
    k->ui = *ui;
    *ret = k;
    if (!p) return true;
    struct kept *s = kept_new();
    s->source.total = total_of(p);
    s->source.profile = *p; // its arena is the caller's, and lives as long as the process
    add(k, s);
    return true;
}

bool kept_add(struct sources_kept *k, const struct profile *p, i64 *ret_id, struct err *err) {
    struct kept *s = kept_new();
    const struct profile *list[] = {p};
    if (!profile_merge(&s->arena, list, 1, &s->source.profile, err)) {
        kept_end(s);
        return false;
    }
    s->source.total = total_of(&s->source.profile);
    pthread_mutex_lock(&k->lock);
    add(k, s);
    *ret_id = s->source.id;
    pthread_mutex_unlock(&k->lock);
    return true;
}

static struct kept *find_fetch(struct sources_kept *k, i64 id) {
    struct kept *found = NULL;
    for (size_t i = 0; i < k->n; i++) {
        struct kept *s = k->items[i];
        if (!s->base_id && (id == 0 || s->source.id == id)) found = s;
    }
    return found;
}

static struct kept *find_difference(struct sources_kept *k, i64 id, i64 base_id, bool normalize) {
    for (size_t i = 0; i < k->n; i++) {
        struct kept *s = k->items[i];
        if (s->base_id == base_id && s->from_id == id && s->is_normalized == normalize) return s;
    }
    return NULL;
}

static struct kept *lend(struct sources_kept *k, struct kept *s) {
    if (!s) return NULL;
    s->n_borrowed++;
    s->used_at = ++k->n_lendings;
    return s;
}

static struct kept *borrow_fetch(struct sources_kept *k, i64 id, struct err *err) {
    pthread_mutex_lock(&k->lock);
    struct kept *s = lend(k, find_fetch(k, id));
    pthread_mutex_unlock(&k->lock);
    if (!s) err_set(err, ERR_NOT_FOUND, 0, "there is no source %lld (any more)", (long long)id);
    return s;
}

static struct kept *borrow_difference(struct sources_kept *k, i64 id, i64 base_id, bool normalize) {
    pthread_mutex_lock(&k->lock);
    struct kept *s = lend(k, find_difference(k, id, base_id, normalize));
    pthread_mutex_unlock(&k->lock);
    return s;
}

void kept_return(struct sources_kept *k, const struct source *source) {
    struct kept *s = (struct kept *)(uintptr_t)source; // it is the first member of one of ours
    pthread_mutex_lock(&k->lock);
    bool is_over = --s->n_borrowed == 0 && s->is_old;
    pthread_mutex_unlock(&k->lock);
    if (is_over) kept_end(s);
}

static bool subtract(const struct kept *from, const struct kept *base, bool normalize,
                     struct kept *ret, struct err *err) {
    struct profile difference;
    if (!sources_subtract(&ret->arena, &from->source.profile, &base->source.profile, normalize,
                          &difference, err))
        return false;
    ret->source.profile = difference;
    ret->from_id = from->source.id;
    ret->base_id = base->source.id;
    ret->is_normalized = normalize;
    ret->source.fetched_nanos = from->source.fetched_nanos;
    return true;
}

// Whoever asks second waits for the first one's and finds it.
static struct kept *make_difference(struct sources_kept *k, const struct kept *from,
                                    const struct kept *base, bool normalize, struct err *err) {
    pthread_mutex_lock(&k->making);
    struct kept *s = borrow_difference(k, from->source.id, base->source.id, normalize);
    if (!s) {
        struct kept *made = kept_new();
        if (subtract(from, base, normalize, made, err)) {
            pthread_mutex_lock(&k->lock);
            add(k, made);
            s = lend(k, made);
            pthread_mutex_unlock(&k->lock);
        } else {
            kept_end(made);
        }
    }
    pthread_mutex_unlock(&k->making);
    return s;
}

bool kept_borrow(struct sources_kept *k, i64 id, i64 base_id, bool normalize,
                 const struct source **ret, struct err *err) {
    struct kept *from = borrow_fetch(k, id, err);
    if (!from) return false;
    *ret = &from->source;
    if (!base_id) return true;
    struct kept *base = borrow_fetch(k, base_id, err);
    struct kept *s = base ? make_difference(k, from, base, normalize, err) : NULL;
    if (base) kept_return(k, &base->source);
    kept_return(k, &from->source);
    if (s) *ret = &s->source;
    return s != NULL;
}

static void *refresh(void *ctx) {
    struct sources_kept *k = ctx;
    struct kept *s = kept_new();
    struct err err = {0};
    AUTO_ARENA struct arena scratch = {0};
    struct buf heard = buf_new(&scratch, MAX_HEARD);
    struct ui ui = k->ui;
    ui.heard = &heard; // why each source failed: the page says it as the terminal does
    bool is_loaded = sources_load(&s->arena, k->cli, &ui, &s->source.profile, &err);
    if (is_loaded) s->source.total = total_of(&s->source.profile);
    if (!is_loaded) ui_error(&ui, "pprof: refresh: %s", err.text);
    pthread_mutex_lock(&k->lock);
    k->is_refreshing = false;
    snprintf(k->error, sizeof k->error, S_FMT, S_ARG(is_loaded ? S("") : buf_str(&heard)));
    if (is_loaded) add(k, s);
    pthread_mutex_unlock(&k->lock);
    if (!is_loaded) kept_end(s);
    return NULL;
}

bool kept_refresh(struct sources_kept *k) {
    pthread_mutex_lock(&k->lock);
    bool starts = !k->is_refreshing;
    k->is_refreshing = true;
    pthread_mutex_unlock(&k->lock);
    pthread_t thread;
    if (!starts) return false;
    if (pthread_create(&thread, NULL, refresh, k) == 0) return pthread_detach(thread) == 0;
    pthread_mutex_lock(&k->lock);
    k->is_refreshing = false;
    pthread_mutex_unlock(&k->lock);
    return false;
}

void kept_list(struct sources_kept *k, struct arena *out, struct source_list *ret) {
    *ret = (struct source_list){0};
    pthread_mutex_lock(&k->lock);
    for (size_t i = 0; i < k->n; i++) {
        const struct kept *s = k->items[i];
        if (s->base_id) continue;
        ret->items[ret->n++] = (struct source_info){.id = s->source.id,
                                                    .fetched_nanos = s->source.fetched_nanos,
                                                    .total = s->source.total,
                                                    .n_samples = s->source.profile.n_samples};
    }
    ret->is_refreshing = k->is_refreshing;
    ret->error = str_copy(out, str_of(k->error));
    pthread_mutex_unlock(&k->lock);
    if (ret->n) ret->items[ret->n - 1].is_newest = true;
}
