// render/rows_json.c - the rows of any report as JSON.
// Room: that syntax; the rows come as the text renderers get them. Door: render/render.h. The form
// is documented in docs/outputs.md.
#include "render/render.h"

// before: what stands in front of the value, `,"name":` mostly.
static void put_text(struct buf *b, const char *before, str text) {
    buf_put(b, str_of(before));
    json_text(b, text);
}

static void put_number(struct buf *b, const char *before, i64 number) {
    buf_put(b, str_of(before));
    num_i64(b, number);
}

static void put_value(struct buf *b, const char *before, const struct summary *s, i64 value) {
    put_number(b, before, value_scaled(&s->style, value));
}

static void put_flat_cum(struct buf *b, const struct summary *s, i64 flat, i64 cum) {
    put_value(b, ",\"flat\":", s, flat);
    put_value(b, ",\"cum\":", s, cum);
}

static void put_head(struct buf *b, const struct summary *s) {
    put_text(b, "{\"type\":", s->type);
    put_text(b, ",\"unit\":", s->style.sample_unit);
    put_value(b, ",\"total\":", s, s->total);
}

static void put_rows_head(struct buf *b, const struct summary *s) {
    put_head(b, s);
    buf_put(b, S(",\"rows\":["));
}

static const char rows_end[] = "\n]}\n";

static void put_row_start(struct buf *b, u32 row_i) {
    buf_put(b, row_i ? S(",\n{") : S("\n{"));
}

void render_top_json(struct buf *b, const struct summary *s, const struct top *top) {
    put_rows_head(b, s);
    for (u32 i = 0; i < top->n; i++) {
        const struct top_row *row = &top->rows[i];
        put_row_start(b, i);
        put_text(b, "\"name\":", row->name);
        put_flat_cum(b, s, row->flat, row->cum);
        put_text(b, ",\"inlined\":", inlining_text(row->inlining));
        buf_byte(b, '}');
    }
    buf_put(b, str_of(rows_end));
}

static void put_calls(struct buf *b, const char *before, const struct summary *s,
                      const struct tree_edge *edges, u32 n) {
    buf_put(b, str_of(before));
    for (u32 i = 0; i < n; i++) {
        put_text(b, i ? ",{\"name\":" : "{\"name\":", edges[i].name);
        put_value(b, ",\"weight\":", s, edges[i].weight);
        buf_put(b, edges[i].is_inline ? S(",\"inlined\":true}") : S(",\"inlined\":false}"));
    }
    buf_byte(b, ']');
}

void render_tree_json(struct buf *b, const struct summary *s, const struct tree *tree) {
    put_rows_head(b, s);
    for (u32 i = 0; i < tree->n; i++) {
        const struct tree_row *row = &tree->rows[i];
        put_row_start(b, i);
        put_text(b, "\"name\":", row->name);
        put_flat_cum(b, s, row->flat, row->cum);
        put_calls(b, ",\"callers\":[", s, row->in, row->n_in);
        put_calls(b, ",\"callees\":[", s, row->calls, row->n_calls);
        buf_byte(b, '}');
    }
    buf_put(b, str_of(rows_end));
}

void render_tags_json(struct buf *b, const struct summary *s, const struct tags *tags) {
    u32 n = 0;
    put_rows_head(b, s);
    for (u32 i = 0; i < tags->n; i++) {
        const struct tag_key *key = &tags->keys[i];
        for (u32 j = 0; j < key->n; j++) {
            put_row_start(b, n++);
            put_text(b, "\"key\":", key->key);
            put_text(b, ",\"value\":", key->rows[j].value);
            put_value(b, ",\"weight\":", s, key->rows[j].weight);
            buf_byte(b, '}');
        }
    }
    buf_put(b, str_of(rows_end));
}

void render_list_json(struct buf *b, const struct summary *s, const struct list *list) {
    put_rows_head(b, s);
    for (u32 i = 0; i < list->n; i++) {
        const struct list_routine *r = &list->routines[i];
        put_row_start(b, i);
        put_text(b, "\"name\":", r->name);
        put_text(b, ",\"file\":", r->file);
        put_flat_cum(b, s, r->flat, r->cum);
        if (r->error.len) put_text(b, ",\"error\":", r->error);
        buf_put(b, S(",\"lines\":["));
        for (u32 j = 0; j < r->n_lines; j++) {
            put_number(b, j ? ",\n{\"line\":" : "\n{\"line\":", r->lines[j].line);
            put_flat_cum(b, s, r->lines[j].flat, r->lines[j].cum);
            put_text(b, ",\"text\":", r->lines[j].text);
            buf_byte(b, '}');
        }
        buf_put(b, S("]}"));
    }
    buf_put(b, str_of(rows_end));
}

