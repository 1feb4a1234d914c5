// report/summary.c - what all reports of one run share: total, units, legend.
// Room: numbers about the whole profile and the lines on top. Door: report/report.h.
// Source: reference/pprof.md sections 2.5, 2.9, 2.13.
#include "report/report.h"

#include <math.h>
#include <time.h>

enum {
    MAX_LINE = 1 << 20,    // bytes of one legend line (comments are the profile's)
    MAX_FILTER_SHOWN = 80, // bytes of one active filter before it is cut
};

// A float as Go on amd64 makes an integer of it.
static i64 truncated(double x) {
    return x >= -9223372036854775808.0 && x < 9223372036854775808.0 ? (i64)x : INT64_MIN;
}

i64 value_scaled(const struct value_style *s, i64 value) {
    if (!(s->ratio > 0) || s->ratio == 1) return value;
    return truncated((double)value * s->ratio);
}

void value_write(struct buf *b, const struct value_style *s, i64 value) {
    units_label(b, value_scaled(s, value), s->sample_unit, s->output_unit);
}

str value_text(struct arena *out, const struct value_style *s, i64 value) {
    struct buf b = buf_new(out, MAX_LINE);
    value_write(&b, s, value);
    return buf_str(&b);
}

bool summary_build(struct arena *out, const struct view *v, const struct report_opts *opts,
                   struct summary *ret, struct err *err) {
    const struct profile *p = v->p;
    if (opts->divide_by == 0) return err_set(err, ERR_USAGE, 0, "zero divisor specified");
    struct value_type type = p->sample_types[v->type_i];
    *ret = (struct summary){
        .view = v,
        .style = {.sample_unit = profile_str(p, type.unit),
                  .output_unit = opts->unit,
                  .ratio = 1 / opts->divide_by},
        .total = v->total,
        .type = profile_str(p, type.type),
        .compact_labels = opts->compact_labels,
    };
    if (v->is_mean) {
        str parts[] = {S("mean_"), ret->type};
        ret->type = str_join(out, parts, 2, S(""));
    }
    if (p->n_mappings > 0 && profile_str(p, p->mappings[0].file).len > 0) {
        ret->title = str_basename(profile_str(p, p->mappings[0].file));
    }
    return true;
}

static i64 smallest_value(const struct graph *g) {
    i64 least = 0;
    for (u32 i = 0; i < g->n_shown; i++) {
        const struct node *n = &g->nodes[g->shown[i]];
        i64 x = abs_i64(node_flat(n));
        if (x == 0) x = abs_i64(node_cum(n));
        if (x > 0 && (least == 0 || x < least)) least = x;
    }
    return least;
}

void summary_choose_unit(struct summary *s, const struct graph *g, bool is_callgrind) {
    struct value_style *style = &s->style;
    if (!str_eq(style->output_unit, S("minimum")) || g->n_shown == 0) return;
    i64 least = smallest_value(g), most = s->total;
    if (least == 0) least = most;
    least = value_scaled(style, least);
    most = value_scaled(style, most);
    str unit, most_unit;
    units_scale(least, style->sample_unit, S("minimum"), &unit);
    units_scale(most, style->sample_unit, S("minimum"), &most_unit);
    i64 hundredfold = (i64)((u64)least * 100);
    // Hundredths of the larger unit are still readable; callgrind has integers only.
    if (!str_eq(unit, most_unit) && hundredfold < most && !is_callgrind) {
        units_scale(hundredfold, style->sample_unit, S("minimum"), &unit);
    }
    style->output_unit = unit.len ? unit : style->sample_unit;
}

static void add_line(struct arena *out, struct lines *lines, const struct buf *b) {
    GROW(out, lines->items, lines->cap, lines->n + 1);
    lines->items[lines->n++] = buf_str(b);
}

static void add_pair(struct arena *out, struct lines *lines, const char *name, str value) {
    struct buf b = buf_new(out, MAX_LINE);
    buf_put(&b, str_of(name));
    buf_put(&b, value);
    add_line(out, lines, &b);
}

static void add_time(struct arena *out, struct lines *lines, i64 time_nanos) {
    i64 seconds = time_nanos / 1000000000;
    if (time_nanos % 1000000000 < 0) seconds--;
    time_t t = (time_t)seconds;
    struct tm tm;
    char text[80];
    tzset();
    if (!localtime_r(&t, &tm)) return;
    size_t n = strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %Z", &tm);
    add_pair(out, lines, "Time: ", (str){text, n});
}

