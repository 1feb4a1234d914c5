// render/dot_tags.c - label values of a node as small boxes below it.
// Room: choosing the heaviest, grouping numbers into ranges, drawing. Door: render/render.h.
// Source: reference/pprof.md section 2.21 (nodelets).
#include "render/dot.h"

#include <string.h>

enum {
    MAX_BOXES = 4,  // label tags of a node, and groups of numbers below one, that are drawn
    MAX_NAME = 256, // bytes of a box's id or of a range
};

static i64 weight_order(i64 a, i64 b) {
    i64 x = abs_i64(a), y = abs_i64(b);
    if (x != y) return x > y ? -1 : 1;
    return a == b ? 0 : a > b ? -1 : 1;
}

// Heaviest first: by cum and then flat, or by flat alone.
static int tag_order(const void *a, const void *b, void *ctx) {
    const struct tag *x = *(const struct tag *const *)a, *y = *(const struct tag *const *)b;
    i64 order = *(const bool *)ctx ? 0 : weight_order(x->cum, y->cum);
    if (order == 0) order = weight_order(x->flat, y->flat);
    if (order == 0) order = str_cmp(x->name, y->name);
    return order < 0 ? -1 : order > 0;
}

static void sort_tags(struct arena *scratch, const struct tag **tags, u32 n, bool by_flat) {
    sort_stable(scratch, tags, n, sizeof *tags, tag_order, &by_flat);
}

static double distance(const struct tag *t, const struct tag *u) {
    str unit;
    double x = units_scale(u->value, u->unit, t->unit, &unit) - (double)t->value;
    return x < 0 ? -x : x;
}

// One group of numbers while it grows, seed first.
struct group {
    struct tag sum;
    const struct tag *min, *max;
    u32 n;
};

static i64 add(i64 a, i64 b) {
    return (i64)((u64)a + (u64)b);
}

static void group_add(struct group *g, const struct tag *t) {
    str unit;
    if (g->n++ == 0) {
        g->sum = *t;
        g->min = g->max = t;
        return;
    }
    if ((i64)units_scale(t->value, t->unit, g->min->unit, &unit) < g->min->value) g->min = t;
    if ((i64)units_scale(t->value, t->unit, g->max->unit, &unit) > g->max->value) g->max = t;
    g->sum.flat = add(g->sum.flat, t->flat);
    g->sum.flat_div = add(g->sum.flat_div, t->flat_div);
    g->sum.cum = add(g->sum.cum, t->cum);
    g->sum.cum_div = add(g->sum.cum_div, t->cum_div);
}

// "1kB..4MB", or one number alone; sums become means here.
static void group_finish(struct arena *scratch, struct group *g) {
    struct buf name = buf_new(scratch, MAX_NAME);
    units_label(&name, g->min->value, g->min->unit, S("auto"));
    if (g->n > 1) {
        buf_put(&name, S(".."));
        units_label(&name, g->max->value, g->max->unit, S("auto"));
    }
    g->sum.name = buf_str(&name);
    g->sum.flat = mean_of(g->sum.flat, g->sum.flat_div);
    g->sum.cum = mean_of(g->sum.cum, g->sum.cum_div);
    g->sum.flat_div = g->sum.cum_div = 0;
}

// At most MAX_BOXES tags: the heaviest are seeds, the others join the nearest seed.
static u32 collapse(struct arena *scratch, const struct tag **tags, u32 n, bool by_flat) {
    sort_tags(scratch, tags, n, by_flat);
    if (n <= MAX_BOXES) return n;
    struct group *groups = NEW(scratch, struct group, MAX_BOXES);
    const struct tag *seeds[MAX_BOXES];
    for (u32 i = 0; i < MAX_BOXES; i++) {
        seeds[i] = tags[i];
        group_add(&groups[i], tags[i]);
    }
    for (u32 i = MAX_BOXES; i < n; i++) {
        u32 nearest = 0;
        double least = distance(tags[i], seeds[0]);
        for (u32 j = 1; j < MAX_BOXES; j++) {
            double d = distance(tags[i], seeds[j]);
            if (d >= least) continue;
            nearest = j;
            least = d;
        }
        group_add(&groups[nearest], tags[i]);
    }
    for (u32 i = 0; i < MAX_BOXES; i++) {
        group_finish(scratch, &groups[i]);
        tags[i] = &groups[i].sum;
    }
    sort_tags(scratch, tags, MAX_BOXES, by_flat);
    return MAX_BOXES;
}

