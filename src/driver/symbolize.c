// driver/symbolize.c - names for what a profile has only as addresses or linker names.
// Room: see symbolize.h. Door: driver/driver.h. Source: reference/pprof.md sections 5.3 to 5.5.
#include "driver/symbolize.h"

#include <strings.h>

enum { MAX_MESSAGES_BYTES = 64 << 10 }; // a line a binary that is not there; more help nobody

static bool word_is(str word, const char *name) {
    str want = str_of(name);
    return word.len == want.len && !strncasecmp(word.p, want.p, want.len);
}

static bool demangle_read(str word, struct symbolize_mode *m) {
    static const struct {
        const char *word;
        enum demangle_mode mode;
    } modes[] = {
        {"demangle=full", DEMANGLE_FULL},
        {"demangle=none", DEMANGLE_NONE},
        {"demangle=templates", DEMANGLE_TEMPLATES},
    };
    if (word_is(word, "demangle=default")) return true;
    for (size_t i = 0; i < countof(modes); i++) {
        if (!word_is(word, modes[i].word)) continue;
        m->demangle = modes[i].mode;
        m->is_forced = true; // another way of writing names concerns those written before
        return true;
    }
    return false;
}

struct symbolize_mode symbolize_mode_read(str text, bool *ret_unknown) {
    struct symbolize_mode m = {.is_local = true, .is_remote = true};
    *ret_unknown = false;
    str word;
    while (text.len) {
        str_cut(text, ':', &word, &text);
        if (!word.len) continue;
        if (word_is(word, "none") || word_is(word, "no")) return m.is_off = true, m;
        bool is_fast = word_is(word, "fastlocal");
        if (is_fast || word_is(word, "local")) {
            m.is_local = true;
            m.is_remote = false;
            m.is_fast |= is_fast;
        } else if (word_is(word, "remote")) {
            m.is_local = false;
            m.is_remote = true;
        } else if (word_is(word, "force")) {
            m.is_forced = true;
        } else if (!demangle_read(word, &m)) {
            *ret_unknown = true;
        }
    }
    return m;
}

void symbolize(struct arena *out, const struct profile *p, const struct symbolize_request *req,
               const struct ui *ui, struct profile *ret) {
    bool is_unknown;
    struct symbolize_mode m = symbolize_mode_read(req->mode, &is_unknown);
    if (is_unknown) {
        ui_error(ui, "ignoring unrecognized symbolization option: " S_FMT, S_ARG(req->mode));
        ui_error(ui, "expecting -symbolize=[local|fastlocal|remote|none][:force][:demangle=[none|"
                     "full|templates|default]");
    }
    *ret = *p;
    if (m.is_off) return;
    if (m.is_local) {
        struct local_opts opts = {.is_fast = m.is_fast, .is_forced = m.is_forced};
        struct buf messages = buf_new(out, MAX_MESSAGES_BYTES);
        *ret = local_symbolize(out, p, &opts, &messages);
        ui_text(ui, buf_str(&messages));
    }
    if (m.is_remote) *ret = origins_ask(out, ret, req->origins, m.is_forced, req->fetch, ui);
    *ret = demangle_profile(out, ret, m.demangle, m.is_forced);
}
