// render/text.c - the plain text reports: top, tree, peek, tags, comments.
// Room: columns and separators. Door: render/render.h.
// Source: reference/pprof.md sections 2.14, 2.15, 2.17, 2.23.
#include "render/render.h"

enum { MAX_CELL = 1 << 16 }; // bytes of one value or percentage

// A value right-aligned in width columns.
static void put_value(struct buf *b, const struct value_style *style, i64 value, int width) {
    char space[64];
    struct buf cell = {.p = space, .cap = sizeof space, .max = sizeof space};
    value_write(&cell, style, value);
    buf_pad(b, buf_str(&cell), width);
}

void render_lines(struct buf *b, const struct lines *lines) {
    for (u32 i = 0; i < lines->n; i++) {
        if (i) buf_byte(b, '\n');
        buf_put(b, lines->items[i]);
    }
    buf_byte(b, '\n');
}

// flat, its share, the running sum's share, cum, its share.
static void put_weights(struct buf *b, const struct summary *s, i64 flat, i64 sum, i64 cum) {
    put_value(b, &s->style, flat, 10);
    buf_byte(b, ' ');
    units_percent(b, flat, s->total);
    buf_byte(b, ' ');
    units_percent(b, sum, s->total);
    buf_byte(b, ' ');
    put_value(b, &s->style, cum, 10);
    buf_byte(b, ' ');
    units_percent(b, cum, s->total);
}

static i64 add(i64 a, i64 b) {
    return (i64)((u64)a + (u64)b);
}

void render_top(struct buf *b, const struct summary *s, const struct lines *legend,
                const struct top *top) {
    render_lines(b, legend);
    buf_put(b, S("      flat  flat%   sum%        cum   cum%\n"));
    i64 sum = 0;
    for (u32 i = 0; i < top->n; i++) {
        const struct top_row *row = &top->rows[i];
        sum = add(sum, row->flat);
        put_weights(b, s, row->flat, sum, row->cum);
        buf_put(b, S("  "));
        buf_put(b, row->name);
        switch (row->inlining) {
        case INLINED_NEVER:
            break;
        case INLINED_ALWAYS:
            buf_put(b, S(" (inline)"));
            break;
        case INLINED_SOMETIMES:
            buf_put(b, S(" (partial-inline)"));
            break;
        }
        buf_byte(b, '\n');
    }
}

static void put_edges(struct buf *b, const struct summary *s, const struct tree_edge *edges, u32 n,
                      i64 cum) {
    for (u32 i = 0; i < n; i++) {
        put_value(b, &s->style, edges[i].weight, 50);
        buf_byte(b, ' ');
        units_percent(b, edges[i].weight, cum);
        buf_put(b, S(" |   "));
        buf_put(b, edges[i].name);
        if (edges[i].is_inline) buf_put(b, S(" (inline)"));
        buf_byte(b, '\n');
    }
}

void render_tree(struct buf *b, const struct summary *s, const struct lines *legend,
                 const struct tree *tree, bool has_nodes) {
    static const char separator[] =
        "----------------------------------------------------------+-------------\n";
    render_lines(b, legend);
    buf_put(b, str_of(separator));
    // The reference ends this line in two tabs, and scripts compare it.
    buf_put(b, S("      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t \n"));
    i64 sum = 0;
    for (u32 i = 0; i < tree->n; i++) {
        const struct tree_row *row = &tree->rows[i];
        buf_put(b, str_of(separator));
        put_edges(b, s, row->in, row->n_in, row->cum);
        sum = add(sum, row->flat);
        put_weights(b, s, row->flat, sum, row->cum);
        buf_put(b, S("                | "));
        buf_put(b, row->name);
        buf_byte(b, '\n');
        put_edges(b, s, row->calls, row->n_calls, row->cum);
    }
    if (has_nodes) buf_put(b, str_of(separator));
}

static size_t count_runes(str s) {
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) n += ((u8)s.p[i] & 0xc0) != 0x80;
    return n;
}

// "12 (3.4%):", the second column of tags.
static str weight_cell(struct arena *scratch, const struct summary *s, i64 weight) {
    struct buf b = buf_new(scratch, MAX_CELL);
    value_write(&b, &s->style, weight);
    if (s->total > 0) {
        buf_put(&b, S(" ("));
        units_percent(&b, weight, s->total);
        buf_byte(&b, ')');
    }
    buf_byte(&b, ':');
    return buf_str(&b);
}

static void put_key_line(struct buf *b, const struct summary *s, const struct tag_key *key) {
    buf_byte(b, ' ');
    buf_put(b, key->key);
    buf_put(b, S(": Total "));
    value_write(b, &s->style, key->total);
    buf_put(b, S(" of "));
    value_write(b, &s->style, s->total);
    if (s->total > 0) {
        buf_put(b, S(" ("));
        units_percent(b, key->total, s->total);
        buf_byte(b, ')');
    }
    buf_byte(b, '\n');
}

// Columns are as wide as their widest cell and one space, right-aligned: "key:" above " ".
static void put_key(struct buf *b, const struct summary *s, const struct tag_key *key) {
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    put_key_line(b, s, key);
    str *cells = NEW(&scratch, str, key->n);
    size_t widest = 0;
    for (u32 i = 0; i < key->n; i++) {
        cells[i] = weight_cell(&scratch, s, key->rows[i].weight);
        size_t n = count_runes(cells[i]);
        if (n > widest) widest = n;
    }
    size_t first = count_runes(key->key) + 2;
    for (u32 i = 0; i < key->n; i++) {
        buf_fill(b, ' ', first + widest + 1 - count_runes(cells[i]));
        buf_put(b, cells[i]);
        buf_byte(b, ' ');
        buf_put(b, key->rows[i].value);
        buf_byte(b, '\n');
    }
    buf_byte(b, '\n');
}

void render_tags(struct buf *b, const struct summary *s, const struct tags *tags) {
    for (u32 i = 0; i < tags->n; i++) put_key(b, s, &tags->keys[i]);
}

void render_comments(struct buf *b, const struct profile *p) {
    for (u32 i = 0; i < p->n_comments; i++) {
        buf_put(b, profile_str(p, p->comments[i]));
        buf_byte(b, '\n');
    }
}