static void add_duration(struct arena *out, const struct summary *s, struct lines *lines) {
    i64 duration = s->view->p->duration_nanos;
    struct buf b = buf_new(out, MAX_LINE);
    buf_put(&b, S("Duration: "));
    units_label(&b, duration, S("nanoseconds"), S("auto"));
    buf_put(&b, S(", Total samples = "));
    value_write(&b, &s->style, s->total);
    buf_byte(&b, ' ');
    str unit;
    double nanos = units_scale(s->total, s->style.sample_unit, S("nanoseconds"), &unit);
    if (str_eq(unit, S("ns")) && nanos != 0) {
        buf_byte(&b, '(');
        units_percent(&b, truncated(nanos), duration);
        buf_byte(&b, ')');
    }
    add_line(out, lines, &b);
}

void legend_profile(struct arena *out, const struct summary *s, struct lines *ret) {
    const struct profile *p = s->view->p;
    if (p->n_mappings > 0) {
        str file = profile_str(p, p->mappings[0].file),
            id = profile_str(p, p->mappings[0].build_id);
        if (file.len) add_pair(out, ret, "File: ", str_basename(file));
        if (id.len) add_pair(out, ret, "Build ID: ", id);
    }
    for (u32 i = 0; i < p->n_comments; i++) {
        str comment = profile_str(p, p->comments[i]);
        if (!str_starts(comment, S("#"))) add_pair(out, ret, "", comment);
    }
    if (s->type.len) add_pair(out, ret, "Type: ", s->type);
    if (profile_str(p, p->doc_url).len) add_pair(out, ret, "Doc: ", profile_str(p, p->doc_url));
    if (p->time_nanos != 0) add_time(out, ret, p->time_nanos);
    if (p->duration_nanos != 0) add_duration(out, s, ret);
}

static void add_filters(struct arena *out, const struct view_opts *o, struct lines *ret) {
    const struct {
        const char *name;
        str value;
    } filters[] = {
        {"focus", o->focus},         {"ignore", o->ignore},       {"hide", o->hide},
        {"show", o->show},           {"show_from", o->show_from}, {"tagfocus", o->tagfocus},
        {"tagignore", o->tagignore}, {"tagshow", o->tagshow},     {"taghide", o->taghide},
    };
    bool any = false;
    for (size_t i = 0; i < countof(filters); i++) {
        if (filters[i].value.len == 0) continue;
        if (!any) add_pair(out, ret, "Active filters:", S(""));
        any = true;
        str parts[] = {str_of(filters[i].name), filters[i].value};
        str text = str_join(out, parts, 2, S("="));
        struct buf b = buf_new(out, MAX_LINE);
        buf_put(&b, S("   "));
        buf_put(&b, str_take(text, MAX_FILTER_SHOWN));
        if (text.len > MAX_FILTER_SHOWN) buf_put(&b, S("\u2026"));
        add_line(out, ret, &b);
    }
}

static void add_shown(struct arena *out, const struct summary *s, const struct graph *g,
                      struct lines *ret) {
    i64 shown = 0;
    for (u32 i = 0; i < g->n_shown; i++) {
        shown = (i64)((u64)shown + (u64)node_flat(&g->nodes[g->shown[i]]));
    }
    struct buf b = buf_new(out, MAX_LINE), percent = buf_new(out, MAX_LINE);
    units_percent(&percent, shown, s->total);
    buf_put(&b, S("Showing nodes accounting for "));
    value_write(&b, &s->style, shown);
    buf_put(&b, S(", "));
    buf_put(&b, str_trim(buf_str(&percent)));
    buf_put(&b, S(" of "));
    value_write(&b, &s->style, s->total);
    buf_put(&b, S(" total"));
    add_line(out, ret, &b);
}

static void add_dropped(struct arena *out, const struct summary *s, u32 n, const char *what,
                        const char *weight, double fraction, struct lines *ret) {
    if (n == 0) return;
    struct buf b = buf_new(out, MAX_LINE);
    buf_printf(&b, "Dropped %u %s%s (%s <= ", n, what, n > 1 ? "s" : "", weight);
    value_write(&b, &s->style, abs_i64(truncated((double)s->total * fraction)));
    buf_byte(&b, ')');
    add_line(out, ret, &b);
}

void legend_graph(struct arena *out, const struct summary *s, const struct graph *g,
                  const struct graph_opts *opts, bool is_full, struct lines *ret) {
    if (is_full || !s->compact_labels) legend_profile(out, s, ret);
    add_filters(out, s->view->opts, ret);
    add_shown(out, s, g, ret);
    if (s->total != 0) {
        add_dropped(out, s, g->dropped_nodes, "node", "cum", opts->nodefraction, ret);
        if (is_full) add_dropped(out, s, g->dropped_edges, "edge", "freq", opts->edgefraction, ret);
        if (g->n_shown > 0 && g->n_shown < g->orig_count) {
            struct buf b = buf_new(out, MAX_LINE);
            buf_printf(&b, "Showing top %u nodes out of %u", g->n_shown, g->orig_count);
            add_line(out, ret, &b);
        }
    }
    if (is_full) add_pair(out, ret, "\nSee https://git.io/JfYMW for how to read the graph", S(""));
}
