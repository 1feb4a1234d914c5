// graph/tags.c - label values seen at nodes, for the boxes of a drawn graph.
// Room: collecting; choosing and grouping what is drawn is the renderer's. Door: graph/graph.h.
// Source: reference/pprof.md section 2.7 (tags).
#include "graph/parts.h"

#include <string.h>

enum { MAX_TEXT = 1 << 24 }; // bytes of all labels of one sample, joined

// One "bytes" of a sample.
struct seen_number {
    u32 name; // text id
    i64 value;
};

struct collector {
    struct arena *out, *scratch;
    struct arena per_sample;
    struct graph *g;
    node_mask mask;
    str unit;            // how numbers are written
    str number_unit;     // what "bytes" labels are in
    struct strmap texts; // text -> id
    str *text_items;
    u32 n_texts;
    size_t cap_texts;
    struct buf text;
    // Of the sample at hand.
    u32 under; // text id of its joined labels
    struct seen_number *numbers;
    u32 n_numbers;
    size_t cap_numbers;
    u32 *stamps; // [node]: the last sample that counted it, + 1
    // All tags: open addressing by (node, under, name, is_numeric).
    struct arena slots_arena; // ended whenever the table grows
    struct tag_slot *slots;
    u32 n_slots, n;
};

// 56 bytes: a table of a million samples with a thousand label values has millions of them.
struct tag_slot {
    u32 node, under, name;
    bool is_used, is_numeric;
    i64 value; // numeric tags
    i64 flat, flat_div, cum, cum_div;
};

static u32 text_id(struct collector *c, str text) {
    u32 id = strmap_get(&c->texts, text);
    if (id != U32_NONE) return id;
    text = str_copy(c->out, text);
    GROW(c->scratch, c->text_items, c->cap_texts, c->n_texts + 1);
    c->text_items[c->n_texts] = text;
    return *strmap_at(&c->texts, text) = c->n_texts++;
}

static int str_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    return str_cmp(*(const str *)a, *(const str *)b);
}

static bool is_shown_text(const struct view *v, const struct label *l) {
    return label_is_text(l) && view_shows_label(v, l) &&
           !str_eq(profile_str(v->p, l->key), S("pprof::base"));
}

// All string labels as "key:value", sorted, with the two characters \n between.
static u32 join_labels(struct collector *c, const struct label *labels, u32 n) {
    const struct view *v = c->g->view;
    struct arena *temp = &c->per_sample;
    arena_reset(temp);
    str *parts = NEW(temp, str, n);
    u32 n_parts = 0;
    for (u32 i = 0; i < n; i++) {
        if (!is_shown_text(v, &labels[i])) continue;
        str part[] = {profile_str(v->p, labels[i].key), profile_str(v->p, labels[i].str)};
        parts[n_parts++] = str_join(temp, part, 2, S(":"));
    }
    if (n_parts == 0) return text_id(c, S(""));
    if (n_parts > 1) sort_stable(temp, parts, n_parts, sizeof *parts, str_order, NULL);
    return text_id(c, str_join(temp, parts, n_parts, S("\\n")));
}

static void read_labels(struct collector *c, u32 sample_i) {
    const struct view *v = c->g->view;
    u32 n;
    const struct label *labels = profile_labels(v->p, sample_i, &n);
    c->under = n ? join_labels(c, labels, n) : text_id(c, S(""));
    c->n_numbers = 0;
    for (u32 i = 0; i < n; i++) {
        const struct label *l = &labels[i];
        if (label_is_text(l) || !view_shows_label(v, l)) continue;
        if (!str_eq(profile_str(v->p, l->key), S("bytes"))) continue;
        c->number_unit = view_label_unit(v, l->key);
        c->text.len = 0;
        units_label(&c->text, l->num, c->number_unit, c->unit);
        GROW(c->scratch, c->numbers, c->cap_numbers, c->n_numbers + 1);
        c->numbers[c->n_numbers++] =
            (struct seen_number){.name = text_id(c, buf_str(&c->text)), .value = l->num};
    }
}

static struct tag_slot *find_slot(struct tag_slot *slots, u32 n_slots, u32 node, u32 under,
                                  u32 name, bool is_numeric) {
    u64 hash = hash_mix(hash_mix((u64)node << 32 | under) ^ ((u64)name << 1 | is_numeric));
    for (u32 i = (u32)hash & (n_slots - 1);; i = (i + 1) & (n_slots - 1)) {
        struct tag_slot *s = &slots[i];
        bool is_it =
            s->node == node && s->under == under && s->name == name && s->is_numeric == is_numeric;
        if (!s->is_used || is_it) return s;
    }
}

