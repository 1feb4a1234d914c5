// render/flame.c - flame graphs as JSON.
// Room: see flame.h. Door: render/flame.h.
//
// Columns instead of objects, and values over their greatest common divisor: 2,000 nodes stay below
// 25 KB packed.
#include "render/flame.h"

#include "render/json.h"

static u64 gcd(u64 a, u64 b) {
    while (b) {
        u64 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static u64 size_of(i64 x) {
    return x < 0 ? 0 - (u64)x : (u64)x;
}

static u64 tree_scale(const struct flame_tree *t, const struct value_style *style, u64 scale) {
    for (u32 i = 0; t && i < t->n; i++) {
        const struct flame_node *n = &t->nodes[i];
        const i64 values[] = {n->total, n->self, n->hidden, n->base, n->base_self};
        for (size_t k = 0; k < countof(values); k++)
            scale = gcd(scale, size_of(value_scaled(style, values[k])));
    }
    return scale;
}

// Frames as the answer numbers them, in order of first appearance.
struct numbering {
    u32 *place; // [frame id], + 1
    u32 *ids;
    u32 n;
};

static void number_frames(const struct flame_tree *t, struct numbering *names) {
    for (u32 i = 0; t && i < t->n; i++) {
        u32 frame = t->nodes[i].frame;
        if (frame == U32_NONE || names->place[frame]) continue;
        names->ids[names->n++] = frame;
        names->place[frame] = names->n;
    }
}

static void put_frame(struct json *j, u32 id, const struct flame_frame *f) {
    json_open(j, '{');
    json_key_i64(j, "id", id);
    json_key_text(j, "name", f->name);
    json_key_text(j, "file", f->file);
    json_key_i64(j, "line", f->line);
    json_key_text(j, "binary", f->object);
    json_close(j, '}');
}

static void put_frames(struct json *j, const struct flame_shown *shown,
                       const struct numbering *names) {
    json_key(j, "frames");
    json_open(j, '[');
    for (u32 i = 0; i < names->n; i++)
        put_frame(j, names->ids[i], &shown->index->frames[names->ids[i]]);
    json_close(j, ']');
    json_key(j, "matches");
    json_open(j, '[');
    for (u32 i = 0; i < names->n; i++)
        if (shown->is_match && shown->is_match[names->ids[i]]) json_i64(j, i);
    json_close(j, ']');
}

enum column { DEPTH, FRAME, TOTAL, SELF, HIDDEN, N_HIDDEN, INLINED, BASE, BASE_SELF, N_COLUMNS };

struct columns {
    const struct numbering *names;
    const struct value_style *style;
    i64 scale;
};

static i64 cell(const struct columns *c, const struct flame_node *n, enum column column) {
    switch (column) {
    case DEPTH:
        return n->depth;
    case FRAME:
        return n->frame == U32_NONE ? -1 : (i64)c->names->place[n->frame] - 1;
    case TOTAL:
        return value_scaled(c->style, n->total) / c->scale;
    case SELF:
        return value_scaled(c->style, n->self) / c->scale;
    case HIDDEN:
        return value_scaled(c->style, n->hidden) / c->scale;
    case N_HIDDEN:
        return n->n_hidden;
    case INLINED:
        return n->inlining;
    case BASE:
        return value_scaled(c->style, n->base) / c->scale;
    case BASE_SELF:
        return value_scaled(c->style, n->base_self) / c->scale;
    case N_COLUMNS:
        break;
    }
    return 0;
}

static void put_tree(struct json *j, const char *key, const struct columns *c,
                     const struct flame_tree *t, bool is_diff) {
    static const char *const names[N_COLUMNS] = {
        [DEPTH] = "depth",     [FRAME] = "frame",   [TOTAL] = "total",
        [SELF] = "self",       [HIDDEN] = "hidden", [N_HIDDEN] = "n_hidden",
        [INLINED] = "inlined", [BASE] = "base",     [BASE_SELF] = "base_self",
    };
    if (!t) return;
    json_key(j, key);
    json_open(j, '{');
    for (int column = 0; column < (is_diff ? N_COLUMNS : BASE); column++) {
        json_key(j, names[column]);
        json_open(j, '[');
        for (u32 i = 0; i < t->n; i++) json_i64(j, cell(c, &t->nodes[i], (enum column)column));
        json_close(j, ']');
    }
    json_close(j, '}');
}

void render_flame_json(struct buf *b, const struct summary *s, const struct flame_shown *shown) {
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    struct json j = {.to = b};
    u32 n_frames = shown->index->n_frames;
    struct numbering names = {NEW(&scratch, u32, n_frames), NEW(&scratch, u32, n_frames), 0};
    number_frames(shown->down, &names);
    number_frames(shown->up, &names);
    u64 scale = tree_scale(shown->up, &s->style, tree_scale(shown->down, &s->style, 0));
    struct columns c = {&names, &s->style, scale ? (i64)scale : 1};
    json_open(&j, '{');
    json_key_text(&j, "type", s->type);
    json_key_text(&j, "unit", s->style.sample_unit);
    json_key_text(&j, "view", shown->view);
    json_key_i64(&j, "total", value_scaled(&s->style, s->total));
    json_key_i64(&j, "scale", c.scale);
    json_key_bool(&j, "is_diff", shown->is_diff);
    json_key(&j, "warnings");
    json_lines(&j, shown->messages);
    put_frames(&j, shown, &names);
    put_tree(&j, "down", &c, shown->down, shown->is_diff);
    put_tree(&j, "up", &c, shown->up, shown->is_diff);
    json_close(&j, '}');
    buf_byte(b, '\n');
}
