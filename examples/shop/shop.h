// examples/shop/shop.h - the parts of a small shop server, made to be looked at with pprof.
//
// The idea: an HTTP server that searches a catalog, sells items and keeps a ledger, one thread a
// connection, with a thread that rebuilds the search index all the time. It has what real servers
// have and profiles show: parsing, hashing and scoring (CPU), a cache that never forgets (heap), a
// ledger that seals every entry while it holds the lock (contention), and threads that wait (the
// thread dump). Each of these sits in a function whose name says what it does.
//
// Words: an item is what the shop sells; a term is one lower-case word of its description; a
// posting says that an item has a term so many times; a receipt is the seal of one sale. Answers
// depend on the request only, never on time or order, so that two runs can be compared by digest.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// text.c: words out of text, and text out of words.
enum { MAX_TERM_LEN = 32 }; // longer words are cut; the catalog's longest has 15 letters
// Copies the next word at *text into term, lower-case, and moves *text behind it; false at the end.
bool text_next_term(const char **text, char term[MAX_TERM_LEN + 1]);
uint64_t text_hash(const char *text);
// The word number i of the shop's vocabulary, made of syllables; always the same.
enum { N_WORDS = 4000 };
void text_make_word(unsigned i, char word[MAX_TERM_LEN + 1]);
// Decodes %41 and '+' of a URL into out, cut at size - 1 bytes.
void url_decode(const char *in, size_t in_len, char *out, size_t size);

// body.c: text that grows.
struct body {
    char *text;
    size_t len, cap;
};
void body_put(struct body *b, const char *text, size_t len);
void body_printf(struct body *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void body_put_json_string(struct body *b, const char *text);

// sha256.c: FIPS 180-4. hex is 64 digits and a NUL.
void sha256_hex(const void *bytes, size_t len, char hex[65]);

// catalog.c: the items.
struct item {
    char name[2 * MAX_TERM_LEN + 2];
    char *text; // its description
    unsigned price_cents;
};
struct catalog {
    struct item *items;
    unsigned n_items;
};
void catalog_make(struct catalog *c, unsigned n_items);

// index.c: from terms to items.
struct index;
enum { MAX_HITS = 10 };
struct hit {
    unsigned item_i;
    double score;
};
struct index *index_build(const struct catalog *c);
void index_free(struct index *ix);
// The best items for a query, best first, ties by item; gives how many there are.
unsigned index_search(const struct index *ix, const char *query, struct hit hits[MAX_HITS]);

// cache.c: finished answers by request target. It never forgets: that is the leak to find.
struct cache;
struct cache *cache_new(size_t max_bytes);
// A copy of the answer kept for target, to be freed by the caller; NULL when there is none.
char *cache_get(struct cache *c, const char *target);
void cache_put(struct cache *c, const char *target, const char *answer);
size_t cache_bytes(struct cache *c);

// ledger.c: every sale, each entry sealed with the one before.
struct ledger;
struct ledger *ledger_new(void);
// Writes the sale down and gives its receipt, which depends on the sale alone.
void ledger_post(struct ledger *l, const char *sale, char receipt[65]);
uint64_t ledger_count(struct ledger *l);

// http.c: one request, one answer.
enum { MAX_REQUEST = 8192, MAX_TARGET = 2048 }; // as much as common servers take in one header
struct request {
    char method[8];
    char target[MAX_TARGET]; // "/search?q=red+shoe&session=7", still encoded
    bool is_keep_alive;
};
struct connection {
    int fd;
    size_t n_held; // bytes of the next requests, already received
    char held[MAX_REQUEST];
};
// Reads the next request; false when the other side is gone or makes no sense.
bool http_read(struct connection *c, struct request *ret);
bool http_answer(struct connection *c, int status, const struct body *b, bool is_keep_alive);
// Copies the value of one query parameter, decoded; false when the target has none.
bool http_parameter(const char *target, const char *name, char *value, size_t size);

// shop.c: the shop itself.
struct shop {
    struct catalog catalog;
    pthread_rwlock_t index_lock;
    struct index *index; // under index_lock; replaced by the reindexing thread
    struct cache *cache;
    struct ledger *ledger;
    atomic_uint_fast64_t n_requests, n_reindexed;
};
void shop_init(struct shop *s, unsigned n_items, size_t cache_bytes_max);
void shop_reindex(struct shop *s);
// Answers one request into *b and gives its HTTP status.
int shop_answer(struct shop *s, const struct request *r, struct body *b);
