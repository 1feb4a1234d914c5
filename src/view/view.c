// view/view.c - laying the options over a profile.
// Room: the order of the stages, sample types, totals. Door: view_build(), at the end.
// Source: reference/pprof.md sections 2.3, 2.5, 2.6.
#include "view/view.h"

#include "view/parts.h"

#include <stdio.h>

enum { MAX_NAMES_TEXT = 600 }; // bytes of the list of sample types in an error sentence

static bool default_type(const struct profile *p, u32 *ret) {
    *ret = p->n_types - 1;
    if (p->default_sample_type == 0) return true;
    str wanted = profile_str(p, p->default_sample_type);
    for (u32 i = p->n_types; wanted.len && i-- > 0;) {
        if (str_eq(profile_str(p, p->sample_types[i].type), wanted)) *ret = i;
    }
    return true;
}

static bool fail_name(struct arena *scratch, const struct profile *p, str name, struct err *err) {
    struct buf list = buf_new(scratch, MAX_NAMES_TEXT);
    struct buf quoted = buf_new(scratch, MAX_NAMES_TEXT);
    num_quote(&quoted, name);
    for (u32 i = 0; i < p->n_types; i++) {
        if (i) buf_byte(&list, ' ');
        buf_put(&list, profile_str(p, p->sample_types[i].type));
    }
    return err_set(err, ERR_USAGE, 0, "sample_index " S_FMT " must be one of: [" S_FMT "]",
                   S_ARG(buf_str(&quoted)), S_ARG(buf_str(&list)));
}

bool view_sample_index(const struct profile *p, str sample_index, u32 *ret, struct err *err) {
    if (p->n_types == 0) return err_set(err, ERR_USAGE, 0, "profile has no samples");
    if (sample_index.len == 0) return default_type(p, ret);
    i64 n;
    if (num_parse_i64(str_drop_prefix(sample_index, S("+")), 10, &n)) {
        if (n < 0 || n >= p->n_types) {
            return err_set(err, ERR_USAGE, 0, "sample_index " S_FMT " is outside the range [0..%u]",
                           S_ARG(sample_index), p->n_types - 1);
        }
        *ret = (u32)n;
        return true;
    }
    str bare = str_drop_prefix(sample_index, S("inuse_"));
    for (u32 i = 0; i < p->n_types; i++) {
        str type = profile_str(p, p->sample_types[i].type);
        if (!str_eq(type, sample_index) && !str_eq(type, bare)) continue;
        *ret = i;
        return true;
    }
    struct arena scratch;
    arena_init(&scratch);
    fail_name(&scratch, p, sample_index, err);
    arena_done(&scratch);
    return false;
}

// Whether -diff_base can have marked a sample: most profiles do not have its label at all.
static bool has_base_label(const struct view *v) {
    const struct profile *p = v->p;
    for (u32 i = 1; p->label_at && i < p->n_strings; i++) {
        if (!str_eq(p->strings[i], S("pprof::base"))) continue;
        if (!v->is_hidden_key || !v->is_hidden_key[i]) return true;
    }
    return false;
}

// Compared as text: a string may be in the table twice, as the value of a label frame for one.
static bool is_base_sample(const struct profile *p, u32 sample_i) {
    u32 n;
    const struct label *labels = profile_labels(p, sample_i, &n);
    for (u32 i = 0; i < n; i++) {
        if (str_eq(profile_str(p, labels[i].key), S("pprof::base")) && label_is_text(&labels[i]) &&
            str_eq(profile_str(p, labels[i].str), S("true")))
            return true;
    }
    return false;
}

// Sums wrap as Go's do.
static i64 add(i64 a, i64 b) {
    return (i64)((u64)a + (u64)b);
}

static i64 total_of(const struct view *v) {
    bool may_be_base = has_base_label(v);
    i64 total = 0, div = 0, base_total = 0, base_div = 0;
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 s = view_sample(v, i);
        i64 value = view_value(v, s), d = view_divisor(v, s);
        if (value < 0) value = (i64)(0 - (u64)value);
        total = add(total, value);
        div = add(div, d);
        if (!may_be_base || !is_base_sample(v->p, s)) continue;
        base_total = add(base_total, value);
        base_div = add(base_div, d);
    }
    if (base_total > 0) {
        total = base_total;
        div = base_div;
    }
    return mean_of(total, div);
}

