// render/trace_footprint.c - what takes the space of a trace, as a table.
// Room: layout only. Door: render/trace.h. Source: go tool trace -d=footprint, whose columns these
// are; it lists events that do not occur, too.
#include "render/trace.h"

enum { GAP = 2 }; // blanks between columns

static int width_of(u64 x) {
    int n = 1;
    for (; x >= 10; x /= 10) n++;
    return n;
}

static void put_cell(struct buf *b, str text, int width) {
    buf_pad(b, text, -(width + GAP));
}

static str number(struct arena *scratch, u64 x) {
    struct buf text = buf_new(scratch, 32);
    num_u64(&text, x);
    return buf_str(&text);
}

static str percent(struct arena *scratch, u64 part, u64 whole) {
    struct buf text = buf_new(scratch, 32);
    num_fixed(&text, whole ? (double)part / (double)whole * 100 : 0, 2);
    buf_byte(&text, '%');
    return buf_str(&text);
}

void render_trace_footprint(struct buf *b, const struct trace_footprint *f, u64 n_bytes) {
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    // The longest names of any event, of "Bytes" and "Count", of "100.00%".
    int name = 0, bytes = 5, part = 1, count = 5;
    for (u32 i = 0; i < 256; i++) {
        int len = trace_specs[i].name ? (int)str_of(trace_specs[i].name).len : 0;
        if (len > name) name = len;
    }
    for (u32 i = 0; i < f->n; i++) {
        int len = (int)percent(&scratch, f->rows[i].bytes, n_bytes).len;
        if (width_of(f->rows[i].bytes) > bytes) bytes = width_of(f->rows[i].bytes);
        if (width_of(f->rows[i].n) > count) count = width_of(f->rows[i].n);
        if (len > part) part = len;
    }
    static const str heads[][5] = {{S("Event"), S("Bytes"), S("%"), S("Count"), S("%")},
                                   {S("-"), S("-"), S("-"), S("-"), S("-")}};
    for (u32 i = 0; i < f->n + countof(heads); i++) {
        const struct trace_footprint_row *row = i < countof(heads) ? NULL : &f->rows[i - 2];
        put_cell(b, row ? str_of(trace_spec(row->type)->name) : heads[i][0], name);
        put_cell(b, row ? number(&scratch, row->bytes) : heads[i][1], bytes);
        put_cell(b, row ? percent(&scratch, row->bytes, n_bytes) : heads[i][2], part);
        put_cell(b, row ? number(&scratch, row->n) : heads[i][3], count);
        buf_put(b, row ? percent(&scratch, row->n, f->n_events) : heads[i][4]);
        buf_byte(b, '\n');
    }
}
