// render/list.c - annotated source as text.
// Room: columns. Door: render/render.h. Source: reference/pprof.md section 2.18.
#include "render/render.h"

#include "render/cells.h"

void cell_value(struct buf *b, const struct value_style *style, i64 value, bool dot_for_zero) {
    char space[64];
    struct buf cell = {.p = space, .cap = sizeof space, .max = sizeof space};
    if (value == 0 && dot_for_zero) {
        buf_byte(&cell, '.');
    } else {
        value_write(&cell, style, value);
    }
    buf_pad(b, buf_str(&cell), 10);
    buf_byte(b, ' ');
}

void cell_total(struct buf *b, const struct summary *s, i64 flat, i64 cum) {
    cell_value(b, &s->style, flat, false);
    cell_value(b, &s->style, cum, false);
    buf_put(b, S("(flat, cum) "));
    units_percent(b, cum, s->total);
    buf_put(b, S(" of Total\n"));
}

static void put_routine(struct buf *b, const struct summary *s, const struct list_routine *r) {
    if (r->file.len == 0) {
        buf_put(b, S("No source information for "));
        buf_put(b, r->name);
        buf_byte(b, '\n');
        return;
    }
    buf_put(b, S("ROUTINE ======================== "));
    buf_put(b, r->name);
    buf_put(b, S(" in "));
    buf_put(b, r->file);
    buf_byte(b, '\n');
    cell_total(b, s, r->flat, r->cum);
    if (r->error.len) {
        buf_put(b, S(" Error: "));
        buf_put(b, r->error);
        buf_byte(b, '\n');
    }
    for (u32 i = 0; i < r->n_lines; i++) {
        cell_value(b, &s->style, r->lines[i].flat, true);
        cell_value(b, &s->style, r->lines[i].cum, true);
        buf_printf(b, "%6lld:", (long long)r->lines[i].line);
        buf_put(b, r->lines[i].text);
        buf_byte(b, '\n');
    }
}

void render_list(struct buf *b, const struct summary *s, const struct list *list) {
    buf_put(b, S("Total: "));
    value_write(b, &s->style, s->total);
    buf_byte(b, '\n');
    for (u32 i = 0; i < list->n; i++) put_routine(b, s, &list->routines[i]);
}