// Line tables without the holes the filters left.
static void pack_lines(struct arena *out, const struct profile *p, const struct name_filters *f,
                       struct view *ret) {
    u32 *at = NEW(out, u32, (size_t)p->n_locations + 1);
    u32 to = 0;
    for (u32 i = 0; i < p->n_locations; i++) {
        for (u32 j = 0; j < f->count[i]; j++) f->ids[to++] = f->ids[f->start[i] + j];
        at[i + 1] = to;
    }
    ret->line_at = at;
    ret->line_ids = f->ids;
    ret->is_hidden = f->is_hidden;
}

struct tag_filters {
    struct tag_filter focus, ignore;
    bool any_focused, any_ignored;
};

static bool tags_keep(struct tag_filters *t, const struct view *v, u32 sample_i) {
    bool is_focused = !t->focus.is_given || tag_filter_matches(&t->focus, v, sample_i);
    bool is_ignored = t->ignore.is_given && tag_filter_matches(&t->ignore, v, sample_i);
    t->any_focused |= is_focused;
    t->any_ignored |= is_ignored;
    return is_focused && !is_ignored;
}

// Chooses samples and cuts their stacks.
static void pick_samples(struct arena *out, struct view *v, const struct name_filters *f,
                         struct tag_filters *tags) {
    const struct profile *p = v->p;
    u32 *ids = NEW(out, u32, p->n_samples);
    bool is_cut = f->shows_from || f->cuts_below;
    u64 *from = is_cut ? NEW(out, u64, p->n_samples) : NULL;
    u64 *to = is_cut ? NEW(out, u64, p->n_samples) : NULL;
    u32 n = 0;
    for (u32 i = 0; i < p->n_samples; i++) {
        u32 depth, first, end;
        const u32 *stack = profile_stack(p, i, &depth);
        if (!name_filters_cut(f, stack, depth, &first, &end)) continue;
        if (!tags_keep(tags, v, i)) continue;
        ids[n] = i;
        if (is_cut) {
            from[n] = p->stack_at[i] + first;
            to[n] = p->stack_at[i] + end;
        }
        n++;
    }
    v->n_samples = n;
    v->sample_ids = ids;
    v->from = from;
    v->to = to;
}

static bool filter(struct arena *out, struct view *v, struct name_filters *f,
                   struct tag_filters *tags, struct buf *messages, struct err *err) {
    name_filters_apply(out, v->p, f, messages);
    bool picks = f->verdict || f->shows_from || f->cuts_below || tags->focus.is_given ||
                 tags->ignore.is_given;
    if (picks) pick_samples(out, v, f, tags);
    warn_no_match(messages, "TagFocus", tags->focus.is_given, tags->any_focused);
    warn_no_match(messages, "TagIgnore", tags->ignore.is_given, tags->any_ignored);
    pack_lines(out, v->p, f, v);
    return label_keys(out, v->opts, messages, v, err);
}

static bool filters_init(struct arena *out, const struct view *v, struct name_filters *f,
                         struct tag_filters *tags, struct buf *messages, struct err *err) {
    const struct view_opts *opts = v->opts;
    if (!name_filters_init(out, v->p, opts, f, err)) return false;
    bool ok = tag_filter_init(out, "tagfocus", opts->tagfocus, messages, &tags->focus, err) &&
              tag_filter_init(out, "tagignore", opts->tagignore, messages, &tags->ignore, err);
    if (ok) return true;
    tag_filter_done(&tags->focus);
    name_filters_done(f);
    return false;
}

bool view_build(struct arena *out, const struct profile *p, const struct view_opts *opts, str unit,
                struct buf *messages, struct view *ret, struct err *err) {
    struct view v = {.opts = opts, .is_mean = opts->mean};
    label_units(out, p, messages, &v);
    struct profile *with_labels = NEW(out, struct profile, 1);
    *with_labels = label_frames(out, p, opts, unit, messages);
    v.p = with_labels;
    v.n_samples = p->n_samples;
    if (!view_sample_index(p, opts->sample_index, &v.type_i, err)) return false;
    if (!opts->relative_percentages) v.total = total_of(&v);
    struct name_filters names;
    struct tag_filters tags = {0};
    if (!filters_init(out, &v, &names, &tags, messages, err)) return false;
    bool ok = filter(out, &v, &names, &tags, messages, err);
    tag_filter_done(&tags.focus);
    tag_filter_done(&tags.ignore);
    name_filters_done(&names);
    if (!ok) return false;
    if (opts->relative_percentages) v.total = total_of(&v);
    *ret = v;
    return true;
}
