// render/dot.c - a graph in the language of graphviz.
// Room: attributes, colours, escaping and which tags become boxes (dot_tags.c). Door:
// render/render.h. Source: reference/pprof.md section 2.21.
#include "render/dot.h"

#include "render/render.h"

#include <math.h>

enum { MAX_LABEL = 1 << 24 }; // bytes of one label

void dot_escape(struct buf *b, str s) {
    for (size_t i = 0; i < s.len; i++) {
        switch (s.p[i]) {
        case '\\':
            buf_put(b, S("\\\\"));
            break;
        case '"':
            buf_put(b, S("\\\""));
            break;
        case '\n':
            buf_put(b, S("\\l"));
            break;
        default:
            buf_byte(b, s.p[i]);
        }
    }
}

// A float as an 8-bit channel; NaN and what does not fit become 0, as on amd64.
static u32 channel(double x) {
    x *= 255.0;
    return x >= 0 && x < 256 ? (u32)x : 0;
}

// Green for -1, grey for 0, red for 1. The exponent moves scores away from grey.
static void put_color(struct buf *b, double score, bool is_background) {
    double saturation = is_background ? 0.1 : 1.0, value = is_background ? 0.93 : 0.7;
    if (score > 1) score = 1;
    if (score < -1) score = -1;
    double size = fabs(score);
    if (size < 0.2) saturation *= size / 0.2;
    // exp(y log x) is how Go's Pow gets there for exponents below one half.
    if (size > 0 && size != 1) score = copysign(exp(0.3 * log(size)), score);
    double red = value, green = value, blue = value * (1 - saturation);
    if (score < 0) {
        red = value * (1 + saturation * score);
    } else {
        green = value * (1 - saturation * score);
    }
    buf_printf(b, "#%02x%02x%02x", channel(red), channel(green), channel(blue));
}

static void put_share(struct buf *b, const struct summary *s, i64 value) {
    char space[64];
    struct buf percent = {.p = space, .cap = sizeof space, .max = sizeof space};
    units_percent(&percent, value, s->total);
    value_write(b, &s->style, value);
    buf_put(b, S(" ("));
    buf_put(b, str_trim(buf_str(&percent)));
    buf_byte(b, ')');
}

// "::" and "." of a shortened name become line breaks; "[...]" of Go's generics stays in one piece.
static str broken_name(struct arena *scratch, str name) {
    struct buf escaped = buf_new(scratch, MAX_LABEL), b = buf_new(scratch, MAX_LABEL);
    dot_escape(&escaped, name_shorten(scratch, name));
    str s = buf_str(&escaped);
    for (size_t i = 0; i < s.len;) {
        str rest = str_skip(s, i);
        if (str_starts(rest, S("::"))) {
            buf_put(&b, S("\\n"));
            i += 2;
        } else if (str_starts(rest, S("[...]"))) {
            buf_put(&b, S("[\u2026]"));
            i += 5;
        } else if (s.p[i] == '.') {
            buf_put(&b, S("\\n"));
            i++;
        } else {
            buf_byte(&b, s.p[i++]);
        }
    }
    return buf_str(&b);
}

// The last part of a path, fit for a label.
static str escaped_basename(struct arena *scratch, str path) {
    if (!path.len) return path;
    struct buf b = buf_new(scratch, MAX_LABEL);
    dot_escape(&b, str_basename(path));
    return buf_str(&b);
}

static void put_node_label(struct buf *b, struct arena *scratch, const struct summary *s,
                           const struct node *n, const struct frame *frame) {
    struct frame shown = *frame;
    shown.name = broken_name(scratch, frame->name);
    shown.file = escaped_basename(scratch, frame->file);
    shown.object = escaped_basename(scratch, frame->object);
    frame_name_write(b, &shown, S("\\n"));
    buf_put(b, S("\\n"));
    i64 flat = node_flat(n), cum = node_cum(n);
    if (flat) {
        put_share(b, s, flat);
    } else {
        buf_byte(b, '0');
    }
    if (cum == flat) return;
    buf_put(b, flat ? S("\\nof ") : S(" of "));
    put_share(b, s, cum);
}

static int font_size(i64 flat, i64 most) {
    if (most == 0 || flat == 0 || abs_i64(flat) > most) return 8;
    return 8 + (int)ceil(16.0 * sqrt((double)abs_i64(flat) / (double)most));
}

static void put_node(struct buf *b, const struct summary *s, const struct graph *g, u32 rank,
                     i64 most) {
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    u32 node_i = g->shown[rank];
    const struct node *n = &g->nodes[node_i];
    i64 flat = node_flat(n), cum = node_cum(n);
    buf_printf(b, "N%u [label=\"", rank + 1);
    put_node_label(b, &scratch, s, n, &g->frames->items[n->frame_i]);
    buf_printf(b, "\" id=\"node%u\" fontsize=%d shape=box tooltip=\"", rank + 1,
               font_size(flat, most));
    dot_escape(b, g->names[node_i]);
    buf_put(b, S(" ("));
    value_write(b, &s->style, cum);
    buf_put(b, S(")\" color=\""));
    double score = (double)cum / (double)abs_i64(s->total);
    put_color(b, score, false);
    buf_put(b, S("\" fillcolor=\""));
    put_color(b, score, true);
    buf_put(b, S("\"]\n"));
}

