// render/rows.c - rows of a report for programs: JSON and CSV.
// Room: the two syntaxes. Door: render/render.h. The form is documented in docs/formats.md.
#include "render/render.h"

#include "render/json.h"

static const char *inlining_text(enum inlining inlining) {
    switch (inlining) {
    case INLINED_NEVER:
        return "";
    case INLINED_ALWAYS:
        return "inline";
    case INLINED_SOMETIMES:
        return "partial-inline";
    }
    return "";
}

void render_top_json(struct buf *b, const struct summary *s, const struct top *top) {
    buf_put(b, S("{\"type\":"));
    json_text(b, s->type);
    buf_put(b, S(",\"unit\":"));
    json_text(b, s->style.sample_unit);
    buf_put(b, S(",\"total\":"));
    num_i64(b, value_scaled(&s->style, s->total));
    buf_put(b, S(",\"rows\":["));
    for (u32 i = 0; i < top->n; i++) {
        const struct top_row *row = &top->rows[i];
        buf_put(b, i ? S(",\n{\"name\":") : S("\n{\"name\":"));
        json_text(b, row->name);
        buf_put(b, S(",\"flat\":"));
        num_i64(b, value_scaled(&s->style, row->flat));
        buf_put(b, S(",\"cum\":"));
        num_i64(b, value_scaled(&s->style, row->cum));
        buf_put(b, S(",\"inlined\":"));
        json_text(b, str_of(inlining_text(row->inlining)));
        buf_byte(b, '}');
    }
    buf_put(b, S("\n]}\n"));
}

// RFC 4180: quoted when it has to be, quotes doubled.
static void csv_text(struct buf *b, str s) {
    bool is_plain = str_find_byte(s, ',') < 0 && str_find_byte(s, '"') < 0 &&
                    str_find_byte(s, '\n') < 0 && str_find_byte(s, '\r') < 0;
    if (is_plain) {
        buf_put(b, s);
        return;
    }
    buf_byte(b, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '"') buf_byte(b, '"');
        buf_byte(b, s.p[i]);
    }
    buf_byte(b, '"');
}

void render_top_csv(struct buf *b, const struct summary *s, const struct top *top) {
    buf_put(b, S("name,flat,cum,unit,inlined\n"));
    for (u32 i = 0; i < top->n; i++) {
        const struct top_row *row = &top->rows[i];
        csv_text(b, row->name);
        buf_byte(b, ',');
        num_i64(b, value_scaled(&s->style, row->flat));
        buf_byte(b, ',');
        num_i64(b, value_scaled(&s->style, row->cum));
        buf_byte(b, ',');
        csv_text(b, s->style.sample_unit);
        buf_byte(b, ',');
        buf_put(b, str_of(inlining_text(row->inlining)));
        buf_byte(b, '\n');
    }
}
