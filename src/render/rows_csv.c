// render/rows_csv.c - rows of reports as comma separated values.
// Room: that syntax. Door: render/render.h. Source: RFC 4180; lines end in a line feed alone. The
// columns are documented in docs/outputs.md.
#include "render/render.h"

// A cell, and what ends it: a comma or a line feed. Quoted when it has to be, quotes doubled.
static void put_text(struct buf *b, str s, char end) {
    bool is_plain = str_find_byte(s, ',') < 0 && str_find_byte(s, '"') < 0 &&
                    str_find_byte(s, '\n') < 0 && str_find_byte(s, '\r') < 0;
    if (is_plain) {
        buf_put(b, s);
    } else {
        buf_byte(b, '"');
        for (size_t i = 0; i < s.len; i++) {
            if (s.p[i] == '"') buf_byte(b, '"');
            buf_byte(b, s.p[i]);
        }
        buf_byte(b, '"');
    }
    buf_byte(b, end);
}

static void put_value(struct buf *b, const struct summary *s, i64 value) {
    num_i64(b, value_scaled(&s->style, value));
    buf_byte(b, ',');
}

static void put_unit(struct buf *b, const struct summary *s, char end) {
    put_text(b, s->style.sample_unit, end);
}

void render_top_csv(struct buf *b, const struct summary *s, const struct top *top) {
    buf_put(b, S("name,flat,cum,unit,inlined\n"));
    for (u32 i = 0; i < top->n; i++) {
        const struct top_row *row = &top->rows[i];
        put_text(b, row->name, ',');
        put_value(b, s, row->flat);
        put_value(b, s, row->cum);
        put_unit(b, s, ',');
        put_text(b, inlining_text(row->inlining), '\n');
    }
}

static void put_calls(struct buf *b, const struct summary *s, str name, const char *role,
                      const struct tree_edge *edges, u32 n) {
    for (u32 i = 0; i < n; i++) {
        put_text(b, name, ',');
        buf_printf(b, "%s,", role);
        put_text(b, edges[i].name, ',');
        buf_byte(b, ',');
        put_value(b, s, edges[i].weight);
        put_unit(b, s, ',');
        put_text(b, edges[i].is_inline ? S("inline") : S(""), '\n');
    }
}

void render_tree_csv(struct buf *b, const struct summary *s, const struct tree *tree) {
    buf_put(b, S("name,role,other,flat,cum,unit,inlined\n"));
    for (u32 i = 0; i < tree->n; i++) {
        const struct tree_row *row = &tree->rows[i];
        put_calls(b, s, row->name, "caller", row->in, row->n_in);
        put_text(b, row->name, ',');
        buf_put(b, S("self,,"));
        put_value(b, s, row->flat);
        put_value(b, s, row->cum);
        put_unit(b, s, ',');
        buf_byte(b, '\n');
        put_calls(b, s, row->name, "callee", row->calls, row->n_calls);
    }
}

void render_tags_csv(struct buf *b, const struct summary *s, const struct tags *tags) {
    buf_put(b, S("key,value,weight,unit\n"));
    for (u32 i = 0; i < tags->n; i++) {
        const struct tag_key *key = &tags->keys[i];
        for (u32 j = 0; j < key->n; j++) {
            put_text(b, key->key, ',');
            put_text(b, key->rows[j].value, ',');
            put_value(b, s, key->rows[j].weight);
            put_unit(b, s, '\n');
        }
    }
}

void render_list_csv(struct buf *b, const struct summary *s, const struct list *list) {
    buf_put(b, S("name,file,line,flat,cum,unit,text\n"));
    for (u32 i = 0; i < list->n; i++) {
        const struct list_routine *r = &list->routines[i];
        for (u32 j = 0; j < r->n_lines; j++) {
            put_text(b, r->name, ',');
            put_text(b, r->file, ',');
            buf_printf(b, "%lld,", (long long)r->lines[j].line);
            put_value(b, s, r->lines[j].flat);
            put_value(b, s, r->lines[j].cum);
            put_unit(b, s, ',');
            put_text(b, r->lines[j].text, '\n');
        }
    }
}

void render_disasm_csv(struct buf *b, const struct summary *s,
                       const struct disasm_listing *listing) {
    buf_put(b, S("name,address,flat,cum,unit,text,function,file,line\n"));
    for (u32 i = 0; i < listing->n; i++) {
        const struct disasm_routine *r = &listing->routines[i];
        for (u32 j = 0; j < r->n_lines; j++) {
            const struct disasm_line *l = &r->lines[j];
            put_text(b, r->n_names ? r->names[0] : S(""), ',');
            buf_printf(b, "0x%llx,", (unsigned long long)l->address);
            put_value(b, s, l->flat);
            put_value(b, s, l->cum);
            put_unit(b, s, ',');
            put_text(b, l->text, ',');
            put_text(b, l->function, ',');
            put_text(b, l->file, ',');
            buf_printf(b, "%lld\n", (long long)l->line);
        }
    }
}
