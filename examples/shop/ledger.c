// examples/shop/ledger.c - every sale, in order, each entry sealed with the seal before it.
// Room: the ledger and its lock. Door: shop.h.
//
// The lock is held while the seal is computed, because a seal needs the one before it. That is the
// contention to find: buyers wait in ledger_post for whoever is in seal_entry.
#include "shop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_KEPT = 1024, SEAL_ROUNDS = 20 }; // rounds: what makes a seal dear enough to wait for

struct ledger {
    pthread_mutex_t lock;
    uint64_t n;
    char seals[N_KEPT][65]; // of the newest entries
};

struct ledger *ledger_new(void) {
    struct ledger *l = calloc(1, sizeof *l);
    if (!l) abort();
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

__attribute__((noinline)) static void seal_entry(const char *before, const char *receipt,
                                                 char seal[65]) {
    char text[130];
    snprintf(text, sizeof text, "%s%s", before, receipt);
    for (unsigned round = 0; round < SEAL_ROUNDS; round++) {
        sha256_hex(text, strlen(text), seal);
        memcpy(text, seal, 64);
    }
}

void ledger_post(struct ledger *l, const char *sale, char receipt[65]) {
    sha256_hex(sale, strlen(sale), receipt);
    pthread_mutex_lock(&l->lock);
    const char *before = l->n ? l->seals[(l->n - 1) % N_KEPT] : "";
    char seal[65];
    seal_entry(before, receipt, seal);
    memcpy(l->seals[l->n % N_KEPT], seal, sizeof seal);
    l->n++;
    pthread_mutex_unlock(&l->lock);
}

uint64_t ledger_count(struct ledger *l) {
    pthread_mutex_lock(&l->lock);
    uint64_t n = l->n;
    pthread_mutex_unlock(&l->lock);
    return n;
}
