// examples/shop/catalog.c - what the shop sells: made up, and the same in every run.
// Room: making items. Finding them is index.c. Door: shop.h.
#include "shop.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORDS_PER_TEXT = 24 };

// xorshift64: the catalog must not depend on libc's rand.
static uint64_t random_next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

// The product of two draws: some words are common and most are rare, as in any language.
static unsigned random_word(uint64_t *state) {
    uint64_t a = random_next(state) % N_WORDS, b = random_next(state) % N_WORDS;
    return (unsigned)(a * b / N_WORDS);
}

static void item_make(struct item *item, uint64_t *state) {
    char first[MAX_TERM_LEN + 1], second[MAX_TERM_LEN + 1];
    text_make_word(random_word(state), first);
    text_make_word(random_word(state), second);
    snprintf(item->name, sizeof item->name, "%s %s", first, second);
    item->price_cents = 99 + (unsigned)(random_next(state) % 100000);
    struct body text = {0};
    for (unsigned i = 0; i < WORDS_PER_TEXT; i++) {
        char word[MAX_TERM_LEN + 1];
        text_make_word(random_word(state), word);
        body_printf(&text, "%s%s", i ? " " : "", word);
    }
    item->text = text.text;
}

void catalog_make(struct catalog *c, unsigned n_items) {
    uint64_t state = 88172645463325252u;
    c->n_items = n_items;
    c->items = calloc(n_items, sizeof *c->items);
    if (!c->items) abort();
    for (unsigned i = 0; i < n_items; i++) item_make(&c->items[i], &state);
}
