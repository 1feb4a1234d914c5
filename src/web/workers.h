// web/workers.h - a few threads that run jobs, and a descriptor that says when one is done.
// Room: the queue; what a job does is its owner's business. Door: web/web.h.
#pragma once

#include "base/base.h"

struct worker_job {
    void (*run)(struct worker_job *job); // on a worker
    struct worker_job *next;
};

struct workers;

// Threads as many as there are processors, 2 to 8. Fails: ERR_SYSTEM.
MUST_USE bool workers_start(struct arena *out, struct workers **ret, struct err *err);
// False: too many are waiting already.
MUST_USE bool workers_add(struct workers *w, struct worker_job *job);
// Readable whenever a job is done (an eventfd).
int workers_fd(const struct workers *w);
// The jobs done since the last call, first to end first; NULL: none.
struct worker_job *workers_take_done(struct workers *w);
