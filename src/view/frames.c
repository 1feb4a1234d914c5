// view/frames.c - which lines of which locations are one frame.
// Room: granularity, identity of frames and their printable names. Door: view/view.h.
// Source: reference/pprof.md sections 2.4, 2.7, 2.8.
#include "view/view.h"

#include <string.h>

// What the granularity keeps of a line.
struct keep {
    bool name, file, line, column, address,
        innermost; // innermost: false keeps the outermost line only
};

static struct keep keep_of(const struct view_opts *opts) {
    struct keep k = {.column = opts->showcolumns, .innermost = !opts->noinlines};
    switch (opts->granularity) {
    case GRANULARITY_DEFAULT:
    case GRANULARITY_FUNCTIONS:
        k.name = true;
        break;
    case GRANULARITY_FILEFUNCTIONS:
        k.name = k.file = true;
        break;
    case GRANULARITY_FILES:
        k.file = true;
        break;
    case GRANULARITY_LINES:
        k.name = k.file = k.line = true;
        break;
    case GRANULARITY_ADDRESSES:
        k.name = k.file = k.line = k.address = true;
        k.column |= k.innermost; // nothing at all is changed then, so columns stay (Q24)
        break;
    }
    k.column &= k.line;
    return k;
}

// Strings of equal content under one small number.
struct texts {
    struct strmap map;
    str *items;
    u32 n;
    size_t cap;
    struct arena *out;
};

static u32 text_id(struct texts *t, str s) {
    u32 *at = strmap_at(&t->map, s);
    if (*at != U32_NONE) return *at;
    GROW(t->out, t->items, t->cap, t->n + 1);
    t->items[t->n] = s;
    return *at = t->n++;
}

struct key {
    u64 address;
    i64 start_line, line, column;
    u32 name, file, object; // text ids
    u32 unused;
};

struct builder {
    struct arena *out;
    const struct view *v;
    const struct frame_opts *opts;
    struct keep keep;
    struct texts texts;
    u32 *name_ids, *file_ids; // [function_i]
    u32 *object_ids;          // [mapping_i]
    struct key *keys;         // [frame id]
    u32 *slots;               // open addressing: frame id + 1
    u32 n_slots;              // power of two, more than twice the lines there are
    struct frames *ret;
};

static u64 key_hash(const struct key *k) {
    u64 h = hash_mix(k->address ^ (u64)k->name << 32 ^ k->file);
    if (k->line | k->column | k->start_line | k->object) {
        h ^= hash_mix((u64)k->line ^ (u64)k->column << 40 ^ (u64)k->start_line << 20);
        h = hash_mix(h ^ k->object);
    }
    return h;
}

static u32 frame_id(struct builder *b, const struct key *k) {
    u32 mask = b->n_slots - 1;
    u32 i = (u32)key_hash(k) & mask;
    for (; b->slots[i]; i = (i + 1) & mask) {
        if (memcmp(&b->keys[b->slots[i] - 1], k, sizeof *k) == 0) return b->slots[i] - 1;
    }
    u32 id = b->ret->n++;
    b->slots[i] = id + 1;
    b->keys[id] = *k;
    b->ret->items[id] = (struct frame){
        .name = b->texts.items[k->name],
        .file = b->texts.items[k->file],
        .object = b->texts.items[k->object],
        .address = k->address,
        .start_line = k->start_line,
        .line = k->line,
        .column = k->column,
    };
    return id;
}

static str cleaned(struct builder *b, str file) {
    if (!b->opts->has_raw_paths) {
        file = path_trim(file, b->v->opts->trim_path, b->v->opts->source_path);
    }
    return file.len ? path_clean(b->out, file) : file;
}

static void prepare_texts(struct builder *b) {
    const struct profile *p = b->v->p;
    strmap_init(&b->texts.map, b->out);
    b->texts.out = b->out;
    text_id(&b->texts, S("")); // text id 0
    b->name_ids = NEW(b->out, u32, p->n_functions);
    b->file_ids = NEW(b->out, u32, p->n_functions);
    b->object_ids = NEW(b->out, u32, p->n_mappings);
    for (u32 i = 0; i < p->n_functions; i++) {
        const struct function *f = &p->functions[i];
        if (b->keep.name) b->name_ids[i] = text_id(&b->texts, profile_str(p, f->name));
        if (b->keep.file)
            b->file_ids[i] = text_id(&b->texts, cleaned(b, profile_str(p, f->filename)));
    }
    for (u32 i = 0; i < p->n_mappings; i++) {
        b->object_ids[i] = text_id(&b->texts, profile_str(p, p->mappings[i].file));
    }
}

