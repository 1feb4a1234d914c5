// view/profile.c - a view written out as a profile of its own.
// Room: new tables only where the view changed something. Door: view/view.h.
// Source: reference/pprof.md sections 2.4 (granularity addresses), 2.23.
#include "view/view.h"

#include <string.h>

static void copy_lines(struct arena *out, const struct view *v, struct profile *ret) {
    const struct profile *p = v->p;
    bool outermost = v->opts->noinlines;
    u32 n = v->line_at[p->n_locations], to = 0;
    ret->locations = NEW(out, struct location, p->n_locations);
    ret->lines = NEW(out, struct line, n);
    for (u32 i = 0; i < p->n_locations; i++) {
        u32 from = v->line_at[i], end = v->line_at[i + 1];
        if (outermost && end > from) from = end - 1;
        ret->locations[i] = p->locations[i];
        ret->locations[i].lines_at = to;
        ret->locations[i].n_lines = end - from;
        for (; from < end; from++) {
            ret->lines[to] = p->lines[v->line_ids[from]];
            if (outermost && !v->opts->showcolumns) ret->lines[to].column = 0;
            to++;
        }
    }
    ret->n_lines = to;
}

static void copy_mappings(struct arena *out, const struct view *v, struct profile *ret) {
    if (!v->opts->noinlines) return;
    ret->mappings = NEW(out, struct mapping, ret->n_mappings);
    for (u32 i = 0; i < ret->n_mappings; i++) {
        ret->mappings[i] = v->p->mappings[i];
        ret->mappings[i].has_inline_frames = false;
    }
}

static void copy_samples(struct arena *out, const struct view *v, struct profile *ret) {
    const struct profile *p = v->p;
    if (!v->sample_ids && !v->from && !v->is_hidden) return;
    ret->n_samples = v->n_samples;
    ret->values = NEW(out, i64, (size_t)v->n_samples * p->n_types);
    ret->stack_at = NEW(out, u64, (size_t)v->n_samples + 1);
    ret->stack_locs = NEW(out, u32, p->stack_at ? p->stack_at[p->n_samples] : 0);
    u64 to = 0;
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 n;
        const u32 *stack = view_stack(v, i, &n);
        memcpy(ret->values + (size_t)i * p->n_types, profile_values(p, view_sample(v, i)),
               p->n_types * sizeof *ret->values);
        for (u32 j = 0; j < n; j++) {
            if (!v->is_hidden || !v->is_hidden[stack[j]]) ret->stack_locs[to++] = stack[j];
        }
        ret->stack_at[i + 1] = to;
    }
}

static void copy_labels(struct arena *out, const struct view *v, struct profile *ret) {
    const struct profile *p = v->p;
    if (!p->label_at || (!v->sample_ids && !v->is_hidden_key)) return;
    ret->label_at = NEW(out, u32, (size_t)v->n_samples + 1);
    ret->labels = NEW(out, struct label, p->label_at[p->n_samples]);
    u32 to = 0;
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 n;
        const struct label *labels = profile_labels(p, view_sample(v, i), &n);
        for (u32 j = 0; j < n; j++) {
            if (view_shows_label(v, &labels[j])) ret->labels[to++] = labels[j];
        }
        ret->label_at[i + 1] = to;
    }
}

struct profile view_profile(struct arena *out, const struct view *v) {
    struct profile ret = *v->p;
    copy_lines(out, v, &ret);
    copy_mappings(out, v, &ret);
    copy_samples(out, v, &ret);
    copy_labels(out, v, &ret);
    return ret;
}
