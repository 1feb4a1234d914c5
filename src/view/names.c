// view/names.c - focus, ignore, hide, show, show_from, prune_from: what names leave of locations
// and stacks. Room: decisions per location, made once, and the cut of one stack. Tags are tags.c.
// Door: view/parts.h. Source: reference/pprof.md section 2.3.
#include "view/parts.h"

bool name_filters_init(struct arena *out, const struct profile *p, const struct view_opts *opts,
                       struct name_filters *ret, struct err *err) {
    *ret = (struct name_filters){0};
    bool ok = matcher_init(out, p, "focus", opts->focus, &ret->focus, err) &&
              matcher_init(out, p, "ignore", opts->ignore, &ret->ignore, err) &&
              matcher_init(out, p, "hide", opts->hide, &ret->hide, err) &&
              matcher_init(out, p, "show", opts->show, &ret->show, err) &&
              matcher_init(out, p, "show_from", opts->show_from, &ret->show_from, err) &&
              matcher_init(out, p, "prune_from", opts->prune_from, &ret->prune_from, err);
    if (!ok) name_filters_done(ret);
    return ok;
}

void name_filters_done(struct name_filters *f) {
    struct matcher *all[] = {&f->focus, &f->ignore,    &f->hide,
                             &f->show,  &f->show_from, &f->prune_from};
    for (size_t i = 0; i < countof(all); i++) matcher_done(all[i]);
}

static const struct function *line_function(const struct profile *p, u32 line_id) {
    u32 function_i = p->lines[line_id].function_i;
    return function_i == U32_NONE ? NULL : &p->functions[function_i];
}

// Whether name or file of a line match; unnamed: what a line without function answers.
static bool line_matches(const struct profile *p, struct matcher *m, u32 line_id, bool unnamed) {
    const struct function *f = line_function(p, line_id);
    return f ? matcher_matches(m, f->name) || matcher_matches(m, f->filename) : unnamed;
}

static bool mapping_matches(const struct profile *p, struct matcher *m, u32 loc_i) {
    u32 mapping_i = p->locations[loc_i].mapping_i;
    return mapping_i != U32_NONE && matcher_matches(m, p->mappings[mapping_i].file);
}

static bool location_matches(const struct profile *p, const struct name_filters *f,
                             struct matcher *m, u32 loc_i) {
    for (u32 i = 0; i < f->count[loc_i]; i++) {
        if (line_matches(p, m, f->ids[f->start[loc_i] + i], false)) return true;
    }
    return mapping_matches(p, m, loc_i);
}

static void hide_location(struct arena *out, const struct profile *p, struct name_filters *f,
                          u32 loc_i) {
    if (!f->is_hidden) f->is_hidden = NEW(out, bool, p->n_locations);
    f->is_hidden[loc_i] = true;
}

// Keeps the lines of a location that match (or those that do not).
static void keep_lines(const struct profile *p, struct name_filters *f, struct matcher *m,
                       u32 loc_i, bool want_match) {
    u32 *ids = f->ids + f->start[loc_i];
    u32 kept = 0;
    for (u32 i = 0; i < f->count[loc_i]; i++) {
        if (line_matches(p, m, ids[i], want_match) == want_match) ids[kept++] = ids[i];
    }
    f->count[loc_i] = kept;
}

struct found {
    bool focus, ignore, hide, show;
};

static void filter_location(struct arena *out, const struct profile *p, struct name_filters *f,
                            u32 loc_i, struct found *found) {
    if (f->ignore.re && location_matches(p, f, &f->ignore, loc_i)) {
        found->ignore = true;
        f->verdict[loc_i] = LOCATION_IGNORED;
    } else if (!f->focus.re || location_matches(p, f, &f->focus, loc_i)) {
        found->focus = true;
        f->verdict[loc_i] = LOCATION_FOCUSED;
    }
    if (f->hide.re && location_matches(p, f, &f->hide, loc_i)) {
        found->hide = true;
        if (mapping_matches(p, &f->hide, loc_i)) f->count[loc_i] = 0;
        keep_lines(p, f, &f->hide, loc_i, false);
        if (f->count[loc_i] == 0) hide_location(out, p, f, loc_i);
    }
    if (f->show.re) {
        if (!mapping_matches(p, &f->show, loc_i)) keep_lines(p, f, &f->show, loc_i, true);
        if (f->count[loc_i] == 0) {
            hide_location(out, p, f, loc_i);
        } else {
            found->show = true;
        }
    }
}

