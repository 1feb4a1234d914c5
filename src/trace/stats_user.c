// trace/stats_user.c - tasks, regions and logs of trace statistics.
// Room: what a program says of itself through runtime/trace. Door: trace/stats.h.
#include "trace/stats_maker.h"

static u32 task_index(struct trace_stats_maker *m, u64 id) {
    u32 *at = idmap_at(&m->task_ids, id);
    if (*at != U32_NONE) return *at;
    *at = m->s.n_tasks++;
    GROW(m->out, m->s.tasks, m->cap_tasks, m->s.n_tasks);
    m->s.tasks[*at] = (struct trace_task){.id = id,
                                          .parent = TRACE_NO_TASK,
                                          .begin_ns = TRACE_NEVER,
                                          .end_ns = TRACE_NEVER,
                                          .begin_g = TRACE_NONE,
                                          .end_g = TRACE_NONE};
    return *at;
}

static void task_event(struct trace_stats_maker *m, const struct trace_event *ev) {
    u32 task_i = task_index(m, ev->args[0]);
    struct trace_task *t = &m->s.tasks[task_i];
    if (ev->name.len) t->name_i = maker_text(m, ev->name);
    if (ev->args[1] != TRACE_NO_TASK) t->parent = ev->args[1];
    if (ev->kind == TRACE_TASK_BEGIN) {
        t->begin_ns = ev->time_ns;
        t->begin_g = ev->g;
    } else {
        t->end_ns = ev->time_ns;
        t->end_g = ev->g;
    }
}

static u32 region_add(struct trace_stats_maker *m, const struct trace_region *region) {
    u32 i = m->s.n_regions++;
    GROW(m->out, m->s.regions, m->cap_regions, m->s.n_regions);
    m->s.regions[i] = *region;
    return i;
}

void maker_inherit(struct trace_stats_maker *m, u32 creator, u32 go_i, i64 now_ns) {
    u32 inner = m->go_work[creator].region;
    if (inner == U32_NONE) return;
    m->go_work[go_i].region =
        region_add(m, &(struct trace_region){.task = m->s.regions[inner].task,
                                             .go_i = go_i,
                                             .begin_ns = now_ns,
                                             .end_ns = TRACE_NEVER,
                                             .outer = U32_NONE,
                                             .is_inherited = true,
                                             .spend = maker_snapshot(m, go_i, now_ns)});
}

// now - then, list by list; every text of then is one of now.
static void list_subtract(struct trace_stats_maker *m, u32 now, u32 then) {
    for (u32 i = then; i != U32_NONE; i = m->s.sums[i].next) {
        struct trace_sum *sum = maker_find(m, now, m->s.sums[i].text_i);
        sum->ns -= m->s.sums[i].ns;
        sum->n -= m->s.sums[i].n;
    }
}

static void region_close(struct trace_stats_maker *m, u32 region, i64 now_ns) {
    struct trace_spend spend = maker_snapshot(m, m->s.regions[region].go_i, now_ns);
    struct trace_region *at = &m->s.regions[region];
    spend.total_ns -= at->spend.total_ns;
    spend.run_ns -= at->spend.run_ns;
    spend.runnable_ns -= at->spend.runnable_ns;
    spend.syscall_ns -= at->spend.syscall_ns;
    spend.syscall_blocked_ns -= at->spend.syscall_blocked_ns;
    list_subtract(m, spend.blocked, at->spend.blocked);
    list_subtract(m, spend.ranges, at->spend.ranges);
    at->spend = spend;
}

void maker_end_regions(struct trace_stats_maker *m, u32 go_i, i64 now_ns, bool is_cut) {
    struct go_work *w = &m->go_work[go_i];
    for (; w->region != U32_NONE; w->region = m->s.regions[w->region].outer) {
        // The goroutine's own sums are final already: nothing is under way any more.
        struct go_work open = *w;
        w->run = w->runnable = w->blocked = w->syscall = TRACE_NEVER;
        w->open_ranges = U32_NONE;
        region_close(m, w->region, now_ns);
        *w = open;
        if (!is_cut) m->s.regions[w->region].end_ns = now_ns;
    }
}

static void region_begin(struct trace_stats_maker *m, const struct trace_reader *r,
                         const struct trace_event *ev, u32 go_i) {
    u32 n = trace_depth(r, ev->stack);
    u32 task_i = task_index(m, ev->args[0]);
    m->s.tasks[task_i].n_regions++;
    struct trace_region region = {.task = ev->args[0],
                                  .go_i = go_i,
                                  .name_i = maker_text(m, ev->name),
                                  .func_i =
                                      n ? maker_func(m, trace_frame(r, ev->stack, n - 1), true) : 0,
                                  .begin_ns = ev->time_ns,
                                  .end_ns = TRACE_NEVER,
                                  .outer = m->go_work[go_i].region,
                                  .spend = maker_snapshot(m, go_i, ev->time_ns)};
    m->go_work[go_i].region = region_add(m, &region);
}

static void region_end(struct trace_stats_maker *m, const struct trace_event *ev, u32 go_i) {
    struct go_work *w = &m->go_work[go_i];
    u32 region = w->region;
    if (region == U32_NONE) { // it began before the trace
        u32 task_i = task_index(m, ev->args[0]);
        m->s.tasks[task_i].n_regions++;
        region_add(m, &(struct trace_region){.task = ev->args[0],
                                             .go_i = go_i,
                                             .name_i = maker_text(m, ev->name),
                                             .begin_ns = TRACE_NEVER,
                                             .end_ns = ev->time_ns,
                                             .outer = U32_NONE,
                                             .spend = maker_snapshot(m, go_i, ev->time_ns)});
        return;
    }
    region_close(m, region, ev->time_ns);
    m->s.regions[region].end_ns = ev->time_ns;
    w->region = m->s.regions[region].outer;
}

static void log_event(struct trace_stats_maker *m, const struct trace_event *ev) {
    u32 task_i = task_index(m, ev->args[0]);
    m->s.tasks[task_i].n_logs++;
    GROW(m->out, m->s.logs, m->cap_logs, m->s.n_logs + 1);
    m->s.logs[m->s.n_logs++] = (struct trace_log){.time_ns = ev->time_ns,
                                                  .g = ev->g,
                                                  .task_i = task_i,
                                                  .category_i = maker_text(m, ev->name),
                                                  .message_i = maker_text(m, ev->value)};
}

void maker_user(struct trace_stats_maker *m, const struct trace_reader *r,
                const struct trace_event *ev) {
    u32 go_i = maker_go(m, ev->g);
    if (ev->kind == TRACE_TASK_BEGIN || ev->kind == TRACE_TASK_END)
        task_event(m, ev);
    else if (ev->kind == TRACE_LOG)
        log_event(m, ev);
    else if (go_i != U32_NONE && ev->kind == TRACE_REGION_BEGIN)
        region_begin(m, r, ev, go_i);
    else if (go_i != U32_NONE)
        region_end(m, ev, go_i);
}
