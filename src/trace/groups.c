// trace/groups.c - see groups.h.
// Room: adding up and ordering. Door: trace_groups_build().
#include "trace/trace.h"

static void add_sums(struct arena *out, struct trace_stats *s, u32 *into, u32 from) {
    for (u32 i = from; i != U32_NONE; i = s->sums[i].next) {
        u32 at = *into;
        while (at != U32_NONE && s->sums[at].text_i != s->sums[i].text_i) at = s->sums[at].next;
        if (at == U32_NONE) {
            at = s->n_sums++;
            GROW(out, s->sums, s->cap_sums, s->n_sums);
            s->sums[at] = (struct trace_sum){.text_i = s->sums[i].text_i, .next = *into};
            *into = at;
        }
        ns_add(&s->sums[at].ns, s->sums[i].ns);
        s->sums[at].n += s->sums[i].n;
    }
}

static void add_spend(struct arena *out, struct trace_stats *s, struct trace_spend *into,
                      const struct trace_spend *from) {
    ns_add(&into->total_ns, from->total_ns);
    ns_add(&into->run_ns, from->run_ns);
    ns_add(&into->runnable_ns, from->runnable_ns);
    ns_add(&into->syscall_ns, from->syscall_ns);
    ns_add(&into->syscall_blocked_ns, from->syscall_blocked_ns);
    add_sums(out, s, &into->blocked, from->blocked);
    add_sums(out, s, &into->ranges, from->ranges);
}

#define NO_SPEND ((struct trace_spend){.blocked = U32_NONE, .ranges = U32_NONE})

static void group_gos(struct arena *out, struct trace_stats *s, struct trace_groups *ret) {
    u32 *by_func = NEW(out, u32, s->n_funcs); // index + 1
    size_t cap = 0;
    for (u32 i = 0; i < s->n_gos; i++) {
        const struct trace_go *g = &s->gos[i];
        u32 *at = &by_func[g->func_i];
        if (*at == 0) {
            GROW(out, ret->gos, cap, ret->n_gos + 1);
            ret->gos[ret->n_gos++] =
                (struct trace_go_group){.func_i = g->func_i, .spend = NO_SPEND};
            *at = ret->n_gos;
        }
        struct trace_go_group *group = &ret->gos[*at - 1];
        group->n_gos++;
        group->n_samples += g->n_samples;
        add_spend(out, s, &group->spend, &g->spend);
    }
}

static void add_span(struct trace_span_group *group, i64 begin_ns, i64 end_ns) {
    group->n++;
    if (begin_ns == TRACE_NEVER || end_ns == TRACE_NEVER) return;
    i64 ns = end_ns - begin_ns;
    if (group->n_whole == 0 || ns < group->least_ns) group->least_ns = ns;
    if (ns > group->most_ns) group->most_ns = ns;
    ns_add(&group->total_ns, ns);
    group->n_whole++;
}

static struct trace_span_group *span_group(struct arena *out, struct idmap *ids,
                                           struct trace_span_group **groups, u32 *n, size_t *cap,
                                           u32 name_i, u32 func_i) {
    u32 *at = idmap_at(ids, (u64)name_i << 32 | func_i);
    if (*at == U32_NONE) {
        *at = (*n)++;
        GROW(out, *groups, *cap, *n);
        (*groups)[*at] =
            (struct trace_span_group){.name_i = name_i, .func_i = func_i, .spend = NO_SPEND};
    }
    return &(*groups)[*at];
}

static void group_spans(struct arena *out, struct trace_stats *s, struct trace_groups *ret) {
    struct idmap tasks, regions;
    size_t cap_tasks = 0, cap_regions = 0;
    idmap_init(&tasks, out);
    idmap_init(&regions, out);
    for (u32 i = 0; i < s->n_tasks; i++) {
        const struct trace_task *t = &s->tasks[i];
        if (t->begin_ns == TRACE_NEVER && t->end_ns == TRACE_NEVER) continue; // only spoken of
        add_span(span_group(out, &tasks, &ret->tasks, &ret->n_tasks, &cap_tasks, t->name_i, 0),
                 t->begin_ns, t->end_ns);
    }
    for (u32 i = 0; i < s->n_regions; i++) {
        const struct trace_region *r = &s->regions[i];
        if (r->is_inherited) continue;
        struct trace_span_group *group = span_group(out, &regions, &ret->regions, &ret->n_regions,
                                                    &cap_regions, r->name_i, r->func_i);
        add_span(group, r->begin_ns, r->end_ns);
        add_spend(out, s, &group->spend, &r->spend);
    }
}

static int by_running(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct trace_go_group *x = a, *y = b;
    return (x->spend.run_ns < y->spend.run_ns) - (x->spend.run_ns > y->spend.run_ns);
}

static int by_total(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct trace_span_group *x = a, *y = b;
    return (x->total_ns < y->total_ns) - (x->total_ns > y->total_ns);
}

void trace_groups_build(struct arena *out, struct trace_stats *stats, struct trace_groups *ret) {
    *ret = (struct trace_groups){0};
    group_gos(out, stats, ret);
    group_spans(out, stats, ret);
    sort_stable(out, ret->gos, ret->n_gos, sizeof *ret->gos, by_running, NULL);
    sort_stable(out, ret->tasks, ret->n_tasks, sizeof *ret->tasks, by_total, NULL);
    sort_stable(out, ret->regions, ret->n_regions, sizeof *ret->regions, by_total, NULL);
}

static int by_time(const void *a, const void *b, void *ctx) {
    const i64 *ns = ctx;
    i64 x = ns[*(const u32 *)a], y = ns[*(const u32 *)b];
    return (x < y) - (x > y);
}

u32 trace_reasons(struct arena *out, const struct trace_stats *stats, u32 **ret) {
    i64 *ns = NEW(out, i64, stats->n_texts);
    u32 n = 0;
    *ret = NEW(out, u32, stats->n_texts);
    for (u32 i = 0; i < stats->n_gos; i++) {
        for (u32 k = stats->gos[i].spend.blocked; k != U32_NONE; k = stats->sums[k].next) {
            const struct trace_sum *sum = &stats->sums[k];
            if (sum->ns > 0 && ns[sum->text_i] == 0) (*ret)[n++] = sum->text_i;
            ns_add(&ns[sum->text_i], sum->ns);
        }
    }
    sort_stable(out, *ret, n, sizeof **ret, by_time, ns);
    return n;
}
