// report/profiles.c - reports that are profiles themselves: proto and topproto.
// Room: making the tables; encoding is profile/'s. Door: report/report.h.
// Source: reference/pprof.md section 2.23.
#include "report/report.h"

static i64 truncated(double x) {
    return x >= -9223372036854775808.0 && x < 9223372036854775808.0 ? (i64)x : INT64_MIN;
}

struct profile report_proto(struct arena *out, const struct summary *s) {
    struct profile p = view_profile(out, s->view);
    if (!(s->style.ratio > 0) || s->style.ratio == 1) return p;
    size_t n = (size_t)p.n_samples * p.n_types;
    i64 *values = NEW(out, i64, n);
    for (size_t i = 0; i < n; i++) values[i] = value_scaled(&s->style, p.values[i]);
    p.values = values;
    return p;
}

// Frames of equal name, file and start line are one function (builder_function gives equal rows one
// index).
static u32 add_function(struct profile_builder *b, const struct frame *f) {
    return builder_function(b, &(struct function){.name = builder_str(b, f->name),
                                                  .filename = builder_str(b, f->file),
                                                  .start_line = f->start_line});
}

static i64 in_unit(const struct summary *s, i64 value) {
    str unit;
    return truncated(units_scale(value, s->style.sample_unit, s->style.output_unit, &unit));
}

// One location and one sample a node, even where two nodes differ in hidden fields only.
static void add_samples(struct arena *out, const struct summary *s, const struct graph *g,
                        struct profile *ret) {
    u32 n = g->n_shown;
    ret->n_locations = ret->n_samples = n;
    ret->locations = NEW(out, struct location, n);
    ret->values = NEW(out, i64, (size_t)n * 2);
    ret->stack_at = NEW(out, u64, (size_t)n + 1);
    ret->stack_locs = NEW(out, u32, n);
    for (u32 i = 0; i < n; i++) {
        const struct node *node = &g->nodes[g->shown[i]];
        ret->locations[i] = (struct location){.id = i + 1,
                                              .address = g->frames->items[node->frame_i].address,
                                              .mapping_i = U32_NONE,
                                              .lines_at = i,
                                              .n_lines = 1};
        ret->values[i * 2] = in_unit(s, node_cum(node));
        ret->values[i * 2 + 1] = in_unit(s, node_flat(node));
        ret->stack_locs[i] = i;
        ret->stack_at[i + 1] = i + 1;
    }
}

void report_topproto(struct arena *out, const struct summary *s, const struct graph *g,
                     struct profile *ret) {
    const struct profile *p = s->view->p;
    struct profile_builder b;
    builder_init(&b, out);
    builder_sample_type(&b, S("cum"), s->style.output_unit);
    builder_sample_type(&b, S("flat"), s->style.output_unit);
    b.p.time_nanos = p->time_nanos;
    b.p.duration_nanos = p->duration_nanos;
    b.p.period = p->period;
    b.p.period_type.type = builder_str(&b, profile_str(p, p->period_type.type));
    b.p.period_type.unit = builder_str(&b, profile_str(p, p->period_type.unit));
    struct line *lines = NEW(out, struct line, g->n_shown);
    for (u32 i = 0; i < g->n_shown; i++) {
        const struct frame *f = &g->frames->items[g->nodes[g->shown[i]].frame_i];
        lines[i] =
            (struct line){.function_i = add_function(&b, f), .line = f->line, .column = f->column};
    }
    *ret = builder_done(&b);
    ret->lines = lines;
    ret->n_lines = g->n_shown;
    add_samples(out, s, g, ret);
}
