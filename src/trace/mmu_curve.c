// trace/mmu_curve.c - windows over a utilization: the least, the shares, the worst.
// Room: integrals of step functions. Door: trace/mmu.h. The mean over a window that slides over a
// step function bends only where an end of it meets a step: those places are looked at, no others.
#include "trace/trace.h"

#include <math.h>

// The program's own time from the begin of the series to t; *hint: the step before t, kept between
// calls with growing t.
static double own_ns(const struct mmu_series *s, i64 t, u32 *hint) {
    while (*hint + 1 < s->n && s->steps[*hint + 1].time_ns <= t) ++*hint;
    const struct mmu_step *step = &s->steps[*hint];
    double util = *hint + 1 < s->n ? step->util : 0;
    return step->before_ns + util * (double)(t - step->time_ns);
}

static i64 first_ns(const struct mmu_series *s) {
    return s->steps[0].time_ns;
}

static i64 last_ns(const struct mmu_series *s) {
    return s->steps[s->n - 1].time_ns;
}

static i64 cut_window(const struct mmu_series *s, i64 window_ns) {
    i64 whole = last_ns(s) - first_ns(s);
    return window_ns < whole ? window_ns : whole;
}

// Walks over the windows that matter, from left to right.
struct slide {
    const struct mmu_series *s;
    i64 window_ns;
    u32 at_start, at_end;     // next steps that the start and the end of the window meet
    u32 hint_start, hint_end; // for own_ns
};

static struct slide slide_over(const struct mmu_series *s, i64 window_ns) {
    return (struct slide){.s = s, .window_ns = cut_window(s, window_ns)};
}

static bool slide_next(struct slide *w, i64 *ret_start, double *ret_util) {
    const struct mmu_series *s = w->s;
    i64 last_start = last_ns(s) - w->window_ns, start = INT64_MAX;
    while (w->at_end < s->n && s->steps[w->at_end].time_ns - w->window_ns < first_ns(s))
        w->at_end++;
    if (w->at_start < s->n) start = s->steps[w->at_start].time_ns;
    if (w->at_end < s->n && s->steps[w->at_end].time_ns - w->window_ns < start)
        start = s->steps[w->at_end++].time_ns - w->window_ns;
    else
        w->at_start++;
    if (start > last_start || w->window_ns <= 0) return false;
    *ret_start = start;
    double own = own_ns(s, start + w->window_ns, &w->hint_end) - own_ns(s, start, &w->hint_start);
    *ret_util = own / (double)w->window_ns;
    if (*ret_util < 0) *ret_util = 0;
    return true;
}

static bool is_empty(const struct mmu_series *s) {
    return s->n < 2;
}

double trace_mmu_least(const struct trace_mmu *m, i64 window_ns) {
    double least = 1, util;
    i64 start;
    for (u32 i = 0; i < m->n_series; i++) {
        if (is_empty(&m->series[i])) continue;
        struct slide w = slide_over(&m->series[i], window_ns);
        while (least > 0 && slide_next(&w, &start, &util)) {
            if (util < least) least = util;
        }
    }
    return least;
}

enum { SHARE_SAMPLES = 4096 }; // windows a curve's shares are counted on, evenly over the time

static int by_value(const void *a, const void *b, void *ctx) {
    (void)ctx;
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void shares(const struct arena *scratch, const struct trace_mmu *m, struct mmu_point *ret) {
    AUTO_ARENA struct arena own = arena_sub(scratch);
    double *utils = NEW(&own, double, SHARE_SAMPLES);
    u32 n = 0, n_each = SHARE_SAMPLES / (m->n_series ? m->n_series : 1);
    for (u32 i = 0; i < m->n_series; i++) {
        const struct mmu_series *s = &m->series[i];
        if (is_empty(s)) continue;
        i64 window = cut_window(s, ret->window_ns), room = last_ns(s) - first_ns(s) - window;
        u32 hint_start = 0, hint_end = 0;
        for (u32 k = 0; k < n_each && window > 0; k++) {
            i64 start = first_ns(s) + (i64)((double)room * k / (n_each > 1 ? n_each - 1 : 1));
            double own_time = own_ns(s, start + window, &hint_end) - own_ns(s, start, &hint_start);
            utils[n++] = own_time / (double)window;
        }
    }
    sort_stable(&own, utils, n, sizeof *utils, by_value, NULL);
    ret->p999 = n ? utils[n / 1000] : 1;
    ret->p99 = n ? utils[n / 100] : 1;
    ret->p95 = n ? utils[n / 20] : 1;
}

void trace_mmu_curve(struct arena *out, const struct trace_mmu *m,
                     struct mmu_point ret[MMU_POINTS]) {
    enum { FIRST_WINDOW = 1000000000, DECADES = 1000000, STEP = 1000 };
    i64 min_ns = FIRST_WINDOW, whole_ns = 1;
    for (u32 i = 0; i < m->n_series; i++) {
        if (is_empty(&m->series[i])) continue;
        i64 span = last_ns(&m->series[i]) - first_ns(&m->series[i]);
        if (span > whole_ns) whole_ns = span;
    }
    // Down to where nothing is left for the program, and not below.
    while (min_ns > 1 && trace_mmu_least(m, min_ns) >= 0.0001) min_ns /= STEP;
    if (min_ns < 1) min_ns = 1;
    i64 max_ns = min_ns * DECADES < whole_ns ? min_ns * DECADES : whole_ns;
    if (min_ns > max_ns) min_ns = max_ns;
    double log_min = log((double)min_ns), log_max = log((double)max_ns);
    for (u32 i = 0; i < MMU_POINTS; i++) {
        double at = log_min + (log_max - log_min) * i / (MMU_POINTS - 1);
        ret[i] = (struct mmu_point){.window_ns = (i64)exp(at)};
        ret[i].least = trace_mmu_least(m, ret[i].window_ns);
        shares(out, m, &ret[i]);
    }
}

static bool overlaps(const struct mmu_window *a, const struct mmu_window *b, i64 window_ns) {
    return a->series_i == b->series_i && a->start_ns < b->start_ns + window_ns &&
           b->start_ns < a->start_ns + window_ns;
}

static int by_util(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct mmu_window *x = a, *y = b;
    return (x->util > y->util) - (x->util < y->util);
}

u32 trace_mmu_worst(struct arena *out, const struct trace_mmu *m, i64 window_ns,
                    struct mmu_window *ret, u32 n) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct mmu_window *all = NULL;
    size_t cap_all = 0;
    u32 n_all = 0, n_ret = 0;
    for (u32 i = 0; i < m->n_series; i++) {
        if (is_empty(&m->series[i])) continue;
        struct slide w = slide_over(&m->series[i], window_ns);
        struct mmu_window at = {.series_i = i};
        while (slide_next(&w, &at.start_ns, &at.util) && n_all < U32_NONE - 1) {
            GROW(&scratch, all, cap_all, n_all + 1);
            all[n_all++] = at;
        }
    }
    sort_stable(&scratch, all, n_all, sizeof *all, by_util, NULL);
    for (u32 i = 0; i < n_all && n_ret < n; i++) {
        bool is_apart = true;
        for (u32 k = 0; k < n_ret; k++) is_apart &= !overlaps(&all[i], &ret[k], window_ns);
        if (is_apart) ret[n_ret++] = all[i];
    }
    return n_ret;
}
