// examples/shop/shop.c - what the shop answers.
// Room: the pages. Bytes on the wire are http.c's, threads are main.c's. Door: shop.h.
#include "shop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void shop_init(struct shop *s, unsigned n_items, size_t cache_bytes_max) {
    memset(s, 0, sizeof *s);
    pthread_rwlock_init(&s->index_lock, NULL);
    catalog_make(&s->catalog, n_items);
    s->index = index_build(&s->catalog);
    s->cache = cache_new(cache_bytes_max);
    s->ledger = ledger_new();
}

void shop_reindex(struct shop *s) {
    struct index *fresh = index_build(&s->catalog);
    pthread_rwlock_wrlock(&s->index_lock);
    struct index *old = s->index;
    s->index = fresh;
    pthread_rwlock_unlock(&s->index_lock);
    index_free(old);
    s->n_reindexed++;
}

static void write_item(struct shop *s, unsigned item_i, struct body *b) {
    const struct item *item = &s->catalog.items[item_i];
    body_printf(b, "{\"id\":%u,\"price\":%u.%02u,\"name\":", item_i, item->price_cents / 100,
                item->price_cents % 100);
    body_put_json_string(b, item->name);
    body_printf(b, ",\"text\":");
    body_put_json_string(b, item->text);
    body_printf(b, "}");
}

static void write_hits(struct shop *s, const char *query, struct body *b) {
    struct hit hits[MAX_HITS];
    pthread_rwlock_rdlock(&s->index_lock);
    unsigned n_hits = index_search(s->index, query, hits);
    pthread_rwlock_unlock(&s->index_lock);
    body_printf(b, "{\"hits\":[");
    for (unsigned i = 0; i < n_hits; i++) {
        if (i) body_printf(b, ",");
        write_item(s, hits[i].item_i, b);
    }
    body_printf(b, "]}\n");
}

static int answer_search(struct shop *s, const struct request *r, struct body *b) {
    char query[256];
    if (!http_parameter(r->target, "q", query, sizeof query)) return 404;
    char *known = cache_get(s->cache, r->target);
    if (known) {
        body_put(b, known, strlen(known));
        free(known);
        return 200;
    }
    write_hits(s, query, b);
    cache_put(s->cache, r->target, b->text);
    return 200;
}

static bool item_of(struct shop *s, const struct request *r, unsigned *ret) {
    char id[16];
    if (!http_parameter(r->target, "id", id, sizeof id)) return false;
    *ret = (unsigned)strtoul(id, NULL, 10);
    return *ret < s->catalog.n_items;
}

static int answer_item(struct shop *s, const struct request *r, struct body *b) {
    unsigned item_i;
    if (!item_of(s, r, &item_i)) return 404;
    write_item(s, item_i, b);
    body_printf(b, "\n");
    return 200;
}

static int answer_buy(struct shop *s, const struct request *r, struct body *b) {
    unsigned item_i;
    if (!item_of(s, r, &item_i)) return 404;
    char receipt[65];
    ledger_post(s->ledger, r->target, receipt);
    body_printf(b, "{\"item\":%u,\"receipt\":\"%s\"}\n", item_i, receipt);
    return 200;
}

static int answer_stats(struct shop *s, struct body *b) {
    body_printf(b, "{\"requests\":%llu,\"reindexed\":%llu,\"sales\":%llu,\"cache_bytes\":%zu}\n",
                (unsigned long long)s->n_requests, (unsigned long long)s->n_reindexed,
                (unsigned long long)ledger_count(s->ledger), cache_bytes(s->cache));
    return 200;
}

int shop_answer(struct shop *s, const struct request *r, struct body *b) {
    size_t path_len = strcspn(r->target, "?");
    int status = 404;
    s->n_requests++;
    if (path_len == 7 && memcmp(r->target, "/search", 7) == 0) status = answer_search(s, r, b);
    if (path_len == 5 && memcmp(r->target, "/item", 5) == 0) status = answer_item(s, r, b);
    if (path_len == 4 && memcmp(r->target, "/buy", 4) == 0) status = answer_buy(s, r, b);
    if (path_len == 6 && memcmp(r->target, "/stats", 6) == 0) status = answer_stats(s, b);
    if (status == 404) body_printf(b, "{\"error\":\"no such page\"}\n");
    return status;
}