static bool filter_show_from(const struct profile *p, struct name_filters *f, u32 loc_i) {
    if (mapping_matches(p, &f->show_from, loc_i)) return true;
    for (u32 i = f->count[loc_i]; i-- > 0;) {
        if (!line_matches(p, &f->show_from, f->ids[f->start[loc_i] + i], false)) continue;
        f->count[loc_i] = i + 1;
        return true;
    }
    return false;
}

// The reference matches simplified names here, so that "foo" anchored at its end matches
// "foo(int)".
static bool prunes_from(struct arena *scratch, const struct profile *p, struct matcher *m,
                        u32 name) {
    if (profile_str(p, name).len == 0) return false;
    if (!m->memo[name]) {
        str simple = function_simple_name(scratch, profile_str(p, name));
        m->memo[name] = regex_match(m->re, simple) ? 2 : 1;
    }
    return m->memo[name] == 2;
}

static bool filter_prune_from(struct arena *scratch, const struct profile *p,
                              struct name_filters *f, u32 loc_i) {
    for (u32 i = 0; i < f->count[loc_i]; i++) {
        const struct function *fn = line_function(p, f->ids[f->start[loc_i] + i]);
        if (!fn || !prunes_from(scratch, p, &f->prune_from, fn->name)) continue;
        f->start[loc_i] += i;
        f->count[loc_i] -= i;
        return true;
    }
    return false;
}

static void own_lines(struct arena *out, const struct profile *p, struct name_filters *f) {
    f->start = NEW(out, u32, p->n_locations);
    f->count = NEW(out, u32, p->n_locations);
    u32 n = 0;
    for (u32 i = 0; i < p->n_locations; i++) {
        f->start[i] = n;
        f->count[i] = p->locations[i].n_lines;
        n += f->count[i];
    }
    f->ids = NEW(out, u32, n);
    for (u32 i = 0; i < p->n_locations; i++) {
        for (u32 j = 0; j < f->count[i]; j++)
            f->ids[f->start[i] + j] = p->locations[i].lines_at + j;
    }
}

void name_filters_apply(struct arena *out, const struct profile *p, struct name_filters *f,
                        struct buf *messages) {
    own_lines(out, p, f);
    if (f->focus.re || f->ignore.re || f->hide.re || f->show.re) {
        f->verdict = NEW(out, u8, p->n_locations);
        struct found found = {0};
        for (u32 i = 0; i < p->n_locations; i++) filter_location(out, p, f, i, &found);
        warn_no_match(messages, "Focus", f->focus.re, found.focus);
        warn_no_match(messages, "Ignore", f->ignore.re, found.ignore);
        warn_no_match(messages, "Hide", f->hide.re, found.hide);
        warn_no_match(messages, "Show", f->show.re, found.show);
    }
    if (f->show_from.re) {
        f->shows_from = NEW(out, bool, p->n_locations);
        bool any = false;
        for (u32 i = 0; i < p->n_locations; i++)
            any |= f->shows_from[i] = filter_show_from(p, f, i);
        warn_no_match(messages, "ShowFrom", true, any);
    }
    if (f->prune_from.re) {
        f->cuts_below = NEW(out, bool, p->n_locations);
        AUTO_ARENA struct arena scratch = arena_sub(out);
        for (u32 i = 0; i < p->n_locations; i++)
            f->cuts_below[i] = filter_prune_from(&scratch, p, f, i);
    }
}

// Focused somewhere, ignored nowhere, and not hidden as a whole.
static bool keeps_stack(const struct name_filters *f, const u32 *stack, u32 n) {
    bool is_focused = false, is_shown = !f->is_hidden;
    for (u32 i = 0; i < n; i++) {
        if (f->verdict[stack[i]] == LOCATION_IGNORED) return false;
        if (f->verdict[stack[i]] == LOCATION_FOCUSED) is_focused = true;
        if (f->is_hidden && !f->is_hidden[stack[i]]) is_shown = true;
    }
    return is_focused && is_shown;
}

bool name_filters_cut(const struct name_filters *f, const u32 *stack, u32 n, u32 *ret_from,
                      u32 *ret_to) {
    *ret_from = 0;
    *ret_to = n;
    if (f->verdict && !keeps_stack(f, stack, n)) return false;
    if (f->shows_from) {
        u32 i = n;
        while (i > 0 &&
               (!f->shows_from[stack[i - 1]] || (f->is_hidden && f->is_hidden[stack[i - 1]])))
            i--;
        if (i == 0) return false;
        *ret_to = i;
    }
    for (u32 i = 0; f->cuts_below && i < *ret_to; i++) {
        if (!f->cuts_below[stack[i]]) continue;
        *ret_from = i;
        break;
    }
    return true;
}
