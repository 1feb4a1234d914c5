// trace/stats_text.c - texts, functions, places and chained sums of trace statistics.
// Room: keeping each once. Door: trace/stats.h.
#include "trace/stats_maker.h"

u32 maker_text(struct trace_stats_maker *m, str text) {
    u32 i = strmap_get(&m->text_ids, text);
    if (i != U32_NONE) return i;
    i = m->s.n_texts++;
    GROW(m->out, m->s.texts, m->cap_texts, m->s.n_texts);
    m->s.texts[i] = str_copy(m->out, text);
    *strmap_at(&m->text_ids, m->s.texts[i]) = i;
    return i;
}

u32 maker_func(struct trace_stats_maker *m, const struct trace_frame *f, bool by_pc) {
    u32 name_i = maker_text(m, f->func);
    u32 *at = by_pc ? idmap_at(&m->func_by_pc, f->pc) : idmap_at(&m->func_by_name, name_i);
    if (*at != U32_NONE) return *at;
    u32 file_i = maker_text(m, f->file);
    *at = m->s.n_funcs++;
    GROW(m->out, m->s.funcs, m->cap_funcs, m->s.n_funcs);
    m->s.funcs[*at] =
        (struct trace_func){.pc = f->pc, .line = f->line, .name_i = name_i, .file_i = file_i};
    return *at;
}

// The innermost frame that is not the runtime's, where the program itself is; else the innermost.
static const struct trace_frame *frame_of_place(const struct trace_reader *r, u32 stack, u32 n) {
    for (u32 i = 0; i < n; i++) {
        const struct trace_frame *f = trace_frame(r, stack, i);
        if (f->func.len && !str_starts(f->func, S("runtime."))) return f;
    }
    return trace_frame(r, stack, 0);
}

static u32 place_add(struct trace_stats_maker *m, const struct trace_reader *r, u32 stack) {
    u32 n = trace_depth(r, stack);
    if (n == 0) return U32_NONE;
    u32 func_i = maker_func(m, frame_of_place(r, stack, n), false);
    u32 *at = idmap_at(&m->place_by_func, func_i);
    if (*at != U32_NONE) return *at;
    *at = m->s.n_places++;
    GROW(m->out, m->s.places, m->cap_places, m->s.n_places);
    m->s.places[*at] = (struct trace_place){.func_i = func_i, .blocked = U32_NONE};
    return *at;
}

u32 maker_place(struct trace_stats_maker *m, const struct trace_reader *r,
                const struct trace_event *ev, u32 stack) {
    enum { EMPTY = U32_NONE };
    if (stack == U32_NONE) return U32_NONE;
    if (m->generation != ev->generation) {
        for (u32 i = 0; i < m->n_stacks; i++) m->place_of_stack[i] = 0;
        m->generation = ev->generation;
    }
    GROW(&m->scratch, m->place_of_stack, m->n_stacks, (size_t)stack + 1);
    u32 *known = &m->place_of_stack[stack];
    if (*known == 0) {
        u32 place_i = place_add(m, r, stack);
        *known = place_i == U32_NONE ? EMPTY : place_i + 1;
    }
    return *known == EMPTY ? U32_NONE : *known - 1;
}

struct trace_sum *maker_find(struct trace_stats_maker *m, u32 list, u32 text_i) {
    for (u32 i = list; i != U32_NONE; i = m->s.sums[i].next) {
        if (m->s.sums[i].text_i == text_i) return &m->s.sums[i];
    }
    return NULL;
}

void maker_add(struct trace_stats_maker *m, u32 *list, u32 text_i, i64 ns, u64 n) {
    struct trace_sum *sum = maker_find(m, *list, text_i);
    if (!sum) {
        u32 i = m->s.n_sums++;
        GROW(m->out, m->s.sums, m->s.cap_sums, m->s.n_sums);
        sum = &m->s.sums[i];
        *sum = (struct trace_sum){.text_i = text_i, .next = *list};
        *list = i;
    }
    ns_add(&sum->ns, ns);
    sum->n += n;
}

i64 trace_sums_ns(const struct trace_stats *s, u32 list) {
    i64 ns = 0;
    for (u32 i = list; i != U32_NONE; i = s->sums[i].next) ns_add(&ns, s->sums[i].ns);
    return ns;
}

i64 trace_sums_of(const struct trace_stats *s, u32 list, str text) {
    for (u32 i = list; i != U32_NONE; i = s->sums[i].next) {
        if (str_eq(s->texts[s->sums[i].text_i], text)) return s->sums[i].ns;
    }
    return 0;
}

i64 trace_spend_unknown(const struct trace_stats *s, const struct trace_spend *spend) {
    i64 known = trace_sums_ns(s, spend->blocked);
    ns_add(&known, spend->run_ns);
    ns_add(&known, spend->runnable_ns);
    ns_add(&known, spend->syscall_ns);
    ns_add(&known, spend->syscall_blocked_ns);
    return known < spend->total_ns ? spend->total_ns - known : 0;
}

bool trace_is_system(str func_name) {
    return func_name.len == 0 ||
           (str_starts(func_name, S("runtime.")) && !str_eq(func_name, S("runtime.main")));
}

str trace_range_name(struct arena *out, const struct trace_event *ev) {
    switch (ev->type) {
    case TRACE_EV_STWBegin:
    case TRACE_EV_STWEnd: {
        str parts[] = {S("stop-the-world ("), ev->name, S(")")};
        return str_join(out, parts, countof(parts), S(""));
    }
    case TRACE_EV_GCSweepBegin:
    case TRACE_EV_GCSweepActive:
    case TRACE_EV_GCSweepEnd:
        return S("GC incremental sweep");
    case TRACE_EV_GCBegin:
    case TRACE_EV_GCActive:
    case TRACE_EV_GCEnd:
        return S("GC concurrent mark phase");
    default:
        return S("GC mark assist");
    }
}
