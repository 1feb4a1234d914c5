// agent/labels.c - the labels that samples kept, as rows carry them.
// Room: see agent/labels.h.
#include "agent/labels.h"

#include "agent/hot/hot.h"
#include "agent/rows.h"

struct row_label *labels_put(struct arena *out, struct row *row, u32 id, u32 n_more) {
    u32 n;
    const char *text = labels_text(id, &n);
    struct row_label *labels = NEW(out, struct row_label, n_more + n);
    for (u32 i = n_more; i < n_more + n; i++) {
        labels[i].key = str_of(text);
        labels[i].text = str_of(text + labels[i].key.len + 1);
        text = labels[i].text.p + labels[i].text.len + 1;
    }
    row->labels = labels;
    row->n_labels = n_more + n;
    return labels;
}

// strconv.Quote for what labels hold as a rule; control characters by number.
static void put_quoted(struct buf *b, str text) {
    buf_byte(b, '"');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (c == '"' || c == '\\') buf_byte(b, '\\');
        if ((u8)c < ' ')
            buf_printf(b, "\\x%02x", (u8)c);
        else
            buf_byte(b, c);
    }
    buf_byte(b, '"');
}

str labels_quoted(struct arena *out, const struct row_label *labels, u32 n) {
    struct buf b = buf_new(out, 1 << 16);
    buf_byte(&b, '{');
    for (u32 i = 0; i < n; i++) {
        if (i) buf_put(&b, S(", "));
        put_quoted(&b, labels[i].key);
        buf_byte(&b, ':');
        put_quoted(&b, labels[i].text);
    }
    buf_byte(&b, '}');
    return buf_str(&b);
}

str labels_as_text(struct arena *out, u32 id) {
    struct row row = {0};
    labels_put(out, &row, id, 0);
    return row.n_labels ? labels_quoted(out, row.labels, row.n_labels) : (str){0};
}

static void put_lost(struct buf *b, u64 n, const char *what) {
    if (n) buf_printf(b, "%s%llu %s", b->len ? "; " : "", (unsigned long long)n, what);
}

str labels_status(struct arena *out) {
    struct labels_lost lost = labels_lost();
    struct buf b = buf_new(out, 1024);
    put_lost(&b, lost.n_kept,
             "samples found the table of labels full: they carry labels=[overflow]");
    put_lost(&b, lost.n_sets, "label sets were not made: too many are held at a time");
    put_lost(&b, lost.n_labels, "labels were left out of their sets: too many, or too long");
    return buf_str(&b);
}

void labels_tell(struct arena *out, struct rows *rows) {
    rows_tell(out, rows, "labels", labels_status(out));
}