static i64 at_most(i64 x, i64 limit) {
    x = abs_i64(x);
    return x < limit ? x : limit;
}

static i64 part_of(i64 weight, i64 factor, i64 total) {
    i64 product = (i64)((u64)weight * (u64)factor);
    if (total == -1) return (i64)(0 - (u64)product);
    return product / total;
}

static void put_edge_tooltip(struct buf *b, const struct summary *s, const struct graph *g,
                             const struct edge *e, const char *attribute) {
    buf_put(b, str_of(attribute));
    buf_put(b, S("=\""));
    dot_escape(b, g->names[e->src]);
    buf_put(b, e->is_residual ? S(" ... ") : S(" -> "));
    dot_escape(b, g->names[e->dst]);
    buf_put(b, S(" ("));
    value_write(b, &s->style, edge_weight(e));
    buf_put(b, S(")\""));
}

static void put_edge(struct buf *b, const struct summary *s, const struct graph *g,
                     const struct edge *e, const u32 *ids, bool has_boxes) {
    i64 weight = edge_weight(e);
    buf_printf(b, "N%u -> N%u [label=\" ", ids[e->src], ids[e->dst]);
    value_write(b, &s->style, weight);
    if (e->is_inline) buf_put(b, S("\\n (inline)"));
    buf_byte(b, '"');
    if (s->total != 0) {
        int pull = 1 + (int)at_most(part_of(weight, 100, s->total), 100);
        int width = 1 + (int)at_most(part_of(weight, 5, s->total), 5);
        if (pull > 1) buf_printf(b, " weight=%d", pull);
        if (width > 1) buf_printf(b, " penwidth=%d", width);
        buf_put(b, S(" color=\""));
        put_color(b, (double)weight / (double)abs_i64(s->total), false);
        buf_byte(b, '"');
    }
    put_edge_tooltip(b, s, g, e, " tooltip");
    put_edge_tooltip(b, s, g, e, " labeltooltip");
    if (e->is_residual) buf_put(b, S(" style=\"dotted\""));
    if (has_boxes) buf_put(b, S(" minlen=2"));
    buf_put(b, S("]\n"));
}

static void put_legend(struct buf *b, const struct summary *s, const struct lines *legend) {
    if (legend->n == 0) return;
    buf_put(b, S("subgraph cluster_L { \""));
    dot_escape(b, legend->items[0]);
    buf_put(b, S("\" [shape=box fontsize=16 label=\""));
    for (u32 i = 0; i < legend->n; i++) {
        dot_escape(b, legend->items[i]);
        buf_put(b, S("\\l"));
    }
    buf_byte(b, '"');
    if (s->title.len) {
        buf_put(b, S(" tooltip=\""));
        dot_escape(b, s->title);
        buf_byte(b, '"');
    }
    buf_put(b, S("] }\n"));
}

static i64 largest_flat(const struct graph *g) {
    i64 most = 0;
    for (u32 i = 0; i < g->n_shown; i++) {
        i64 flat = abs_i64(node_flat(&g->nodes[g->shown[i]]));
        if (flat > most) most = flat;
    }
    return most;
}

void render_dot(struct buf *b, const struct summary *s, const struct lines *legend,
                const struct graph *g) {
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    buf_put(b, S("digraph \""));
    if (s->title.len) {
        dot_escape(b, s->title);
    } else {
        buf_put(b, S("unnamed"));
    }
    buf_put(b, S("\" {\nnode [style=filled fillcolor=\"#f8f8f8\"]\n"));
    put_legend(b, s, legend);
    u32 *ids = NEW(&scratch, u32, g->n_nodes); // [node index]: the N of its name; 0: not shown
    bool *has_boxes = NEW(&scratch, bool, g->n_nodes);
    i64 most = largest_flat(g);
    for (u32 i = 0; i < g->n_shown; i++) ids[g->shown[i]] = i + 1;
    for (u32 i = 0; i < g->n_shown; i++) {
        put_node(b, s, g, i, most);
        has_boxes[g->shown[i]] = dot_tags(b, s, g, g->shown[i], i + 1);
    }
    for (u32 i = 0; i < g->n_edges; i++) {
        const struct edge *e = &g->edges[i];
        // A node of weight zero is not drawn, and neither are the edges that end at it (Q12).
        if (e->is_removed || !ids[e->src] || !ids[e->dst]) continue;
        put_edge(b, s, g, e, ids, has_boxes[e->src]);
    }
    buf_put(b, S("}\n"));
}
