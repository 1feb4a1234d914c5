// profile/prune.c - removal of frames below the profiler's own or the allocator's entry points.
// Room: drop_frames and keep_frames of the profile itself; the user's -prune_from is the view's.
// Door: profile_prune(), at the end. Source: reference/pprof.md section 2.12.
#include "profile/prune.h"

#include <string.h>

str function_simple_name(struct arena *out, str name) {
    (void)out; // the result always lies inside name
    name = str_drop_prefix(name, S("."));
    const str reserved[] = {S("(anonymous namespace)"), S("operator()")};
    for (size_t i = 0; i < name.len;) {
        str rest = str_skip(name, i);
        size_t skip = 1;
        for (size_t k = 0; k < countof(reserved); k++) {
            if (str_starts(rest, reserved[k])) skip = reserved[k].len;
        }
        if (skip == 1 && rest.p[0] == '(') return str_take(name, i);
        i += skip;
    }
    return name;
}

enum verdict { VERDICT_OPEN, VERDICT_KEEP, VERDICT_DROP };

// What pruning does with a location.
enum cut {
    CUT_NOT,     // a user frame
    CUT_WHOLE,   // its outermost function is dropped: it goes with all beneath
    CUT_BENEATH, // an inlined function is dropped: its outer lines stay, all beneath goes
};

struct pruner {
    const struct profile *p;
    struct regex *drop, *keep; // keep may be NULL
    u8 *verdicts;              // of each function
    u8 *cuts;                  // of each location
};

static bool is_dropped(struct pruner *pr, u32 function_i) {
    if (function_i == U32_NONE) return false;
    u8 *verdict = &pr->verdicts[function_i];
    str name = profile_str(pr->p, pr->p->functions[function_i].name);
    if (*verdict == VERDICT_OPEN) {
        str simple = function_simple_name(NULL, name);
        bool drops = name.len && regex_match(pr->drop, simple) &&
                     !(pr->keep && regex_match(pr->keep, simple));
        *verdict = drops ? VERDICT_DROP : VERDICT_KEEP;
    }
    return *verdict == VERDICT_DROP;
}

// The outermost dropped line of a location, or U32_NONE.
static u32 find_dropped_line(struct pruner *pr, const struct location *l) {
    for (u32 i = l->n_lines; i-- > 0;) {
        if (is_dropped(pr, pr->p->lines[l->lines_at + i].function_i)) return i;
    }
    return U32_NONE;
}

// Marks every location and shortens the lines of those that stay in part; whether any is marked.
static bool mark_locations(struct pruner *pr, struct location *locations) {
    bool has_cut = false;
    for (u32 i = 0; i < pr->p->n_locations; i++) {
        struct location *l = &locations[i];
        u32 line_i = find_dropped_line(pr, l);
        if (line_i == U32_NONE) continue;
        has_cut = true;
        bool is_outermost = line_i == l->n_lines - 1;
        pr->cuts[i] = is_outermost ? CUT_WHOLE : CUT_BENEATH;
        if (is_outermost) continue;
        l->lines_at += line_i + 1;
        l->n_lines -= line_i + 1;
    }
    return has_cut;
}

// How many of the innermost frames of a stack go. Nothing goes before the first user frame seen
// from the root, so that no stack is emptied.
static u32 count_cut(const struct pruner *pr, const u32 *stack, u32 n) {
    bool has_user = false;
    for (u32 i = n; i-- > 0;) {
        u8 cut = pr->cuts[stack[i]];
        if (cut == CUT_NOT)
            has_user = true;
        else if (has_user)
            return cut == CUT_WHOLE ? i + 1 : i;
    }
    return 0;
}

static void cut_stacks(struct arena *out, const struct pruner *pr, struct profile *q) {
    const struct profile *p = pr->p;
    q->stack_at = NEW(out, u64, (size_t)p->n_samples + 1);
    q->stack_locs = NEW(out, u32, p->stack_at[p->n_samples]);
    for (u32 s = 0; s < p->n_samples; s++) {
        u32 n;
        const u32 *stack = profile_stack(p, s, &n);
        u32 n_cut = count_cut(pr, stack, n);
        if (n > n_cut)
            memcpy(q->stack_locs + q->stack_at[s], stack + n_cut, (n - n_cut) * sizeof *stack);
        q->stack_at[s + 1] = q->stack_at[s] + n - n_cut;
    }
}

static void prune(struct arena *out, struct pruner *pr, struct profile *ret) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    const struct profile *p = pr->p;
    pr->verdicts = NEW(&scratch, u8, p->n_functions);
    pr->cuts = NEW(&scratch, u8, p->n_locations);
    struct location *locations = NEW(out, struct location, p->n_locations);
    if (p->n_locations) memcpy(locations, p->locations, p->n_locations * sizeof *locations);
    if (!mark_locations(pr, locations)) return;
    ret->locations = locations;
    cut_stacks(out, pr, ret);
}

// The profile's expression, anchored; false where there is none or it does not compile.
static bool compile(struct arena *scratch, const struct profile *p, u32 id, struct regex **ret) {
    if (id == 0) return false;
    str parts[] = {S("^("), profile_str(p, id), S(")$")};
    struct err ignored;
    return regex_compile(scratch, str_join(scratch, parts, countof(parts), (str){0}), ret,
                         &ignored);
}

void profile_prune(struct arena *out, const struct profile *p, struct profile *ret) {
    struct profile q = *p;
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct pruner pr = {.p = p};
    if (compile(&scratch, p, p->drop_frames, &pr.drop)) {
        // A keep expression that does not compile stops the pruning as well.
        bool is_ok = p->keep_frames == 0 || compile(&scratch, p, p->keep_frames, &pr.keep);
        if (is_ok) prune(out, &pr, &q);
        if (pr.keep) regex_done(pr.keep);
        regex_done(pr.drop);
    }
    *ret = q;
}