// An address as text: JSON's numbers end at 2^53.
static void put_address(struct buf *b, const char *before, u64 address) {
    buf_printf(b, "%s\"0x%llx\"", before, (unsigned long long)address);
}

static void put_instruction(struct buf *b, const struct summary *s, const struct disasm_line *l) {
    put_address(b, "{\"address\":", l->address);
    put_flat_cum(b, s, l->flat, l->cum);
    put_text(b, ",\"text\":", l->text);
    put_text(b, ",\"function\":", l->function);
    put_text(b, ",\"file\":", l->file);
    put_number(b, ",\"line\":", l->line);
    buf_byte(b, '}');
}

void render_disasm_json(struct buf *b, const struct summary *s,
                        const struct disasm_listing *listing) {
    put_rows_head(b, s);
    for (u32 i = 0; i < listing->n; i++) {
        const struct disasm_routine *r = &listing->routines[i];
        put_row_start(b, i);
        put_text(b, "\"name\":", r->n_names ? r->names[0] : S(""));
        for (u32 j = 1; j < r->n_names; j++)
            put_text(b, j == 1 ? ",\"aliases\":[" : ",", r->names[j]);
        if (r->n_names > 1) buf_byte(b, ']');
        put_address(b, ",\"start\":", r->start);
        put_flat_cum(b, s, r->flat, r->cum);
        buf_put(b, S(",\"lines\":["));
        for (u32 j = 0; j < r->n_lines; j++) {
            buf_put(b, j ? S(",\n") : S("\n"));
            put_instruction(b, s, &r->lines[j]);
        }
        buf_put(b, S("]}"));
    }
    buf_put(b, str_of(rows_end));
}

