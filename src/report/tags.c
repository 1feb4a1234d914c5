// report/tags.c - label keys, their values and weights.
// Room: the rows of tags. Door: report/report.h. Source: reference/pprof.md section 2.17.
#include "report/report.h"

#include <string.h>

enum { MAX_NUMBER = 256 }; // bytes of a number with its unit

// One value of one key; ids are of the collector's texts.
struct counted {
    u32 key, value; // text ids
    i64 weight;
};

struct collector {
    struct arena *scratch;
    const struct summary *s;
    struct strmap texts;
    str *text_items;
    u32 n_texts;
    size_t cap_texts;
    struct idmap by_pair; // key text << 32 | value text -> index in items
    struct counted *items;
    u32 n;
    size_t cap;
    u32 *text_of; // [string id]: text id + 1, so that each string is hashed once
    struct buf number;
};

static u32 text_id(struct collector *c, str text, bool is_kept) {
    u32 id = strmap_get(&c->texts, text);
    if (id != U32_NONE) return id;
    if (!is_kept) text = str_copy(c->scratch, text);
    GROW(c->scratch, c->text_items, c->cap_texts, c->n_texts + 1);
    c->text_items[c->n_texts] = text;
    return *strmap_at(&c->texts, text) = c->n_texts++;
}

static u32 string_text(struct collector *c, u32 string_id) {
    if (!c->text_of[string_id]) {
        c->text_of[string_id] = text_id(c, profile_str(c->s->view->p, string_id), true) + 1;
    }
    return c->text_of[string_id] - 1;
}

static u32 number_text(struct collector *c, const struct label *l) {
    c->number.len = 0;
    units_label(&c->number, l->num, view_label_unit(c->s->view, l->key), c->s->style.output_unit);
    return text_id(c, buf_str(&c->number), false);
}

static void add_label(struct collector *c, const struct label *l, i64 weight) {
    u32 key = string_text(c, l->key);
    u32 value = label_is_text(l) ? string_text(c, l->str) : number_text(c, l);
    u32 *at = idmap_at(&c->by_pair, (u64)key << 32 | value);
    if (*at == U32_NONE) {
        *at = c->n;
        GROW(c->scratch, c->items, c->cap, c->n + 1);
        c->items[c->n++] = (struct counted){.key = key, .value = value};
    }
    struct counted *x = &c->items[*at];
    x->weight = (i64)((u64)x->weight + (u64)weight);
}

// Keys by name; values by magnitude, then sign, then name.
static int counted_order(const void *a, const void *b, void *ctx) {
    const struct collector *c = ctx;
    const struct counted *x = a, *y = b;
    if (x->key != y->key) return str_cmp(c->text_items[x->key], c->text_items[y->key]);
    i64 wx = abs_i64(x->weight), wy = abs_i64(y->weight);
    if (wx != wy) return wx > wy ? -1 : 1;
    if (x->weight != y->weight) return x->weight > y->weight ? -1 : 1;
    return str_cmp(c->text_items[x->value], c->text_items[y->value]);
}

static void hand_over(struct arena *out, struct collector *c, struct tags *ret) {
    ret->keys = NEW(out, struct tag_key, c->n);
    struct tag_row *rows = NEW(out, struct tag_row, c->n);
    ret->n = 0;
    for (u32 i = 0; i < c->n; i++) {
        const struct counted *x = &c->items[i];
        if (i == 0 || x->key != c->items[i - 1].key) {
            ret->keys[ret->n++] =
                (struct tag_key){.key = str_copy(out, c->text_items[x->key]), .rows = &rows[i]};
        }
        struct tag_key *key = &ret->keys[ret->n - 1];
        key->total = (i64)((u64)key->total + (u64)x->weight);
        key->rows[key->n++] =
            (struct tag_row){.value = str_copy(out, c->text_items[x->value]), .weight = x->weight};
    }
}

void report_tags(struct arena *out, const struct summary *s, struct tags *ret) {
    const struct view *v = s->view;
    *ret = (struct tags){0};
    if (!v->p->label_at) return;
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct collector c = {.scratch = &scratch, .s = s, .number = buf_new(&scratch, MAX_NUMBER)};
    strmap_init(&c.texts, &scratch);
    idmap_init(&c.by_pair, &scratch);
    c.text_of = NEW(&scratch, u32, v->p->n_strings);
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 n, sample_i = view_sample(v, i);
        const struct label *labels = profile_labels(v->p, sample_i, &n);
        i64 weight = view_value(v, sample_i);
        for (u32 j = 0; j < n; j++) {
            if (view_shows_label(v, &labels[j])) add_label(&c, &labels[j], weight);
        }
    }
    sort_stable(&scratch, c.items, c.n, sizeof *c.items, counted_order, &c);
    hand_over(out, &c, ret);
}