static u32 line_frame(struct builder *b, const struct location *loc, const struct line *line) {
    u32 object = loc->mapping_i == U32_NONE ? 0 : b->object_ids[loc->mapping_i];
    struct key k = {.address = b->keep.address ? loc->address : 0};
    if (!line || line->function_i == U32_NONE) {
        k.object = object;
        return frame_id(b, &k);
    }
    k.name = b->name_ids[line->function_i];
    k.file = b->file_ids[line->function_i];
    if (b->keep.line) k.line = line->line;
    if (b->keep.column) k.column = line->column;
    if (b->opts->has_objects || k.name == 0) {
        k.object = object;
        k.start_line = b->v->p->functions[line->function_i].start_line;
    }
    return frame_id(b, &k);
}

static u32 location_frames(struct builder *b, u32 loc_i, u32 at) {
    const struct view *v = b->v;
    const struct location *loc = &v->p->locations[loc_i];
    if (v->is_hidden && v->is_hidden[loc_i]) return at;
    const u32 *lines = v->line_ids + v->line_at[loc_i];
    u32 n = v->line_at[loc_i + 1] - v->line_at[loc_i];
    if (n == 0) {
        b->ret->ids[at++] = line_frame(b, loc, NULL);
        return at;
    }
    for (u32 i = b->keep.innermost ? 0 : n - 1; i < n; i++) {
        u32 id = line_frame(b, loc, &v->p->lines[lines[i]]);
        b->ret->ids[at++] = id;
        if (i + 1 < n) b->ret->may_inline[id] = b->ret->has_inlines = true;
    }
    return at;
}

void view_frames(struct arena *out, const struct view *v, const struct frame_opts *opts,
                 struct frames *ret) {
    *ret = (struct frames){0};
    const struct profile *p = v->p;
    AUTO_ARENA struct arena scratch = arena_sub(out);
    u32 most = v->line_at[p->n_locations] + p->n_locations; // a location without lines is one frame
    struct builder b = {.out = out, .v = v, .opts = opts, .keep = keep_of(v->opts), .ret = ret};
    b.n_slots = 64;
    while (b.n_slots / 2 < most) b.n_slots *= 2;
    b.slots = NEW(&scratch, u32, b.n_slots);
    b.keys = NEW(&scratch, struct key, most);
    prepare_texts(&b);
    ret->items = NEW(out, struct frame, most);
    ret->may_inline = NEW(out, bool, most);
    ret->at = NEW(out, u32, (size_t)p->n_locations + 1);
    ret->ids = NEW(out, u32, most);
    for (u32 i = 0; i < p->n_locations; i++) ret->at[i + 1] = location_frames(&b, i, ret->at[i]);
}

void frame_name_write(struct buf *b, const struct frame *f, str sep) {
    size_t start = b->len;
    if (f->address) {
        num_hex(b, f->address, 16);
    }
    if (f->name.len) {
        if (b->len > start) buf_put(b, sep);
        buf_put(b, f->name);
    }
    bool has_file = f->line || f->file.len;
    if (!has_file && f->name.len) return;
    if (b->len > start) buf_put(b, sep);
    if (has_file) {
        buf_put(b, f->file);
        if (f->line) {
            buf_byte(b, ':');
            num_i64(b, f->line);
        }
        if (f->line && f->column) {
            buf_byte(b, ':');
            num_i64(b, f->column);
        }
    } else if (f->object.len) {
        buf_byte(b, '[');
        buf_put(b, str_basename(f->object));
        buf_byte(b, ']');
    } else {
        buf_put(b, S("<unknown>"));
    }
}

str frame_name(struct arena *out, const struct frame *f) {
    if (f->address == 0 && f->line == 0 && f->file.len == 0 && f->name.len) return f->name;
    struct buf b = buf_new(out, SIZE_MAX);
    frame_name_write(&b, f, S(" "));
    return buf_str(&b);
}
