// tests/unit/trace_groups.c - proves what rows of tables add up.
#include "trace/trace.h"

#include "unit.h"

static u32 sum(struct trace_sum *sums, u32 i, u32 text_i, i64 ns, u32 next) {
    sums[i] = (struct trace_sum){.text_i = text_i, .ns = ns, .n = 1, .next = next};
    return i;
}

TEST(groups_add_up_goroutines_of_one_function) {
    struct trace_sum *sums = NEW(t->arena, struct trace_sum, 3);
    struct trace_go gos[3] = {
        {.id = 1, .func_i = 1, .spend = {.run_ns = 5, .blocked = sum(sums, 0, 1, 7, U32_NONE)}},
        {.id = 2, .func_i = 2, .spend = {.run_ns = 90, .blocked = U32_NONE}},
        {.id = 3, .func_i = 1, .spend = {.run_ns = 6, .runnable_ns = 2}},
    };
    gos[2].spend.blocked = sum(sums, 1, 2, 4, sum(sums, 2, 1, 1, U32_NONE));
    for (int i = 0; i < 3; i++) gos[i].spend.ranges = U32_NONE;
    str texts[3] = {S(""), S("sync"), S("network")};
    struct trace_stats s = {.gos = gos,
                            .n_gos = 3,
                            .n_funcs = 3,
                            .sums = sums,
                            .n_sums = 3,
                            .cap_sums = 3,
                            .texts = texts,
                            .n_texts = 3};
    struct trace_groups g;
    u32 *reasons;
    CHECK_EQ(trace_reasons(t->arena, &s, &reasons), 2);
    CHECK_EQ(reasons[0], 1); // 8 ns of sync, 4 of network
    trace_groups_build(t->arena, &s, &g);
    CHECK_EQ(g.n_gos, 2);
    CHECK_EQ(g.gos[0].func_i, 2); // ran longest
    CHECK_EQ(g.gos[1].n_gos, 2);
    CHECK_EQ(g.gos[1].spend.run_ns, 11);
    CHECK_EQ(g.gos[1].spend.runnable_ns, 2);
    CHECK_EQ(trace_sums_of(&s, g.gos[1].spend.blocked, S("sync")), 8);
    CHECK_EQ(trace_sums_of(&s, g.gos[1].spend.blocked, S("network")), 4);
    CHECK_EQ(trace_sums_ns(&s, gos[0].spend.blocked), 7); // rows leave them alone
}

TEST(groups_take_lengths_of_whole_spans_only) {
    struct trace_task tasks[3] = {{.id = 1, .name_i = 1, .begin_ns = 10, .end_ns = 30},
                                  {.id = 2, .name_i = 1, .begin_ns = 10, .end_ns = 15},
                                  {.id = 3, .name_i = 1, .begin_ns = 10, .end_ns = TRACE_NEVER}};
    struct trace_stats s = {.tasks = tasks, .n_tasks = 3};
    struct trace_groups g;
    trace_groups_build(t->arena, &s, &g);
    CHECK_EQ(g.n_tasks, 1);
    CHECK_EQ(g.tasks[0].n, 3);
    CHECK_EQ(g.tasks[0].n_whole, 2);
    CHECK_EQ(g.tasks[0].total_ns, 25);
    CHECK_EQ(g.tasks[0].least_ns, 5);
    CHECK_EQ(g.tasks[0].most_ns, 20);
}
