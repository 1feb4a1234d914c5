// report/page.c - a page of the rows of top: chosen, sorted and cut where the rows are.
// Room: what a table on a screen asks for. Door: report/report.h.
#include "report/report.h"

struct row_order {
    enum top_order order;
    bool is_reverse;
};

static int compare(i64 a, i64 b) {
    return a > b ? -1 : a < b;
}

// Ties by the other value, then by name: the same in every run.
static int row_compare(const void *a, const void *b, void *ctx) {
    const struct row_order *o = ctx;
    const struct top_row *x = a, *y = b;
    int flat = compare(abs_i64(x->flat), abs_i64(y->flat));
    int cum = compare(abs_i64(x->cum), abs_i64(y->cum)), name = str_cmp(x->name, y->name);
    int by = 0;
    switch (o->order) {
    case TOP_BY_FLAT:
        by = flat ? flat : cum;
        break;
    case TOP_BY_CUM:
        by = cum ? cum : flat;
        break;
    case TOP_BY_NAME:
        by = name;
        break;
    }
    if (o->is_reverse) by = -by;
    return by ? by : name;
}

void report_top_page(struct arena *out, struct top_page *page, struct top *top) {
    struct top_row *rows = NEW(out, struct top_row, top->n);
    u32 n = 0;
    for (u32 i = 0; i < top->n; i++)
        if (!page->re || regex_match(page->re, top->rows[i].name)) rows[n++] = top->rows[i];
    struct row_order order = {page->order, page->is_reverse};
    sort_stable(out, rows, n, sizeof *rows, row_compare, &order);
    u32 off = page->off < n ? page->off : n;
    page->n_all = n;
    page->flat_before = 0;
    for (u32 i = 0; i < off; i++)
        page->flat_before = (i64)((u64)page->flat_before + (u64)rows[i].flat);
    *top = (struct top){rows + off, page->limit < n - off ? page->limit : n - off};
}
