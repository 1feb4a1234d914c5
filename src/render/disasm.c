// render/disasm.c - annotated instructions as text.
// Room: columns. Door: render/render.h. Source: reference/pprof.md section 2.19.
#include "render/render.h"

#include "render/cells.h"

enum {
    TEXT_COLUMNS = 40,     // a place follows instructions shorter than this, else stands above
    PLACE_COLUMN = 74,     // where it stands then
    MAX_PLACE_BYTES = 8192 // of "function file:line"; demangled names can be long
};

static bool is_same_place(const struct disasm_line *a, const struct disasm_line *b) {
    return a->line == b->line && str_eq(a->file, b->file) && str_eq(a->function, b->function);
}

static void put_place(struct buf *b, const struct disasm_line *line) {
    buf_put(b, line->function);
    if (line->function.len) buf_byte(b, ' ');
    buf_put(b, line->file);
    if (line->file.len && line->line) buf_printf(b, ":%lld", (long long)line->line);
}

static void put_line(struct buf *b, const struct summary *s, const struct disasm_line *line,
                     bool is_new_place) {
    char space[MAX_PLACE_BYTES], digits[32];
    struct buf place = {.p = space, .cap = sizeof space, .max = sizeof space};
    struct buf address = {.p = digits, .cap = sizeof digits, .max = sizeof digits};
    if (is_new_place) put_place(&place, line);
    bool is_above = place.len > 0 && line->text.len >= TEXT_COLUMNS;
    if (is_above) {
        buf_fill(b, ' ', PLACE_COLUMN);
        buf_byte(b, ';');
        buf_put(b, buf_str(&place));
        buf_byte(b, '\n');
    }
    cell_value(b, &s->style, line->flat, true);
    cell_value(b, &s->style, line->cum, true);
    num_hex(&address, line->address, 1);
    buf_pad(b, buf_str(&address), 10);
    buf_put(b, S(": "));
    if (place.len > 0 && !is_above) {
        buf_pad(b, line->text, -TEXT_COLUMNS);
        buf_byte(b, ';');
        buf_put(b, buf_str(&place));
    } else {
        buf_put(b, line->text);
    }
    buf_byte(b, '\n');
}

static void put_routine(struct buf *b, const struct summary *s, const struct disasm_routine *r) {
    static const struct disasm_line nowhere;
    const struct disasm_line *last = &nowhere;
    for (u32 i = 0; i < r->n_names; i++) {
        buf_put(b, i ? S("    AKA ======================== ")
                     : S("ROUTINE ======================== "));
        buf_put(b, r->names[i]);
        buf_byte(b, '\n');
    }
    cell_total(b, s, r->flat, r->cum);
    for (u32 i = 0; i < r->n_lines; i++) {
        put_line(b, s, &r->lines[i], !is_same_place(&r->lines[i], last));
        last = &r->lines[i];
    }
}

void render_disasm(struct buf *b, const struct summary *s, const struct disasm_listing *listing) {
    buf_put(b, S("Total: "));
    value_write(b, &s->style, s->total);
    buf_byte(b, '\n');
    for (u32 i = 0; i < listing->n; i++) put_routine(b, s, &listing->routines[i]);
}
