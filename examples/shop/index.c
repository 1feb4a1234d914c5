// examples/shop/index.c - from terms to the items that have them, and how well they match.
// Room: building and searching one index; when to rebuild is shop.c's. Door: shop.h.
#include "shop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct posting {
    unsigned item_i, count;
};

struct term {
    char *text; // NULL: a free slot
    struct posting *postings;
    unsigned n_postings, cap;
};

struct index {
    struct term *slots; // open addressing by text_hash
    unsigned n_slots;
    unsigned n_items;
};

static void *must(void *memory) {
    if (!memory) abort();
    return memory;
}

static struct term *index_slot(const struct index *ix, const char *text) {
    unsigned i = (unsigned)text_hash(text) % ix->n_slots;
    while (ix->slots[i].text && strcmp(ix->slots[i].text, text) != 0) i = (i + 1) % ix->n_slots;
    return &ix->slots[i];
}

static void term_add(struct term *term, const char *text, unsigned item_i) {
    if (!term->text) term->text = must(strdup(text));
    if (term->n_postings && term->postings[term->n_postings - 1].item_i == item_i) {
        term->postings[term->n_postings - 1].count++;
        return;
    }
    if (term->n_postings == term->cap) {
        term->cap = term->cap ? term->cap * 2 : 4;
        term->postings = must(realloc(term->postings, term->cap * sizeof *term->postings));
    }
    term->postings[term->n_postings++] = (struct posting){item_i, 1};
}

static void index_add_text(struct index *ix, const char *text, unsigned item_i) {
    char term[MAX_TERM_LEN + 1];
    while (text_next_term(&text, term)) term_add(index_slot(ix, term), term, item_i);
}

struct index *index_build(const struct catalog *c) {
    struct index *ix = must(calloc(1, sizeof *ix));
    ix->n_slots = 2 * N_WORDS; // half full at most, since every term is a word of the vocabulary
    ix->n_items = c->n_items;
    ix->slots = must(calloc(ix->n_slots, sizeof *ix->slots));
    for (unsigned i = 0; i < c->n_items; i++) {
        index_add_text(ix, c->items[i].name, i);
        index_add_text(ix, c->items[i].text, i);
    }
    return ix;
}

void index_free(struct index *ix) {
    if (!ix) return;
    for (unsigned i = 0; i < ix->n_slots; i++) {
        free(ix->slots[i].text);
        free(ix->slots[i].postings);
    }
    free(ix->slots);
    free(ix);
}

static void score_term(const struct index *ix, const struct term *term, double *scores) {
    if (!term->text) return;
    double rarity = log(1 + (double)ix->n_items / term->n_postings);
    for (unsigned i = 0; i < term->n_postings; i++) {
        scores[term->postings[i].item_i] += rarity * sqrt(term->postings[i].count);
    }
}

static unsigned keep_best(const double *scores, unsigned n, struct hit hits[MAX_HITS]) {
    unsigned n_hits = 0;
    for (unsigned i = 0; i < n; i++) {
        if (scores[i] == 0) continue;
        if (n_hits == MAX_HITS && scores[i] <= hits[n_hits - 1].score) continue;
        unsigned at = n_hits < MAX_HITS ? n_hits++ : MAX_HITS - 1;
        for (; at > 0 && hits[at - 1].score < scores[i]; at--) hits[at] = hits[at - 1];
        hits[at] = (struct hit){i, scores[i]};
    }
    return n_hits;
}

unsigned index_search(const struct index *ix, const char *query, struct hit hits[MAX_HITS]) {
    char term[MAX_TERM_LEN + 1];
    double *scores = must(calloc(ix->n_items, sizeof *scores));
    while (text_next_term(&query, term)) score_term(ix, index_slot(ix, term), scores);
    unsigned n_hits = keep_best(scores, ix->n_items, hits);
    free(scores);
    return n_hits;
}
