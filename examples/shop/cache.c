// examples/shop/cache.c - finished answers, kept by request target.
// Room: the cache and its mistake. Door: shop.h.
//
// The mistake, on purpose: the key is the whole target, session included, so that hardly any entry
// is ever asked for again, and nothing is ever dropped. The heap profile shows it: inuse_space
// grows in cache_put. max_bytes only keeps a demonstration from eating the machine.
#include "shop.h"

#include <stdlib.h>
#include <string.h>

enum { N_BUCKETS = 4096 };

struct entry {
    struct entry *next;
    char *target, *answer;
};

struct cache {
    pthread_mutex_t lock;
    size_t bytes, max_bytes;
    struct entry *buckets[N_BUCKETS];
};

struct cache *cache_new(size_t max_bytes) {
    struct cache *c = calloc(1, sizeof *c);
    if (!c) abort();
    pthread_mutex_init(&c->lock, NULL);
    c->max_bytes = max_bytes;
    return c;
}

char *cache_get(struct cache *c, const char *target) {
    char *answer = NULL;
    pthread_mutex_lock(&c->lock);
    for (struct entry *e = c->buckets[text_hash(target) % N_BUCKETS]; e && !answer; e = e->next) {
        if (strcmp(e->target, target) == 0) answer = strdup(e->answer);
    }
    pthread_mutex_unlock(&c->lock);
    return answer;
}

static struct entry *entry_new(const char *target, const char *answer) {
    struct entry *e = malloc(sizeof *e);
    if (!e) abort();
    e->target = strdup(target);
    e->answer = strdup(answer);
    return e;
}

void cache_put(struct cache *c, const char *target, const char *answer) {
    size_t bytes = sizeof(struct entry) + strlen(target) + strlen(answer) + 2;
    pthread_mutex_lock(&c->lock);
    if (c->bytes + bytes <= c->max_bytes) {
        struct entry *e = entry_new(target, answer);
        struct entry **bucket = &c->buckets[text_hash(target) % N_BUCKETS];
        e->next = *bucket;
        *bucket = e;
        c->bytes += bytes;
    }
    pthread_mutex_unlock(&c->lock);
}

size_t cache_bytes(struct cache *c) {
    pthread_mutex_lock(&c->lock);
    size_t bytes = c->bytes;
    pthread_mutex_unlock(&c->lock);
    return bytes;
}
