// render/callgrind.c - a graph as callgrind output.
// Room: name compression, relative addresses, telling apart functions of one name. Door:
// render/render.h. Source: reference/pprof.md section 2.22.
#include "render/render.h"

enum { MAX_NAME = 1 << 20 }; // bytes of one function name

// "(3) name" the first time, "(3)" later, nothing for nothing.
struct compressed {
    struct strmap ids;
    u32 n;
};

static void put_name(struct buf *b, const char *key, struct compressed *names, str name) {
    buf_put(b, str_of(key));
    if (name.len) {
        u32 *id = strmap_at(&names->ids, name);
        bool is_new = *id == U32_NONE;
        if (is_new) *id = ++names->n;
        buf_printf(b, "(%u)", *id);
        if (is_new) {
            buf_byte(b, ' ');
            buf_put(b, name);
        }
    }
    buf_byte(b, '\n');
}

// The address, or its distance from the previous node's where that is shorter.
static void put_address(struct buf *b, const struct frame *previous, u64 address) {
    char absolute_text[32], relative_text[32];
    struct buf absolute = {.p = absolute_text, .cap = 32, .max = 32};
    struct buf relative = {.p = relative_text, .cap = 32, .max = 32};
    buf_printf(&absolute, "0x%llx", (unsigned long long)address);
    if (previous && previous->address == address) {
        buf_byte(b, '*');
        return;
    }
    if (previous) buf_printf(&relative, "%+lld", (long long)(address - previous->address));
    bool is_shorter = previous && relative.len < absolute.len;
    buf_put(b, buf_str(is_shorter ? &relative : &absolute));
}

// Functions of one file and name that differ in what is not shown get " [i/n]".
struct names {
    struct arena *arena;
    struct strmap groups, members; // file and name -> group; group and hidden fields -> rank
    u32 *group_sizes;
    u32 n_groups;
    size_t cap;
    u32 *group, *rank; // [node index]
};

static u32 group_of(struct names *t, const struct frame *f) {
    str parts[] = {f->file, f->name};
    str key = str_join(t->arena, parts, 2, (str){"\0", 1});
    u32 *at = strmap_at(&t->groups, key);
    if (*at == U32_NONE) {
        *at = t->n_groups;
        GROW(t->arena, t->group_sizes, t->cap, t->n_groups + 1);
        t->n_groups++;
    }
    return *at;
}

static void name_nodes(struct names *t, struct arena *scratch, const struct graph *g) {
    *t = (struct names){.arena = scratch};
    strmap_init(&t->groups, scratch);
    strmap_init(&t->members, scratch);
    t->group = NEW(scratch, u32, g->n_nodes);
    t->rank = NEW(scratch, u32, g->n_nodes);
    for (u32 i = 0; i < g->n_shown; i++) {
        const struct node *n = &g->nodes[g->shown[i]];
        const struct frame *f = &g->frames->items[n->frame_i];
        u32 group = group_of(t, f);
        struct buf key = buf_new(scratch, MAX_NAME);
        // Without an address and a line a column makes a function of its own, as there.
        i64 column = f->address == 0 && f->line == 0 ? f->column : 0;
        buf_printf(&key, "%u %lld %lld %u ", group, (long long)f->start_line, (long long)column,
                   n->parent);
        buf_put(&key, f->object);
        u32 *rank = strmap_at(&t->members, buf_str(&key));
        if (*rank == U32_NONE) *rank = t->group_sizes[group]++;
        t->group[g->shown[i]] = group;
        t->rank[g->shown[i]] = *rank + 1; // 0: not shown
    }
}

static str node_name(const struct names *t, struct arena *scratch, const struct graph *g,
                     u32 node_i) {
    str name = g->frames->items[g->nodes[node_i].frame_i].name;
    u32 rank = t->rank[node_i];
    u32 n = rank ? t->group_sizes[t->group[node_i]] : 0;
    if (n <= 1) return rank ? name : S("");
    struct buf b = buf_new(scratch, MAX_NAME);
    buf_put(&b, name);
    buf_printf(&b, " [%u/%u]", rank, n);
    return buf_str(&b);
}

static i64 in_unit(const struct summary *s, i64 value) {
    str unit;
    double x = units_scale(value, s->style.sample_unit, s->style.output_unit, &unit);
    return x >= -9223372036854775808.0 && x < 9223372036854775808.0 ? (i64)x : INT64_MIN;
}

struct writer {
    struct buf *b;
    const struct summary *s;
    const struct graph *g;
    struct arena *scratch;
    struct names names;
    struct compressed objects, files, functions;
    const struct frame *previous;
};

static void put_call(struct writer *w, const struct edge *e) {
    const struct frame *callee = &w->g->frames->items[w->g->nodes[e->dst].frame_i];
    put_name(w->b, "cfl=", &w->files, callee->file);
    put_name(w->b, "cfn=", &w->functions, node_name(&w->names, w->scratch, w->g, e->dst));
    buf_put(w->b, S("calls=0 "));
    put_address(w->b, w->previous, callee->address);
    buf_printf(w->b, " %lld\n* * %lld\n", (long long)callee->line,
               (long long)in_unit(w->s, e->weight));
}

static void put_node(struct writer *w, const struct node *n) {
    const struct frame *f = &w->g->frames->items[n->frame_i], *before = w->previous;
    bool is_same = before && str_eq(before->object, f->object) && str_eq(before->file, f->file) &&
                   str_eq(before->name, f->name);
    if (!is_same) {
        buf_byte(w->b, '\n');
        put_name(w->b, "ob=", &w->objects, f->object);
        put_name(w->b, "fl=", &w->files, f->file);
        put_name(w->b, "fn=", &w->functions, f->name);
    }
    put_address(w->b, before, f->address);
    buf_printf(w->b, " %lld %lld\n", (long long)f->line, (long long)in_unit(w->s, node_flat(n)));
    for (u32 i = 0; i < n->n_out; i++) put_call(w, &w->g->edges[w->g->out_edges[n->out_at + i]]);
    w->previous = f;
}

void render_callgrind(struct buf *b, const struct summary *s, const struct graph *g) {
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    struct writer w = {.b = b, .s = s, .g = g, .scratch = &scratch};
    name_nodes(&w.names, &scratch, g);
    strmap_init(&w.objects.ids, &scratch);
    strmap_init(&w.files.ids, &scratch);
    strmap_init(&w.functions.ids, &scratch);
    buf_put(b, S("positions: instr line\nevents: "));
    buf_put(b, s->type);
    buf_byte(b, '(');
    buf_put(b, s->style.output_unit);
    buf_put(b, S(")\n"));
    for (u32 i = 0; i < g->n_shown; i++) put_node(&w, &g->nodes[g->shown[i]]);
}
