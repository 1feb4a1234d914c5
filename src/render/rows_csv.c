// render/rows_csv.c - rows of reports as comma separated values.
// Room: that syntax. Door: render/render.h. Source: RFC 4180; lines end in a line feed alone. The
// columns are documented in docs/outputs.md.
#include "render/render.h"

enum { HEAD_BYTES = 4096 }; // of a stack's number, value and unit: units are as long as a file says

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

// A row a frame, leaf first; frames of one stack share its number.
static void put_stack(struct buf *b, const struct frames *frames, const str *names, str head,
                      const u32 *stack, u32 n) {
    u32 frame = 0;
    for (u32 i = 0; i < n; i++) {
        for (u32 j = frames->at[stack[i]]; j < frames->at[stack[i] + 1]; j++) {
            bool is_inlined = j + 1 < frames->at[stack[i] + 1];
            buf_put(b, head);
            buf_printf(b, "%u,", frame++);
            put_text(b, names[frames->ids[j]], ',');
            buf_put(b, is_inlined ? S("inline\n") : S("\n"));
        }
    }
}

void render_traces_csv(struct buf *b, const struct summary *s, const struct frames *frames) {
    const struct view *v = s->view;
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    str *names = NEW(&scratch, str, frames->n);
    for (u32 i = 0; i < frames->n; i++) names[i] = frame_name(&scratch, &frames->items[i]);
    buf_put(b, S("stack,value,unit,frame,name,inlined\n"));
    u32 n_stacks = 0;
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 n, sample_i = view_sample(v, i);
        const u32 *stack = view_stack(v, i, &n);
        if (!frames_any(frames, stack, n)) continue;
        AUTO_ARENA struct arena row = arena_sub(&scratch);
        struct buf head = buf_new(&row, HEAD_BYTES);
        buf_printf(&head, "%u,", n_stacks++);
        put_value(&head, s, mean_of(view_value(v, sample_i), view_divisor(v, sample_i)));
        put_unit(&head, s, ',');
        put_stack(b, frames, names, buf_str(&head), stack, n);
    }
}

void render_comments_csv(struct buf *b, const struct profile *p) {
    buf_put(b, S("comment\n"));
    for (u32 i = 0; i < p->n_comments; i++) put_text(b, profile_str(p, p->comments[i]), '\n');
}
