// web/profile.h - what the handlers of a profile's server share.
// Room: private to web/. Door: web/web.h (web_profile).
#pragma once

#include "render/render.h"
#include "web/sources.h"
#include "web/state.h"
#include "web/web.h"

#include <pthread.h>

struct profile_site {
    const struct cli *cli;
    struct sources_kept *sources;
    bool is_made; // its profiles were made of a trace: none was loaded from the command line
    pthread_mutex_t configs_lock; // over settings.json while it is changed
};

// Fills a site over the profile loaded (NULL: none yet); both live as long as it serves.
MUST_USE bool profile_site_open(struct arena *out, const struct cli *cli, const struct profile *p,
                                const struct ui *ui, struct profile_site *ret,
                                struct web_site *ret_web, struct err *err);

// A request with what it is about: a borrowed source and the options of its query.
struct asked {
    struct web_request *rq;
    struct web_reply *reply;
    struct profile_site *site;
    const struct source *source;
    struct options options;
    struct buf messages; // warnings, a line each
    struct err *err;
};

// keeps_f: f is what to look for, not the focus. Fails with reply->where set.
MUST_USE bool asked_open(struct web_request *rq, struct web_reply *reply, bool keeps_f,
                         struct asked *ret, struct err *err);
void asked_close(struct asked *a);
// The expression of a key. *ret NULL: it is not given. Fails with reply->where set.
MUST_USE bool asked_regex(struct asked *a, str key, struct regex **ret);
// "warnings": [...].
void asked_put_warnings(const struct asked *a, struct json *j);

// A handler that borrows a source, makes its answer by call, and gives the source back.
#define HANDLER(name, keeps_f, call)                                                               \
    bool name(struct web_request *rq, struct web_reply *reply, struct err *err) {                  \
        struct asked a;                                                                            \
        if (!asked_open(rq, reply, keeps_f, &a, err)) return false;                                \
        bool ok = call(&a);                                                                        \
        asked_close(&a);                                                                           \
        return ok;                                                                                 \
    }

#define PAGE(...)
#define ROUTE(kind, path, handler)                                                                 \
    bool handler(struct web_request *rq, struct web_reply *reply, struct err *err);
#include "web/routes.def"
#undef PAGE
#undef ROUTE
