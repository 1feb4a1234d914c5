// web/trace_live.c - see trace_live.h.
// Room: threads that read and record, and the count of borrowers. Door: trace_live_open().
#include "web/trace_live.h"

#include "web/trace_ask.h"

struct trace_shown {
    struct trace_view view; // first: what a borrower sees
    struct arena arena;     // this struct
    u32 n_users;            // under the lock; the live trace is one of them
    bool is_recorded;       // its bytes are given back
};

static struct trace_shown *shown_new(str name, str bytes, bool is_recorded) {
    struct arena arena;
    arena_init(&arena);
    struct trace_shown *s = NEW(&arena, struct trace_shown, 1);
    s->arena = arena;
    s->n_users = 1;
    s->is_recorded = is_recorded;
    trace_view_init(&s->view, name, bytes);
    return s;
}

// Under the lock, or of one that nobody else knows.
static void drop(const struct trace_live *l, struct trace_shown *s) {
    if (--s->n_users) return;
    if (s->is_recorded) l->traced->forget(s->view.bytes);
    trace_view_done(&s->view);
    struct arena arena = s->arena;
    arena_done(&arena);
}

static void *load(void *view) {
    trace_view_load(view);
    return NULL;
}

void trace_live_open(struct trace_live *l, const struct traced *t) {
    pthread_t thread;
    *l = (struct trace_live){.traced = t};
    pthread_mutex_init(&l->lock, NULL);
    l->now = shown_new(t->name, t->bytes, false);
    // Joined by nobody: it ends with the reading, the process with web_serve.
    if (pthread_create(&thread, NULL, load, &l->now->view) == 0)
        pthread_detach(thread);
    else
        load(&l->now->view);
}

struct trace_shown *trace_live_borrow(struct trace_live *l) {
    pthread_mutex_lock(&l->lock);
    struct trace_shown *shown = l->now;
    shown->n_users++;
    pthread_mutex_unlock(&l->lock);
    return shown;
}

void trace_live_return(struct trace_live *l, struct trace_shown *shown) {
    pthread_mutex_lock(&l->lock);
    drop(l, shown);
    pthread_mutex_unlock(&l->lock);
}

const struct trace_view *trace_shown_view(const struct trace_shown *shown) {
    return &shown->view;
}

// NULL: *err says why there is none.
static struct trace_shown *fetch(const struct trace_live *l, struct err *err) {
    str bytes;
    if (!l->traced->record(l->traced, l->seconds, &bytes, err)) return NULL;
    struct trace_shown *s = shown_new(l->traced->name, bytes, true);
    trace_view_load(&s->view);
    if (atomic_load_explicit(&s->view.state, memory_order_acquire) == TRACE_READY) return s;
    *err = s->view.err;
    drop(l, s);
    return NULL;
}

static void *record(void *live) {
    struct trace_live *l = live;
    struct err err = {0};
    struct trace_shown *next = fetch(l, &err);
    pthread_mutex_lock(&l->lock);
    l->is_recording = false;
    l->err = err;
    if (next) {
        drop(l, l->now);
        l->now = next;
        l->number++;
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

// Under the lock.
static bool may_record(const struct trace_live *l, struct err *err) {
    int state = atomic_load_explicit(&l->now->view.state, memory_order_acquire);
    if (!l->traced->record)
        return err_set(err, ERR_UNSUPPORTED, 0, "only a trace of a URL can be recorded again");
    if (l->is_recording || state == TRACE_LOADING)
        return err_set(err, ERR_BUSY, 0, "a trace is being recorded or read already");
    return true;
}

bool trace_live_record(struct trace_live *l, i64 seconds, struct err *err) {
    pthread_t thread;
    pthread_mutex_lock(&l->lock);
    bool is_ok = may_record(l, err);
    if (is_ok) {
        l->seconds = seconds;
        l->err = (struct err){0};
        l->is_recording = pthread_create(&thread, NULL, record, l) == 0;
        if (l->is_recording)
            pthread_detach(thread);
        else
            is_ok = err_set(err, ERR_SYSTEM, 0, "no thread could be started");
    }
    pthread_mutex_unlock(&l->lock);
    return is_ok;
}

void trace_live_put(struct trace_live *l, struct buf *b) {
    pthread_mutex_lock(&l->lock);
    buf_byte(b, '{');
    put_key(b, "can_record");
    buf_put(b, l->traced->record ? S("true") : S("false"));
    put_key(b, "is_recording");
    buf_put(b, l->is_recording ? S("true") : S("false"));
    put_i64(b, "number", (i64)l->number);
    put_text(b, "error", l->err.code ? str_of(l->err.text) : S(""));
    buf_byte(b, '}');
    pthread_mutex_unlock(&l->lock);
}
