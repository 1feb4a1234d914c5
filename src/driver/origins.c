// driver/origins.c - names from the servers a profile came from.
// Room: see origins.h. Door: origins_ask(), at the end. Unlike the original: questions are cut in
// pieces, have a time limit, and a server that fails costs its own names only (quirk Q31).
#include "driver/origins.h"

#include "symbols/symbols.h"

#include <string.h>

enum {
    // Of one POST, about 3,400 addresses: servers look each up while the program runs, and some
    // (gperftools) answer nothing before they know all.
    MAX_QUESTION_BYTES = 64 << 10,
    MAX_WAIT_S = 60, // for one answer, where -timeout or -seconds allow more
    MAX_FAILED = 64, // servers remembered as failing; further ones are asked once a mapping
};

struct profile origins_name(struct arena *out, const struct profile *p,
                            const struct source_url *url) {
    struct profile q = *p;
    u32 file = U32_NONE;
    for (u32 i = 0; i < p->n_mappings; i++) {
        if (p->mappings[i].build_id || p->mappings[i].file) continue;
        if (file == U32_NONE) {
            file = profile_add_str(out, &q, url->text);
            q.mappings = NEW(out, struct mapping, p->n_mappings);
            memcpy(q.mappings, p->mappings, p->n_mappings * sizeof *q.mappings);
        }
        q.mappings[i].file = file;
    }
    return q;
}

void origins_add(struct arena *out, struct origins *o, const struct profile *p,
                 const struct source_url *url) {
    GROW(out, o->items, o->cap, o->n + p->n_mappings);
    for (u32 i = 0; i < p->n_mappings; i++) {
        const struct mapping *m = &p->mappings[i];
        str key = profile_str(p, m->build_id ? m->build_id : m->file);
        o->items[o->n++] = (struct origin){str_copy(out, key), url, m->start};
    }
}

struct asking {
    struct arena *out;
    struct profile p; // its mappings may be written
    const struct fetch_opts *opts;
    const struct ui *ui;
    str failed[MAX_FAILED]; // URLs of symbol services
    size_t n_failed;
};

static bool has_failed(const struct asking *a, str url) {
    for (size_t i = 0; i < a->n_failed; i++) {
        if (str_eq(a->failed[i], url)) return true;
    }
    return false;
}

// The symbol service beside a profile; false where there can be none, or it failed before.
static bool service_of(struct asking *a, const struct source_url *url, struct source_url *ret) {
    struct source_url service = *url;
    service.fetch = remote_url(a->out, url->fetch);
    service.text = service.fetch;
    if (url->unix_socket.len) {
        str parts[] = {S("unix:"), url->unix_socket, S(" "), service.fetch};
        service.text = str_join(a->out, parts, countof(parts), (str){0});
    }
    if (service.timeout_s > MAX_WAIT_S) service.timeout_s = MAX_WAIT_S;
    *ret = service;
    return service.fetch.len && !has_failed(a, service.text);
}

// The next piece of a question, cut between addresses.
static str question_piece(str *question) {
    str piece = str_take(*question, MAX_QUESTION_BYTES);
    ptrdiff_t plus = piece.len < question->len ? str_rfind_byte(piece, '+') : -1;
    if (plus > 0) piece = str_take(piece, (size_t)plus);
    *question = str_skip(*question, piece.len + 1);
    return piece;
}

// Posts question piece by piece; *answer gets what came back, also when a later piece failed.
static bool post(struct asking *a, const struct source_url *service, str question,
                 struct buf *answer, struct err *err) {
    while (question.len) {
        str piece = question_piece(&question), part;
        if (!fetch_post(a->out, service, piece, a->opts, &part, err)) return false;
        buf_put(answer, part);
        buf_byte(answer, '\n');
        if (answer->is_full) return err_set(err, ERR_LIMIT, 0, "the answers are too long");
    }
    return true;
}

// Asks one origin for one mapping.
static bool ask(struct asking *a, const struct source_url *service, u32 mapping_i, u64 start,
                struct err *err) {
    i64 offset = (i64)(start - a->p.mappings[mapping_i].start);
    str question;
    if (!remote_question(a->out, &a->p, mapping_i, offset, &question, err)) return false;
    if (!question.len) return true;
    struct buf answer = buf_new(a->out, a->opts->max_bytes);
    bool is_whole = post(a, service, question, &answer, err);
    struct profile named;
    struct err why = {0};
    if (!remote_answer(a->out, &a->p, mapping_i, offset, buf_str(&answer), &named, &why)) {
        if (is_whole && err) *err = why;
        return false;
    }
    a->p = named;
    return is_whole;
}

static void say_failed(struct asking *a, str service, const struct err *err) {
    ui_error(a->ui, "remote symbolization: " S_FMT ": %s", S_ARG(service), err->text);
    if (a->n_failed < MAX_FAILED) a->failed[a->n_failed++] = service;
}

// Asks the origins that had the mapping under key until one has answered whole.
static bool ask_for_key(struct asking *a, const struct origins *o, u32 mapping_i, u32 key) {
    if (!key) return false;
    str text = profile_str(&a->p, key);
    for (size_t i = 0; i < o->n; i++) {
        struct source_url service;
        struct err err = {0};
        if (!str_eq(o->items[i].key, text) || !service_of(a, o->items[i].url, &service)) continue;
        if (ask(a, &service, mapping_i, o->items[i].start, &err)) return true;
        say_failed(a, service.text, &err);
    }
    return false;
}

struct profile origins_ask(struct arena *out, const struct profile *p, const struct origins *o,
                           bool is_forced, const struct fetch_opts *opts, const struct ui *ui) {
    if (!o->n) return *p;
    struct asking a = {.out = out, .p = *p, .opts = opts, .ui = ui};
    a.p.mappings = NEW(out, struct mapping, p->n_mappings);
    memcpy(a.p.mappings, p->mappings, p->n_mappings * sizeof *p->mappings);
    for (u32 i = 0; i < p->n_mappings; i++) {
        struct mapping m = a.p.mappings[i];
        if (m.has_functions && !is_forced) continue;
        if (ask_for_key(&a, o, i, m.file) || ask_for_key(&a, o, i, m.build_id))
            a.p.mappings[i].has_functions = true; // asked is enough, as there
    }
    return a.p;
}
