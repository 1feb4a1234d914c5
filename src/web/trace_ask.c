// web/trace_ask.c - parameters, names and pieces of JSON that the calls of a trace share.
// Room: see trace_ask.h. Door: web/trace_view.h.
#include "web/trace_ask.h"

#include "render/render.h"

str ask_text(const struct trace_ask *a, const char *name) {
    return query_get(a->query, str_of(name));
}

bool ask_i64(const struct trace_ask *a, const char *name, i64 fallback, i64 *ret) {
    str text = ask_text(a, name);
    *ret = fallback;
    if (!text.len || num_parse_i64(text, 10, ret)) return true;
    return err_set(a->err, ERR_USAGE, 0, "%s is no number: " S_FMT, name, S_ARG(text));
}

bool ask_time(const struct trace_ask *a, struct asked_time *ret) {
    i64 end = a->view->lanes.end_ns;
    if (!ask_i64(a, "t0", 0, &ret->t0) || !ask_i64(a, "t1", end, &ret->t1)) return false;
    if (ret->t0 < 0) ret->t0 = 0;
    if (ret->t1 > end) ret->t1 = end;
    if (ret->t0 < ret->t1) return true;
    return err_set(a->err, ERR_USAGE, 0, "t0 and t1 hold nothing of the trace between them");
}

bool ask_kind(const struct trace_ask *a, enum lanes_kind *ret) {
    static const str names[] = {S("goroutine"), S("proc"), S("thread")};
    str kind = ask_text(a, "kind");
    for (u32 i = 0; i < countof(names); i++) {
        *ret = (enum lanes_kind)i;
        if (!kind.len || str_eq(kind, names[i])) return true;
    }
    return err_set(a->err, ERR_USAGE, 0, "kind is none of goroutine, proc, thread: " S_FMT,
                   S_ARG(kind));
}

bool ask_lanes(const struct trace_ask *a, struct asked_lanes *ret) {
    str list = ask_text(a, "lanes"), word;
    *ret = (struct asked_lanes){0};
    if (!ask_kind(a, &ret->kind)) return false;
    ret->set = &a->view->lanes.sets[ret->kind];
    if (!list.len) return true;
    ret->items = NEW(a->arena, u32, MAX_LANES_ASKED);
    ret->is_asked = NEW(a->arena, u8, ret->set->n + 1);
    while (list.len && ret->n < MAX_LANES_ASKED) {
        u64 i;
        str_cut(list, ',', &word, &list);
        if (!num_parse_u64(word, 10, &i) || i >= ret->set->n)
            return err_set(a->err, ERR_USAGE, 0, "lanes has none of that number: " S_FMT,
                           S_ARG(word));
        ret->items[ret->n++] = (u32)i;
        ret->is_asked[i] = 1;
    }
    return true;
}

void ask_group(const struct trace_ask *a, struct asked_lanes *ret) {
    str func = ask_text(a, "func");
    if (ret->kind != LANES_GOROUTINE || (!func.len && !ask_text(a, "nameless").len)) return;
    ret->n = 0;
    ret->items = NEW(a->arena, u32, ret->set->n);
    ret->is_asked = NEW(a->arena, u8, ret->set->n + 1);
    for (u32 i = 0; i < ret->set->n; i++) {
        if (!str_eq(go_func(a->view, i), func)) continue;
        ret->items[ret->n++] = i;
        ret->is_asked[i] = 1;
    }
}

bool is_lane_asked(const struct asked_lanes *lanes, u32 i) {
    return i != U32_NONE && (!lanes->is_asked || lanes->is_asked[i]);
}

bool ask_page(const struct trace_ask *a, u32 total, u32 *ret_from, u32 *ret_to) {
    i64 off, n;
    if (!ask_i64(a, "off", 0, &off) || !ask_i64(a, "n", 100, &n)) return false;
    if (off < 0 || n < 0) return err_set(a->err, ERR_USAGE, 0, "off and n are not negative");
    if (n > MAX_ROWS) n = MAX_ROWS;
    *ret_from = off < total ? (u32)off : total;
    *ret_to = n < total - *ret_from ? *ret_from + (u32)n : total;
    return true;
}

str go_func(const struct trace_view *v, u32 lane_i) {
    u32 i = v->go_stats[lane_i];
    const struct trace_stats *s = &v->stats;
    return i == U32_NONE ? S("") : s->texts[s->funcs[s->gos[i].func_i].name_i];
}

str lane_name(struct arena *out, const struct trace_view *v, enum lanes_kind kind, u32 lane_i) {
    const char *letters = v->is_go ? "GPM" : "TPM";
    struct buf b = buf_new(out, 1 << 12);
    buf_byte(&b, letters[kind]);
    num_i64(&b, v->lanes.sets[kind].ids[lane_i]);
    str func = kind == LANES_GOROUTINE ? go_func(v, lane_i) : S("");
    if (func.len) buf_byte(&b, ' ');
    buf_put(&b, func);
    return buf_str(&b);
}

void put_lane_name(struct buf *b, const struct trace_view *v, enum lanes_kind kind, u32 lane_i) {
    AUTO_ARENA struct arena scratch = {0};
    json_text(b, lane_name(&scratch, v, kind, lane_i));
}

void put_comma(struct buf *b) {
    char last = b->len ? b->p[b->len - 1] : '[';
    if (last != '[' && last != '{' && last != ':') buf_byte(b, ',');
}

void put_key(struct buf *b, const char *key) {
    put_comma(b);
    buf_printf(b, "\"%s\":", key);
}

void put_i64(struct buf *b, const char *key, i64 value) {
    put_key(b, key);
    num_i64(b, value);
}

void put_text(struct buf *b, const char *key, str text) {
    put_key(b, key);
    json_text(b, text);
}

void put_classes(struct buf *b, const struct lane_sum *sum) {
    put_key(b, "ns");
    buf_byte(b, '[');
    for (u32 i = 0; i < LANE_CLASSES; i++) {
        put_comma(b);
        num_i64(b, sum->ns[i]);
    }
    buf_byte(b, ']');
}

void put_stack(struct buf *b, const struct trace_view *v, u32 stack) {
    const struct trace_stacks *s = &v->lanes.stacks;
    buf_byte(b, '[');
    for (u32 i = 0; i < trace_stacks_depth(s, stack); i++) {
        const struct trace_frame *f = trace_stacks_frame(s, stack, i);
        put_comma(b);
        buf_byte(b, '{');
        put_text(b, "func", f->func);
        put_text(b, "file", f->file);
        put_i64(b, "line", (i64)f->line);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

i64 view_time(const struct trace_view *v, i64 time_ns) {
    return time_ns == TRACE_NEVER ? -1 : time_ns - v->lanes.begin_ns;
}
