// report/tag_page.c - a page of the values of labels: chosen and cut where the rows are.
// Room: what a list on a screen asks for; the rows are in order already. Door: report/report.h.
#include "report/report.h"

static bool is_wanted(const struct tag_page *page, struct buf *text, str key, str value) {
    if (!page->re) return true;
    text->len = 0;
    buf_put(text, key);
    buf_byte(text, '=');
    buf_put(text, value);
    return regex_match(page->re, buf_str(text));
}

static void cut(struct tag_page *page, struct buf *text, struct tag_key *key) {
    struct tag_count *count = &page->counts[page->n_counts];
    u32 n = 0;
    *count = (struct tag_count){.key = key->key};
    for (u32 i = 0; i < key->n; i++) {
        if (!is_wanted(page, text, key->key, key->rows[i].value)) continue;
        count->total = (i64)((u64)count->total + (u64)key->rows[i].weight);
        key->rows[n++] = key->rows[i];
    }
    u32 off = page->off < n ? page->off : n;
    count->n = n;
    key->rows += off;
    key->n = page->limit < n - off ? page->limit : n - off;
    if (n) page->n_counts++;
}

void report_tag_page(struct arena *out, const struct summary *s, struct tag_page *page,
                     struct tags *tags) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct buf text = buf_new(&scratch, SIZE_MAX);
    page->counts = NEW(out, struct tag_count, tags->n);
    page->n_counts = 0;
    for (u32 i = 0; i < tags->n; i++) {
        if (!page->key.len || str_eq(page->key, tags->keys[i].key))
            cut(page, &text, &tags->keys[i]);
        else
            tags->keys[i].n = 0;
    }
    for (u32 i = 0; i < page->n_counts; i++)
        page->counts[i].total = value_scaled(&s->style, page->counts[i].total);
}
