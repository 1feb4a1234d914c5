// report/stack_page.c - a page of the stacks of a view: chosen, sorted and cut where the samples
// are. Room: what a table on a screen asks for. Door: report/report.h.
#include "report/report.h"

struct stack_row {
    u32 at; // of the view's kept samples
    u32 n_frames;
    i64 value;
    str leaf;
};

struct pager {
    const struct view *v;
    const struct frames *frames;
    const struct stack_page *page;
    const bool *is_match; // [frame id]
    str *names;           // [frame id]
    struct buf text;
};

static bool has_label(struct pager *p, u32 sample_i) {
    u32 n;
    const struct label *labels = profile_labels(p->v->p, sample_i, &n);
    for (u32 i = 0; i < n; i++) {
        const struct label *l = &labels[i];
        if (!view_shows_label(p->v, l)) continue;
        p->text.len = 0;
        buf_put(&p->text, profile_str(p->v->p, l->key));
        buf_byte(&p->text, '=');
        if (label_is_text(l))
            buf_put(&p->text, profile_str(p->v->p, l->str));
        else
            units_label(&p->text, l->num, view_label_unit(p->v, l->key), S("auto"));
        if (regex_match(p->page->re, buf_str(&p->text))) return true;
    }
    return false;
}

// Fills the row of the i-th kept sample. False: it is not wanted.
static bool read_stack(struct pager *p, u32 i, struct stack_row *ret) {
    u32 n, sample_i = view_sample(p->v, i);
    const u32 *stack = view_stack(p->v, i, &n);
    bool is_wanted = !p->page->re;
    *ret = (struct stack_row){.at = i, .value = view_value(p->v, sample_i)};
    for (u32 j = 0; j < n; j++) {
        for (u32 k = p->frames->at[stack[j]]; k < p->frames->at[stack[j] + 1]; k++) {
            u32 id = p->frames->ids[k];
            if (!ret->n_frames++) ret->leaf = p->names[id];
            is_wanted |= p->is_match && p->is_match[id];
        }
    }
    return ret->n_frames && (is_wanted || has_label(p, sample_i));
}

static int compare(i64 a, i64 b) {
    return a > b ? -1 : a < b;
}

// Ties stay in the order of the file: the sort is stable.
static int row_compare(const void *a, const void *b, void *ctx) {
    const struct stack_page *page = ctx;
    const struct stack_row *x = a, *y = b;
    int by = 0;
    switch (page->order) {
    case STACKS_BY_FILE:
        by = x->at < y->at ? -1 : x->at > y->at;
        break;
    case STACKS_BY_VALUE:
        by = compare(abs_i64(x->value), abs_i64(y->value));
        break;
    case STACKS_BY_LEAF:
        by = str_cmp(x->leaf, y->leaf);
        break;
    case STACKS_BY_DEPTH:
        by = compare(x->n_frames, y->n_frames);
        break;
    }
    return page->is_reverse ? -by : by;
}

static void look_at_frames(struct arena *out, struct pager *p) {
    const struct frames *f = p->frames;
    bool *is_match = p->page->re ? NEW(out, bool, f->n) : NULL;
    p->names = NEW(out, str, f->n);
    for (u32 i = 0; i < f->n; i++) {
        p->names[i] = frame_name(out, &f->items[i]);
        if (is_match) is_match[i] = regex_match(p->page->re, p->names[i]);
    }
    p->is_match = is_match;
}

// The view's samples are those of the rows, in their order.
static void keep(struct arena *out, struct view *v, const struct stack_row *rows, u32 n) {
    u32 *ids = NEW(out, u32, n);
    u64 *from = v->from ? NEW(out, u64, n) : NULL, *to = v->to ? NEW(out, u64, n) : NULL;
    for (u32 i = 0; i < n; i++) {
        ids[i] = view_sample(v, rows[i].at);
        if (from) from[i] = v->from[rows[i].at];
        if (to) to[i] = v->to[rows[i].at];
    }
    v->sample_ids = ids;
    v->from = from;
    v->to = to;
    v->n_samples = n;
}

void report_stack_page(struct arena *out, const struct frames *frames, struct stack_page *page,
                       struct view *v) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct pager p = {.v = v, .frames = frames, .page = page};
    struct stack_row *rows = NEW(&scratch, struct stack_row, v->n_samples);
    u32 n = 0;
    p.text = buf_new(&scratch, SIZE_MAX);
    look_at_frames(&scratch, &p);
    for (u32 i = 0; i < v->n_samples; i++) n += read_stack(&p, i, &rows[n]);
    if (page->order != STACKS_BY_FILE || page->is_reverse)
        sort_stable(&scratch, rows, n, sizeof *rows, row_compare, page);
    u32 off = page->off < n ? page->off : n;
    page->n_all = n;
    keep(out, v, rows + off, page->limit < n - off ? page->limit : n - off);
}