// One box and the arrow to it.
static void put_box(struct buf *b, const struct summary *s, str source, const char *box_prefix,
                    u32 rank, str name, i64 weight, bool is_dotted) {
    buf_printf(b, "%s" S_FMT "_%u [label = \"", box_prefix, S_ARG(source), rank);
    for (size_t i = 0; i < name.len; i++) {
        // Labels are joined by the two characters \n, which stay; a quote would end the attribute.
        if (name.p[i] == '"') buf_byte(b, '\\');
        buf_byte(b, name.p[i]);
    }
    buf_printf(b, "\" id=\"%s" S_FMT "_%u\" fontsize=8 shape=box3d tooltip=\"", box_prefix,
               S_ARG(source), rank);
    value_write(b, &s->style, weight);
    buf_printf(b, "\"]\n" S_FMT " -> %s" S_FMT "_%u [label=\" ", S_ARG(source), box_prefix,
               S_ARG(source), rank);
    value_write(b, &s->style, weight);
    buf_put(b, S("\" weight=100 tooltip=\""));
    value_write(b, &s->style, weight);
    buf_put(b, S("\" labeltooltip=\""));
    value_write(b, &s->style, weight);
    buf_put(b, is_dotted ? S("\" style=\"dotted\"]\n") : S("\"]\n"));
}

static i64 tag_flat(const struct tag *t) {
    return mean_of(t->flat, t->flat_div);
}
static i64 tag_cum(const struct tag *t) {
    return mean_of(t->cum, t->cum_div);
}

// The numbers under one label tag (empty: none), below the box or node named source.
static bool put_numbers(struct buf *b, struct arena *scratch, const struct summary *s,
                        const struct graph *g, u32 node_i, str under, str source, bool by_flat) {
    const struct tag **tags = NEW(scratch, const struct tag *, g->n_tags[node_i]);
    u32 n = 0;
    for (u32 i = 0; i < g->n_tags[node_i]; i++) {
        const struct tag *t = &g->tags[node_i][i];
        if (t->is_numeric && str_eq(t->under, under)) tags[n++] = t;
    }
    n = collapse(scratch, tags, n, by_flat);
    bool any = false;
    for (u32 i = 0; i < n; i++) {
        i64 flat = tag_flat(tags[i]), cum = tag_cum(tags[i]);
        bool shows_flat = by_flat || flat == cum;
        i64 weight = shows_flat ? flat : cum;
        if (weight == 0) continue;
        put_box(b, s, source, "N", i, tags[i]->name, weight, !shows_flat);
        any = true;
    }
    return any;
}

bool dot_tags(struct buf *b, const struct summary *s, const struct graph *g, u32 node_i, u32 id) {
    if (!g->tags || g->n_tags[node_i] == 0) return false;
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    // Leaves show what was cut away below them, others what is their own.
    bool by_flat = g->nodes[node_i].n_out > 0, any = false;
    const struct tag **tags = NEW(&scratch, const struct tag *, g->n_tags[node_i]);
    u32 n = 0;
    for (u32 i = 0; i < g->n_tags[node_i]; i++) {
        if (!g->tags[node_i][i].is_numeric) tags[n++] = &g->tags[node_i][i];
    }
    sort_tags(&scratch, tags, n, by_flat);
    char source[32];
    struct buf name = {.p = source, .cap = sizeof source, .max = sizeof source};
    buf_printf(&name, "N%u", id);
    size_t bare = name.len;
    for (u32 i = 0; i < n && i < MAX_BOXES; i++) {
        i64 weight = by_flat ? tag_flat(tags[i]) : tag_cum(tags[i]);
        if (weight == 0) continue;
        put_box(b, s, buf_str(&name), "", i, tags[i]->name, weight, false);
        any = true;
        buf_printf(&name, "_%u", i);
        put_numbers(b, &scratch, s, g, node_i, tags[i]->name, buf_str(&name), by_flat);
        name.len = bare;
    }
    return put_numbers(b, &scratch, s, g, node_i, S(""), buf_str(&name), by_flat) || any;
}
