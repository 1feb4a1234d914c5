// profile/compatible.c - making profiles fit each other before a merge.
// Room: choosing common sample types and common units. Door: profile_make_compatible(), at the end.
// Source: reference/pprof.md section 4 (Merge, steps a and b).
#include "profile/merge.h"
#include "profile/units.h"

#include <math.h>
#include <string.h>

static str type_name(const struct profile *p, u32 type_i) {
    return profile_str(p, p->sample_types[type_i].type);
}

// How many sample types of all profiles have this name. The reference counts so, and a name that
// comes twice in one profile is therefore not common (quirk Q17).
static size_t count_types(const struct profile *const *list, size_t n, str name) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        for (u32 k = 0; k < list[i]->n_types; k++) count += str_eq(type_name(list[i], k), name);
    }
    return count;
}

static u32 find_type(const struct profile *p, str name) {
    for (u32 i = 0; i < p->n_types; i++) {
        if (str_eq(type_name(p, i), name)) return i;
    }
    return U32_NONE;
}

static bool is_identity(const u32 *from, u32 n, u32 n_types) {
    for (u32 i = 0; i < n; i++) {
        if (from[i] != i) return false;
    }
    return n == n_types;
}

// p with the sample types from[0 .. n) of its own, in that order.
static struct profile pick_types(struct arena *out, const struct profile *p, const u32 *from,
                                 u32 n) {
    struct profile q = *p;
    q.n_types = n;
    q.sample_types = NEW(out, struct value_type, n);
    q.values = NEW(out, i64, (size_t)p->n_samples * n);
    bool keeps_default = false;
    for (u32 i = 0; i < n; i++) {
        q.sample_types[i] = p->sample_types[from[i]];
        keeps_default = keeps_default || q.sample_types[i].type == p->default_sample_type;
    }
    if (!keeps_default) q.default_sample_type = q.sample_types[0].type;
    for (u32 s = 0; s < p->n_samples; s++) {
        for (u32 i = 0; i < n; i++) q.values[(size_t)s * n + i] = profile_values(p, s)[from[i]];
    }
    return q;
}

static const struct profile *keep(struct arena *out, struct profile p) {
    struct profile *kept = NEW(out, struct profile, 1);
    *kept = p;
    return kept;
}

static bool pick_common_types(struct arena *out, const struct profile **list, size_t n,
                              struct err *err) {
    const struct profile *first = list[0];
    str *common = NEW(out, str, first->n_types);
    u32 *from = NEW(out, u32, first->n_types);
    u32 n_common = 0;
    for (u32 i = 0; i < first->n_types; i++) {
        str name = type_name(first, i);
        if (count_types(list, n, name) == n) common[n_common++] = name;
    }
    if (n_common == 0)
        return err_set(err, ERR_USAGE, 0, "profiles have empty common sample type list");
    for (size_t k = 0; k < n; k++) {
        for (u32 i = 0; i < n_common; i++) {
            from[i] = find_type(list[k], common[i]);
            if (from[i] != U32_NONE) continue;
            return err_set(err, ERR_USAGE, 0, "\"" S_FMT "\" sample type is not found in profile",
                           S_ARG(common[i]));
        }
        if (!is_identity(from, n_common, list[k]->n_types))
            list[k] = keep(out, pick_types(out, list[k], from, n_common));
    }
    return true;
}

// A value type as texts, so that types of different profiles compare.
struct type_text {
    str type, unit;
};

static bool are_compatible(struct type_text a, struct type_text b) {
    if (!str_eq(str_drop_suffix(a.type, S("s")), str_drop_suffix(b.type, S("s")))) return false;
    return str_eq(a.unit, b.unit) || units_convert(a.unit, b.unit);
}

static double unit_ratio(str from, str to) {
    str ignored;
    return units_scale(1, from, to, &ignored);
}

