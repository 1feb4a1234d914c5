// web/workers.c - a few threads that run jobs.
// Room: see workers.h. Door: web/workers.h.
#include "web/workers.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    MAX_WORKERS = 8,  // a desk has one person: more only fight over memory bandwidth
    MAX_WAITING = 64, // a page asks for a handful at once
};

struct job_list {
    struct worker_job *first, **last;
    u32 n;
};

struct workers {
    pthread_mutex_t lock; // over both lists
    pthread_cond_t has_work;
    struct job_list waiting, done;
    int fd;
};

static void list_add(struct job_list *list, struct worker_job *job) {
    job->next = NULL;
    if (!list->first) list->last = &list->first;
    *list->last = job;
    list->last = &job->next;
    list->n++;
}

static struct worker_job *list_take(struct job_list *list) {
    struct worker_job *job = list->first;
    list->first = job->next;
    list->n--;
    return job;
}

static void *work(void *ctx) {
    struct workers *w = ctx;
    for (;;) {
        pthread_mutex_lock(&w->lock);
        while (!w->waiting.first) pthread_cond_wait(&w->has_work, &w->lock);
        struct worker_job *job = list_take(&w->waiting);
        pthread_mutex_unlock(&w->lock);
        job->run(job);
        pthread_mutex_lock(&w->lock);
        list_add(&w->done, job);
        pthread_mutex_unlock(&w->lock);
        eventfd_write(w->fd, 1);
    }
    return NULL;
}

bool workers_start(struct arena *out, struct workers **ret, struct err *err) {
    struct workers *w = NEW(out, struct workers, 1);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    n = n < 2 ? 2 : n > MAX_WORKERS ? MAX_WORKERS : n;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->has_work, NULL);
    w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->fd < 0) return err_sys(err, "eventfd");
    for (long i = 0; i < n; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, w) != 0)
            return err_sys(err, "cannot start worker threads");
        pthread_detach(thread);
    }
    *ret = w;
    return true;
}

bool workers_add(struct workers *w, struct worker_job *job) {
    pthread_mutex_lock(&w->lock);
    bool has_room = w->waiting.n < MAX_WAITING;
    if (has_room) list_add(&w->waiting, job);
    pthread_cond_signal(&w->has_work);
    pthread_mutex_unlock(&w->lock);
    return has_room;
}

int workers_fd(const struct workers *w) {
    return w->fd;
}

struct worker_job *workers_take_done(struct workers *w) {
    eventfd_t n;
    (void)eventfd_read(w->fd, &n);
    pthread_mutex_lock(&w->lock);
    struct worker_job *first = w->done.first;
    w->done = (struct job_list){0};
    pthread_mutex_unlock(&w->lock);
    return first;
}