static void put_inlined_calls(struct buf *b, const struct weblist_instruction *c) {
    buf_put(b, S(",\"calls\":["));
    for (u32 i = 0; i < c->n_calls; i++) {
        put_text(b, i ? ",{\"file\":" : "{\"file\":", c->calls[i].file);
        put_number(b, ",\"line\":", c->calls[i].line);
        put_text(b, ",\"text\":", c->calls[i].text);
        put_number(b, ",\"depth\":", c->calls[i].depth);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

static void put_code(struct buf *b, const struct summary *s, const struct weblist_line *l) {
    buf_put(b, S(",\"code\":["));
    for (u32 i = 0; i < l->n_code; i++) {
        const struct weblist_instruction *c = &l->code[i];
        put_address(b, i ? ",{\"address\":" : "{\"address\":", c->address);
        put_flat_cum(b, s, c->flat, c->cum);
        put_text(b, ",\"text\":", c->text);
        put_text(b, ",\"file\":", c->file);
        put_number(b, ",\"line\":", c->line);
        put_number(b, ",\"depth\":", c->depth);
        buf_put(b, c->starts_block ? S(",\"starts_block\":true") : S(",\"starts_block\":false"));
        if (c->n_calls) put_inlined_calls(b, c);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

void render_weblist_json(struct buf *b, const struct summary *s, const struct weblist *list) {
    put_rows_head(b, s);
    for (u32 i = 0; i < list->n; i++) {
        const struct weblist_function *f = &list->functions[i];
        put_row_start(b, i);
        put_text(b, "\"name\":", f->name);
        put_text(b, ",\"file\":", f->file);
        put_flat_cum(b, s, f->flat, f->cum);
        buf_put(b, S(",\"lines\":["));
        for (u32 j = 0; j < f->n_lines; j++) {
            put_number(b, j ? ",\n{\"line\":" : "\n{\"line\":", f->lines[j].line);
            put_flat_cum(b, s, f->lines[j].flat, f->lines[j].cum);
            put_text(b, ",\"text\":", f->lines[j].text);
            put_code(b, s, &f->lines[j]);
            buf_byte(b, '}');
        }
        buf_put(b, S("]}"));
    }
    buf_put(b, str_of(rows_end));
}

static void put_label_units(struct buf *b, const struct view *v) {
    buf_put(b, S(",\"label_units\":{"));
    for (u32 i = 0; i < v->n_units; i++) {
        put_text(b, i ? "," : "", profile_str(v->p, v->units[i].key));
        put_text(b, ":", v->units[i].unit);
    }
    buf_byte(b, '}');
}

static bool is_key_done(const struct view *v, const struct label *labels, u32 n) {
    for (u32 i = 0; i < n; i++) {
        if (str_eq(profile_str(v->p, labels[i].key), profile_str(v->p, labels[n].key))) return true;
    }
    return false;
}

// {"user":["alice"],"bytes":[64]}: all values of a key, texts and numbers.
static void put_labels(struct buf *b, const struct view *v, u32 sample_i) {
    u32 n, n_keys = 0;
    const struct label *labels = profile_labels(v->p, sample_i, &n);
    buf_put(b, S(",\"labels\":{"));
    for (u32 i = 0; i < n; i++) {
        if (!view_shows_label(v, &labels[i]) || is_key_done(v, labels, i)) continue;
        str key = profile_str(v->p, labels[i].key);
        put_text(b, n_keys++ ? "," : "", key);
        const char *before = ":[";
        for (u32 j = i; j < n; j++) {
            if (!str_eq(profile_str(v->p, labels[j].key), key)) continue;
            if (label_is_text(&labels[j])) {
                put_text(b, before, profile_str(v->p, labels[j].str));
            } else {
                put_number(b, before, labels[j].num);
            }
            before = ",";
        }
        buf_byte(b, ']');
    }
    buf_byte(b, '}');
}

// Leaf first, as traces shows them.
static void put_frames(struct buf *b, const struct frames *frames, const str *names,
                       const u32 *stack, u32 n) {
    bool is_first = true;
    buf_put(b, S(",\"frames\":["));
    for (u32 i = 0; i < n; i++) {
        for (u32 j = frames->at[stack[i]]; j < frames->at[stack[i] + 1]; j++) {
            put_text(b, is_first ? "{\"name\":" : ",{\"name\":", names[frames->ids[j]]);
            bool is_inlined = j + 1 < frames->at[stack[i] + 1];
            buf_put(b, is_inlined ? S(",\"inlined\":true}") : S(",\"inlined\":false}"));
            is_first = false;
        }
    }
    buf_byte(b, ']');
}

void render_traces_json(struct buf *b, const struct summary *s, const struct frames *frames) {
    const struct view *v = s->view;
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    str *names = NEW(&scratch, str, frames->n);
    for (u32 i = 0; i < frames->n; i++) names[i] = frame_name(&scratch, &frames->items[i]);
    put_head(b, s);
    put_label_units(b, v);
    buf_put(b, S(",\"rows\":["));
    u32 n_rows = 0;
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 n, sample_i = view_sample(v, i);
        const u32 *stack = view_stack(v, i, &n);
        if (!frames_any(frames, stack, n)) continue;
        put_row_start(b, n_rows++);
        put_value(b, "\"value\":", s, mean_of(view_value(v, sample_i), view_divisor(v, sample_i)));
        put_labels(b, v, sample_i);
        put_frames(b, frames, names, stack, n);
        buf_byte(b, '}');
    }
    buf_put(b, str_of(rows_end));
}

// Rows are nodes, edges[] their calls; both in the order dot draws them.
void render_graph_json(struct buf *b, const struct summary *s, const struct graph *g) {
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    u32 *row_of = NEW(&scratch, u32, g->n_nodes), n_edges = 0; // 0: not shown
    put_rows_head(b, s);
    for (u32 i = 0; i < g->n_shown; i++) {
        const struct node *n = &g->nodes[g->shown[i]];
        row_of[g->shown[i]] = i + 1;
        put_row_start(b, i);
        put_text(b, "\"name\":", g->names[g->shown[i]]);
        put_flat_cum(b, s, node_flat(n), node_cum(n));
        buf_byte(b, '}');
    }
    buf_put(b, S("\n],\"edges\":["));
    for (u32 i = 0; i < g->n_shown; i++) {
        const struct node *n = &g->nodes[g->shown[i]];
        for (u32 j = 0; j < n->n_out; j++) {
            const struct edge *e = &g->edges[g->out_edges[n->out_at + j]];
            if (!row_of[e->dst]) continue; // its node has no weight
            put_number(b, n_edges++ ? ",\n{\"from\":" : "\n{\"from\":", i);
            put_number(b, ",\"to\":", row_of[e->dst] - 1);
            put_value(b, ",\"weight\":", s, edge_weight(e));
            buf_put(b, e->is_inline ? S(",\"inlined\":true") : S(",\"inlined\":false"));
            buf_put(b, e->is_residual ? S(",\"residual\":true}") : S(",\"residual\":false}"));
        }
    }
    buf_put(b, str_of(rows_end));
}

void render_comments_json(struct buf *b, const struct summary *s) {
    const struct profile *p = s->view->p;
    put_rows_head(b, s);
    for (u32 i = 0; i < p->n_comments; i++)
        put_text(b, i ? ",\n" : "\n", profile_str(p, p->comments[i]));
    buf_put(b, str_of(rows_end));
}