// The type with the finest unit; all must be compatible with the finest so far.
static bool finest_type(const struct type_text *types, size_t n, struct type_text *ret,
                        struct err *err) {
    struct type_text finest = types[0];
    for (size_t i = 1; i < n; i++) {
        if (!are_compatible(finest, types[i]))
            return err_set(
                err, ERR_USAGE, 0,
                "incompatible types: {" S_FMT " " S_FMT " 0 0} {" S_FMT " " S_FMT " 0 0}",
                S_ARG(finest.type), S_ARG(finest.unit), S_ARG(types[i].type), S_ARG(types[i].unit));
        if (unit_ratio(types[i].unit, finest.unit) < 1) finest = types[i];
    }
    *ret = finest;
    return true;
}

static struct type_text text_of(const struct profile *p, struct value_type t) {
    return (struct type_text){profile_str(p, t.type), profile_str(p, t.unit)};
}

static u32 find_str(const struct profile *p, str text) {
    for (u32 i = 0; i < p->n_strings; i++) {
        if (str_eq(p->strings[i], text)) return i;
    }
    return U32_NONE;
}

u32 profile_add_str(struct arena *out, struct profile *p, str text) {
    u32 id = find_str(p, text);
    if (id != U32_NONE) return id;
    str *strings = NEW(out, str, (size_t)p->n_strings + 1);
    memcpy(strings, p->strings, p->n_strings * sizeof *strings);
    strings[p->n_strings] = str_copy(out, text);
    p->strings = strings;
    return p->n_strings++;
}

static struct profile with_units(struct arena *out, const struct profile *p, str period_unit,
                                 const struct type_text *finest) {
    struct profile q = *p;
    str ignored;
    q.period =
        (i64)units_scale(p->period, profile_str(p, p->period_type.unit), period_unit, &ignored);
    q.period_type.unit = profile_add_str(out, &q, period_unit);
    q.sample_types = NEW(out, struct value_type, q.n_types);
    double *ratios = NEW(out, double, q.n_types);
    for (u32 i = 0; i < q.n_types; i++) {
        str unit = profile_str(p, p->sample_types[i].unit);
        ratios[i] = unit_ratio(unit, finest[i].unit);
        q.sample_types[i].type = p->sample_types[i].type;
        q.sample_types[i].unit = profile_add_str(out, &q, finest[i].unit);
    }
    return profile_scale(out, &q, ratios);
}

static bool has_units(const struct profile *p, str period_unit, const struct type_text *finest) {
    bool is_same = str_eq(profile_str(p, p->period_type.unit), period_unit);
    for (u32 i = 0; i < p->n_types; i++)
        is_same = is_same && str_eq(profile_str(p, p->sample_types[i].unit), finest[i].unit);
    return is_same;
}

static bool bring_to_common_units(struct arena *out, const struct profile **list, size_t n,
                                  struct err *err) {
    if (n < 2) return true;
    struct type_text *texts = NEW(out, struct type_text, n), period;
    struct type_text *finest = NEW(out, struct type_text, list[0]->n_types);
    for (size_t k = 0; k < n; k++) texts[k] = text_of(list[k], list[k]->period_type);
    if (!finest_type(texts, n, &period, err)) return err_in(err, "period type");
    for (u32 i = 0; i < list[0]->n_types; i++) {
        for (size_t k = 0; k < n; k++) texts[k] = text_of(list[k], list[k]->sample_types[i]);
        if (!finest_type(texts, n, &finest[i], err)) return err_in(err, "sample types");
    }
    for (size_t k = 0; k < n; k++) {
        if (!has_units(list[k], period.unit, finest))
            list[k] = keep(out, with_units(out, list[k], period.unit, finest));
    }
    return true;
}

bool profile_make_compatible(struct arena *out, const struct profile **list, size_t n,
                             struct err *err) {
    if (n == 0) return err_set(err, ERR_USAGE, 0, "profiles have empty common sample type list");
    return pick_common_types(out, list, n, err) && bring_to_common_units(out, list, n, err);
}