static void grow_slots(struct collector *c) {
    u32 n_slots = c->n_slots ? c->n_slots * 2 : 1024;
    struct arena arena = arena_sub(c->out);
    struct tag_slot *slots = NEW(&arena, struct tag_slot, n_slots);
    for (u32 i = 0; i < c->n_slots; i++) {
        const struct tag_slot *s = &c->slots[i];
        if (s->is_used) *find_slot(slots, n_slots, s->node, s->under, s->name, s->is_numeric) = *s;
    }
    arena_done(&c->slots_arena);
    c->slots_arena = arena;
    c->slots = slots;
    c->n_slots = n_slots;
}

static struct tag_slot *slot_at(struct collector *c, u32 node, const struct seen_number *number) {
    if (c->n >= c->n_slots / 2) grow_slots(c);
    u32 name = number ? number->name : c->under;
    struct tag_slot *s = find_slot(c->slots, c->n_slots, node, c->under, name, number != NULL);
    if (s->is_used) return s;
    c->n++;
    *s = (struct tag_slot){.node = node, .under = c->under, .name = name, .is_used = true};
    s->is_numeric = number != NULL;
    if (number) s->value = number->value;
    return s;
}

static void add_to_slot(struct tag_slot *s, i64 value, i64 div, bool is_flat) {
    i64 *sum = is_flat ? &s->flat : &s->cum, *sum_div = is_flat ? &s->flat_div : &s->cum_div;
    *sum = add_i64(*sum, value);
    *sum_div = add_i64(*sum_div, div);
}

static void add_to_node(struct collector *c, u32 node, i64 value, i64 div, bool is_flat) {
    if (c->mask && !c->mask[node]) return;
    if (c->text_items[c->under].len) add_to_slot(slot_at(c, node, NULL), value, div, is_flat);
    for (u32 i = 0; i < c->n_numbers; i++)
        add_to_slot(slot_at(c, node, &c->numbers[i]), value, div, is_flat);
}

static void add_sample(struct collector *c, u32 stamp, const u32 *stack, u32 n, i64 value,
                       i64 div) {
    const struct frames *f = c->g->frames;
    u32 node = U32_NONE, place = U32_NONE;
    for (u32 i = n; i-- > 0;) {
        for (u32 j = f->at[stack[i] + 1]; j-- > f->at[stack[i]];) {
            if (c->g->tree) place = graph_tree_child(c->g, place, f->ids[j]);
            node = c->g->tree ? graph_tree_place(c->g, place) : f->ids[j];
            bool is_wanted = node != U32_NONE && (!c->mask || c->mask[node]);
            if (!is_wanted || c->stamps[node] == stamp) continue;
            c->stamps[node] = stamp;
            add_to_node(c, node, value, div, false);
        }
    }
    if (node != U32_NONE) add_to_node(c, node, value, div, true);
}

static struct tag tag_of(const struct collector *c, const struct tag_slot *s) {
    return (struct tag){.name = c->text_items[s->name],
                        .under = s->is_numeric ? c->text_items[s->under] : S(""),
                        .unit = s->is_numeric ? c->number_unit : S(""),
                        .value = s->value,
                        .flat = s->flat,
                        .flat_div = s->flat_div,
                        .cum = s->cum,
                        .cum_div = s->cum_div,
                        .is_numeric = s->is_numeric};
}

static void hand_over(struct collector *c) {
    struct graph *g = c->g;
    g->tags = NEW(c->out, struct tag *, g->n_nodes);
    g->n_tags = NEW(c->out, u32, g->n_nodes);
    for (u32 i = 0; i < c->n_slots; i++) g->n_tags[c->slots[i].node] += c->slots[i].is_used;
    for (u32 i = 0; i < g->n_nodes; i++) {
        if (g->n_tags[i]) g->tags[i] = NEW(c->out, struct tag, g->n_tags[i]);
        g->n_tags[i] = 0;
    }
    for (u32 i = 0; i < c->n_slots; i++) {
        const struct tag_slot *s = &c->slots[i];
        if (s->is_used) g->tags[s->node][g->n_tags[s->node]++] = tag_of(c, s);
    }
}

void graph_add_tags(struct arena *out, struct graph *g, node_mask mask, str unit) {
    const struct view *v = g->view;
    if (!v->p->label_at) return;
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct collector c = {.out = out, .scratch = &scratch, .g = g, .mask = mask, .unit = unit};
    c.per_sample = c.slots_arena = arena_sub(out);
    strmap_init(&c.texts, &scratch);
    c.text = buf_new(&scratch, MAX_TEXT);
    c.stamps = NEW(&scratch, u32, g->n_nodes);
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 n, s = view_sample(v, i);
        i64 value = view_value(v, s), div = view_divisor(v, s);
        if (value == 0 && div == 0) continue;
        read_labels(&c, s);
        if (c.text_items[c.under].len == 0 && c.n_numbers == 0) continue;
        const u32 *stack = view_stack(v, i, &n);
        add_sample(&c, i + 1, stack, n, value, div);
    }
    hand_over(&c);
    arena_done(&c.per_sample);
    arena_done(&c.slots_arena);
}
