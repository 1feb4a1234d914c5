// render/traces.c - every stack of the view, one after the other: traces and folded.
// Room: walking samples in file order; nothing is summed. Door: render/render.h.
// Source: reference/pprof.md section 2.16; folded is Brendan Gregg's "a;b;c 12".
#include "render/render.h"

enum {
    MAX_LINE = 1 << 24, // bytes of one label line
    MAX_NUMBER = 128,   // bytes of one value with its unit
    N_CELLS = 64,       // values kept as text: most samples of a profile have one of a few
};

// The lines of each location, made once: "             NAME (inline)\n" a frame.
struct blocks {
    str *items; // [loc_i]
};

static void make_blocks(struct arena *out, const struct frames *f, u32 n_locations,
                        struct blocks *ret) {
    ret->items = NEW(out, str, n_locations);
    str *names = NEW(out, str, f->n);
    for (u32 i = 0; i < f->n; i++) names[i] = frame_name(out, &f->items[i]);
    struct buf b = buf_new(out, SIZE_MAX);
    size_t *at = NEW(out, size_t, (size_t)n_locations + 1);
    for (u32 i = 0; i < n_locations; i++) {
        for (u32 j = f->at[i]; j < f->at[i + 1]; j++) {
            buf_put(&b, S("             "));
            buf_put(&b, names[f->ids[j]]);
            if (j + 1 < f->at[i + 1]) buf_put(&b, S(" (inline)"));
            buf_byte(&b, '\n');
        }
        at[i + 1] = b.len;
    }
    for (u32 i = 0; i < n_locations; i++) ret->items[i] = (str){b.p + at[i], at[i + 1] - at[i]};
}

static int str_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    return str_cmp(*(const str *)a, *(const str *)b);
}

// All values of one key in one line; labels[first] is the key's first label of this kind.
static str label_line(struct arena *scratch, const struct view *v, const struct label *labels,
                      u32 n, u32 first) {
    bool is_text = label_is_text(&labels[first]);
    str key = profile_str(v->p, labels[first].key);
    struct buf b = buf_new(scratch, MAX_LINE);
    buf_pad(&b, key, 10);
    buf_put(&b, S(": "));
    for (u32 i = first; i < n; i++) {
        const struct label *l = &labels[i];
        if (label_is_text(l) != is_text || !str_eq(profile_str(v->p, l->key), key)) continue;
        buf_byte(&b, ' ');
        if (is_text) {
            buf_put(&b, profile_str(v->p, l->str));
        } else {
            units_label(&b, l->num, view_label_unit(v, l->key), S("auto"));
        }
    }
    buf_byte(&b, '\n');
    return buf_str(&b);
}

static bool is_first_of_key(const struct view *v, const struct label *labels, u32 i) {
    for (u32 j = 0; j < i; j++) {
        bool is_same = label_is_text(&labels[j]) == label_is_text(&labels[i]) &&
                       str_eq(profile_str(v->p, labels[j].key), profile_str(v->p, labels[i].key));
        if (is_same) return false;
    }
    return true;
}

static void put_labels(struct buf *b, struct arena *scratch, const struct view *v, u32 sample_i) {
    u32 n;
    const struct label *labels = profile_labels(v->p, sample_i, &n);
    if (n == 0) return;
    arena_reset(scratch);
    str *lines = NEW(scratch, str, n);
    for (int is_text = 1; is_text >= 0; is_text--) {
        u32 n_lines = 0;
        for (u32 i = 0; i < n; i++) {
            if (label_is_text(&labels[i]) != is_text || !view_shows_label(v, &labels[i])) continue;
            if (is_first_of_key(v, labels, i))
                lines[n_lines++] = label_line(scratch, v, labels, n, i);
        }
        if (n_lines > 1) sort_stable(scratch, lines, n_lines, sizeof *lines, str_order, NULL);
        for (u32 i = 0; i < n_lines; i++) buf_put(b, lines[i]);
    }
}

// A value as text, and the value it is the text of.
struct cell {
    i64 value;
    u32 len; // 0: none yet
    char text[MAX_NUMBER];
};

static str cell_text(struct cell *cells, const struct value_style *style, i64 value) {
    struct cell *c = &cells[hash_mix((u64)value) % N_CELLS];
    if (!c->len || c->value != value) {
        struct buf text = {.p = c->text, .cap = sizeof c->text, .max = sizeof c->text};
        value_write(&text, style, value);
        c->value = value;
        c->len = (u32)text.len;
    }
    return (str){c->text, c->len};
}

// cell stands in the first ten columns of the stack's first line.
static void put_stack(struct buf *b, str cell, const struct blocks *blocks, const u32 *stack,
                      u32 n) {
    u32 i = 0;
    while (i < n && blocks->items[stack[i]].len == 0) i++;
    if (i == n) return;
    buf_pad(b, cell, 10);
    buf_put(b, str_skip(blocks->items[stack[i]], 10));
    for (i++; i < n; i++) buf_put(b, blocks->items[stack[i]]);
}

void render_traces(struct buf *b, const struct summary *s, const struct lines *legend,
                   const struct frames *frames) {
    static const char separator[] =
        "-----------+-------------------------------------------------------\n";
    const struct view *v = s->view;
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    AUTO_ARENA struct arena per_sample = arena_sub(b->arena);
    struct cell *cells = NEW(&scratch, struct cell, N_CELLS);
    struct blocks blocks;
    make_blocks(&scratch, frames, v->p->n_locations, &blocks);
    render_lines(b, legend);
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 n, sample_i = view_sample(v, i);
        const u32 *stack = view_stack(v, i, &n);
        if (!frames_any(frames, stack, n)) continue;
        buf_put(b, str_of(separator));
        put_labels(b, &per_sample, v, sample_i);
        i64 value = view_value(v, sample_i), div = view_divisor(v, sample_i);
        put_stack(b, cell_text(cells, &s->style, mean_of(value, div)), &blocks, stack, n);
    }
    buf_put(b, str_of(separator));
}

// "root;caller;leaf 12\n" a sample; a frame's own ';' becomes ':' so that columns stay apart.
static void put_folded_name(struct buf *b, str name) {
    str part, rest = name;
    bool more = true, is_first = true;
    while (more) {
        more = str_cut(rest, ';', &part, &rest);
        if (!is_first) buf_byte(b, ':');
        buf_put(b, part);
        is_first = false;
    }
}

void render_folded(struct buf *b, const struct summary *s, const struct frames *frames) {
    const struct view *v = s->view;
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    str *names = NEW(&scratch, str, frames->n);
    for (u32 i = 0; i < frames->n; i++) names[i] = frame_name(&scratch, &frames->items[i]);
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 n, sample_i = view_sample(v, i);
        const u32 *stack = view_stack(v, i, &n);
        i64 value =
            value_scaled(&s->style, mean_of(view_value(v, sample_i), view_divisor(v, sample_i)));
        if (value == 0 || !frames_any(frames, stack, n)) continue;
        bool is_first = true;
        for (u32 j = n; j-- > 0;) {
            for (u32 k = frames->at[stack[j] + 1]; k-- > frames->at[stack[j]];) {
                if (!is_first) buf_byte(b, ';');
                put_folded_name(b, names[frames->ids[k]]);
                is_first = false;
            }
        }
        buf_byte(b, ' ');
        num_i64(b, value);
        buf_byte(b, '\n');
    }
}
