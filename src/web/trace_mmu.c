// web/trace_mmu.c - how much of any span of time garbage collection leaves to the program.
// Room: the curve, and the worst windows of one length. Door: web/trace_view.h.
#include "web/trace_ask.h"

#include "render/render.h"

enum { MAX_WORST = 20 };

// "stw,background,assist,sweep,perproc"; nothing: the official tool's first choice.
static bool ask_flags(const struct trace_ask *a, u32 *ret) {
    static const struct {
        str word;
        u32 flag;
    } words[] = {{S("perproc"), MMU_PER_PROC},
                 {S("stw"), MMU_STW},
                 {S("background"), MMU_BACKGROUND},
                 {S("assist"), MMU_ASSIST},
                 {S("sweep"), MMU_SWEEP}};
    str list = ask_text(a, "flags"), word;
    *ret = list.len ? 0 : MMU_STW | MMU_BACKGROUND | MMU_ASSIST;
    while (list.len) {
        size_t i = 0;
        str_cut(list, ',', &word, &list);
        while (i < countof(words) && !str_eq(words[i].word, word)) i++;
        if (i == countof(words))
            return err_set(a->err, ERR_USAGE, 0,
                           "flags are perproc, stw, background, assist, sweep: " S_FMT,
                           S_ARG(word));
        *ret |= words[i].flag;
    }
    return true;
}

static void put_curve(const struct trace_ask *a, const struct trace_mmu *m) {
    struct mmu_point points[MMU_POINTS];
    trace_mmu_curve(a->arena, m, points);
    put_key(a->out, "points");
    buf_byte(a->out, '[');
    for (u32 i = 0; i < MMU_POINTS; i++) {
        const double shares[] = {points[i].least, points[i].p999, points[i].p99, points[i].p95};
        put_comma(a->out);
        buf_byte(a->out, '[');
        num_i64(a->out, points[i].window_ns);
        for (u32 k = 0; k < countof(shares); k++) {
            buf_byte(a->out, ',');
            num_fixed(a->out, shares[k], 6);
        }
        buf_byte(a->out, ']');
    }
    buf_byte(a->out, ']');
}

static void put_worst(const struct trace_ask *a, const struct trace_mmu *m, i64 window_ns) {
    struct mmu_window worst[MAX_WORST];
    u32 n = trace_mmu_worst(a->arena, m, window_ns, worst, MAX_WORST);
    put_key(a->out, "worst");
    buf_byte(a->out, '[');
    for (u32 i = 0; i < n; i++) {
        put_comma(a->out);
        buf_byte(a->out, '{');
        put_i64(a->out, "start", view_time(a->view, worst[i].start_ns));
        put_key(a->out, "share");
        num_fixed(a->out, worst[i].util, 6);
        buf_byte(a->out, '}');
    }
    buf_byte(a->out, ']');
}

bool trace_ask_mmu(struct trace_ask *a) {
    struct trace_mmu m;
    u32 flags;
    i64 window;
    if (!ask_flags(a, &flags) || !ask_i64(a, "window", 0, &window)) return false;
    if (window < 0) return err_set(a->err, ERR_USAGE, 0, "window is not negative");
    trace_mmu_build(a->arena, &a->view->mmu, flags, &m);
    buf_byte(a->out, '{');
    put_i64(a->out, "series", m.n_series);
    if (m.n_series) put_curve(a, &m);
    if (m.n_series && window) put_worst(a, &m, window);
    buf_byte(a->out, '}');
    return true;
}
